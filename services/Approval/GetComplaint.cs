using Sloring.Contracts;
using Sloring.Contracts.Approval.V1;
using Sloring.Hosting;

namespace Sloring.Approval;

/// <summary>One complaint with its texts, for hospital management, region and the leaders of the case's level. Leaves an audit entry (rules C3, O3).</summary>
public sealed class GetComplaint(Store<ApprovalDb> store, AuditReads<ApprovalDb> audit, ComplaintView view, TimeProvider clock)
{
    public async Task<Complaint> Handle(GetComplaintRequest request, Caller caller, CancellationToken cancel)
    {
        var complaintId = Texts.Uuid(request.ComplaintId, "complaint_id").ToString("D");
        var (patient, answer) = await store.Read(
            async db =>
            {
                var (complaint, found) = await db.LoadComplaint(complaintId, caller.RequireCvr(), cancel);
                if (!caller.Is(Roles.HospitalManagement) && !caller.Is(Roles.Region) && !caller.LeadsLevelOf(found))
                    throw new RejectedException(Rejections.NotYourLevel);
                return (PatientKey.Parse(found.PatientKey), view.Whole(complaint, found, clock.GetUtcNow()));
            },
            cancel);
        await audit.Record(caller, Operations.GetComplaint, patient, complaintId, cancel);
        return answer;
    }
}
