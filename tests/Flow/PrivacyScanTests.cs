using System.Text.RegularExpressions;
using Xunit;

namespace Sloring.Tests.Flow;

/// <summary>
/// Reads everything that the suite's hosts wrote (logs, child processes' output; traces and metrics are captured into the same folder) and
/// finds no CPR number and no name of a person. Runs last. What the hosts left in their databases is read when each of them is disposed of (KeptScan).
/// </summary>
[Trait("stage", "last")]
public sealed partial class PrivacyScanTests
{
    [Fact]
    public void AllThatTheSuiteWrote_HoldsNoCprNumberAndNoName()
    {
        var files = Directory.GetFiles(Repository.Captured, "*", SearchOption.AllDirectories);
        Assert.NotEmpty(files);
        var read = 0L;
        var findings = new List<string>();
        foreach (var file in files)
        {
            var number = 0;
            foreach (var line in File.ReadLines(file))
            {
                number++;
                read += line.Length;
                if (Finding(line) is { } what)
                    findings.Add($"{Path.GetFileName(file)}:{number} holds {what}");
            }
        }
        Assert.True(read > 10_000, $"only {read} characters were captured: the hosts' logs are missing");
        Assert.True(findings.Count == 0, string.Join('\n', findings.Take(20)));
    }

    [Theory]
    [InlineData("Activated for 7101901234", "a CPR number")]
    [InlineData("patient 710190-1234", "a CPR number")]
    [InlineData("cpr:7101901234", "a CPR number")]
    [InlineData("Activated 7101901234.", "a CPR number")]
    [InlineData("masked Jens Ole Prøvesen", "a name")]
    [InlineData("masked JENS+OLE+PRØVESEN+x", "a name")]
    [InlineData("trace 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", null)]
    [InlineData("took 1234567890123 ns", null)]
    public void TheScan_SeesWhatItMust(string line, string? expected) => Assert.Equal(expected, Finding(line));

    [Fact]
    public void TheScanOfDatabases_SeesWhatItMust()
    {
        var cpr = People.NextCpr();
        Assert.Equal("a CPR number", KeptScan.Finding(System.Text.Encoding.UTF8.GetBytes($"text\0{cpr}reason")));
        Assert.Equal("a CPR number", KeptScan.Finding(System.Text.Encoding.UTF8.GetBytes($"7{cpr}")));
        Assert.Equal("a name", KeptScan.Finding("masked Jens Ole Prøvesen"u8));
        Assert.Null(KeptScan.Finding("s1.1.abc 1764090000123 1000111000016001 0101010101"u8));
    }

    private static string? Finding(string line)
    {
        if (CprLike().Matches(line).Any(match => IsDate(match.Value.Replace("-", "", StringComparison.Ordinal))))
            return "a CPR number";
        var spaced = line.Replace('+', ' ');
        return People.Names.Any(name => spaced.Contains(name, StringComparison.OrdinalIgnoreCase)) ? "a name" : null;
    }

    private static bool IsDate(string digits)
    {
        var (day, month) = (int.Parse(digits.AsSpan(0, 2), null), int.Parse(digits.AsSpan(2, 2), null));
        return month is >= 1 and <= 12 && day is (>= 1 and <= 31) or (>= 61 and <= 91);
    }

    /// <summary>Ten digits, or six and four, that are no part of a longer number or of a hex text.</summary>
    [GeneratedRegex(@"(?<![0-9A-Za-z._-])(?<!\d:)\d{6}-?\d{4}(?![0-9A-Za-z_-]|[.:]\d)")]
    private static partial Regex CprLike();
}
