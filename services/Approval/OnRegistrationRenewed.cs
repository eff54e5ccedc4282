using Sloring.Contracts.Events;
using Sloring.Hosting;

namespace Sloring.Approval;

/// <summary>Records a renewal whose answer was lost on its way (rule A9); as a rule it finds it recorded.</summary>
public sealed class OnRegistrationRenewed(Practices practices) : IReaction<ApprovalDb, RegistrationRenewed>
{
    public async Task React(RegistrationRenewed e, WriteScope<ApprovalDb> scope)
    {
        var found = await scope.Db.OfMasking(e.MaskingId, scope.Cancel);
        await scope.RecordRenewal(found, e.ExtendedEnd, e.EndsAt, e.DecidedBy, e.RenewedAt, await practices.Of(scope.Db, found.Cvr, scope.Cancel));
    }
}
