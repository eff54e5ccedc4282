using Sloring.Contracts;
using Sloring.Contracts.Approval.V1;
using Sloring.Hosting;

namespace Sloring.Approval;

/// <summary>One case with patient, reason, questions and history, for the level and the activator. Leaves an audit entry (rule O3).</summary>
public sealed class GetCase(Store<ApprovalDb> store, AuditReads<ApprovalDb> audit, CaseView view, TimeProvider clock)
{
    public async Task<Case> Handle(GetCaseRequest request, Caller caller, CancellationToken cancel)
    {
        var caseId = Texts.Uuid(request.CaseId, "case_id").ToString("D");
        var (patient, answer) = await store.Read(
            async db =>
            {
                var found = await db.Load(caseId, caller.RequireCvr(), cancel);
                if (!caller.MaySee(found))
                    throw new RejectedException(Rejections.NotYourLevel);
                return (PatientKey.Parse(found.PatientKey), await view.Whole(db, found, caller, clock.GetUtcNow(), cancel));
            },
            cancel);
        await audit.Record(caller, Operations.GetCase, patient, caseId, cancel);
        return answer;
    }
}
