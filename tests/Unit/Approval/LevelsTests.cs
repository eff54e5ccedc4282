using Sloring.Approval.Domain;
using Xunit;

namespace Sloring.Tests.Unit.Approval;

public sealed class LevelsTests
{
    private static readonly LevelUnit[] Chain =
        [new("section", "section"), new("ward", "department"), new("clinic", "department"), new("hospital", "hospital"), new("region", "region")];

    // A1
    [Theory]
    [InlineData(0, "department", "ward")]
    [InlineData(1, "department", "ward")]
    [InlineData(0, "hospital", "hospital")]
    [InlineData(0, "region", "region")]
    [InlineData(3, "department", "hospital")] // the activator works above the chosen level
    [InlineData(4, "hospital", "region")]
    public void The_nearest_unit_of_the_chosen_level_decides(int from, string level, string expected) =>
        Assert.Equal(expected, Levels.Deciding(Chain[from..], level)!.SorId);

    [Fact]
    public void Where_no_unit_is_high_enough_the_top_decides_A1() => Assert.Equal("clinic", Levels.Deciding(Chain[..3], "hospital")!.SorId);

    [Fact]
    public void An_organisation_that_the_register_does_not_know_has_no_level() => Assert.Null(Levels.Deciding([], "hospital"));

    // A3: two departments in a row are one level.
    [Theory]
    [InlineData("ward", "hospital")]
    [InlineData("hospital", "region")]
    [InlineData("section", "ward")]
    [InlineData("region", null)]
    [InlineData("unknown", null)]
    public void An_overdue_case_goes_to_the_next_higher_level(string from, string? expected) =>
        Assert.Equal(expected, Levels.Above(Chain, from)?.SorId);
}
