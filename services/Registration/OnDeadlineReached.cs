using Sloring.Contracts.Events;
using Sloring.Hosting;
using Sloring.Registration.Domain;

namespace Sloring.Registration;

/// <summary>The end of a masking has come (rule M6). Names show by the clock already; this turns the state and tells the others.</summary>
public sealed class OnDeadlineReached : IReaction<RegistrationDb, DeadlineReached>
{
    public async Task React(DeadlineReached e, WriteScope<RegistrationDb> scope)
    {
        if (e.Owner != MaskingRules.Owner || e.Kind != DeadlineKinds.Expiry || await scope.Masking(Guid.Parse(e.About)) is not { } order)
            return;
        var deadline = Guid.Parse(e.DeadlineId);
        if (MaskingRules.Expire(order, deadline, scope.Now) is { } expired)
            await scope.Change(order, expired, "clock");
        else if (MaskingRules.IsDeadlineOf(order, deadline))
            // The scheduler's clock is ahead of this one: told now, names would show early.
            throw new NotYetException("the end of a masking");
    }
}
