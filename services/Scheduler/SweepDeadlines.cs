using Microsoft.EntityFrameworkCore;
using Quartz;
using Sloring.Hosting;
using Sloring.Scheduler.Domain;

namespace Sloring.Scheduler;

/// <summary>
/// Fires what is due, oldest first, batch by batch: the rows' new state and their <c>deadline.reached.v1</c> are one transaction, so a
/// process killed at any instant has fired a batch or has not. Having caught up, it has Quartz wake it for the nearest due instant.
/// </summary>
[DisallowConcurrentExecution]
public sealed class SweepDeadlines(Store<SchedulerDb> store, LastSweep last, TimeProvider clock) : IJob
{
    private static readonly TriggerKey Nearest = new("nearest-deadline");

    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken)
    {
        if (DeadlineRules.Wake(await Sweep(cancellationToken), clock.GetUtcNow()) is { } wake)
            await context.Scheduler.ScheduleJob(
                TriggerBuilder.Create(clock).WithIdentity(Nearest).ForJob(context.JobDetail.Key).StartAt(wake).Build(),
                ScheduleJobOptions.Replacing, cancellationToken);
    }

    /// <summary>Fires everything due and gives the nearest instant that is not.</summary>
    public async Task<DateTimeOffset?> Sweep(CancellationToken cancel)
    {
        var nearest = await store.Read(db => NearestDue(db, cancel), cancel);
        while (nearest <= clock.GetUtcNow())
            nearest = await store.Write("scheduler", FireBatch, cancel);
        last.EndedAt = clock.GetUtcNow();
        return nearest;
    }

    private static async Task<DateTimeOffset?> FireBatch(WriteScope<SchedulerDb> scope)
    {
        var now = scope.Now;
        var due = await scope.Claim(scope.Db.Deadlines.AsNoTracking().Where(DeadlineRules.Due(now))
            .OrderBy(d => d.DueAt).ThenBy(d => d.Number).Take(DeadlineRules.BatchSize)).ToListAsync(scope.Cancel);
        // What is due is in another's hands: the next regular sweep looks again.
        if (due.Count == 0)
            return null;
        var numbers = due.ConvertAll(d => d.Number);
        await scope.Db.Deadlines.Where(d => numbers.Contains(d.Number)).ExecuteUpdateAsync(
            set => set.SetProperty(d => d.State, DeadlineState.Fired).SetProperty(d => d.FiredAt, now), scope.Cancel);
        foreach (var deadline in due)
            await scope.Append(DeadlineRules.Reached(deadline, now));
        return await NearestDue(scope.Db, scope.Cancel);
    }

    /// <summary>When the nearest pending deadline is or was due; null when none is pending.</summary>
    internal static Task<DateTimeOffset?> NearestDue(SchedulerDb db, CancellationToken cancel) =>
        db.Deadlines.Where(d => d.State == DeadlineState.Pending).OrderBy(d => d.DueAt).Select(d => (DateTimeOffset?)d.DueAt).FirstOrDefaultAsync(cancel);
}
