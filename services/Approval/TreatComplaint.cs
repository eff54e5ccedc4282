using Sloring.Approval.Domain;
using Sloring.Contracts;
using Sloring.Contracts.Approval.V1;
using Sloring.Hosting;

namespace Sloring.Approval;

/// <summary>Takes a complaint up, or notes that it was withdrawn (rule C3).</summary>
public sealed class TreatComplaint(Store<ApprovalDb> store, ComplaintView view)
{
    public Task<Complaint> Handle(TreatComplaintRequest request, Caller caller, CancellationToken cancel)
    {
        var complaintId = Texts.Uuid(request.ComplaintId, "complaint_id").ToString("D");
        var (command, step) = request.Treatment switch
        {
            Treatment.TakeUp => (ComplaintCommand.TakeUp, "taken-up"),
            Treatment.Withdraw => (ComplaintCommand.Withdraw, "withdrawn"),
            _ => throw new RejectedException(Rejections.CodeUnknown.For("treatment")),
        };
        var person = caller.RequirePerson();
        return store.Write(
            caller.Actor,
            async scope =>
            {
                var (complaint, found) = await scope.Db.LoadComplaint(complaintId, caller.RequireCvr(), scope.Cancel);
                complaint.Treat(ComplaintRules.On(complaint.State, command).Value, person, scope.Now);
                await scope.Append(ComplaintView.Changed(complaint, found, step, person));
                return view.Whole(complaint, found, scope.Now);
            },
            cancel);
    }
}
