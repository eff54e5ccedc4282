namespace Sloring.Contracts.Events;

/// <summary>A service wants to be told when an instant is reached. Published by Registration and Approval.</summary>
[EventName("deadline.set.v1")]
public sealed record DeadlineSet : IEvent
{
    /// <summary>Id chosen by the owner, a UUID.</summary>
    public required string DeadlineId { get; init; }

    /// <summary>"registration" or "approval".</summary>
    public required string Owner { get; init; }

    /// <summary>What it is about: a masking's id.</summary>
    public required string About { get; init; }

    /// <summary>The owner's word for it: one of <see cref="DeadlineKinds"/>.</summary>
    public required string Kind { get; init; }

    /// <summary>When, UTC.</summary>
    public required DateTimeOffset DueAt { get; init; }

    string IEvent.Subject => About;
}

/// <summary>A deadline is no longer wanted. Harmless where it has fired. Published by its owner.</summary>
[EventName("deadline.cancelled.v1")]
public sealed record DeadlineCancelled : IEvent
{
    /// <summary>The deadline.</summary>
    public required string DeadlineId { get; init; }

    /// <summary>What it is about: a masking's id.</summary>
    public required string About { get; init; }

    string IEvent.Subject => About;
}

/// <summary>A deadline fired, once. Published by Scheduler.</summary>
[EventName("deadline.reached.v1")]
public sealed record DeadlineReached : IEvent
{
    /// <summary>The deadline.</summary>
    public required string DeadlineId { get; init; }

    /// <summary>Who set it; others pass it over.</summary>
    public required string Owner { get; init; }

    /// <summary>What it is about: a masking's id.</summary>
    public required string About { get; init; }

    /// <summary>The owner's word for it.</summary>
    public required string Kind { get; init; }

    /// <summary>When it was due, UTC.</summary>
    public required DateTimeOffset DueAt { get; init; }

    /// <summary>When it fired, UTC.</summary>
    public required DateTimeOffset FiredAt { get; init; }

    string IEvent.Subject => About;
}

/// <summary>The kinds of deadlines that the platform sets.</summary>
public static class DeadlineKinds
{
    /// <summary>The masking's end (rule M6). Owner: registration.</summary>
    public const string Expiry = "expiry";

    /// <summary>The activator is reminded of a missing reason (rule M5). Owner: approval.</summary>
    public const string ReasonMissing = "reason-missing";

    /// <summary>A decision is due soon, or today (rule A3). Owner: approval.</summary>
    public const string DecisionReminder = "decision-reminder";

    /// <summary>The decision is overdue (rule A3). Owner: approval.</summary>
    public const string DecisionOverdue = "decision-overdue";

    /// <summary>10 days before the end (rule A8). Owner: approval.</summary>
    public const string ExpiryNotice = "expiry-notice";
}
