using System.Text.RegularExpressions;
using Sloring.Contracts;
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
    [InlineData("url.full=http://127.0.0.1/v1/units/%207101901234/review", "a CPR number")]
    [InlineData("url.full=http://127.0.0.1/v1/units/%2012070918/review", null)] // a space and a CVR number
    [InlineData("2902000000 ns", null)] // no day of any year: nobody's number
    public void TheScan_SeesWhatItMust(string line, string? expected) => Assert.Equal(expected, Finding(line)?.Split(',')[0]);

    [Fact]
    public void WhatItSays_IsWhere_AndNotWhose() =>
        Assert.Equal("a CPR number, as in: trace x url.full=http://000.0.0.0/v0/0000000000/y", Finding("trace x url.full=http://127.0.0.1/v1/7101901234/y"));

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
        // An address is read as whoever wrote it meant it: an escaped space is no digit before a number.
        line = Uri.UnescapeDataString(line);
        if (CprLike().Matches(line).FirstOrDefault(match => CprNumber.TryParse(match.Value.Replace("-", "", StringComparison.Ordinal), out _)) is { } cpr)
            return $"a CPR number, as in: {Digit().Replace(line[Math.Max(0, cpr.Index - 200)..Math.Min(line.Length, cpr.Index + 100)], "0")}";
        var spaced = line.Replace('+', ' ');
        return People.Names.Any(name => spaced.Contains(name, StringComparison.OrdinalIgnoreCase)) ? "a name" : null;
    }

    [GeneratedRegex("[0-9]")]
    private static partial Regex Digit();

    /// <summary>Ten digits, or six and four, that are no part of a longer number or of a hex text.</summary>
    [GeneratedRegex(@"(?<![0-9A-Za-z._-])(?<!\d:)\d{6}-?\d{4}(?![0-9A-Za-z_-]|[.:]\d)")]
    private static partial Regex CprLike();
}
