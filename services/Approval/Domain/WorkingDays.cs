using System.Globalization;

namespace Sloring.Approval.Domain;

/// <summary>
/// Danish working days, "hverdage" (rule A2): Monday to Friday less public holidays. 5 June, 24 and 31 December are ordinary working
/// days unless the organisation names them.
/// </summary>
/// <param name="extraNonWorkingDays">Days off of every year that are not public holidays, as "MM-dd".</param>
public sealed class WorkingDays(IEnumerable<string> extraNonWorkingDays)
{
    private const int LastYearOfStoreBededag = 2023;

    private readonly HashSet<(int Month, int Day)> _extra =
        [.. extraNonWorkingDays.Select(text => Parse(text) ?? throw new FormatException("A day off is not MM-dd."))];

    /// <summary>The month and day of "MM-dd"; null where there is no such day in any year.</summary>
    public static (int Month, int Day)? Parse(string text) =>
        DateOnly.TryParseExact("2024-" + text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)
            ? (day.Month, day.Day)
            : null;

    /// <summary>True on a working day.</summary>
    public bool Contains(DateOnly day) =>
        day.DayOfWeek is not (DayOfWeek.Saturday or DayOfWeek.Sunday) && !IsPublicHoliday(day) && !_extra.Contains((day.Month, day.Day));

    /// <summary>The working day <paramref name="count"/> (1 or more) working days after a day, which itself need not be one.</summary>
    public DateOnly After(DateOnly day, int count) => Step(day, count, 1);

    /// <summary>The working day <paramref name="count"/> working days before a day.</summary>
    public DateOnly Before(DateOnly day, int count) => Step(day, count, -1);

    /// <summary>How many working days lie after <paramref name="day"/>, up to and with <paramref name="last"/>.</summary>
    public int LeftUntil(DateOnly day, DateOnly last)
    {
        var left = 0;
        for (var next = day.AddDays(1); next <= last; next = next.AddDays(1))
            left += Contains(next) ? 1 : 0;
        return left;
    }

    /// <summary>True on a Danish public holiday, Sundays and Saturdays among them where the holiday falls there.</summary>
    public static bool IsPublicHoliday(DateOnly day) =>
        (day.Month, day.Day) is (1, 1) or (12, 25) or (12, 26)
        || (day.DayNumber - EasterSunday(day.Year).DayNumber) switch
        {
            -3 or -2 or 0 or 1 => true, // Skærtorsdag, Langfredag, Påskedag, 2. påskedag
            26 => day.Year <= LastYearOfStoreBededag,
            39 or 49 or 50 => true, // Kristi Himmelfartsdag, Pinsedag, 2. pinsedag
            _ => false,
        };

    /// <summary>Easter Sunday of the Gregorian calendar (the computus of Meeus, Jones and Butcher, whose letters are kept).</summary>
    public static DateOnly EasterSunday(int year)
    {
        int a = year % 19, b = year / 100, c = year % 100, d = b / 4, e = b % 4, f = (b + 8) / 25, g = (b - f + 1) / 3;
        int h = ((19 * a) + b - d - g + 15) % 30, i = c / 4, k = c % 4, l = (32 + (2 * e) + (2 * i) - h - k) % 7;
        var m = (a + (11 * h) + (22 * l)) / 451;
        var n = h + l - (7 * m) + 114;
        return new DateOnly(year, n / 31, (n % 31) + 1);
    }

    private DateOnly Step(DateOnly day, int count, int direction)
    {
        while (count > 0)
        {
            day = day.AddDays(direction);
            count -= Contains(day) ? 1 : 0;
        }
        return day;
    }
}
