using Google.Protobuf.WellKnownTypes;
using Microsoft.EntityFrameworkCore;
using Sloring.Contracts.Scheduler.V1;
using Sloring.Hosting;
using Sloring.Scheduler.Domain;

namespace Sloring.Scheduler;

/// <summary>How the sweep is doing.</summary>
public sealed class GetSchedulerStatus(Store<SchedulerDb> store, LastSweep last, TimeProvider clock)
{
    public async Task<SchedulerStatus> Handle(CancellationToken cancel)
    {
        var (pending, nearest) = await store.Read(
            async db => (await db.Deadlines.LongCountAsync(d => d.State == DeadlineState.Pending, cancel), await SweepDeadlines.NearestDue(db, cancel)), cancel);
        return new SchedulerStatus
        {
            Pending = pending,
            NextDue = nearest?.ToTimestamp(),
            LastSweepAt = last.EndedAt?.ToTimestamp(),
            LagSeconds = DeadlineRules.Lag(nearest, clock.GetUtcNow()),
        };
    }
}
