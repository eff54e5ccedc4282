using Microsoft.EntityFrameworkCore;
using Sloring.Approval.Domain;
using Sloring.Hosting;

namespace Sloring.Approval;

/// <summary>
/// Erases cases whose masking ended long ago and whose complaints were closed as long ago, with steps, questions, grounds, complaints, deadlines and notices. What the overview counts of
/// them is added to its counts in the same transaction, so that it answers the same before and after (rule O1).
/// </summary>
public sealed class EraseCases : IErasableRows<ApprovalDb>
{
    private const int BatchSize = 500;

    public RecordKind Kind => RecordKind.Cases;

    public Task<bool> Any(ApprovalDb db, DateTimeOffset before, CancellationToken cancel) => Over(db, before).AnyAsync(cancel);

    public async Task<int> Erase(WriteScope<ApprovalDb> scope, DateTimeOffset before)
    {
        var (db, cancel) = (scope.Db, scope.Cancel);
        var ids = await Over(db, before).OrderBy(c => c.ClosedAt).Take(BatchSize).Select(c => c.CaseId).ToListAsync(cancel);
        var facts = await db.Cases.Where(c => ids.Contains(c.CaseId)).Facts(cancel);
        foreach (var (key, tally) in OverviewRules.Count(facts, scope.Now))
            await db.Add(key, tally, cancel);
        await db.Set<CaseStep>().Where(step => ids.Contains(step.CaseId)).ExecuteDeleteAsync(cancel);
        await db.Set<CaseQuestion>().Where(question => ids.Contains(question.CaseId)).ExecuteDeleteAsync(cancel);
        await db.RenewalGrounds.Where(ground => ids.Contains(ground.CaseId)).ExecuteDeleteAsync(cancel);
        await db.Complaints.Where(complaint => ids.Contains(complaint.CaseId)).ExecuteDeleteAsync(cancel);
        await db.Deadlines.Where(deadline => ids.Contains(deadline.CaseId)).ExecuteDeleteAsync(cancel);
        await db.Notices.Where(notice => ids.Contains(notice.CaseId)).ExecuteDeleteAsync(cancel);
        return await db.Cases.Where(c => ids.Contains(c.CaseId)).ExecuteDeleteAsync(cancel);
    }

    /// <summary>
    /// A case is closed when its masking ends; one that is not closed is never touched. A complaint may come long after that, and the case stays until it was answered or withdrawn, and as
    /// long after as the case itself (rule C3).
    /// </summary>
    private static IQueryable<ApprovalCase> Over(ApprovalDb db, DateTimeOffset before) =>
        db.Cases.Where(c => c.ClosedAt < before && !db.Complaints.Any(complaint => complaint.CaseId == c.CaseId && (complaint.ClosedAt == null || complaint.ClosedAt >= before)));
}
