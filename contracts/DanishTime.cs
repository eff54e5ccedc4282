namespace Sloring.Contracts;

/// <summary>Calendar arithmetic in Europe/Copenhagen. Instants are UTC everywhere else.</summary>
public static class DanishTime
{
    private static readonly TimeZoneInfo Copenhagen = TimeZoneInfo.FindSystemTimeZoneById("Europe/Copenhagen");

    /// <summary>The Danish calendar day of an instant.</summary>
    public static DateOnly DayOf(DateTimeOffset instant) => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(instant, Copenhagen).DateTime);

    /// <summary>What Danish clocks show at an instant.</summary>
    public static DateTime WallClock(DateTimeOffset instant) => TimeZoneInfo.ConvertTime(instant, Copenhagen).DateTime;

    /// <summary>The instant at which a Danish day begins, UTC.</summary>
    public static DateTimeOffset StartOf(DateOnly day) => ToUtc(day.ToDateTime(TimeOnly.MinValue));

    /// <summary>
    /// The same wall-clock time some days later or earlier, UTC (rule M6). A time that summer time skips becomes the first instant
    /// after the gap; a time that occurs twice becomes the later one, so that a masking is never cut short.
    /// </summary>
    public static DateTimeOffset AddDays(DateTimeOffset instant, int days) =>
        ToUtc(TimeZoneInfo.ConvertTime(instant, Copenhagen).DateTime.AddDays(days));

    /// <summary>The instant of a wall-clock time, UTC; a time that summer time skips or repeats as in <see cref="AddDays"/>.</summary>
    public static DateTimeOffset ToUtc(DateTime wallClock)
    {
        if (Copenhagen.IsInvalidTime(wallClock))
            wallClock = wallClock.AddHours(1);
        var offset = Copenhagen.IsAmbiguousTime(wallClock) ? Copenhagen.GetAmbiguousTimeOffsets(wallClock).Min() : Copenhagen.GetUtcOffset(wallClock);
        return new DateTimeOffset(DateTime.SpecifyKind(wallClock, DateTimeKind.Unspecified), offset).ToUniversalTime();
    }
}
