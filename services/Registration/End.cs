using Google.Protobuf.WellKnownTypes;
using Sloring.Contracts;
using Sloring.Contracts.Registration.V1;
using Sloring.Hosting;
using Sloring.Registration.Domain;

namespace Sloring.Registration;

/// <summary>Ends a masking before its time, by the organisation's leadership: names show again at once.</summary>
public sealed class End(Store<RegistrationDb> store, Sealer sealer)
{
    public async Task<EndResponse> Handle(EndRequest request, Caller caller, CancellationToken cancel)
    {
        var cvr = caller.RequireCvr();
        var leader = caller.Acting(request.Activator, leaderOnly: true);
        var reason = sealer.Seal(Texts.Required(request.Reason, Rejections.EndReasonMissing, "reason"), SealedFor.Reason);
        return await store.Write(leader.PersonId, async scope =>
        {
            var order = await scope.Masking(request.MaskingId, cvr);
            var decided = MaskingRules.End(order, leader, reason, scope.Now).Value;
            var position = await scope.Change(order, decided, leader.PersonId);
            return new EndResponse { EndedAt = decided.Order.EndsAt.ToTimestamp(), Position = position };
        }, cancel);
    }
}
