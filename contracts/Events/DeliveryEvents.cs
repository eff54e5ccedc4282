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

/// <summary>An operator had messages that were refused at the edge put into their queue again. Audit only, before it is done; deliberately absent: the messages' content.</summary>
[EventName("audit.errors-replayed.v1")]
public sealed record ErrorsReplayed : IEvent
{
    /// <summary>The queue at the edge.</summary>
    public required string Queue { get; init; }

    /// <summary>How many stood among its errors and are to be replayed; fewer are where the broker goes away meanwhile.</summary>
    public required int Messages { get; init; }

    string IEvent.Subject => Queue;
}
