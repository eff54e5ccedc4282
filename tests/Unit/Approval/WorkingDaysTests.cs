using Sloring.Approval.Domain;
using Xunit;

namespace Sloring.Tests.Unit.Approval;

public sealed class WorkingDaysTests
{
    private static readonly WorkingDays Ordinary = new([]);

    // A2: the Easter-based holidays listed in the facts of the national service, 6.4.
    [Theory]
    [InlineData(2024, "03-28 03-29 04-01 05-09 05-20")]
    [InlineData(2025, "04-17 04-18 04-21 05-29 06-09")]
    [InlineData(2026, "04-02 04-03 04-06 05-14 05-25")]
    [InlineData(2027, "03-25 03-26 03-29 05-06 05-17")]
    [InlineData(2028, "04-13 04-14 04-17 05-25 06-05")]
    public void Easter_based_holidays_are_as_listed(int year, string days)
    {
        var found = Enumerable.Range(0, 366).Select(new DateOnly(year, 1, 1).AddDays)
            .Where(day => day.Year == year && (day.Month, day.Day) is not ((1, 1) or (12, 25) or (12, 26)))
            .Where(day => WorkingDays.IsPublicHoliday(day) && day.DayOfWeek is not DayOfWeek.Sunday)
            .Select(day => day.ToString("MM-dd", System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(days, string.Join(' ', found));
    }

    // Easter Sundays known from the almanac, the earliest and the latest possible among them.
    [Theory]
    [InlineData("1818-03-22")]
    [InlineData("1943-04-25")]
    [InlineData("2000-04-23")]
    [InlineData("2011-04-24")]
    [InlineData("2024-03-31")]
    [InlineData("2038-04-25")]
    [InlineData("2285-03-22")]
    public void Easter_Sunday_is_as_the_almanac_says(string day) => Assert.Equal(Cases.Day(day), WorkingDays.EasterSunday(Cases.Day(day).Year));

    [Theory]
    [InlineData("2026-01-01", false)] // nytårsdag, a Thursday
    [InlineData("2026-12-25", false)] // juledag, a Friday
    [InlineData("2025-12-26", false)] // 2. juledag, a Friday
    [InlineData("2023-05-05", false)] // Store Bededag, the last one
    [InlineData("2024-04-26", true)] // Store Bededag no more
    [InlineData("2026-05-01", true)] // 4th Friday after Easter, 2026
    [InlineData("2026-06-05", true)] // Grundlovsdag, a Friday: ordinary unless the region says otherwise
    [InlineData("2026-12-24", true)] // juleaftensdag
    [InlineData("2026-12-31", true)] // nytårsaftensdag
    [InlineData("2028-06-05", false)] // 2. pinsedag falls on 5 June
    [InlineData("2026-01-03", false)] // Saturday
    [InlineData("2026-01-04", false)] // Sunday
    [InlineData("2026-01-05", true)] // Monday
    public void Working_days_are_Monday_to_Friday_less_public_holidays_A2(string day, bool working) =>
        Assert.Equal(working, Ordinary.Contains(Cases.Day(day)));

    [Theory]
    [InlineData("2026-06-05")]
    [InlineData("2026-12-24")]
    [InlineData("2026-12-31")]
    public void Days_that_the_region_names_are_days_off_A2(string day) =>
        Assert.False(new WorkingDays(["06-05", "12-24", "12-31"]).Contains(Cases.Day(day)));

    [Theory]
    [InlineData("2026-01-05", 7, "2026-01-14")] // Monday → Wednesday of next week
    [InlineData("2026-01-03", 7, "2026-01-13")] // Saturday → Tuesday
    [InlineData("2026-03-27", 7, "2026-04-10")] // over Easter 2026
    [InlineData("2026-12-22", 7, "2027-01-04")] // over Christmas: 24 and 31 December count
    [InlineData("2026-05-13", 1, "2026-05-15")] // over Kristi Himmelfart
    public void Counting_skips_days_off_A2(string from, int count, string expected)
    {
        Assert.Equal(Cases.Day(expected), Ordinary.After(Cases.Day(from), count));
        Assert.Equal(count, Ordinary.LeftUntil(Cases.Day(from), Cases.Day(expected)));
    }

    [Theory]
    [InlineData("06-05", true)]
    [InlineData("02-29", true)]
    [InlineData("02-30", false)]
    [InlineData("13-01", false)]
    [InlineData("6-5", false)]
    [InlineData("", false)]
    public void A_day_off_is_a_day_that_exists(string text, bool valid) => Assert.Equal(valid, WorkingDays.Parse(text) is not null);
}
