using System.Linq.Expressions;
using Sloring.Contracts.Events;

namespace Sloring.Scheduler.Domain;

/// <summary>
/// When deadlines fire (architecture decision 9). They carry the masking's end (rule M6), the reminders of a reason (rule M5) and of a
/// decision (rule A3) and the expiry notice (rule A8); what reaching one means is the owner's business: a deadline lifts nothing (rule A4).
/// </summary>
public static class DeadlineRules
{
    /// <summary>Deadlines fired in one transaction: enough to fill a commit, few enough that other writers hardly wait.</summary>
    public const int BatchSize = 1_000;

    /// <summary>
    /// A sweep at least this often: half of the two seconds within which a deadline fires, also one that another replica was told of.
    /// </summary>
    public static readonly TimeSpan SweepEvery = TimeSpan.FromSeconds(1);

    /// <summary>The rows a sweep may fire at an instant: one of them just due included.</summary>
    public static Expression<Func<Deadline, bool>> Due(DateTimeOffset now) =>
        deadline => deadline.State == DeadlineState.Pending && deadline.DueAt <= now;

    /// <summary>The rows that are over since before an instant. When one was cancelled is not kept; it is over when it would have been due.</summary>
    public static Expression<Func<Deadline, bool>> Over(DateTimeOffset before) =>
        deadline => deadline.State != DeadlineState.Pending && deadline.DueAt < before && (deadline.FiredAt == null || deadline.FiredAt < before);

    /// <summary>When to sweep next out of turn: at the nearest due instant, where that comes before the regular sweep.</summary>
    public static DateTimeOffset? Wake(DateTimeOffset? nearest, DateTimeOffset now) => nearest < now + SweepEvery ? nearest : null;

    /// <summary>Seconds by which the oldest deadline is late.</summary>
    public static double Lag(DateTimeOffset? nearest, DateTimeOffset now) => nearest < now ? (now - nearest.Value).TotalSeconds : 0;

    /// <summary>What a cancel makes of a deadline: one that has fired stays fired.</summary>
    public static DeadlineState Cancelled(DeadlineState state) => state == DeadlineState.Pending ? DeadlineState.Cancelled : state;

    /// <summary>The row for a deadline that its owner sets. It is never reached before the instant its owner means.</summary>
    public static Deadline Pending(DeadlineSet set) => new()
    {
        Id = Guid.Parse(set.DeadlineId),
        Owner = set.Owner,
        Subject = set.About,
        Kind = set.Kind,
        DueAt = WholeMilliseconds(set.DueAt),
    };

    /// <summary>What the owner is told.</summary>
    public static DeadlineReached Reached(Deadline deadline, DateTimeOffset now) => new()
    {
        DeadlineId = deadline.Id.ToString(),
        Owner = deadline.Owner,
        About = deadline.Subject,
        Kind = deadline.Kind,
        DueAt = deadline.DueAt,
        FiredAt = now,
    };

    /// <summary>Rounded up to what the database keeps.</summary>
    private static DateTimeOffset WholeMilliseconds(DateTimeOffset instant)
    {
        var below = DateTimeOffset.FromUnixTimeMilliseconds(instant.ToUnixTimeMilliseconds());
        return below < instant ? below.AddMilliseconds(1) : below;
    }
}
