using Sloring.Contracts;
using Xunit;

namespace Sloring.Tests.Unit.Foundation;

public sealed class DanishTimeTests
{
    // M6: 90 calendar days at the same wall-clock time, over a change to or from summer time.
    [Theory]
    [InlineData("2026-01-15T12:00:00Z", 90, "2026-04-15T11:00:00Z")] // winter → summer
    [InlineData("2026-08-15T12:00:00Z", 90, "2026-11-13T13:00:00Z")] // summer → winter
    [InlineData("2026-05-01T12:00:00Z", 90, "2026-07-30T12:00:00Z")]
    [InlineData("2025-12-29T01:30:00Z", 90, "2026-03-29T01:30:00Z")] // 02:30 does not exist on 29 March 2026: an hour later
    [InlineData("2026-07-27T00:30:00Z", 90, "2026-10-25T01:30:00Z")] // 02:30 occurs twice on 25 October 2026: the later one
    [InlineData("2026-11-13T13:00:00Z", -90, "2026-08-15T12:00:00Z")]
    public void DaysAreAdded_AtTheSameWallClockTime(string from, int days, string expected) =>
        Assert.Equal(DateTimeOffset.Parse(expected, null), DanishTime.AddDays(DateTimeOffset.Parse(from, null), days));

    [Theory]
    [InlineData("2026-06-30T21:59:59Z", "2026-06-30")]
    [InlineData("2026-06-30T22:00:00Z", "2026-07-01")]
    [InlineData("2026-12-31T23:00:00Z", "2027-01-01")]
    public void ADay_IsTheDanishOne(string instant, string day)
    {
        Assert.Equal(DateOnly.Parse(day, null), DanishTime.DayOf(DateTimeOffset.Parse(instant, null)));
        Assert.Equal(DateOnly.Parse(day, null), DanishTime.DayOf(DanishTime.StartOf(DateOnly.Parse(day, null))));
    }
}
