using Sloring.Contracts.Events;
using Sloring.Hosting;

namespace Sloring.Approval;

/// <summary>The reason is there: the case can be upheld, and the reminders stop (rule M5).</summary>
public sealed class OnRegistrationReasonAdded : IReaction<ApprovalDb, RegistrationReasonAdded>
{
    public async Task React(RegistrationReasonAdded e, WriteScope<ApprovalDb> scope)
    {
        var found = await scope.Db.OfMasking(e.MaskingId, scope.Cancel);
        found.SealedReason ??= e.SealedReason;
        await scope.CancelDeadlines(found, [DeadlineKinds.ReasonMissing]);
    }
}
