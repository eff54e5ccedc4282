using System.Text.RegularExpressions;
using Xunit;

namespace Sloring.Tests.Flow;

/// <summary>Every rule of the domain is named in at least one test.</summary>
public sealed partial class RuleCoverageTests
{
    public static TheoryData<string> Rules
    {
        get
        {
            var rules = new TheoryData<string>();
            foreach (var (letter, count) in (ReadOnlySpan<(char, int)>)[('M', 10), ('A', 10), ('D', 4), ('E', 8), ('O', 3)])
            {
                for (var number = 1; number <= count; number++)
                    rules.Add($"{letter}{number}");
            }
            rules.Add("C2");
            rules.Add("C3");
            return rules;
        }
    }

    [Theory]
    [MemberData(nameof(Rules))]
    public void EveryRule_IsNamedInATest(string rule)
    {
        var named = Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests"), "*Tests.cs", SearchOption.AllDirectories)
            .Where(file => Path.GetFileName(file) != "RuleCoverageTests.cs")
            .Any(file => Named(rule).IsMatch(File.ReadAllText(file)));
        Assert.True(named, $"No test names rule {rule}.");
    }

    /// <summary>The id as a word, or at either end of a part of a test's name: <c>M7</c>, <c>M7_…</c>.</summary>
    private static Regex Named(string rule) => new($@"(?<![A-Za-z0-9]){rule}(?![0-9])");
}
