using Microsoft.EntityFrameworkCore;
using Sloring.Contracts.Events;
using Sloring.Hosting;
using Sloring.Scheduler.Domain;

namespace Sloring.Scheduler;

/// <summary>Takes a deadline back, unless it has fired.</summary>
public sealed class OnDeadlineCancelled : IReaction<SchedulerDb, DeadlineCancelled>
{
    public async Task React(DeadlineCancelled e, WriteScope<SchedulerDb> scope)
    {
        var id = Guid.Parse(e.DeadlineId);
        var deadline = await scope.Db.Deadlines.SingleOrDefaultAsync(d => d.Id == id, scope.Cancel)
            ?? throw new NotYetException("the deadline that is cancelled");
        deadline.State = DeadlineRules.Cancelled(deadline.State);
    }
}
