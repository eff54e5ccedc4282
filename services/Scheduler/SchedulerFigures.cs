using Sloring.Contracts.Scheduler.V1;
using Sloring.Hosting;

namespace Sloring.Scheduler;

/// <summary>What is to come, and what is late: the same as the status that an operator asks for.</summary>
internal sealed class SchedulerFigures(GetSchedulerStatus status) : Figures<SchedulerStatus>
{
    protected override Task<SchedulerStatus> Read(CancellationToken cancel) => status.Handle(cancel);

    protected override IEnumerable<Figure> Of(SchedulerStatus seen) => [new Figure(Metrics.PendingDeadlines, seen.Pending), new Figure(Metrics.SchedulerLag, seen.LagSeconds)];
}
