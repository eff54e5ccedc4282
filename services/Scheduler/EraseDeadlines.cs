using Microsoft.EntityFrameworkCore;
using Sloring.Hosting;
using Sloring.Scheduler.Domain;

namespace Sloring.Scheduler;

/// <summary>Erases deadlines that are over: fired long ago, or cancelled and due long ago.</summary>
public sealed class EraseDeadlines : IErasableRows<SchedulerDb>
{
    public RecordKind Kind => RecordKind.Deadlines;

    public Task<bool> Any(SchedulerDb db, DateTimeOffset before, CancellationToken cancel) => db.Deadlines.Where(DeadlineRules.Over(before)).AnyAsync(cancel);

    public async Task<int> Erase(WriteScope<SchedulerDb> scope, DateTimeOffset before)
    {
        var numbers = await scope.Db.Deadlines.Where(DeadlineRules.Over(before)).OrderBy(d => d.DueAt).ThenBy(d => d.Number)
            .Take(DeadlineRules.BatchSize).Select(d => d.Number).ToListAsync(scope.Cancel);
        return await scope.Db.Deadlines.Where(d => numbers.Contains(d.Number)).ExecuteDeleteAsync(scope.Cancel);
    }
}
