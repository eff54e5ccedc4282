using Microsoft.EntityFrameworkCore;
using Sloring.Approval.Domain;
using Sloring.Contracts.Events;
using Sloring.Hosting;

namespace Sloring.Approval;

/// <summary>A deadline of a case that Scheduler is to report; one that is not here any more is stale.</summary>
public sealed class CaseDeadline
{
    public required string DeadlineId { get; init; }

    public required string CaseId { get; init; }

    public required string Kind { get; init; }
}

internal static class CaseDeadlines
{
    /// <summary>Remembers a deadline and tells Scheduler.</summary>
    public static Task SetDeadline(this WriteScope<ApprovalDb> scope, ApprovalCase @case, PlannedDeadline planned)
    {
        var id = Guid.CreateVersion7(scope.Now).ToString("D");
        scope.Db.Deadlines.Add(new CaseDeadline { DeadlineId = id, CaseId = @case.CaseId, Kind = planned.Kind });
        return scope.Append(new DeadlineSet
        {
            DeadlineId = id,
            Owner = ApprovalModule.Name,
            About = @case.CaseId,
            Kind = planned.Kind,
            DueAt = planned.DueAt,
        });
    }

    /// <summary>Forgets the case's deadlines of some kinds and tells Scheduler.</summary>
    public static async Task CancelDeadlines(this WriteScope<ApprovalDb> scope, ApprovalCase @case, IReadOnlyList<string> kinds)
    {
        foreach (var deadline in await scope.Db.Deadlines.Where(d => d.CaseId == @case.CaseId && kinds.Contains(d.Kind)).ToListAsync(scope.Cancel))
        {
            scope.Db.Deadlines.Remove(deadline);
            await scope.Append(new DeadlineCancelled { DeadlineId = deadline.DeadlineId, About = @case.CaseId });
        }
    }
}
