using Sloring.Contracts;
using Sloring.Pseudonym.Domain;
using Xunit;

namespace Sloring.Tests.Unit.Pseudonym;

/// <summary>Access requests (rule C2).</summary>
public sealed class ResolveRulesTests
{
    private const string Shown = "5125e893-ffa4-5987-a627-4f5ceddd3467";

    private static readonly string[] Names = ["Jens Hansen", "Karen Sørensen"];

    [Fact]
    public void RightRequest_IsReadAsShown() // C2
    {
        var resolution = Check(pseudonym: " " + Shown.ToUpperInvariant(), purpose: " Aktindsigt ").Value;

        Assert.Equal((Shown, "Aktindsigt"), (resolution.Pseudonym, resolution.Purpose));
        Assert.Equal(new DateOnly(2026, 1, 1), resolution.From);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(" \n ")]
    [InlineData("a\0b")]
    public void PurposeMissing_IsRejectedBeforeAnythingElse(string? purpose) => // C2
        Assert.Equal(Rejections.PurposeMissing.For("purpose"), Check(cpr: "x", purpose: purpose).Rejection);

    [Fact]
    public void PurposeOverLong_IsRejected() // C2
    {
        Assert.Null(Check(purpose: new string('a', 1_000)).Rejection);
        Assert.Equal(Rejections.PurposeMissing.For("purpose"), Check(purpose: new string('a', 1_001)).Rejection);
    }

    [Theory]
    [InlineData("")]
    [InlineData("251248-9996")]
    [InlineData("3113131313")]
    public void CprImpossible_IsRejected(string cpr) => Assert.Equal(Rejections.CprInvalid.For("patient_cpr"), Check(cpr: cpr).Rejection);

    [Theory]
    [InlineData("")]
    [InlineData("d5dffae 283")]
    [InlineData("5125e893ffa45987a6274f5ceddd3467")]
    public void PseudonymNoUuid_IsRejected(string pseudonym) => Assert.Equal(Rejections.PseudonymInvalid.For("pseudonym"), Check(pseudonym: pseudonym).Rejection);

    [Theory]
    [InlineData("2026-02-30", "2026-03-01", "from")]
    [InlineData("", "2026-03-01", "from")]
    [InlineData("0001-01-01", "2026-03-01", "from")]
    [InlineData("2026-01-01", "9999-12-31", "to")]
    [InlineData("2026-01-02", "2026-01-01", "to")]
    public void PeriodWrong_IsRejected(string from, string to, string field) => Assert.Equal(Rejections.PeriodInvalid.For(field), Check(from: from, to: to).Rejection);

    [Theory]
    [InlineData(0)]
    [InlineData(10_001)]
    public void CandidatesNoneOrTooMany_AreRejected(int count) =>
        Assert.Equal(Rejections.CandidatesInvalid.For("candidates"), Check(candidates: [.. Enumerable.Repeat("Jens Hansen", count)]).Rejection);

    [Fact]
    public void NameWrong_RejectionNamesItsPlaceAndNotTheName()
    {
        Assert.Equal(Rejections.NameMissing.For("candidates[1]"), Check(candidates: ["Jens Hansen", "  "]).Rejection);
        Assert.Equal(Rejections.NameMissing.For("candidates[0]"), Check(candidates: [new string('a', 201)]).Rejection);
        Assert.Equal(Rejections.TextTooLong.For("candidates[0]"), Check(candidates: ["Jens\nHansen"]).Rejection);
        Assert.Equal(Rejections.TextTooLong.For("candidates[0]"), Check(candidates: ["Jens \uD800"]).Rejection);
        Assert.Null(Check(candidates: [new string('a', 200), "Anne-Marie O'Brien", "𠮷田"]).Rejection);
    }

    [Fact]
    public void SeveralSaltsAndHomonyms_EachCandidateOnceUnderItsNewestSalt() // C2
    {
        var resolution = Check(candidates: ["a", "b", "a"]).Value;
        var pseudonyms = new Dictionary<(int, string), string> { [(3, "a")] = "x", [(2, "a")] = Shown, [(1, "a")] = Shown, [(3, "b")] = "y", [(2, "b")] = "z", [(1, "b")] = "w" };

        var matches = ResolveRules.Matches(resolution, [3, 2, 1], (salt, index) => pseudonyms[(salt, resolution.Candidates[index])]);

        Assert.Equal([(0, 2), (2, 2)], matches);
        Assert.Empty(ResolveRules.Matches(resolution, [], (_, _) => Shown));
    }

    private static Decided<Resolution> Check(
        string? cpr = "2512489996", string? pseudonym = Shown, string? from = "2026-01-01", string? to = "2026-02-01", string? purpose = "Aktindsigt",
        IReadOnlyList<string>? candidates = null) =>
        ResolveRules.Check(cpr, pseudonym, from, to, purpose, candidates ?? Names);
}
