using Sloring.Approval.Domain;
using Sloring.Contracts;
using Sloring.Contracts.Events;
using Xunit;
using static Sloring.Tests.Unit.Approval.Cases;

namespace Sloring.Tests.Unit.Approval;

public sealed class DeadlinesTests
{
    // A2, A3, A8, M5
    [Fact]
    public void A_new_case_has_its_deadlines_by_the_Danish_calendar()
    {
        var activatedAt = At("2026-01-05T09:15Z"); // Monday 10:15
        var planned = Deadlines.OfNewCase(activatedAt, DanishTime.AddDays(activatedAt, 90), reasonMissing: true, Chosen);
        Assert.Equal(
            [
                new(DeadlineKinds.ReasonMissing, At("2026-01-06T09:15Z")), // after one working day
                new(DeadlineKinds.DecisionReminder, At("2026-01-12T07:00Z")), // 8:00, 2 working days before the last day
                new(DeadlineKinds.DecisionReminder, At("2026-01-14T07:00Z")), // 8:00 on the last day
                new(DeadlineKinds.DecisionOverdue, At("2026-01-14T23:00Z")), // the last day is over
                new(DeadlineKinds.ExpiryNotice, At("2026-03-26T09:15Z")), // 10 days before 5 April 10:15 summer time = winter time still
            ],
            planned);
    }

    [Fact]
    public void A_case_with_a_reason_has_no_reason_reminder_M5() =>
        Assert.DoesNotContain(
            Deadlines.OfNewCase(Monday, DanishTime.AddDays(Monday, 90), reasonMissing: false, Chosen),
            deadline => deadline.Kind == DeadlineKinds.ReasonMissing);

    // A8: the wall clock of the end stays, over the change to winter time on 25 October 2026.
    [Fact]
    public void The_expiry_notice_keeps_the_wall_clock_of_the_end() =>
        Assert.Equal(At("2026-10-20T08:00Z"), Deadlines.RenewalFrom(At("2026-10-30T09:00Z"), Chosen));

    [Theory]
    [InlineData("2026-01-04T22:59Z", "2026-01-13T23:00Z")] // Sunday 23:59 in Denmark
    [InlineData("2026-01-04T23:00Z", "2026-01-14T23:00Z")] // Monday 00:00 in Denmark
    [InlineData("2026-03-20T12:00Z", "2026-03-31T22:00Z")] // into summer time
    [InlineData("2026-03-27T12:00Z", "2026-04-10T22:00Z")] // over Easter
    public void A_decision_is_due_at_the_end_of_the_seventh_working_day_A2(string activated, string due) =>
        Assert.Equal(At(due), Deadlines.DecisionDue(At(activated), Chosen));

    [Fact]
    public void Days_off_that_the_region_names_move_the_deadline_A2() =>
        Assert.Equal(At("2027-01-05T23:00Z"), Deadlines.DecisionDue(At("2026-12-22T12:00Z"), PracticeWith(extraDays: ["12-24"])));

    [Theory]
    [InlineData("2026-01-05T09:15Z", "2026-01-06T09:15Z")] // Monday → Tuesday
    [InlineData("2026-01-09T21:30Z", "2026-01-12T21:30Z")] // Friday → Monday
    [InlineData("2026-04-01T08:00Z", "2026-04-07T08:00Z")] // the day before Easter → Tuesday after it
    [InlineData("2026-03-27T12:00Z", "2026-03-30T11:00Z")] // same wall clock over the change to summer time
    public void The_reason_reminder_comes_every_working_day_M5(string last, string next) =>
        Assert.Equal(At(next), Deadlines.ReasonReminderAfter(At(last), At(last), Chosen));

    [Fact]
    public void A_clock_that_stood_still_for_a_week_sends_one_reminder_not_five_M5() =>
        Assert.Equal(At("2026-01-14T09:15Z"), Deadlines.ReasonReminderAfter(At("2026-01-06T09:15Z"), At("2026-01-13T11:00Z"), Chosen));

    [Theory]
    [InlineData("2026-01-05T12:00Z", 7)]
    [InlineData("2026-01-09T12:00Z", 3)]
    [InlineData("2026-01-11T12:00Z", 3)]
    [InlineData("2026-01-13T22:59Z", 1)]
    [InlineData("2026-01-13T23:00Z", 0)] // the last day has begun
    [InlineData("2026-02-13T12:00Z", 0)]
    public void Working_days_left_are_whole_days(string now, int left) =>
        Assert.Equal(left, Deadlines.WorkingDaysLeft(Deadlines.DecisionDue(Monday, Chosen), At(now), Chosen));

    [Fact]
    public void Deadlines_after_the_end_are_not_set()
    {
        var planned = Deadlines.OfNewCase(Monday, Monday.AddDays(2), reasonMissing: true, Chosen);
        Assert.Equal([DeadlineKinds.ReasonMissing, DeadlineKinds.ExpiryNotice], planned.Select(deadline => deadline.Kind));
    }

    [Fact]
    public void Reminders_before_the_activation_are_not_set() =>
        Assert.Equal(
            [DeadlineKinds.DecisionReminder, DeadlineKinds.DecisionOverdue, DeadlineKinds.ExpiryNotice],
            Deadlines.OfNewCase(Monday, Monday.AddDays(90), reasonMissing: false, PracticeWith(decisionWorkingDays: 1)).Select(d => d.Kind));
}
