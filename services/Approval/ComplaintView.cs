using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Sloring.Approval.Domain;
using Sloring.Contracts.Approval.V1;
using Sloring.Contracts.Events;
using Sloring.Hosting;
using CaseComplaint = Sloring.Approval.Domain.CaseComplaint;

namespace Sloring.Approval;

/// <summary>A complaint as people see it, and as the journal keeps it (rule C3).</summary>
public sealed class ComplaintView(Sealer sealer)
{
    /// <summary>The list's view: no patient, no text.</summary>
    public static ComplaintSummary Summary(CaseComplaint complaint) => new()
    {
        ComplaintId = complaint.ComplaintId,
        CaseId = complaint.CaseId,
        State = complaint.State,
        ReceivedOn = Day(complaint.ReceivedOn),
        Complainant = complaint.Complainant,
        RegisteredAt = complaint.RegisteredAt.ToTimestamp(),
        RegisteredBy = complaint.RegisteredBy,
        TakenUpAt = complaint.TakenUpAt?.ToTimestamp(),
        TakenUpBy = complaint.TakenUpBy ?? "",
        Outcome = complaint.Outcome,
        ClosedAt = complaint.ClosedAt?.ToTimestamp(),
        ClosedBy = complaint.ClosedBy ?? "",
    };

    /// <summary>What the case tells of it.</summary>
    public static Contracts.Approval.V1.CaseComplaint OfCase(CaseComplaint complaint) =>
        new() { ComplaintId = complaint.ComplaintId, State = complaint.State, ReceivedOn = Day(complaint.ReceivedOn) };

    /// <summary>The whole complaint, unsealed: only for a caller who may see it.</summary>
    public Complaint Whole(CaseComplaint complaint, ApprovalCase @case, DateTimeOffset now) => new()
    {
        Summary = Summary(complaint),
        Text = sealer.Open(complaint.SealedText, SealedFor.Note),
        Answer = complaint.SealedAnswer is { } answer ? sealer.Open(answer, SealedFor.Note) : "",
        CaseState = ApprovalRules.StateAt(@case, now),
    };

    /// <summary>The audit entry of a step.</summary>
    internal static ComplaintChanged Changed(CaseComplaint complaint, ApprovalCase @case, string step, string by) => new()
    {
        ComplaintId = complaint.ComplaintId,
        CaseId = complaint.CaseId,
        PatientKey = @case.PatientKey,
        Step = step,
        Outcome = complaint.Outcome switch
        {
            ComplaintOutcome.Upheld => "upheld",
            ComplaintOutcome.NotUpheld => "not-upheld",
            ComplaintOutcome.Lifted => "lifted",
            _ => null,
        },
        By = by,
    };

    private static string Day(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
