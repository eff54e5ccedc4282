using Sloring.Approval.Domain;
using Sloring.Contracts;
using Sloring.Contracts.Approval.V1;
using Sloring.Hosting;
using CaseComplaint = Sloring.Approval.Domain.CaseComplaint;

namespace Sloring.Approval;

/// <summary>Registers a complaint against a masking of the caller's organisation (rule C3) and tells the level. The masking and its case stay as they are.</summary>
public sealed class RegisterComplaint(Store<ApprovalDb> store, ComplaintView view, Sealer sealer)
{
    public Task<Complaint> Handle(RegisterComplaintRequest request, Caller caller, CancellationToken cancel)
    {
        var (complaintId, caseId) = (Texts.Uuid(request.ComplaintId, "complaint_id").ToString("D"), Texts.Uuid(request.CaseId, "case_id").ToString("D"));
        var text = Texts.Required(request.Text, Rejections.ComplaintTextMissing, "text");
        var day = Texts.Date(request.ReceivedOn, "received_on");
        if (request.Complainant == Complainant.Unspecified)
            throw new RejectedException(Rejections.ComplainantMissing.For("complainant"));
        if (!Enum.IsDefined(request.Complainant))
            throw new RejectedException(Rejections.CodeUnknown.For("complainant"));
        var person = caller.RequirePerson();
        var sealedText = sealer.Seal(text, SealedFor.Note);
        return store.Write(
            caller.Actor,
            async scope =>
            {
                var now = scope.Now;
                var found = await scope.Db.Load(caseId, caller.RequireCvr(), scope.Cancel);
                var receivedOn = ComplaintRules.Received(day, found, now).Value;
                if (await scope.Db.Complaints.FindAsync([complaintId], scope.Cancel) is { } before)
                {
                    var same = (before.CaseId, before.ReceivedOn, before.Complainant) == (caseId, receivedOn, request.Complainant) && sealer.Open(before.SealedText, SealedFor.Note) == text;
                    return same ? view.Whole(before, found, now) : throw new RejectedException(Rejections.ComplaintIdReused.For("complaint_id"));
                }
                var complaint = new CaseComplaint
                {
                    ComplaintId = complaintId,
                    CaseId = caseId,
                    Cvr = found.Cvr,
                    ReceivedOn = receivedOn,
                    Complainant = request.Complainant,
                    SealedText = sealedText,
                    RegisteredAt = now,
                    RegisteredBy = person,
                };
                scope.Db.Complaints.Add(complaint);
                await scope.Append(ComplaintView.Changed(complaint, found, "registered", person));
                await scope.Notify("complaint", found, toUnit: found.LevelUnitSorId);
                return view.Whole(complaint, found, now);
            },
            cancel);
    }
}
