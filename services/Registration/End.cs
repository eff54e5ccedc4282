using Google.Protobuf.WellKnownTypes;
using Microsoft.EntityFrameworkCore;
using Sloring.Contracts;
using Sloring.Contracts.Events;
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
        var reason = Texts.Required(request.Reason, Rejections.EndReasonMissing, "reason");
        var sealedReason = sealer.Seal(reason, SealedFor.Reason);
        return await store.Write(leader.PersonId, async scope =>
        {
            var order = await scope.Masking(request.MaskingId, cvr);
            if (order.State == MaskingState.Ended && await Answered(scope, order, leader, reason) is { } before)
                return before;
            var decided = MaskingRules.End(order, leader, sealedReason, scope.Now).Value;
            var position = await scope.Change(order, decided, leader.PersonId);
            return new EndResponse { EndedAt = decided.Order.EndsAt.ToTimestamp(), Position = position };
        }, cancel);
    }

    /// <summary>The same leader's same words again are a repeated delivery: it changes nothing and answers the same.</summary>
    private async Task<EndResponse?> Answered(WriteScope<RegistrationDb> scope, MaskingOrder order, Person leader, string reason)
    {
        var (patient, type, subject) = (order.Patient.ToString(), EventNames.Of<RegistrationEnded>(), order.MaskingId.ToString("D"));
        var entry = await scope.Db.Journal.AsNoTracking().SingleOrDefaultAsync(e => e.PatientKey == patient && e.Type == type && e.Subject == subject, scope.Cancel);
        return entry is not null && EventJson.Read(entry.Type, entry.Data) is RegistrationEnded { SealedReason: { } given } ended
            && ended.EndedBy == leader.PersonId && sealer.Open(given, SealedFor.Reason) == reason
            ? new EndResponse { EndedAt = ended.EndedAt.ToTimestamp(), Position = entry.Position }
            : null;
    }
}
