using Sloring.Approval.Domain;
using Sloring.Contracts;
using Sloring.Contracts.Approval.V1;
using Xunit;
using static Sloring.Contracts.Approval.V1.ComplaintState;
using static Sloring.Tests.Unit.Approval.Cases;
using CaseComplaint = Sloring.Approval.Domain.CaseComplaint;

namespace Sloring.Tests.Unit.Approval;

/// <summary>A complaint has a course of its own and moves no case (rule C3).</summary>
public sealed class ComplaintRulesTests
{
    [Theory] // C3: the whole table
    [InlineData(Received, ComplaintCommand.TakeUp, "UnderTreatment")]
    [InlineData(Received, ComplaintCommand.Withdraw, "Withdrawn")]
    [InlineData(Received, ComplaintCommand.Answer, "SLR-223")]
    [InlineData(UnderTreatment, ComplaintCommand.TakeUp, "SLR-222")]
    [InlineData(UnderTreatment, ComplaintCommand.Withdraw, "Withdrawn")]
    [InlineData(UnderTreatment, ComplaintCommand.Answer, "Answered")]
    [InlineData(Answered, ComplaintCommand.TakeUp, "SLR-224")]
    [InlineData(Answered, ComplaintCommand.Withdraw, "SLR-224")]
    [InlineData(Answered, ComplaintCommand.Answer, "SLR-224")]
    [InlineData(Withdrawn, ComplaintCommand.TakeUp, "SLR-224")]
    [InlineData(Withdrawn, ComplaintCommand.Withdraw, "SLR-224")]
    [InlineData(Withdrawn, ComplaintCommand.Answer, "SLR-224")]
    public void Course_C3(ComplaintState state, ComplaintCommand command, string expected)
    {
        var decided = ComplaintRules.On(state, command);
        Assert.Equal(expected, decided.Rejection?.Code ?? decided.Value.ToString());
    }

    [Theory] // C3: activated on Monday 5 January at 10:00 in Denmark, registered on the 7th at half past midnight there
    [InlineData("2026-01-04", "SLR-219")]
    [InlineData("2026-01-05", null)]
    [InlineData("2026-01-07", null)]
    [InlineData("2026-01-08", "SLR-219")]
    public void It_was_received_between_the_activation_and_today_C3(string day, string? code) =>
        Assert.Equal(code, ComplaintRules.Received(Day(day), Open(), At("2026-01-06T23:30Z")).Rejection?.Code);

    [Fact]
    public void That_the_masking_was_lifted_is_answered_only_where_a_leader_has_C3()
    {
        var found = Open();
        Assert.Equal(Rejections.ComplaintNotLifted.For("outcome"), Lifted(found, Complaint(found, "2026-01-06")));
        found.Decide(CaseState.Lifted, Leader, At("2026-01-07T12:00Z"), "sealed");
        Assert.Null(Lifted(found, Complaint(found, "2026-01-07")));
        // Lifted before anybody complained: not the outcome of the complaint.
        Assert.NotNull(Lifted(found, Complaint(found, "2026-01-08")));
        foreach (var outcome in (ComplaintOutcome[])[ComplaintOutcome.Upheld, ComplaintOutcome.NotUpheld])
            Assert.Null(ComplaintRules.Outcome(Complaint(found, "2026-01-08"), found, outcome).Rejection);

        static Rejection? Lifted(ApprovalCase found, CaseComplaint complaint) => ComplaintRules.Outcome(complaint, found, ComplaintOutcome.Lifted).Rejection;
    }

    [Fact]
    public void A_leader_lifts_what_was_upheld_only_while_a_complaint_is_open_and_the_first_decision_keeps_its_time_C3_A5()
    {
        var found = Open();
        found.Decide(CaseState.Upheld, Leader, Monday.AddDays(1), null);
        Assert.Equal(Rejections.AlreadyDecided, Lift(complained: false, LevelLeader).Rejection);
        Assert.Equal(Rejections.NotYourLevel, Lift(complained: true, LevelLeader with { OfLevel = false }).Rejection);
        Assert.Equal(Rejections.OwnActivation, Lift(complained: true, LevelLeader with { PersonId = Nurse }).Rejection);
        Assert.Equal(Rejections.AlreadyDecided, ApprovalRules.Decide(CaseCommand.Uphold, found, LevelLeader, Chosen, Monday.AddDays(9), complained: true).Rejection);

        found.Decide(Lift(complained: true, LevelLeader).Value, Leader, Monday.AddDays(20), "sealed");

        Assert.Equal((CaseState.Lifted, CaseState.Lifted, Monday.AddDays(1), Monday.AddDays(20)), (found.State, found.DecidedAs, found.DecidedAt, found.ClosedAt));
        Assert.Equal(["uphold", "lift"], found.Steps.Select(step => step.Kind));
        Assert.Equal(Rejections.AlreadyDecided, Lift(complained: true, LevelLeader).Rejection);

        Decided<CaseState> Lift(bool complained, Decider decider) => ApprovalRules.Decide(CaseCommand.Lift, found, decider, Chosen, Monday.AddDays(20), complained);
    }

    private static CaseComplaint Complaint(ApprovalCase found, string receivedOn) => new()
    {
        ComplaintId = Guid.CreateVersion7().ToString("D"),
        CaseId = found.CaseId,
        Cvr = found.Cvr,
        ReceivedOn = Day(receivedOn),
        Complainant = Complainant.Patient,
        SealedText = "sealed",
        RegisteredAt = At("2026-01-08T09:00Z"),
        RegisteredBy = "hm-1",
    };
}
