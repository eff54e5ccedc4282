using System.Collections.Concurrent;
using System.Globalization;

namespace Sloring.Tests;

/// <summary>Synthetic people: CPR numbers with a day of birth of 61 or more, which nobody has.</summary>
public static class People
{
    /// <summary>At first those that samples, documents and tests name again and again: of the demo, and the official published test numbers.</summary>
    private static readonly ConcurrentDictionary<string, bool> Given = new(
        new[] { "7101901234", "6703701234", "6101701234", "6101010101", "6503851111", "6802771111", "2512489996", "2101691234" }.Select(cpr => KeyValuePair.Create(cpr, true)));

    private static int _next = Random.Shared.Next(100_000);

    /// <summary>Names given to staff in tests; the privacy scan looks for them.</summary>
    public static readonly string[] Names =
    [
        "Mette Holm Testesen", "Jens Ole Prøvesen", "Åse Ærøskøbing-Demo", "Karen Fiktiva Madsen", "Bo Eksempel", "Liv Afprøv Nielsen", "Ida Opdigtet",
        "Karen Sørensen", "Jens Hansen", "Ole Lund",
    ];

    /// <summary>A CPR number that no other test of this process has.</summary>
    public static string NextCpr()
    {
        var n = Interlocked.Increment(ref _next);
        var day = 61 + (n % 28);
        var month = 1 + (n / 28 % 12);
        var year = n / 336 % 100;
        var cpr = string.Create(CultureInfo.InvariantCulture, $"{day:00}{month:00}{year:00}{n / 33_600 % 4_000:0000}");
        Given[cpr] = true;
        return cpr;
    }

    /// <summary>Whether a test of this process has this CPR number from here, or any may have it.</summary>
    public static bool WasGiven(string cpr) => Given.ContainsKey(cpr);
}
