using Sloring.Contracts;
using Sloring.Contracts.Events;

namespace Sloring.Approval.Domain;

/// <summary>A deadline that a case is to have.</summary>
/// <param name="Kind">One of <see cref="DeadlineKinds"/>.</param>
/// <param name="DueAt">When, UTC.</param>
public sealed record PlannedDeadline(string Kind, DateTimeOffset DueAt);

/// <summary>Which deadlines a case has, and when (rules A2, A3, A8, M5), by the Danish calendar.</summary>
public static class Deadlines
{
    private const int ReminderHour = 8;
    private const int FirstReminderWorkingDays = 2;

    /// <summary>Deadlines that a decision makes pointless; the expiry notice is not among them.</summary>
    public static IReadOnlyList<string> UntilDecided { get; } =
        [DeadlineKinds.ReasonMissing, DeadlineKinds.DecisionReminder, DeadlineKinds.DecisionOverdue];

    /// <summary>Every deadline of a case.</summary>
    public static IReadOnlyList<string> UntilClosed { get; } = [.. UntilDecided, DeadlineKinds.ExpiryNotice];

    /// <summary>The last day on which a decision is in time: working day no. 7 after the Danish day of activation (rule A2).</summary>
    public static DateOnly LastDay(DateTimeOffset activatedAt, Practice practice) =>
        practice.WorkingDays.After(DanishTime.DayOf(activatedAt), practice.DecisionWorkingDays);

    /// <summary>The instant at which a decision is late: the end of the last day (rule A2).</summary>
    public static DateTimeOffset DecisionDue(DateTimeOffset activatedAt, Practice practice) =>
        DanishTime.StartOf(LastDay(activatedAt, practice).AddDays(1));

    /// <summary>When the expiry notice is sent and from when a renewal may be decided: 10 days before the end, same wall clock (rules A8, A9).</summary>
    public static DateTimeOffset RenewalFrom(DateTimeOffset endsAt, Practice practice) => DanishTime.AddDays(endsAt, -practice.ExpiryNoticeDays);

    /// <summary>As it was set for a case, whatever its organisation has chosen since.</summary>
    public static DateTimeOffset RenewalFrom(ApprovalCase @case, Practice practice) => @case.RenewalFrom ?? RenewalFrom(@case.EndsAt, practice);

    /// <summary>All deadlines of a new case. Those that would fall after the masking's end are not set.</summary>
    public static IReadOnlyList<PlannedDeadline> OfNewCase(DateTimeOffset activatedAt, DateTimeOffset endsAt, bool reasonMissing, Practice practice)
    {
        var lastDay = LastDay(activatedAt, practice);
        List<PlannedDeadline> all =
        [
            new(DeadlineKinds.DecisionReminder, Morning(practice.WorkingDays.Before(lastDay, FirstReminderWorkingDays))),
            new(DeadlineKinds.DecisionReminder, Morning(lastDay)),
            new(DeadlineKinds.DecisionOverdue, DecisionDue(activatedAt, practice)),
        ];
        all.RemoveAll(deadline => deadline.DueAt <= activatedAt);
        if (reasonMissing)
            all.Insert(0, new(DeadlineKinds.ReasonMissing, ReasonReminderAfter(activatedAt, activatedAt, practice)));
        all.RemoveAll(deadline => deadline.DueAt >= endsAt);
        all.Add(ExpiryNotice(endsAt, practice));
        return all;
    }

    /// <summary>The expiry notice of an end (rule A8); a renewal sets it anew (rule A9).</summary>
    public static PlannedDeadline ExpiryNotice(DateTimeOffset endsAt, Practice practice) =>
        new(DeadlineKinds.ExpiryNotice, RenewalFrom(endsAt, practice));

    /// <summary>
    /// The next reminder of a missing reason: the next working day, at the wall-clock time of the reminder (or activation) before (rule M5).
    /// Counted from when that one fired, so that a clock that stood still sends one reminder, not a burst.
    /// </summary>
    public static DateTimeOffset ReasonReminderAfter(DateTimeOffset dueAt, DateTimeOffset firedAt, Practice practice)
    {
        var next = practice.WorkingDays.After(DanishTime.DayOf(firedAt), 1);
        return DanishTime.AddDays(dueAt, next.DayNumber - DanishTime.DayOf(dueAt).DayNumber);
    }

    /// <summary>Whole working days left; 0 on the last day and after (rule A2).</summary>
    public static int WorkingDaysLeft(DateTimeOffset decisionDue, DateTimeOffset now, Practice practice) =>
        practice.WorkingDays.LeftUntil(DanishTime.DayOf(now), DanishTime.DayOf(decisionDue).AddDays(-1));

    /// <summary>8 o'clock. Summer time changes on Sundays, which are no working days, so 8 hours after midnight is 8 o'clock.</summary>
    private static DateTimeOffset Morning(DateOnly workingDay) => DanishTime.StartOf(workingDay).AddHours(ReminderHour);
}
