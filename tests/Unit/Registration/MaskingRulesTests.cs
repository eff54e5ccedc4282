using Sloring.Contracts;
using Sloring.Contracts.Events;
using Sloring.Contracts.Registration.V1;
using Sloring.Registration.Domain;
using Xunit;

namespace Sloring.Tests.Unit.Registration;

public sealed class MaskingRulesTests
{
    private static readonly DateTimeOffset Now = Instant("2025-05-01T08:30:00.1234567Z");
    private static readonly DateTimeOffset NowKept = Instant("2025-05-01T08:30:00.123Z");

    [Fact] // M1, M2, M3, M6
    public void FirstActivation_IsInForceAtOnceForOnePeriod()
    {
        var decided = MaskingRules.Activate(null, Command(), Now, MaskingDates.Guideline).Value;

        Assert.Null(decided.Before);
        Assert.True(decided.Order.InForceAt(Now));
        Assert.Equal(NowKept, decided.Order.ActivatedAt);
        Assert.Equal(NowKept.AddDays(90), decided.Order.EndsAt);
        var activated = Assert.IsType<RegistrationActivated>(decided.Events[0]);
        Assert.Equal(decided.Order.EndsAt, activated.EndsAt);
        Assert.Null(activated.SupersededMaskingId);
        var deadline = Assert.IsType<DeadlineSet>(decided.Events[1]);
        Assert.Equal((decided.Order.EndsAt, DeadlineKinds.Expiry, "registration"), (deadline.DueAt, deadline.Kind, deadline.Owner));
        Assert.Equal(2, decided.Events.Count);
    }

    [Theory] // M6: same wall-clock time in Denmark, across both changes of summer time
    [InlineData("2025-01-15T12:00:00Z", "2025-04-15T11:00:00Z")]
    [InlineData("2025-09-15T12:00:00Z", "2025-12-14T13:00:00Z")]
    [InlineData("2024-12-30T01:30:00Z", "2025-03-30T01:30:00Z")] // 02:30 on 30 March 2025 does not exist: 03:30 summer time
    [InlineData("2025-07-28T00:30:00Z", "2025-10-26T01:30:00Z")] // 02:30 on 26 October 2025 occurs twice: the later one
    public void Period_KeepsTheDanishWallClock(string from, string until) =>
        Assert.Equal(Instant(until), MaskingDates.Guideline.End(null, Instant(from)).Value);

    [Fact] // M7, M9
    public void NewBehaviour_SupersedesAndTheLaterEndCounts()
    {
        var first = Active();
        var later = Now.AddDays(10);

        var decided = MaskingRules.Activate(first, Command(), later, MaskingDates.Guideline).Value;

        Assert.Equal(MaskingState.Superseded, decided.Before!.State);
        Assert.False(decided.Before.InForceAt(later));
        Assert.Equal(NowKept.AddDays(100), decided.Order.EndsAt);
        Assert.Equal(first.MaskingId.ToString("D"), Assert.IsType<RegistrationActivated>(decided.Events[0]).SupersededMaskingId);
        Assert.Equal(first.DeadlineId.ToString("D"), Assert.IsType<DeadlineCancelled>(decided.Events[1]).DeadlineId);
        Assert.IsType<DeadlineSet>(decided.Events[2]);
        Assert.DoesNotContain(decided.Events, e => e is RegistrationEnded);
    }

    [Fact] // M7 over M9: an activation never shortens what is in force
    public void NewActivation_KeepsALaterRenewedEnd()
    {
        var renewed = Active() with { EndsAt = NowKept.AddDays(180) };

        var decided = MaskingRules.Activate(renewed, Command() with { EndsAt = Now.AddDays(2) }, Now.AddDays(1), MaskingDates.Guideline).Value;

        Assert.Equal(NowKept.AddDays(180), decided.Order.EndsAt);
    }

    [Fact] // M6
    public void ActivationAfterAnUntoldExpiry_TellsTheEndFirst()
    {
        var over = Active();

        var decided = MaskingRules.Activate(over, Command(), over.EndsAt, MaskingDates.Guideline).Value;

        Assert.Equal(MaskingState.Expired, decided.Before!.State);
        var ended = Assert.IsType<RegistrationEnded>(decided.Events[0]);
        Assert.Equal(("expired", over.EndsAt, "clock"), (ended.Cause, ended.EndedAt, ended.EndedBy));
        var activated = decided.Events.OfType<RegistrationActivated>().Single();
        Assert.Null(activated.SupersededMaskingId);
    }

    [Theory] // M4
    [InlineData(Trigger.Unspecified, "SLR-101")]
    [InlineData((Trigger)99, "SLR-906")]
    [InlineData(Trigger.Violence, null)]
    [InlineData(Trigger.Threats, null)]
    [InlineData(Trigger.Harassment, null)]
    [InlineData(Trigger.FoundedFear, null)]
    public void Trigger_MustBeOneOfFour(Trigger trigger, string? code)
    {
        Assert.Equal(code, MaskingRules.TriggerOf(trigger).Rejection?.Code);
        Assert.Equal(code is null, MaskingRules.TriggerWords.ContainsKey(trigger));
    }

    [Theory] // M8: the table of the guideline
    [InlineData("2024-02-15", "2024-02-29T22:59:59Z", "SLR-104")]
    [InlineData("2024-02-15", "2024-02-29T23:00:00Z", null)] // midnight in Denmark
    [InlineData("2024-02-01", "2024-03-01T10:00:00Z", null)]
    [InlineData("2024-01-31", "2024-03-01T10:00:00Z", "SLR-102")]
    [InlineData("2023-06-01", "2025-05-01T10:00:00Z", "SLR-102")]
    [InlineData("2025-05-01", "2025-05-01T10:00:00Z", null)]
    [InlineData("2025-05-02", "2025-05-01T10:00:00Z", "SLR-103")]
    [InlineData("2025-05-02", "2025-05-01T22:30:00Z", null)] // already the 2nd in Denmark
    public void Behaviour_MustLieWithinTheDatedRule(string behaviourOn, string now, string? code) =>
        Assert.Equal(code, MaskingDates.Guideline.Ground(Day(behaviourOn), Instant(now)).Rejection?.Code);

    [Theory] // M8: a new law is a new row
    [InlineData("2024-03-01", "2025-12-31T12:00:00Z", null)]
    [InlineData("2024-03-01", "2026-01-01T12:00:00Z", "SLR-102")]
    [InlineData("2025-07-01", "2026-01-01T12:00:00Z", null)]
    public void LatestRuleThatHasBegun_Applies(string behaviourOn, string now, string? code)
    {
        var dates = MaskingDates.Guideline with
        {
            Rules = [new DatedRule(Day("2026-01-01"), Day("2025-07-01")), .. MaskingDates.Guideline.Rules],
        };
        Assert.Equal(code, dates.Ground(Day(behaviourOn), Instant(now)).Rejection?.Code);
    }

    [Theory] // M10
    [InlineData(90, "2025-07-30T08:30:00.123Z", null)]
    [InlineData(90, "2025-07-30T08:30:00.124Z", "SLR-105")]
    [InlineData(90, "2025-05-01T08:30:00.123Z", "SLR-106")]
    [InlineData(90, "2020-01-01T00:00:00Z", "SLR-106")]
    [InlineData(90, "2025-05-01T08:30:00.124Z", null)]
    [InlineData(90, "9999-12-31T23:59:59.9999999Z", "SLR-105")]
    [InlineData(731, "2027-04-30T08:30:00Z", null)]
    [InlineData(731, "2027-05-03T08:30:00Z", "SLR-105")]
    public void RequestedEnd_LiesWithinTheLimit(int longestDays, string endsAt, string? code)
    {
        var dates = MaskingDates.Guideline with { LongestDays = longestDays };
        var decided = MaskingRules.Activate(null, Command() with { EndsAt = Instant(endsAt) }, Now, dates);
        Assert.Equal(code, decided.Rejection?.Code);
        if (code is null)
            Assert.Equal(Instant(endsAt), decided.Value.Order.EndsAt);
    }

    [Fact] // M10: a fraction of a millisecond is never taken away from a masking
    public void RequestedEnd_IsRoundedUp() =>
        Assert.Equal(Instant("2025-05-02T00:00:00.001Z"), MaskingDates.Guideline.End(Instant("2025-05-02T00:00:00.0000001Z"), Now).Value);

    [Fact] // M5
    public void Reason_FollowsOnce()
    {
        var missing = Active() with { SealedReason = null };

        var decided = MaskingRules.AddReason(missing, "sealed", "p2", Now).Value;

        Assert.Equal("sealed", decided.Order.SealedReason);
        Assert.Equal("p2", Assert.IsType<RegistrationReasonAdded>(Assert.Single(decided.Events)).AddedBy);
        Assert.Equal("SLR-110", MaskingRules.AddReason(decided.Order, "other", "p2", Now).Rejection?.Code);
    }

    [Theory] // M6, A5: what is over stays over
    [InlineData(MaskingState.InForce, 0, null)]
    [InlineData(MaskingState.InForce, 90, "SLR-112")]
    [InlineData(MaskingState.Superseded, 0, "SLR-112")]
    [InlineData(MaskingState.Lifted, 0, "SLR-112")]
    [InlineData(MaskingState.Ended, 0, "SLR-112")]
    [InlineData(MaskingState.Expired, 0, "SLR-112")]
    public void OnlyAMaskingInForce_CanChange(MaskingState state, int daysLater, string? code)
    {
        var order = Active() with { State = state, SealedReason = null };
        var at = NowKept.AddDays(daysLater);

        Assert.Equal(code, MaskingRules.AddReason(order, "sealed", "p2", at).Rejection?.Code);
        Assert.Equal(code, MaskingRules.End(order, Leader, "sealed", at).Rejection?.Code);
        Assert.Equal(code, MaskingRules.Renew(order, order.EndsAt, "p3", Guid.NewGuid(), at, MaskingDates.Guideline).Rejection?.Code);
        Assert.Equal(code is not null, MaskingRules.Lift(order, "p3", "sealed", at) is null);
    }

    [Fact] // A5
    public void Lift_ShowsNamesAtOnce()
    {
        var lifted = MaskingRules.Lift(Active(), "p3", "sealed", Now.AddDays(3))!;

        Assert.False(lifted.Order.InForceAt(Now.AddDays(3)));
        Assert.Equal(MaskingState.Lifted, lifted.Order.State);
        var ended = Assert.IsType<RegistrationEnded>(lifted.Events[0]);
        Assert.Equal(("lifted", "p3", "sealed"), (ended.Cause, ended.EndedBy, ended.SealedReason));
        Assert.IsType<DeadlineCancelled>(lifted.Events[1]);
    }

    [Fact]
    public void End_ShowsNamesAtOnce()
    {
        var ended = MaskingRules.End(Active(), Leader, "sealed", Now.AddDays(3)).Value;

        Assert.False(ended.Order.InForceAt(Now.AddDays(3)));
        Assert.Equal("ended", Assert.IsType<RegistrationEnded>(ended.Events[0]).Cause);
    }

    [Fact] // A9
    public void Renewal_AddsOnePeriodToTheEndThatItExtends()
    {
        var order = Active();
        var deadline = Guid.NewGuid();

        var renewed = MaskingRules.Renew(order, order.EndsAt, "p3", deadline, order.EndsAt.AddDays(-5), MaskingDates.Guideline).Value;

        Assert.Equal(DanishTime.AddDays(order.EndsAt, 90), renewed.Order.EndsAt);
        Assert.Equal(order.EndsAt, Assert.IsType<RegistrationRenewed>(renewed.Events[0]).ExtendedEnd);
        Assert.Equal(order.DeadlineId.ToString("D"), Assert.IsType<DeadlineCancelled>(renewed.Events[1]).DeadlineId);
        Assert.Equal(deadline.ToString("D"), Assert.IsType<DeadlineSet>(renewed.Events[2]).DeadlineId);
    }

    [Fact] // A9
    public void RenewalOfAnotherEnd_IsRejected() => Assert.Equal(
        "SLR-117", MaskingRules.Renew(Active(), NowKept.AddDays(80), "p3", Guid.NewGuid(), Now, MaskingDates.Guideline).Rejection?.Code);

    [Fact] // M9: on the national wire the last end counts
    public void Shortening_GivesTheSameMaskingAnEarlierEnd()
    {
        var order = Active();
        var (deadline, end) = (Guid.NewGuid(), NowKept.AddDays(3));

        var shortened = MaskingRules.Shorten(order, end, "p7", deadline, Now.AddDays(1), MaskingDates.Guideline).Value;

        Assert.Equal(order with { EndsAt = end, DeadlineId = deadline }, shortened.Order);
        var told = Assert.IsType<RegistrationShortened>(shortened.Events[0]);
        Assert.Equal((order.EndsAt, end, "p7"), (told.ShortenedEnd, told.EndsAt, told.ShortenedBy));
        Assert.Equal(order.DeadlineId.ToString("D"), Assert.IsType<DeadlineCancelled>(shortened.Events[1]).DeadlineId);
        Assert.Equal((deadline.ToString("D"), end), (Assert.IsType<DeadlineSet>(shortened.Events[2]).DeadlineId, ((DeadlineSet)shortened.Events[2]).DueAt));
        Assert.Equal(3, shortened.Events.Count);
    }

    [Theory] // M6, M9, M10: never longer, never into the past, never what is over
    [InlineData(90, 0, "SLR-117")]
    [InlineData(91, 0, "SLR-105")]
    [InlineData(5, 5, "SLR-106")]
    [InlineData(3, 90, "SLR-112")]
    public void Shortening_IsToAnEarlierEndOfAMaskingInForceOnly(int endDay, int today, string code) => Assert.Equal(
        code, MaskingRules.Shorten(Active(), NowKept.AddDays(endDay), "p7", Guid.NewGuid(), NowKept.AddDays(today), MaskingDates.Guideline).Rejection?.Code);

    [Fact] // M6
    public void Deadline_TurnsOnlyTheMaskingThatItWasLastSetFor()
    {
        var order = Active();

        Assert.Null(MaskingRules.Expire(order, Guid.NewGuid(), order.EndsAt));
        Assert.Null(MaskingRules.Expire(order, order.DeadlineId, order.EndsAt.AddMilliseconds(-1)));
        Assert.Null(MaskingRules.Expire(order with { State = MaskingState.Lifted }, order.DeadlineId, order.EndsAt));
        var expired = MaskingRules.Expire(order, order.DeadlineId, order.EndsAt.AddMinutes(5))!;
        Assert.Equal(MaskingState.Expired, expired.Order.State);
        Assert.Equal(order.EndsAt, Assert.IsType<RegistrationEnded>(Assert.Single(expired.Events)).EndedAt);
    }

    [Fact] // M6: a late scheduler never prolongs a masking
    public void PastItsEnd_AMaskingReadsAsExpired()
    {
        var order = Active();
        Assert.Equal(MaskingState.InForce, order.StateAt(order.EndsAt.AddMilliseconds(-1)));
        Assert.Equal(MaskingState.Expired, order.StateAt(order.EndsAt));
    }

    [Fact] // A10
    public void Register_KnowsNothingOfTheApproval() =>
        Assert.DoesNotContain(typeof(MaskingOrder).GetProperties(), p => p.Name.Contains("Appro", StringComparison.Ordinal) || p.Name.Contains("Decision", StringComparison.Ordinal));

    [Fact] // M1
    public void TakenOver_GoesOnUnderTheNewNumber_AsItWas()
    {
        var order = Active();

        var decided = MaskingRules.TakeOver(order, null, Other, Now.AddDays(3));

        Assert.Equal(order with { Cvr = Other }, decided.Order);
        Assert.Null(decided.Before);
        var told = Assert.IsType<RegistrationTakenOver>(Assert.Single(decided.Events));
        Assert.Equal((order.Cvr.ToString(), Other.ToString(), order.EndsAt, null, NowKept.AddDays(3)), (told.FormerCvr, told.Cvr, told.EndsAt, told.SupersededMaskingId, told.TakenOverAt));
    }

    [Theory] // M7
    [InlineData(10, true)]
    [InlineData(0, false)] // equal ends: the new organisation's own
    [InlineData(-10, false)]
    public void OfTwoMaskingsOfAPatient_TheLaterEndGoesOn_AndTheOtherIsSuperseded(int daysLonger, bool isTaken)
    {
        var held = Active() with { Cvr = Other, MaskingId = Guid.NewGuid(), DeadlineId = Guid.NewGuid() };
        var order = Active() with { EndsAt = held.EndsAt.AddDays(daysLonger) };
        var (stays, goes) = isTaken ? (order, held) : (held, order);

        var decided = MaskingRules.TakeOver(order, held, Other, Now);

        Assert.Equal(stays with { Cvr = Other }, decided.Order);
        Assert.Equal(goes with { Cvr = Other, State = MaskingState.Superseded, EndsAt = NowKept }, decided.Before);
        Assert.Equal(goes.MaskingId.ToString("D"), Assert.IsType<RegistrationTakenOver>(decided.Events[0]).SupersededMaskingId);
        Assert.Equal(goes.DeadlineId.ToString("D"), Assert.IsType<DeadlineCancelled>(decided.Events[1]).DeadlineId);
        Assert.Equal(2, decided.Events.Count);
    }

    private static CvrNumber Other { get; } = CvrNumber.Parse("64942212");

    private static Person Leader { get; } = new("p9", Person.Leader, null);

    private static MaskingOrder Active() => MaskingRules.Activate(null, Command(), Now, MaskingDates.Guideline).Value.Order;

    private static Activation Command() => new(
        Guid.CreateVersion7(), Guid.CreateVersion7(), new PatientKey(1, 2), "sealed-cpr", new CvrNumber(24256790), Trigger.Threats, Day("2025-04-30"),
        "sealed-reason", null, new Person("p1", Person.HealthWorker, null));

    private static DateTimeOffset Instant(string text) => DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture);

    private static DateOnly Day(string text) => DateOnly.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
}
