using Sloring.Approval.Domain;
using Sloring.Contracts;
using Sloring.Contracts.Approval.V1;
using Sloring.Hosting;

namespace Sloring.Approval;

/// <summary>Answers a complaint (rule C3). The answer lifts nothing; that a leader has lifted can only be said where one has.</summary>
public sealed class AnswerComplaint(Store<ApprovalDb> store, ComplaintView view, Sealer sealer)
{
    public Task<Complaint> Handle(AnswerComplaintRequest request, Caller caller, CancellationToken cancel)
    {
        var complaintId = Texts.Uuid(request.ComplaintId, "complaint_id").ToString("D");
        var sealedAnswer = sealer.Seal(Texts.Required(request.Answer, Rejections.ComplaintAnswerMissing, "answer"), SealedFor.Note);
        if (request.Outcome == ComplaintOutcome.Unspecified)
            throw new RejectedException(Rejections.ComplaintOutcomeMissing.For("outcome"));
        if (!Enum.IsDefined(request.Outcome))
            throw new RejectedException(Rejections.CodeUnknown.For("outcome"));
        var person = caller.RequirePerson();
        return store.Write(
            caller.Actor,
            async scope =>
            {
                var (complaint, found) = await scope.Db.LoadComplaint(complaintId, caller.RequireCvr(), scope.Cancel);
                _ = ComplaintRules.On(complaint.State, ComplaintCommand.Answer).Value;
                complaint.Answer(ComplaintRules.Outcome(complaint, found, request.Outcome).Value, sealedAnswer, person, scope.Now);
                await scope.Append(ComplaintView.Changed(complaint, found, "answered", person));
                return view.Whole(complaint, found, scope.Now);
            },
            cancel);
    }
}
