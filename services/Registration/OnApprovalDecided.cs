using Sloring.Contracts.Events;
using Sloring.Hosting;
using Sloring.Registration.Domain;

namespace Sloring.Registration;

/// <summary>
/// A lift ends the masking (rule A5) if it is still the active one: a newer activation goes on (rule M7). An upheld masking runs to its
/// end, and a renewal has come as a call.
/// </summary>
public sealed class OnApprovalDecided : IReaction<RegistrationDb, ApprovalDecided>
{
    public async Task React(ApprovalDecided e, WriteScope<RegistrationDb> scope)
    {
        if (e.Decision != "lifted" || await scope.Masking(Guid.Parse(e.CaseId)) is not { } order)
            return;
        if (MaskingRules.Lift(order, e.DecidedBy, e.SealedReason, scope.Now) is { } lifted)
            await scope.Change(order, lifted, e.DecidedBy);
    }
}
