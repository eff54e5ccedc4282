using Sloring.Approval.Domain;
using Sloring.Contracts.Events;
using Sloring.Hosting;

namespace Sloring.Approval;

/// <summary>Closes the case of a masking that ended or ran out, and tells the activator that names show again (rules M6, A5).</summary>
public sealed class OnRegistrationEnded : IReaction<ApprovalDb, RegistrationEnded>
{
    public async Task React(RegistrationEnded e, WriteScope<ApprovalDb> scope)
    {
        var found = await scope.Db.OfMasking(e.MaskingId, scope.Cancel);
        // A lift was decided here: its case is closed and its activator told.
        if (await scope.Close(found, e.Cause == "expired" ? CaseCommand.Expire : CaseCommand.End, e.EndedAt))
            await scope.Notify("ended", found, toPerson: found.ActivatedBy);
    }
}
