using Google.Protobuf.WellKnownTypes;
using Microsoft.EntityFrameworkCore;
using Sloring.Approval.Domain;
using Sloring.Contracts.Approval.V1;
using Sloring.Hosting;
using Practice = Sloring.Approval.Domain.Practice;
using Question = Sloring.Contracts.Approval.V1.Question;

namespace Sloring.Approval;

/// <summary>A case as people see it.</summary>
public sealed class CaseView(Practices practices, Sealer sealer)
{
    /// <summary>The list's view: no patient, no text.</summary>
    public static CaseSummary Summary(ApprovalCase @case, bool awaitsAnswer, Caller caller, DateTimeOffset now, Practice practice) => new()
    {
        CaseId = @case.CaseId,
        Trigger = @case.Trigger,
        ActivatedAt = @case.ActivatedAt.ToTimestamp(),
        DecisionDue = @case.DecisionDue.ToTimestamp(),
        WorkingDaysLeft = Deadlines.WorkingDaysLeft(@case.DecisionDue, now, practice),
        Overdue = ApprovalRules.IsOverdue(@case, now),
        ReasonMissing = @case.SealedReason is null,
        State = ApprovalRules.StateAt(@case, now),
        EndsAt = @case.EndsAt.ToTimestamp(),
        LevelUnitSorId = @case.LevelUnitSorId ?? "",
        AwaitsAnswer = awaitsAnswer,
        Readable = caller.MayRead(@case),
    };

    /// <summary>The whole case, unsealed: only for a caller who may see it.</summary>
    public async Task<Case> Whole(ApprovalDb db, ApprovalCase @case, Caller caller, DateTimeOffset now, CancellationToken cancel)
    {
        var practice = await practices.Of(db, @case.Cvr, cancel);
        var history = await db.Cases.AsNoTracking().Where(c => c.PatientKey == @case.PatientKey && c.Cvr == @case.Cvr && c.CaseId != @case.CaseId)
            .OrderByDescending(c => c.ActivatedAt).ToListAsync(cancel);
        return new Case
        {
            Summary = Summary(@case, @case.Questions.Exists(question => question.AnsweredAt is null), caller, now, practice),
            PatientCpr = sealer.Open(@case.SealedCpr, SealedFor.Cpr),
            BehaviourOn = @case.BehaviourOn.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture),
            Reason = Open(@case.SealedReason, SealedFor.Reason),
            ActivatedBy = @case.ActivatedBy,
            Decisions = { @case.Steps.Select(Step) },
            Questions = { @case.Questions.Select(Question) },
            HistoryCaseIds = { history.Select(c => c.CaseId) },
            ReadableHistoryCaseIds = { history.Where(caller.MayRead).Select(c => c.CaseId) },
            Complaints = { (await db.Complaints.AsNoTracking().Where(c => c.CaseId == @case.CaseId).OrderBy(c => c.RegisteredAt).ToListAsync(cancel)).Select(ComplaintView.OfCase) },
            RenewalFrom = Deadlines.RenewalFrom(@case, practice).ToTimestamp(),
        };
    }

    private CaseDecision Step(CaseStep step) => new()
    {
        Kind = step.Kind,
        DecidedBy = step.DecidedBy,
        DecidedAt = step.DecidedAt.ToTimestamp(),
        Reason = Open(step.SealedReason, SealedFor.Reason),
    };

    private Question Question(CaseQuestion question) => new()
    {
        QuestionId = question.Number,
        AskedBy = question.AskedBy,
        AskedAt = question.AskedAt.ToTimestamp(),
        Text = Open(question.SealedText, SealedFor.Note),
        AnsweredBy = question.AnsweredBy ?? "",
        AnsweredAt = question.AnsweredAt?.ToTimestamp(),
        Answer = Open(question.SealedAnswer, SealedFor.Note),
    };

    private string Open(string? sealedText, string purpose) => sealedText is null ? "" : sealer.Open(sealedText, purpose);
}
