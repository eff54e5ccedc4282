using FsCheck;
using FsCheck.Fluent;
using Sloring.Contracts;
using Sloring.Pseudonym.Domain;
using Xunit;

namespace Sloring.Tests.Unit.Pseudonym;

/// <summary>Which salt counts when (rules E3, C2).</summary>
public sealed class SaltRulesTests
{
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
        Assert.Equal(expected, SaltRules.Covering(Three, Day(from), Day(to)).Select(salt => salt.Id));

    [Fact]
    public void DaysAreDanish() // C2: 23:30 UTC on 9 January is the 10th in Copenhagen
    {
        SaltPeriod[] salts = [Salt(1, "2026-01-09T23:30Z")];
        Assert.Empty(SaltRules.Covering(salts, Day("2026-01-09"), Day("2026-01-09")));
        Assert.Single(SaltRules.Covering(salts, Day("2026-01-10"), Day("2026-01-10")));
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
                var covered = SaltRules.Covering(salts, first, last).Select(salt => salt.Id).ToHashSet();
                for (var at = DanishTime.StartOf(first); at < DanishTime.StartOf(last.AddDays(1)); at += TimeSpan.FromHours(1))
                {
                    var inUse = salts.LastOrDefault(salt => salt.ValidFrom <= at);
                    if (inUse is not null && !covered.Contains(inUse.Id))
                        return false;
                }
                return true;
            }).QuickCheckThrowOnFailure();

    [Fact]
    public void NoSalt_IsRejected() => Assert.Equal(Rejections.NoSalt, SaltRules.Current([]).Rejection);

    [Fact]
    public void ClockSetBack_NewestSaltStaysAndTheNextBeginsNoEarlier()
    {
        var now = Three[2].ValidFrom.AddDays(-30);

        Assert.Equal(3, SaltRules.Current(Three.Reverse()).Value.Id);
        Assert.Equal(new SaltPeriod(4, Three[2].ValidFrom), SaltRules.Next(Three[2], now));
        Assert.Equal(new SaltPeriod(1, now), SaltRules.Next(null, now));
    }

    private static SaltPeriod Salt(int id, string from) => new(id, DateTimeOffset.Parse(from, System.Globalization.CultureInfo.InvariantCulture));

    private static DateOnly Day(string text) => DateOnly.ParseExact(text, "yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);
}
