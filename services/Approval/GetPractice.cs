using Sloring.Contracts.Approval.V1;
using Sloring.Hosting;

namespace Sloring.Approval;

/// <summary>How the caller's organisation approves (rules A1, A2, A7, A8).</summary>
public sealed class GetPractice(Store<ApprovalDb> store, PracticeView view)
{
    public Task<Practice> Handle(Caller caller, CancellationToken cancel)
    {
        var cvr = caller.RequireCvr().ToString();
        return store.Read(db => view.Whole(db, cvr, cancel), cancel);
    }
}
