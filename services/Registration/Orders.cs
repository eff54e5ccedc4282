using Microsoft.EntityFrameworkCore;
using Sloring.Contracts;
using Sloring.Contracts.Events;
using Sloring.Contracts.Registration.V1;
using Sloring.Hosting;
using Sloring.Registration.Domain;

namespace Sloring.Registration;

/// <summary>Loads maskings and saves what was decided about them.</summary>
internal static class Orders
{
    /// <summary>The active row of a patient and organisation.</summary>
    public static readonly Lookup<RegistrationDb, (CvrNumber Cvr, PatientKey Patient), MaskingOrder> Active = new(
        order => (order.Cvr, order.Patient), [nameof(MaskingOrder.Cvr), nameof(MaskingOrder.Patient)], orders => orders.Where(m => m.State == MaskingState.InForce));

    /// <summary>A masking of the caller's organisation, or of the one that has replaced it.</summary>
    /// <exception cref="RejectedException">SLR-914; SLR-109, also where it is another organisation's.</exception>
    public static async Task<MaskingOrder> Masking(this WriteScope<RegistrationDb> scope, string maskingId, CvrNumber cvr)
    {
        var order = await scope.Masking(Texts.Uuid(maskingId, "masking_id"));
        return order is not null && (order.Cvr == cvr || order.Cvr == await scope.OrganisationOf(cvr)) ? order : throw new RejectedException(Rejections.MaskingNotFound.For("masking_id"));
    }

    public static Task<MaskingOrder?> Masking(this WriteScope<RegistrationDb> scope, Guid maskingId) =>
        scope.Db.Maskings.SingleOrDefaultAsync(m => m.MaskingId == maskingId, scope.Cancel);

    /// <summary>Saves a masking that starts, and the one it replaces. Gives it with its position.</summary>
    public static async Task<MaskingOrder> Start(this WriteScope<RegistrationDb> scope, MaskingOrder? before, Decision decision, string actor)
    {
        var position = await scope.Tell(decision, actor);
        var order = decision.Order with { Position = position, ReasonPosition = decision.Order.SealedReason is null ? 0 : position };
        if (before is not null)
            scope.Db.Entry(before).CurrentValues.SetValues(decision.Before!);
        scope.Insert(order);
        return order;
    }

    /// <summary>Saves a masking that changes. Gives the position of the change.</summary>
    public static async Task<long> Change(this WriteScope<RegistrationDb> scope, MaskingOrder before, Decision decision, string actor)
    {
        var position = await scope.Tell(decision, actor);
        scope.Db.Entry(before).CurrentValues.SetValues(decision.Order);
        return position;
    }

    /// <summary>Journals the events; gives the position of the one about the masking itself.</summary>
    private static async Task<long> Tell(this WriteScope<RegistrationDb> scope, Decision decision, string actor)
    {
        var told = 0L;
        foreach (var e in decision.Events)
        {
            var position = await scope.Append(e, actor);
            if (e is not (DeadlineSet or DeadlineCancelled))
                told = position;
        }
        return told;
    }
}
