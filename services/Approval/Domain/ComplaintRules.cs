using Sloring.Contracts;
using Sloring.Contracts.Approval.V1;

namespace Sloring.Approval.Domain;

/// <summary>What people ask of a complaint.</summary>
public enum ComplaintCommand
{
    /// <summary>Tage under behandling.</summary>
    TakeUp,

    /// <summary>Trække tilbage.</summary>
    Withdraw,

    /// <summary>Besvare.</summary>
    Answer,
}

/// <summary>The course of a complaint (rule C3). Nothing here touches the case: a complaint changes nothing by itself.</summary>
public static class ComplaintRules
{
    /// <summary>State × command: the next state, or why not.</summary>
    public static Decided<ComplaintState> On(ComplaintState state, ComplaintCommand command) => (state, command) switch
    {
        (ComplaintState.Received, ComplaintCommand.TakeUp) => ComplaintState.UnderTreatment,
        (ComplaintState.Received, ComplaintCommand.Answer) => Rejections.ComplaintNotTakenUp,
        (ComplaintState.UnderTreatment, ComplaintCommand.TakeUp) => Rejections.ComplaintUnderTreatment,
        (ComplaintState.UnderTreatment, ComplaintCommand.Answer) => ComplaintState.Answered,
        (ComplaintState.Received or ComplaintState.UnderTreatment, ComplaintCommand.Withdraw) => ComplaintState.Withdrawn,
        _ => Rejections.ComplaintClosed,
    };

    /// <summary>It awaits an answer.</summary>
    public static bool IsOpen(ComplaintState state) => state is ComplaintState.Received or ComplaintState.UnderTreatment;

    /// <summary>The day on which a complaint was received, or why it cannot be that: it is against a masking that there was by then, and not of tomorrow (rule C3).</summary>
    public static Decided<DateOnly> Received(DateOnly day, ApprovalCase @case, DateTimeOffset now) =>
        day < DanishTime.DayOf(@case.ActivatedAt) || day > DanishTime.DayOf(now) ? Rejections.ComplaintReceivedInvalid.For("received_on") : day;

    /// <summary>
    /// Whether an answer may have an outcome. A complaint lifts nothing, a leader does: that the masking was lifted can be answered only where it was, since the complaint was received (rule C3).
    /// </summary>
    public static Decided<ComplaintOutcome> Outcome(CaseComplaint complaint, ApprovalCase @case, ComplaintOutcome outcome) =>
        outcome == ComplaintOutcome.Lifted && !(@case.State == CaseState.Lifted && @case.ClosedAt is { } at && DanishTime.DayOf(at) >= complaint.ReceivedOn)
            ? Rejections.ComplaintNotLifted.For("outcome")
            : outcome;
}
