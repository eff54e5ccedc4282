using Microsoft.EntityFrameworkCore;
using Sloring.Contracts.Events;
using Sloring.Hosting;

namespace Sloring.Approval;

/// <summary>
/// Closed cases of an organisation that was replaced are the new organisation's, with their complaints and notices (decision 37): complaints and overviews go on. Cases of maskings in
/// force follow one by one, each to its level (<see cref="OnRegistrationTakenOver"/>).
/// </summary>
public sealed class OnOrganisationReplaced : IReaction<ApprovalDb, OrganisationReplaced>
{
    public async Task React(OrganisationReplaced e, WriteScope<ApprovalDb> scope)
    {
        var closed = scope.Db.Cases.Where(c => c.Cvr == e.ReplacedCvr && c.ClosedAt != null);
        await scope.Db.Complaints.Where(complaint => closed.Any(c => c.CaseId == complaint.CaseId))
            .ExecuteUpdateAsync(set => set.SetProperty(complaint => complaint.Cvr, e.Cvr), scope.Cancel);
        await scope.Db.Notices.Where(notice => closed.Any(c => c.CaseId == notice.CaseId))
            .ExecuteUpdateAsync(set => set.SetProperty(notice => notice.Cvr, e.Cvr), scope.Cancel);
        await closed.ExecuteUpdateAsync(set => set.SetProperty(c => c.Cvr, e.Cvr), scope.Cancel);
    }
}
