using Xunit;

namespace Sloring.Tests.Flow;

/// <summary>
/// Reads everything that the suite's hosts wrote (logs, child processes' output; traces and metrics are captured into the same folder) and
/// finds no CPR number and no name of a person. Runs last. What the hosts left in their databases is read when each of them is disposed of (KeptScan).
/// </summary>
[Trait("stage", "last")]
public sealed class PrivacyScanTests
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
                if (PersonalText.Finding(line) is { } what)
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
    [InlineData("""{"Text":"{\u0022patientCpr\u0022:\u00227101901234\u0022}"}""", "a CPR number")] // JSON in JSON, as this platform writes it
    [InlineData("""{\"a\":\"first line\n7101901234\"}""", "a CPR number")]
    [InlineData("""the body was \\u00227101901234\\u0022""", "a CPR number")] // escaped twice
    [InlineData("to 29190623.7101901234", "a CPR number")] // a routing key
    [InlineData("to 7101901234.29190623", "a CPR number")]
    [InlineData("idempotency key act-7101901234", "a CPR number")]
    [InlineData("cpr_7101901234_2025", "a CPR number")]
    [InlineData("patient7101901234", "a CPR number")]
    [InlineData("code7101901234x", "a CPR number")]
    [InlineData("[7101901234,7001901235]", "a CPR number")]
    [InlineData("q=710190%2D1234", "a CPR number")]
    [InlineData("patient 710190 1234", "a CPR number")]
    [InlineData("<value>&#x37;101901234</value>", "a CPR number")]
    [InlineData("""{"name":"Jens Ole Pr\u00F8vesen"}""", "a name")]
    [InlineData("""name: "Jens Ole Pr\303\270vesen" """, "a name")] // protobuf's text, PostgreSQL
    [InlineData("""<<"Jens Ole Pr\x{F8}vesen">>""", "a name")] // Erlang
    [InlineData("Jens Ole Pr&#248;vesen", "a name")]
    [InlineData("jens ole prøvesen", "a name")]
    [InlineData("q=Jens+Ole+Pr%C3%B8vesen", "a name")]
    [InlineData("file jens_ole_prøvesen.json", "a name")]
    [InlineData("<<123,34,55,49,48,49,57,48,49,50,51,52,34,125>>", "a CPR number or a name")]
    [InlineData("<<74,101,110,115,32,79,108,101,32,80,114,195,184,118,101,115,101,110>>", "a CPR number or a name")]
    [InlineData("0000000000000-1764090000 0190a3b4-1234-7abc-8def-a57101901234", null)] // a UUID
    [InlineData("71019012-1234-4abc-8def-000000000000", null)]
    [InlineData("hash ab7101901234ff", null)]
    [InlineData("sha 7101901234ab", null)]
    [InlineData("""\\xab00cd7101901234	x""", null)] // as PostgreSQL writes bytes
    [InlineData("0xab7101901234", null)]
    [InlineData("7101901234abcdef", null)]
    [InlineData("took 12.7101901234 ms, 7101901234.5 ns", null)]
    [InlineData("1000111000016001 at 638712345678901234", null)] // SOR id, ticks
    [InlineData("127.0.0.1:29190", null)]
    [InlineData("\"exp\":1801234567", null)] // January 2027 in seconds
    [InlineData("eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmF0dXJl", null)]
    [InlineData("2902000000 ns", null)] // no day of any year: nobody's number
    public void TheScan_SeesWhatItMust(string line, string? expected) => Assert.Equal(expected, PersonalText.Finding(line)?.Split(',')[0]);

    [Fact]
    public void WhatItSays_IsWhere_AndNotWhose() =>
        Assert.Equal("a CPR number, as in: trace x url.full=http://000.0.0.0/v0/0000000000/y", PersonalText.Finding("trace x url.full=http://127.0.0.1/v1/7101901234/y"));

    [Theory]
    [InlineData("7101901234")]
    [InlineData("Jens Ole Prøvesen")]
    public void WhatIsOnlyEncoded_IsSeenWhereverItBegins(string personal)
    {
        for (var before = 0; before < 4; before++)
        {
            byte[] bytes = [.. "\n\u0012\u000a\u0018"u8[..before], .. System.Text.Encoding.UTF8.GetBytes(personal), 0x12];
            foreach (var encoded in (string[])[Convert.ToBase64String(bytes), System.Buffers.Text.Base64Url.EncodeToString(bytes), Convert.ToBase64String(bytes[..^1]), Convert.ToHexString(bytes), "\\x" + Convert.ToHexStringLower(bytes)])
                Assert.NotNull(PersonalText.Finding($"""body "{encoded}", 12"""));
        }
    }

    [Fact]
    public void TheScanOfDatabases_SeesWhatItMust()
    {
        var cpr = People.NextCpr();
        Assert.NotNull(PersonalText.Finding($"text\0{cpr}reason", packed: true));
        Assert.NotNull(PersonalText.Finding($"7{cpr}", packed: true));
        Assert.Equal("a name", PersonalText.Finding("masked Jens Ole Prøvesen", packed: true));
        Assert.Null(PersonalText.Finding("s1.1.abc 1764090000123 1000111000016001 0101010101", packed: true));
    }
}
