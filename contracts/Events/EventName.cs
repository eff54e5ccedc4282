using System.Reflection;

namespace Sloring.Contracts.Events;

/// <summary>The wire name of an event: topic in pub/sub, <c>type</c> in the journal and in the CloudEvent. Published names never change.</summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class EventNameAttribute(string name) : Attribute
{
    public string Name { get; } = name;
}

/// <summary>An event of the platform. What a subscriber needs to order, route and audit it travels beside it, in the journal entry.</summary>
public interface IEvent
{
    /// <summary>What the event is about, for example a masking's id.</summary>
    string Subject { get; }

    /// <summary>Keyed hash of the patient (32 hex digits), or null where no patient is concerned. Never a CPR number.</summary>
    string? Patient => null;
}

/// <summary>Wire names and types of all events, read once from the records in this folder.</summary>
public static class EventNames
{
    private static readonly Dictionary<Type, string> ByType = typeof(EventNames).Assembly.GetTypes()
        .Select(type => (type, name: type.GetCustomAttribute<EventNameAttribute>()?.Name))
        .Where(pair => pair.name is not null)
        .ToDictionary(pair => pair.type, pair => pair.name!);

    private static readonly Dictionary<string, Type> ByName = ByType.ToDictionary(pair => pair.Value, pair => pair.Key);

    /// <summary>All wire names with their types.</summary>
    public static IReadOnlyDictionary<string, Type> All => ByName;

    /// <summary>The wire name of <typeparamref name="TEvent"/>.</summary>
    public static string Of<TEvent>() where TEvent : IEvent => Of(typeof(TEvent));

    /// <summary>The wire name of an event type.</summary>
    /// <exception cref="InvalidOperationException">The record lacks its <see cref="EventNameAttribute"/>.</exception>
    public static string Of(Type type) => ByType.TryGetValue(type, out var name)
        ? name
        : throw new InvalidOperationException($"{type.Name} has no [EventName]: add its wire name.");

    /// <summary>True for entries that are audit only: kept in the journal, never published.</summary>
    public static bool IsAuditOnly(string name) => name.StartsWith("audit.", StringComparison.Ordinal);
}
