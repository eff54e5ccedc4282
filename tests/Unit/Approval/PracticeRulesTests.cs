using Sloring.Approval.Domain;
using Xunit;

namespace Sloring.Tests.Unit.Approval;

/// <summary>What a region may choose of its practice (rules A1, A2, A7, A8).</summary>
public sealed class PracticeRulesTests
{
    [Theory] // A1, A2, A8
    [InlineData("hospital", "06-05 12-24", 7, 10, null)]
    [InlineData("department", "", 1, 1, null)]
    [InlineData("region", "02-29", 30, 89, null)]
    [InlineData("ward", "", 7, 10, "SLR-229")]
    [InlineData("Hospital", "", 7, 10, "SLR-229")]
    [InlineData("hospital", "6-5", 7, 10, "SLR-230")]
    [InlineData("hospital", "02-30", 7, 10, "SLR-230")]
    [InlineData("hospital", "06-05 06-05", 7, 10, "SLR-230")]
    [InlineData("hospital", "", 0, 10, "SLR-231")]
    [InlineData("hospital", "", 31, 10, "SLR-231")]
    [InlineData("hospital", "", 7, 0, "SLR-232")]
    [InlineData("hospital", "", 7, 90, "SLR-232")]
    public void A_choice_keeps_to_the_limits_of_the_configuration(string level, string days, int decision, int notice, string? code) =>
        Assert.Equal(code, PracticeRules.Choose(level, false, days.Split(' ', StringSplitOptions.RemoveEmptyEntries), decision, notice).Rejection?.Code);

    [Theory] // A2: a year of days off would never reach a deadline
    [InlineData(30, null)]
    [InlineData(31, "SLR-230")]
    public void Days_off_leave_working_days(int count, string? code)
    {
        var days = Enumerable.Range(0, count).Select(i => new DateOnly(2026, 7, 1).AddDays(i).ToString("MM-dd", System.Globalization.CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(code, PracticeRules.Choose(null, null, days, null, null).Rejection?.Code);
    }

    [Fact]
    public void Differences_name_what_was_changed_and_only_that()
    {
        var before = PracticeRules.Choose("hospital", null, null, 7, null).Value;
        var after = PracticeRules.Choose("region", true, ["12-24", "06-05"], 7, null).Value;
        Assert.Equal(
            [new("approval-level", "hospital", "region"), new("may-decide-own", null, "true"), new PracticeDifference("extra-non-working-days", null, "06-05 12-24")],
            PracticeRules.Differences(before, after));
        Assert.Empty(PracticeRules.Differences(after, PracticeRules.Choose("region", true, ["06-05", "12-24"], 7, null).Value));
        // No days off is a choice, not the configuration.
        Assert.Equal(new PracticeDifference("extra-non-working-days", null, ""), Assert.Single(PracticeRules.Differences(PracticeChoice.None, PracticeRules.Choose(null, null, [], null, null).Value)));
    }
}
