using FsCheck;
using FsCheck.Fluent;
using Sloring.Contracts;
using Sloring.Pseudonym.Domain;
using Xunit;

namespace Sloring.Tests.Unit.Pseudonym;

/// <summary>Which salt counts when (rules E3, C2).</summary>
public sealed class SaltRulesTests
{
    private static readonly TimeSpan Period = TimeSpan.FromDays(90);
    private static readonly TimeSpan Ahead = TimeSpan.FromDays(7);
    private static readonly TimeSpan Lag = TimeSpan.FromDays(1);
    private static readonly SaltPeriod[] Three = [Salt(1, "2026-01-10T12:00Z"), Salt(2, "2026-03-01T12:00Z"), Salt(3, "2026-06-01T12:00Z")];

    [Theory]
    [InlineData("2026-01-01", "2026-01-09", new int[0])]
    [InlineData("2026-01-01", "2026-01-10", new[] { 1 })]
    [InlineData("2026-02-01", "2026-02-28", new[] { 1 })]
    [InlineData("2026-02-01", "2026-03-01", new[] { 2, 1 })]
    [InlineData("2026-03-01", "2026-03-01", new[] { 2, 1 })]
    [InlineData("2026-03-02", "2026-03-02", new[] { 2, 1 })]
    [InlineData("2026-03-03", "2026-03-03", new[] { 2 })]
    [InlineData("2026-01-01", "2026-12-31", new[] { 3, 2, 1 })]
    [InlineData("2027-01-01", "2027-01-01", new[] { 3 })]
    public void Period_IsCoveredByTheSaltsOfThoseDaysAndADayMore(string from, string to, int[] expected) => // C2
        Assert.Equal(expected, SaltRules.Covering(Three, Day(from), Day(to), Lag).Select(salt => salt.Id));

    [Fact]
    public void DaysAreDanish() // C2: 23:30 UTC on 9 January is the 10th in Copenhagen
    {
        SaltPeriod[] salts = [Salt(1, "2026-01-09T23:30Z")];
        Assert.Empty(SaltRules.Covering(salts, Day("2026-01-09"), Day("2026-01-09"), Lag));
        Assert.Single(SaltRules.Covering(salts, Day("2026-01-10"), Day("2026-01-10"), Lag));
    }

    [Fact]
    public void AnyHistory_TheSaltInUseAtAnyInstantOfThePeriodIsCovered() => // C2
        Prop.ForAll(
            ArbMap.Default.GeneratorFor<int>().Select(n => Math.Abs(n % 900)).ArrayOf().ToArbitrary(), Gen.Choose(0, 900).Two().ToArbitrary(),
            (hours, period) =>
            {
                var start = DateTimeOffset.Parse("2026-01-10T12:00Z", System.Globalization.CultureInfo.InvariantCulture);
                var salts = hours.Order().Select((hour, i) => new SaltPeriod(i + 1, start.AddHours(hour))).ToList();
                var (first, last) = (DanishTime.DayOf(start.AddHours(Math.Min(period.Item1, period.Item2))), DanishTime.DayOf(start.AddHours(Math.Max(period.Item1, period.Item2))));
                var covered = SaltRules.Covering(salts, first, last, Lag).Select(salt => salt.Id).ToHashSet();
                for (var at = DanishTime.StartOf(first); at < DanishTime.StartOf(last.AddDays(1)); at += TimeSpan.FromHours(1))
                {
                    var inUse = salts.LastOrDefault(salt => salt.ValidFrom <= at);
                    if (inUse is not null && !covered.Contains(inUse.Id))
                        return false;
                }
                return true;
            }).QuickCheckThrowOnFailure();

    [Theory] // C2
    [InlineData("2026-03-02T12:00Z", new int[0])] // the second replaced the first a day ago: shown until just now
    [InlineData("2026-03-02T12:00:01Z", new[] { 1 })]
    [InlineData("2026-06-02T12:00:01Z", new[] { 1, 2 })]
    [InlineData("2099-01-01T00:00Z", new[] { 1, 2 })] // never the one in use
    public void SaltIsOver_ADayAfterItWasReplaced(string before, int[] expected) =>
        Assert.Equal(expected, SaltRules.Over(Three, At(before), Lag).Select(salt => salt.Id));

    [Fact] // C2: who did not hear that the announced one was overtaken has shown it from its time on
    public void SaltOvertakenBeforeItsTime_IsOverADayAfterThat()
    {
        SaltPeriod[] salts = [Salt(1, "2026-01-10T12:00Z"), Salt(2, "2026-04-10T12:00Z"), Salt(3, "2026-04-05T08:00Z")];
        Assert.Equal([1], SaltRules.Over(salts, At("2026-04-11T12:00Z"), Lag).Select(salt => salt.Id));
        Assert.Equal([1, 2], SaltRules.Over(salts, At("2026-04-11T12:00:01Z"), Lag).Select(salt => salt.Id));
    }

    [Fact]
    public void NoSalt_IsRejectedAndNoneIsAnnounced()
    {
        Assert.Equal(Rejections.NoSalt, SaltRules.Current([], At("2026-01-10T12:00Z")).Rejection);
        Assert.Null(SaltRules.Announced([], At("2026-01-10T12:00Z")));
        Assert.Null(SaltRules.ToAnnounce([], At("2026-01-10T12:00Z"), Period, Ahead));
        Assert.Equal(new SaltPeriod(1, At("2026-01-10T12:00Z")), SaltRules.Next([], At("2026-01-10T12:00Z")));
    }

    [Theory] // E3
    [InlineData("2026-01-10T12:00Z", 1, 0)]
    [InlineData("2026-04-03T11:59Z", 1, 0)]
    [InlineData("2026-04-10T11:59:59.999Z", 1, 2)]
    [InlineData("2026-04-10T12:00Z", 2, 0)]
    [InlineData("2026-01-01T12:00Z", 1, 0)] // a clock set back
    public void SaltInUse_IsThatOfTheInstant(string now, int current, int announced)
    {
        SaltPeriod[] salts = now.StartsWith("2026-04-10", StringComparison.Ordinal) ? [Salt(2, "2026-04-10T12:00Z"), Salt(1, "2026-01-10T12:00Z")] : [Salt(1, "2026-01-10T12:00Z")];
        Assert.Equal(current, SaltRules.Current(salts, At(now)).Value.Id);
        Assert.Equal(announced, SaltRules.Announced(salts, At(now))?.Id ?? 0);
    }

    [Theory]
    [InlineData("2026-04-03T10:59:59Z", null)]
    [InlineData("2026-04-03T11:00Z", "2026-04-10T12:00Z")] // 90 days, announced 7 days and an hour ahead
    [InlineData("2026-04-03T12:00Z", "2026-04-10T12:00Z")]
    [InlineData("2026-04-09T12:00Z", "2026-04-16T12:00Z")] // late: those who fetch it now and then still have their 7 days
    [InlineData("2027-01-01T00:00Z", "2027-01-08T00:00Z")]
    public void NextSalt_IsAnnouncedAheadOfItsTime(string now, string? from)
    {
        var next = SaltRules.ToAnnounce([Salt(1, "2026-01-10T12:00Z")], At(now), Period, Ahead);
        Assert.Equal(from is null ? null : Salt(2, from), next);
        if (next is not null)
            Assert.Null(SaltRules.ToAnnounce([Salt(1, "2026-01-10T12:00Z"), next], At(now), Period, Ahead));
    }

    [Fact] // C2: one made at once overtakes the one announced; who did not hear of it has shown the announced one from its time on
    public void SaltMadeAtOnce_OvertakesTheAnnouncedOne()
    {
        SaltPeriod[] announced = [Salt(1, "2026-01-10T12:00Z"), Salt(2, "2026-04-10T12:00Z")];
        var atOnce = SaltRules.Next(announced, At("2026-04-05T08:00Z"));
        SaltPeriod[] salts = [.. announced, atOnce];

        Assert.Equal(Salt(3, "2026-04-05T08:00Z"), atOnce);
        Assert.Equal(3, SaltRules.Current(salts, At("2026-04-05T08:00Z")).Value.Id);
        Assert.Equal(3, SaltRules.Current(salts, At("2026-05-01T08:00Z")).Value.Id);
        Assert.Null(SaltRules.Announced(salts, At("2026-04-05T08:00Z")));
        Assert.Equal([3, 1], SaltRules.Covering(salts, Day("2026-04-05"), Day("2026-04-05"), Lag).Select(salt => salt.Id));
        Assert.Equal([3, 2], SaltRules.Covering(salts, Day("2026-04-10"), Day("2026-04-10"), Lag).Select(salt => salt.Id));
        Assert.Equal([3], SaltRules.Covering(salts, Day("2026-04-12"), Day("2026-04-12"), Lag).Select(salt => salt.Id));
    }

    [Fact]
    public void ClockSetBack_TheNextSaltBeginsNoEarlierThanTheOneItReplaces() =>
        Assert.Equal(Salt(2, "2026-01-10T12:00Z"), SaltRules.Next([Salt(1, "2026-01-10T12:00Z")], At("2026-01-09T12:00Z")));

    private static SaltPeriod Salt(int id, string from) => new(id, At(from));

    private static DateTimeOffset At(string instant) => DateTimeOffset.Parse(instant, System.Globalization.CultureInfo.InvariantCulture);

    private static DateOnly Day(string text) => DateOnly.ParseExact(text, "yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);
}
