using Microsoft.EntityFrameworkCore;
using Sloring.Approval.Domain;
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
        await MoveWhatBelongsTo(closed, e.Cvr, scope);
        await closed.ExecuteUpdateAsync(set => set.SetProperty(c => c.Cvr, e.Cvr), scope.Cancel);
    }

    /// <summary>Complaints and notices of cases are the organisation's that has the cases.</summary>
    internal static async Task MoveWhatBelongsTo(IQueryable<ApprovalCase> cases, string cvr, WriteScope<ApprovalDb> scope)
    {
        await scope.Db.Complaints.Where(complaint => cases.Any(c => c.CaseId == complaint.CaseId))
            .ExecuteUpdateAsync(set => set.SetProperty(complaint => complaint.Cvr, cvr), scope.Cancel);
        await scope.Db.Notices.Where(notice => cases.Any(c => c.CaseId == notice.CaseId))
            .ExecuteUpdateAsync(set => set.SetProperty(notice => notice.Cvr, cvr), scope.Cancel);
    }
}
