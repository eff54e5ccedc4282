using System.Text;

namespace Sloring.Tests;

/// <summary>Reads all that a platform has left in its folder and its databases: no CPR number of this process's patients, no name.</summary>
public static class KeptScan
{
    private const int Digits = 10;

    /// <summary>A longer run of digits is an instant or a number of a register; of one a little longer, a neighbour's digit may be part.</summary>
    private const int LongestRun = 12;

    /// <exception cref="InvalidOperationException">Something personal lies there readable: the message says in which file or table, not what.</exception>
    public static async Task Check(string folder)
    {
        var findings = (await TestDatabase.Kept(folder)).Select(kept => (kept.Key, What: Finding(kept.Value))).Where(found => found.What is not null).ToList();
        if (findings.Count > 0)
            throw new InvalidOperationException(string.Join('\n', findings.Select(found => $"{found.Key} holds {found.What}.")));
    }

    /// <summary>What of it is personal; null when nothing is.</summary>
    public static string? Finding(ReadOnlySpan<byte> bytes)
    {
        foreach (var name in People.Names)
        {
            if (bytes.IndexOf(Encoding.UTF8.GetBytes(name)) >= 0)
                return "a name";
        }
        for (var start = 0; start < bytes.Length; start++)
        {
            var run = bytes[start..].IndexOfAnyExceptInRange((byte)'0', (byte)'9') is var end && end < 0 ? bytes.Length - start : end;
            for (var at = start; run is >= Digits and <= LongestRun && at + Digits <= start + run; at++)
            {
                if (People.WasGiven(Encoding.ASCII.GetString(bytes.Slice(at, Digits))))
                    return "a CPR number";
            }
            start += run;
        }
        return null;
    }
}
