using System.Collections;
using System.Globalization;
using System.Text.RegularExpressions;
using Sloring.Portal;
using Xunit;

namespace Sloring.Tests.Unit.Portal;

public sealed partial class WordingTests
{
    [Fact]
    public void EveryText_IsThereInBothLanguages_WithTheSameGaps()
    {
        var (danish, english) = (Texts(CultureInfo.InvariantCulture), Texts(new CultureInfo("en")));

        Assert.Equal(danish.Keys.Order(), english.Keys.Order());
        Assert.All(danish, text => Assert.Equal(Gaps(text.Value), Gaps(english[text.Key])));
        Assert.All(danish.Values.Concat(english.Values), text => Assert.False(string.IsNullOrWhiteSpace(text)));
    }

    [Theory]
    [InlineData("leader-told")]
    [InlineData("reason-missing")]
    [InlineData("decision-reminder")]
    [InlineData("decision-overdue")]
    [InlineData("expiry-notice")]
    [InlineData("lifted")]
    [InlineData("ended")]
    [InlineData("question")]
    [InlineData("answer")]
    public void EveryKindOfNotice_IsSaidInWords(string kind) => Assert.NotEqual(kind, Show.Notice(kind));

    [Fact]
    public void EverySettingAndItsSource_IsSaidInWords()
    {
        var none = Sloring.Approval.Domain.PracticeChoice.None;
        var all = Sloring.Approval.Domain.PracticeRules.Differences(none, new("hospital", true, "", 7, 10));
        Assert.Equal(5, all.Count);
        Assert.All(all, difference => Assert.NotEqual(difference.Setting, Show.Setting(difference.Setting)));
        Assert.All(Sloring.Approval.Domain.Levels.All, level => Assert.NotEqual(level, Show.SettingValue("approval-level", level)));
    }

    private static Dictionary<string, string> Texts(CultureInfo culture) =>
        Wording.ResourceManager.GetResourceSet(culture, createIfNotExists: true, tryParents: false)!.Cast<DictionaryEntry>().ToDictionary(entry => (string)entry.Key, entry => (string)entry.Value!);

    private static string Gaps(string text) => string.Join(' ', Gap().Matches(text).Select(match => match.Value).Order());

    [GeneratedRegex(@"\{[0-9]+\}")]
    private static partial Regex Gap();
}
