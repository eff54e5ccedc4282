using Microsoft.EntityFrameworkCore;
using Sloring.Contracts.Events;
using Sloring.Hosting;
using Sloring.Scheduler.Domain;

namespace Sloring.Scheduler;

/// <summary>Keeps a deadline. One whose id is known stays as it is: an owner that wants another instant sets another deadline.</summary>
public sealed class OnDeadlineSet : IReaction<SchedulerDb, DeadlineSet>
{
    public async Task React(DeadlineSet e, WriteScope<SchedulerDb> scope)
    {
        var deadline = DeadlineRules.Pending(e);
        if (!await scope.Db.Deadlines.AnyAsync(d => d.Id == deadline.Id, scope.Cancel))
            scope.Db.Deadlines.Add(deadline);
    }
}
