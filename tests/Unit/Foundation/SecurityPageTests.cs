using System.Text.RegularExpressions;
using Xunit;

namespace Sloring.Tests.Unit.Foundation;

/// <summary>SECURITY.md is true: the tests that it names are there and run, and each threat names one or says that it is not met.</summary>
public sealed partial class SecurityPageTests
{
    private static readonly string[] Page = File.ReadAllLines(Path.Combine(Repository.Root, "SECURITY.md"));
    private static readonly Dictionary<string, string> Sources = Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests"), "*Tests.cs", SearchOption.AllDirectories)
        .Where(file => !file.Split(Path.DirectorySeparatorChar).Intersect(["bin", "obj"]).Any()).Select(File.ReadAllText)
        .ToDictionary(text => $"{Namespace().Match(text).Groups[1].Value}.{Class().Match(text).Groups[1].Value}");

    public static TheoryData<string> Named => new(Page.SelectMany(line => Name().Matches(line)).Select(match => match.Groups[1].Value).Distinct());

    [Theory, MemberData(nameof(Named))]
    public void ANamedTest_IsThereAndNotSkipped(string name)
    {
        var (type, method) = (name[..name.LastIndexOf('.')], name[(name.LastIndexOf('.') + 1)..]);
        Assert.True(Sources.TryGetValue("Sloring.Tests." + type, out var source), $"There is no class {type}.");
        var declared = Regex.Match(source, $@"((?:^[ \t]*\[[^\n]*\n)+)[ \t]*public (?:async )?(?:Task|void) {Regex.Escape(method)}\(", RegexOptions.Multiline);
        Assert.True(declared.Success && Regex.IsMatch(declared.Groups[1].Value, @"\[(?:Fact|Theory)\b"), $"{type} has no test {method}.");
        Assert.DoesNotContain("Skip", declared.Groups[1].Value, StringComparison.Ordinal);
    }

    [Fact]
    public void EveryThreat_NamesATest_OrSaysThatItIsNotMet()
    {
        var threats = Page.Where(line => line.StartsWith('|') && !line.StartsWith("|---", StringComparison.Ordinal) && !line.StartsWith("| threat", StringComparison.Ordinal))
            .Where(line => line.Count(c => c == '|') == 4 && Array.IndexOf(Page, line) > Array.FindIndex(Page, head => head.StartsWith("| threat", StringComparison.Ordinal))).ToList();
        Assert.True(threats.Count > 30, $"{threats.Count} threats");
        Assert.All(threats, threat => Assert.True(Name().IsMatch(threat) || threat.Contains("*not met", StringComparison.Ordinal), threat));
    }

    /// <summary>Where somebody outside chooses one side, the time that a comparison takes must not tell how much of it was right.</summary>
    [Fact]
    public void SecretsAreComparedInConstantTime()
    {
        // Both sides ours, or public: the digest of a journal's entry; a keyed hash of what the caller has sent; a thumbprint in a list that anybody may read.
        string[] harmless =
        [
            "checkpoint.Hash != hashAt", "said.Hash == state.Hash", "start.Hash == erased.Hash", "before.ContentHash != request.ContentHash", "entry.HashAfter(previous)",
            // The name of a field, and a setting.
            "field.Key != SessionsToken", "!= token.Value.Issuer",
        ];
        var compared = Directory.EnumerateFiles(Path.Combine(Repository.Root, "services"), "*.cs", SearchOption.AllDirectories)
            .Concat(Directory.EnumerateFiles(Path.Combine(Repository.Root, "compat"), "*.cs", SearchOption.AllDirectories))
            .Where(file => !file.Split(Path.DirectorySeparatorChar).Intersect(["bin", "obj"]).Any())
            .SelectMany(file => File.ReadLines(file).Where(line => Comparison().IsMatch(line) && !harmless.Any(known => line.Contains(known, StringComparison.Ordinal))).Select(line => $"{Path.GetFileName(file)}: {line.Trim()}"));
        Assert.Equal([], compared);
        foreach (var file in (string[])["services/Tokens/Clients.cs", "services/Tokens/SignIn/Pkce.cs", "services/Tokens/SignIn/Browser.cs", "services/Hosting/Security/TokenChecks.cs", "compat/Dapr/AspNetCore/AddDapr.cs"])
            Assert.Contains("CryptographicOperations.FixedTimeEquals", File.ReadAllText(Path.Combine(Repository.Root, file)), StringComparison.Ordinal);
    }

    [GeneratedRegex(@"`([A-Z]\w+(?:\.\w+)*Tests\.\w+)`")]
    private static partial Regex Name();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"^public sealed (?:partial )?class (\w+Tests)\b", RegexOptions.Multiline)]
    private static partial Regex Class();

    /// <summary>A secret, hash, token, challenge or mark of a browser beside == or !=, or in SequenceEqual; not its length, and not whether it is there.</summary>
    [GeneratedRegex(@"\w*(?:[Ss]ecret|[Hh]ash|[Tt]humbprint|[Pp]assword|[Tt]oken|[Cc]hallenge|[Vv]erifier|\b[Mm]ark)(?:\.Span|\.Value)?\s*(?:==|!=)\s*(?!null\b|"")|(?:[Ss]ecret|[Hh]ash|[Tt]humbprint|[Pp]assword|[Tt]oken|[Cc]hallenge|[Vv]erifier|\b[Mm]ark)\w*[^;]*SequenceEqual|(?:==|!=)\s*(?:\w*(?:Secret|Hash|Thumbprint|Password|Token|Challenge|Verifier)|token|challenge|verifier|mark)\b")]
    private static partial Regex Comparison();
}
