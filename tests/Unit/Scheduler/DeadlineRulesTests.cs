using FsCheck;
using FsCheck.Fluent;
using Sloring.Contracts.Events;
using Sloring.Scheduler;
using Sloring.Scheduler.Domain;
using Xunit;

namespace Sloring.Tests.Unit.Scheduler;

public sealed class DeadlineRulesTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    [Theory] // M6: at the end instant itself the masking has ended
    [InlineData(-1, DeadlineState.Pending, true)]
    [InlineData(0, DeadlineState.Pending, true)]
    [InlineData(1, DeadlineState.Pending, false)]
    [InlineData(-1, DeadlineState.Fired, false)]
    [InlineData(-1, DeadlineState.Cancelled, false)]
    public void PendingAtOrAfterItsInstant_IsDue(int milliseconds, DeadlineState state, bool due) =>
        Assert.Equal(due, DeadlineRules.Due(Now).Compile()(Row(Now.AddMilliseconds(milliseconds), state)));

    [Theory]
    [InlineData(-1, DeadlineState.Pending, null, false)]
    [InlineData(-1, DeadlineState.Cancelled, null, true)]
    [InlineData(0, DeadlineState.Cancelled, null, false)]
    [InlineData(-1, DeadlineState.Fired, -1, true)]
    [InlineData(-1, DeadlineState.Fired, 0, false)] // fired late
    public void FiredOrCancelledAndDueBefore_IsOver(int due, DeadlineState state, int? fired, bool over)
    {
        var row = Row(Now.AddMilliseconds(due), state);
        row.FiredAt = fired is null ? null : Now.AddMilliseconds(fired.Value);
        Assert.Equal(over, DeadlineRules.Over(Now).Compile()(row));
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData(999, 999)]
    [InlineData(1_000, null)]
    [InlineData(90_000_000, null)]
    [InlineData(-5, -5)]
    public void NearestBeforeTheRegularSweep_WakesOutOfTurn(int? nearest, int? wake) => Assert.Equal(
        wake is null ? null : Now.AddMilliseconds(wake.Value), DeadlineRules.Wake(nearest is null ? null : Now.AddMilliseconds(nearest.Value), Now));

    [Theory]
    [InlineData(null, 0)]
    [InlineData(500, 0)]
    [InlineData(0, 0)]
    [InlineData(-2_500, 2.5)]
    public void OldestDue_IsTheLag(int? nearest, double lag) =>
        Assert.Equal(lag, DeadlineRules.Lag(nearest is null ? null : Now.AddMilliseconds(nearest.Value), Now));

    [Theory]
    [InlineData(DeadlineState.Pending, DeadlineState.Cancelled)]
    [InlineData(DeadlineState.Cancelled, DeadlineState.Cancelled)]
    [InlineData(DeadlineState.Fired, DeadlineState.Fired)]
    public void Cancel_TakesBackOnlyWhatHasNotFired(DeadlineState before, DeadlineState after) => Assert.Equal(after, DeadlineRules.Cancelled(before));

    [Fact] // M6: names show again no instant too early
    public void SetInstant_IsKeptInMillisecondsNeverEarlier() => Prop.ForAll<long>(ticks =>
    {
        var due = Now.AddTicks(ticks % TimeSpan.TicksPerDay);
        var kept = DeadlineRules.Pending(Set(due)).DueAt;
        return kept >= due && kept - due < TimeSpan.FromMilliseconds(1) && kept.Ticks % TimeSpan.TicksPerMillisecond == 0;
    }).QuickCheckThrowOnFailure();

    [Fact] // A3, A4, A8: the owner gets back what it set, and decides what it means
    public void Reached_SaysWhatTheOwnerSet()
    {
        var set = Set(Now);
        Assert.Equal(
            new DeadlineReached { DeadlineId = set.DeadlineId, Owner = set.Owner, About = set.About, Kind = set.Kind, DueAt = Now, FiredAt = Now.AddSeconds(1) },
            DeadlineRules.Reached(DeadlineRules.Pending(set), Now.AddSeconds(1)));
    }

    private static DeadlineSet Set(DateTimeOffset due) => new()
    {
        DeadlineId = "01936d5e-0000-7000-8000-000000000001",
        Owner = "approval",
        About = "01936d5e-0000-7000-8000-000000000002",
        Kind = DeadlineKinds.ExpiryNotice,
        DueAt = due,
    };

    private static Deadline Row(DateTimeOffset due, DeadlineState state) => new()
    {
        Id = Guid.Empty,
        Owner = "registration",
        Subject = "s",
        Kind = DeadlineKinds.Expiry,
        DueAt = due,
        State = state,
    };
}
