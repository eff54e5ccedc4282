using Sloring.Contracts;
using Sloring.Contracts.Registration.V1;
using Sloring.Registration.Domain;
using Xunit;

namespace Sloring.Tests.Unit.Registration;

public sealed class UnitRulesTests
{
    private static readonly DateTimeOffset Now = new(2025, 3, 1, 23, 30, 0, TimeSpan.Zero);
    private static readonly CvrNumber Cvr = new(24256790);

    [Fact] // D2, D3: state × step, printed as the table that it is
    public void Steps_AreThoseOfTheGuideline()
    {
        var table = string.Join('\n', Enum.GetValues<UnitState>().Where(state => state != UnitState.Unspecified).Select(state =>
            $"{state}: {string.Join(' ', Enum.GetValues<UnitStep>().Select(step => Result(state, step)))}"));

        Assert.Equal(
            """
            Nominated: Recommended Returned Refused - -
            Recommended: - - - InForce -
            Returned: - - - - -
            Refused: - - - - -
            InForce: - - - - Removed
            Removed: - - - - -
            """, table);
    }

    [Fact] // D3
    public void ConfirmedUnit_IsInForceWithAReviewDate()
    {
        var unit = UnitRules.Take(Unit(UnitState.Recommended), UnitStep.Confirm, "p1", null, Now, 365).Value.Unit;
        Assert.Equal(Now, unit.InForceFrom);
        Assert.Equal(new DateOnly(2026, 3, 2), unit.ReviewOn); // already 2 March in Denmark
    }

    [Fact] // D2
    public void OpenUnit_CannotBeNominatedAgain()
    {
        Assert.Equal("SLR-120", UnitRules.Nominate(Unit(UnitState.Nominated), alreadyOpen: true, "p1", Now).Rejection?.Code);
        var told = UnitRules.Nominate(Unit(UnitState.Nominated), alreadyOpen: false, "p1", Now).Value.Event;
        Assert.Equal(("nominated", "sealed"), (told.State, told.SealedReason));
    }

    [Theory] // D2
    [InlineData(Review.Unspecified, true, "SLR-906")]
    [InlineData((Review)9, true, "SLR-906")]
    [InlineData(Review.Recommended, false, null)]
    [InlineData(Review.Returned, false, "SLR-127")]
    [InlineData(Review.Refused, false, "SLR-127")]
    [InlineData(Review.Refused, true, null)]
    public void ReviewThatSaysNo_SaysWhy(Review review, bool hasReason, string? code) =>
        Assert.Equal(code, UnitRules.StepOf(review, hasReason).Rejection?.Code);

    [Theory] // D1
    [InlineData("", "", "SLR-124")]
    [InlineData("441471000016000", "1301", "SLR-124")]
    [InlineData("441471000016001", "", "SLR-912")]
    [InlineData("", "13", "SLR-913")]
    [InlineData("1000101000016003", "", null)]
    [InlineData("", "1301", null)]
    [InlineData("", "130112A", null)]
    public void Unit_IsNamedByOneCode(string sorId, string shak, string? code) =>
        Assert.Equal(code, UnitRules.NameOfUnit(sorId, shak)?.Code);

    [Theory] // D2: the smallest possible unit of one's own
    [InlineData(false, 24256790u, false, "SLR-124")]
    [InlineData(true, 25469364u, false, "SLR-125")]
    [InlineData(true, 24256790u, true, "SLR-126")]
    [InlineData(true, 24256790u, false, null)]
    public void OnlyAnOwnSmallUnit_CanBeNominated(bool known, uint cvr, bool isTop, string? code) => Assert.Equal(
        code, UnitRules.Nominable(known ? new RegisterUnit("1", "Skadestuen", new CvrNumber(cvr), isTop) : null, Cvr).Rejection?.Code);

    [Theory] // D2: all four grounds
    [InlineData(0, "APV 2025-1", "alvorlig", "dagligt", "SLR-123")]
    [InlineData(-1, "APV 2025-1", "alvorlig", "dagligt", "SLR-123")]
    [InlineData(3, " ", "alvorlig", "dagligt", "SLR-123")]
    [InlineData(3, "APV 2025-1", "", "dagligt", "SLR-123")]
    [InlineData(3, "APV 2025-1", "alvorlig", "\n", "SLR-123")]
    [InlineData(3, "APV 2025-1", "alvor\0lig", "dagligt", "SLR-905")]
    [InlineData(3, "APV 2025-1", "alvorlig", "dagligt", null)]
    public void Grounds_AreComplete(int incidents, string assessment, string severity, string why, string? code)
    {
        var grounds = new UnitGrounds { ReportedIncidents = incidents, WorkplaceAssessment = assessment, Severity = severity, WhyNotIndividual = why };
        var rejected = Record.Exception(() => UnitRules.Grounds(grounds).Value) as RejectedException;
        Assert.Equal(code, rejected?.Rejection.Code);
    }

    [Fact] // M9: parts do not run together, and absent is not empty
    public void ContentHash_TellsContentsApart()
    {
        byte[] key = new byte[32];
        Assert.NotEqual(ContentHash.Of(key, "ab", "c"), ContentHash.Of(key, "a", "bc"));
        Assert.NotEqual(ContentHash.Of(key, "a", null), ContentHash.Of(key, "a", ""));
        Assert.Equal(ContentHash.Of(key, "a", null), ContentHash.Of(key, "a", null));
    }

    private static string Result(UnitState state, UnitStep step)
    {
        var decided = UnitRules.Take(Unit(state), step, "p1", null, Now, 365);
        Assert.True(decided.Rejection is null || decided.Rejection.Code == "SLR-122");
        return decided.Rejection is null ? decided.Value.Unit.State.ToString() : "-";
    }

    private static DepartmentMasking Unit(UnitState state) =>
        new() { UnitMaskingId = Guid.NewGuid(), SorId = "1", UnitSorId = "1", Name = "Skadestuen", Cvr = Cvr, State = state, SealedGrounds = "sealed" };
}
