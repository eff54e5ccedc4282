using Microsoft.EntityFrameworkCore;
using Sloring.Approval.Domain;
using Sloring.Contracts;
using Sloring.Contracts.Approval.V1;
using Sloring.Contracts.Events;
using Sloring.Hosting;

namespace Sloring.Approval;

/// <summary>Upholds or lifts (rules A5, A7, M5); lifts what was upheld while a complaint is open (rule C3). The event carries a lift to Registration, where names show again.</summary>
public sealed class Decide(Store<ApprovalDb> store, Practices practices, CaseView view, Sealer sealer)
{
    public Task<Case> Handle(DecideRequest request, Caller caller, CancellationToken cancel)
    {
        var caseId = Texts.Uuid(request.CaseId, "case_id").ToString("D");
        var command = request.Decision switch
        {
            Decision.Uphold => CaseCommand.Uphold,
            Decision.Lift => CaseCommand.Lift,
            Decision.Unspecified => throw new RejectedException(Rejections.DecisionMissing.For("decision")),
            _ => throw new RejectedException(Rejections.CodeUnknown.For("decision")),
        };
        var reason = command == CaseCommand.Lift
            ? Texts.Required(request.Reason, Rejections.LiftReasonMissing, "reason")
            : Texts.Optional(request.Reason, "reason");
        var sealedReason = reason.Length > 0 ? sealer.Seal(reason, SealedFor.Reason) : null;
        return store.Write(caller.Actor, scope => Take(scope, caseId, command, sealedReason, caller), cancel);
    }

    private async Task<Case> Take(WriteScope<ApprovalDb> scope, string caseId, CaseCommand command, string? sealedReason, Caller caller)
    {
        var now = scope.Now;
        var found = await scope.Db.Load(caseId, caller.RequireCvr(), scope.Cancel);
        var practice = await practices.Of(scope.Db, found.Cvr, scope.Cancel);
        var decider = caller.DeciderOf(found, practice);
        var complained = await scope.Db.Complaints.AnyAsync(c => c.CaseId == caseId && c.ClosedAt == null, scope.Cancel);
        var decided = ApprovalRules.Decide(command, found, decider, practice, now, complained).Value;
        found.Decide(decided, decider.PersonId, now, sealedReason);
        await scope.Append(new ApprovalDecided
        {
            CaseId = caseId,
            PatientKey = found.PatientKey,
            Decision = decided == CaseState.Lifted ? "lifted" : "upheld",
            DecidedBy = decider.PersonId,
            DecidedAt = now,
            SealedReason = sealedReason,
        });
        await scope.CancelDeadlines(found, decided == CaseState.Lifted ? Deadlines.UntilClosed : Deadlines.UntilDecided);
        if (decided == CaseState.Lifted)
            await scope.Notify("lifted", found, toPerson: found.ActivatedBy);
        return await view.Whole(scope.Db, found, caller, now, scope.Cancel);
    }
}
