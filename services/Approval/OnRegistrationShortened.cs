using Sloring.Approval.Domain;
using Sloring.Contracts.Events;
using Sloring.Hosting;

namespace Sloring.Approval;

/// <summary>The case follows its masking to the earlier end; the expiry notice, due at once where that end is near, tells the level (rule A8).</summary>
public sealed class OnRegistrationShortened(Practices practices) : IReaction<ApprovalDb, RegistrationShortened>
{
    public async Task React(RegistrationShortened e, WriteScope<ApprovalDb> scope)
    {
        var found = await scope.Db.OfMasking(e.MaskingId, scope.Cancel);
        if (ApprovalRules.On(found.State, CaseCommand.End).Next == found.State)
            return; // closed already
        var notice = Deadlines.ExpiryNotice(e.EndsAt, await practices.Of(scope.Db, found.Cvr, scope.Cancel));
        (found.EndsAt, found.RenewalFrom) = (e.EndsAt, notice.DueAt);
        await scope.CancelDeadlines(found, [DeadlineKinds.ExpiryNotice]);
        await scope.SetDeadline(found, notice);
    }
}
