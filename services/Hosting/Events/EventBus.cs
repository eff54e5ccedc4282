using Sloring.Contracts.Events;

namespace Sloring.Hosting;

/// <summary>An event on its way from its publisher's journal to a subscriber.</summary>
/// <param name="Publisher">The service whose journal it stands in.</param>
/// <param name="Position">Its position there.</param>
/// <param name="EventId">Its id.</param>
/// <param name="Type">Wire name.</param>
/// <param name="Data">JSON.</param>
/// <param name="TraceParent">W3C trace context of its cause, or empty.</param>
/// <param name="OccurredAt">When it was journaled, UTC.</param>
/// <param name="Restoring">The restoring from a backup that its journal had last come through when it was published; empty where there was none.</param>
public sealed record Delivery(string Publisher, long Position, Guid EventId, string Type, string Data, string TraceParent, DateTimeOffset OccurredAt, string Restoring = "");

/// <summary>Takes events to their subscribers, as fast as it can and as reliably as it happens to be: the journal makes up for the rest.</summary>
public interface IEventBus
{
    /// <summary>Hands an event over. May be lost, doubled or reordered on its way.</summary>
    Task Publish(Delivery delivery, CancellationToken cancel);
}

/// <summary>The bus of one process: straight into the subscribers' queues.</summary>
public sealed class EmbeddedBus(IEnumerable<Inbox> inboxes) : IEventBus
{
    private readonly ILookup<(string, string), Inbox> _subscribers = inboxes
        .SelectMany(inbox => inbox.Topics.Select(topic => (topic, inbox)))
        .ToLookup(pair => pair.topic, pair => pair.inbox);

    public Task Publish(Delivery delivery, CancellationToken cancel)
    {
        foreach (var inbox in _subscribers[(delivery.Publisher, delivery.Type)])
            inbox.Offer(delivery);
        return Task.CompletedTask;
    }
}

/// <summary>What a service does when an event reaches it. The inbox is kept in the same transaction: a repeat does nothing.</summary>
public interface IReaction<TDb, in TEvent> where TDb : ServiceDb where TEvent : IEvent
{
    /// <exception cref="NotYetException">What it builds on has not arrived yet: it is tried again, in journal order.</exception>
    Task React(TEvent e, WriteScope<TDb> scope);
}

/// <summary>An event has come before one that it builds on.</summary>
public sealed class NotYetException(string what) : Exception($"Not here yet: {what}");

/// <summary>A reaction to one type of event of one publisher.</summary>
internal sealed record Subscription<TDb>(string Publisher, string Type, Func<IEvent, WriteScope<TDb>, Task> React) where TDb : ServiceDb;
