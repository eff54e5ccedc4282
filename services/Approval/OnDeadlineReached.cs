using Microsoft.EntityFrameworkCore;
using Sloring.Approval.Domain;
using Sloring.Contracts;
using Sloring.Contracts.Approval.V1;
using Sloring.Contracts.Events;
using Sloring.Hosting;

namespace Sloring.Approval;

/// <summary>A deadline of a case: reminds, escalates, gives notice (rules M5, A3, A8). None of them lifts a masking (rule A4).</summary>
public sealed class OnDeadlineReached(Practices practices, ApprovalLevels levels) : IReaction<ApprovalDb, DeadlineReached>
{
    public async Task React(DeadlineReached e, WriteScope<ApprovalDb> scope)
    {
        if (e.Owner != ApprovalModule.Name)
            return;
        var deadline = await scope.Db.Deadlines.SingleOrDefaultAsync(d => d.DeadlineId == e.DeadlineId, scope.Cancel);
        if (deadline is null)
            return;
        scope.Db.Deadlines.Remove(deadline);
        var found = await scope.Db.OfMasking(deadline.CaseId, scope.Cancel);
        var state = ApprovalRules.StateAt(found, e.FiredAt);
        await ((deadline.Kind, state) switch
        {
            (DeadlineKinds.ReasonMissing, CaseState.Open) when found.SealedReason is null => RemindActivator(e, found, scope),
            (DeadlineKinds.DecisionReminder, CaseState.Open) => scope.Notify(deadline.Kind, found, toUnit: found.LevelUnitSorId),
            (DeadlineKinds.DecisionOverdue, CaseState.Open) => Escalate(found, scope),
            (DeadlineKinds.ExpiryNotice, CaseState.Open or CaseState.Upheld) => GiveNotice(found, scope),
            _ => Task.CompletedTask,
        });
    }

    /// <summary>Again on the next working day, until the reason is there (rule M5).</summary>
    private async Task RemindActivator(DeadlineReached e, ApprovalCase @case, WriteScope<ApprovalDb> scope)
    {
        await scope.Notify(DeadlineKinds.ReasonMissing, @case, toPerson: @case.ActivatedBy);
        var next = Deadlines.ReasonReminderAfter(e.DueAt, e.FiredAt, await practices.Of(scope.Db, @case.Cvr, scope.Cancel));
        await scope.SetDeadline(@case, new PlannedDeadline(DeadlineKinds.ReasonMissing, next));
    }

    /// <summary>The level above sees the case, and may decide, from now on (rule A3).</summary>
    private async Task Escalate(ApprovalCase @case, WriteScope<ApprovalDb> scope)
    {
        await scope.Notify(DeadlineKinds.DecisionOverdue, @case, toUnit: @case.LevelUnitSorId);
        @case.EscalatedUnitSorId = levels.Above(CvrNumber.Parse(@case.Cvr), @case.LevelUnitSorId);
        if (@case.EscalatedUnitSorId is { } above)
            await scope.Notify(DeadlineKinds.DecisionOverdue, @case, toUnit: above);
    }

    /// <summary>
    /// To the leader who stands for it and to the level, since nobody here knows who has left (rule A8); an undecided case, to the level alone.
    /// </summary>
    private static Task GiveNotice(ApprovalCase @case, WriteScope<ApprovalDb> scope) =>
        scope.Notify(DeadlineKinds.ExpiryNotice, @case, toPerson: @case.UpheldBy, toUnit: @case.LevelUnitSorId);
}
