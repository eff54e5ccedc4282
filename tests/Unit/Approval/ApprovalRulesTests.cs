using System.Text;
using Sloring.Approval.Domain;
using Sloring.Contracts;
using Sloring.Contracts.Approval.V1;
using Xunit;
using static Sloring.Tests.Unit.Approval.Cases;

namespace Sloring.Tests.Unit.Approval;

public sealed class ApprovalRulesTests
{
    private static readonly CaseState[] States = [.. Enum.GetValues<CaseState>().Where(state => state != CaseState.Unspecified)];

    // A4, A5, A6, A9, M7: the whole table, read as a person would.
    private const string Table = """
                   | Uphold     | Lift       | Ask        | Answer     | Renew      | Supersede  | End        | Expire
        Open       | Upheld     | Lifted     | Open       | Open       | SLR-211    | Superseded | Ended      | Expired
        Upheld     | SLR-205    | SLR-205    | Upheld     | Upheld     | Upheld     | Superseded | Ended      | Expired
        Lifted     | SLR-205    | SLR-205    | SLR-206    | SLR-206    | SLR-206    | Lifted     | Lifted     | Lifted
        Superseded | SLR-206    | SLR-206    | SLR-206    | SLR-206    | SLR-206    | Superseded | Superseded | Superseded
        Ended      | SLR-206    | SLR-206    | SLR-206    | SLR-206    | SLR-206    | Ended      | Ended      | Ended
        Expired    | SLR-206    | SLR-206    | SLR-206    | SLR-206    | SLR-209    | Expired    | Expired    | Expired
        """;

    [Fact]
    public void State_times_command_is_this_table()
    {
        var printed = new StringBuilder();
        printed.Append("".PadRight(10));
        foreach (var command in Enum.GetValues<CaseCommand>())
            printed.Append(" | ").Append(command.ToString().PadRight(10));
        foreach (var state in States)
        {
            printed.Append('\n').Append(state.ToString().PadRight(10));
            foreach (var command in Enum.GetValues<CaseCommand>())
            {
                var outcome = ApprovalRules.On(state, command);
                printed.Append(" | ").Append((outcome.Rejection?.Code ?? outcome.Next.ToString()).PadRight(10));
            }
        }
        TestContext.Current.TestOutputHelper?.WriteLine(printed.ToString());
        Assert.Equal(Trimmed(Table), Trimmed(printed.ToString()));
    }

    [Theory]
    [InlineData(CaseCommand.Uphold, CaseState.Upheld)]
    [InlineData(CaseCommand.Lift, CaseState.Lifted)]
    public void A_leader_of_the_level_decides_A5(CaseCommand command, CaseState expected) =>
        Assert.Equal(expected, ApprovalRules.Decide(command, Open(), LevelLeader, Chosen, Monday.AddDays(1)).Value);

    [Theory]
    [InlineData(CaseCommand.Uphold)]
    [InlineData(CaseCommand.Lift)]
    [InlineData(CaseCommand.Ask)]
    [InlineData(CaseCommand.Renew)]
    public void A_leader_of_another_level_does_not_A1(CaseCommand command) =>
        Assert.Equal(
            Rejections.NotYourLevel,
            ApprovalRules.Decide(command, Open(), LevelLeader with { OfLevel = false }, Chosen, Monday.AddDays(1)).Rejection);

    [Theory]
    [InlineData(Nurse, false, "SLR-203")]
    [InlineData("NURSE-1", false, "SLR-203")]
    [InlineData(Nurse, true, null)]
    [InlineData(Leader, false, null)]
    public void Nobody_decides_on_the_own_activation_unless_the_region_allows_it_A7(string person, bool allowed, string? code)
    {
        var decider = new Decider(person, OfLevel: true, allowed);
        var renewable = Upheld();
        Assert.Equal(code, ApprovalRules.Decide(CaseCommand.Uphold, Open(), decider, Chosen, Monday).Rejection?.Code);
        Assert.Equal(code, ApprovalRules.Decide(CaseCommand.Lift, Open(), decider, Chosen, Monday).Rejection?.Code);
        Assert.Equal(code, ApprovalRules.Decide(CaseCommand.Renew, renewable, decider, Chosen, renewable.EndsAt.AddDays(-1)).Rejection?.Code);
        Assert.Null(ApprovalRules.Decide(CaseCommand.Ask, Open(), decider, Chosen, Monday).Rejection);
    }

    [Theory] // who activates over the national wire is known there by the authorisation id
    [InlineData("aut:6QF17", "SLR-203")]
    [InlineData("aut:7PL42", null)]
    public void Nor_under_another_name_A7(string alsoKnownAs, string? code)
    {
        var decider = LevelLeader with { AlsoKnownAs = alsoKnownAs };
        Assert.Equal(code, ApprovalRules.Decide(CaseCommand.Uphold, Open(by: "aut:6QF17"), decider, Chosen, Monday).Rejection?.Code);
    }

    [Fact]
    public void Without_a_reason_a_case_can_be_lifted_but_not_upheld_M5()
    {
        Assert.Equal(Rejections.CannotUpholdWithoutReason, ApprovalRules.Decide(CaseCommand.Uphold, Open(reason: null), LevelLeader, Chosen, Monday).Rejection);
        Assert.Null(ApprovalRules.Decide(CaseCommand.Lift, Open(reason: null), LevelLeader, Chosen, Monday).Rejection);
    }

    [Fact]
    public void Passing_the_deadline_shows_overdue_and_lifts_nothing_A4()
    {
        var found = Open();
        Assert.False(ApprovalRules.IsOverdue(found, found.DecisionDue.AddTicks(-1)));
        Assert.True(ApprovalRules.IsOverdue(found, found.DecisionDue));
        Assert.Equal(CaseState.Open, ApprovalRules.StateAt(found, found.EndsAt.AddTicks(-1)));
        Assert.Null(ApprovalRules.Decide(CaseCommand.Uphold, found, LevelLeader, Chosen, found.EndsAt.AddTicks(-1)).Rejection);
    }

    [Fact]
    public void At_its_end_the_case_is_expired_before_anybody_says_so_M6()
    {
        var found = Open();
        Assert.Equal(CaseState.Expired, ApprovalRules.StateAt(found, found.EndsAt));
        Assert.False(ApprovalRules.IsOverdue(found, found.EndsAt));
        Assert.Equal(Rejections.CaseClosed, ApprovalRules.Decide(CaseCommand.Uphold, found, LevelLeader, Chosen, found.EndsAt).Rejection);
    }

    [Theory]
    [InlineData(-864_000_001, "SLR-208")] // 10 days and 1 ms before the end
    [InlineData(-864_000_000, null)]
    [InlineData(-1, null)]
    [InlineData(0, "SLR-209")]
    public void Renewal_is_open_from_the_expiry_notice_until_the_end_A9(int milliseconds, string? code)
    {
        var found = Upheld(At("2026-06-01T10:00Z"));
        Assert.Equal(code, ApprovalRules.Decide(CaseCommand.Renew, found, LevelLeader, Chosen, found.EndsAt.AddMilliseconds(milliseconds)).Rejection?.Code);
    }

    [Fact]
    public void An_answer_needs_an_open_question_A6()
    {
        var found = Open();
        found.Questions.Add(new CaseQuestion { CaseId = found.CaseId, Number = 1, AskedBy = Leader, AskedAt = Monday, SealedText = "sealed" });
        Assert.Equal(Rejections.QuestionNotFound, ApprovalRules.Answer(found, 2, Monday).Rejection);
        var question = ApprovalRules.Answer(found, 1, Monday).Value;
        question.AnsweredAt = Monday;
        Assert.Equal(Rejections.QuestionAnswered, ApprovalRules.Answer(found, 1, Monday).Rejection);
        Assert.Equal(Rejections.CaseClosed, ApprovalRules.Answer(found, 1, found.EndsAt).Rejection);
    }

    [Fact]
    public void A_decision_says_who_when_and_on_what_ground_A7()
    {
        var found = Upheld();
        found.Renew(found.EndsAt.AddDays(90), "leader-2", found.EndsAt.AddDays(-1), "sealed ground");
        Assert.Equal([(1, "uphold", Leader), (2, "renew", "leader-2")], found.Steps.Select(step => (step.Number, step.Kind, step.DecidedBy)));
        Assert.Equal("sealed ground", found.Steps[1].SealedReason);
        Assert.Equal("leader-2", found.UpheldBy); // A8: the notice goes to whoever stands for it now
    }

    private static ApprovalCase Upheld(DateTimeOffset? activatedAt = null)
    {
        var found = Open(activatedAt);
        found.Decide(CaseState.Upheld, Leader, found.ActivatedAt.AddDays(1), null);
        return found;
    }

    private static string Trimmed(string table) => string.Join('\n', table.Split('\n').Select(line => line.TrimEnd()));
}
