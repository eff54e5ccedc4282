namespace Sloring.Scheduler;

/// <summary>Where a deadline stands. Stored as a number; the pending ones have an index of their own.</summary>
public enum DeadlineState
{
    Pending = 0,
    Fired = 1,
    Cancelled = 2,
}

/// <summary>A deadline that another service has set.</summary>
public sealed class Deadline
{
    /// <summary>Order of arrival: deadlines due at the same instant fire in the order they were set.</summary>
    public long Number { get; init; }

    /// <summary>Chosen by the owner.</summary>
    public required Guid Id { get; init; }

    /// <summary>The service that set it.</summary>
    public required string Owner { get; init; }

    /// <summary>What it is about: a masking's id.</summary>
    public required string Subject { get; init; }

    /// <summary>The owner's word for it.</summary>
    public required string Kind { get; init; }

    public required DateTimeOffset DueAt { get; init; }

    public DeadlineState State { get; set; }

    public DateTimeOffset? FiredAt { get; set; }
}
