namespace Sloring.Contracts.Events;

/// <summary>The bus gave up delivering an event to this service. Audit only, in the subscriber's journal; deliberately absent: the event's content.</summary>
[EventName("audit.event-dead-lettered.v1")]
public sealed record EventDeadLettered : IEvent
{
    /// <summary>The service in whose journal the event stands; null where the message does not name a known one.</summary>
    public string? Publisher { get; init; }

    /// <summary>Wire name of the event; null where the message does not name a known one.</summary>
    public string? Type { get; init; }

    /// <summary>Its position in the publisher's journal; null where it cannot be read.</summary>
    public long? Position { get; init; }

    /// <summary>Its id; null where it cannot be read.</summary>
    public Guid? EventId { get; init; }

    string IEvent.Subject => EventId?.ToString() ?? "unreadable";
}
