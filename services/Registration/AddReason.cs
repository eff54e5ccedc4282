using Sloring.Contracts;
using Sloring.Contracts.Registration.V1;
using Sloring.Hosting;
using Sloring.Registration.Domain;

namespace Sloring.Registration;

/// <summary>Writes the reason (begrundelse) of a masking that was activated without one (rule M5).</summary>
public sealed class AddReason(Store<RegistrationDb> store, Sealer sealer)
{
    public async Task<AddReasonResponse> Handle(AddReasonRequest request, Caller caller, CancellationToken cancel)
    {
        var cvr = caller.RequireCvr();
        var reason = Texts.Required(request.Reason, Rejections.ReasonEmpty, "reason");
        return await store.Write(caller.Actor, async scope =>
        {
            var order = await scope.Masking(request.MaskingId, cvr);
            // The same text again is a repeated delivery: it changes nothing and answers the same.
            if (order.SealedReason is { } given && sealer.Open(given, SealedFor.Reason) == reason)
                return new AddReasonResponse { Position = order.ReasonPosition };
            var decided = MaskingRules.AddReason(order, sealer.Seal(reason, SealedFor.Reason), caller.Actor, scope.Now).Value;
            var position = await scope.Change(order, decided, caller.Actor);
            scope.Db.Entry(order).Property(o => o.ReasonPosition).CurrentValue = position;
            return new AddReasonResponse { Position = position };
        }, cancel);
    }
}
