using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Options;
using Sloring.Contracts;
using Sloring.Contracts.Registration.V1;
using Sloring.Hosting;
using Sloring.Registration.Domain;

namespace Sloring.Registration;

/// <summary>
/// Extends a masking by one period (fornyelse, rule A9), when Approval has decided so. A call and not an event: an event could arrive
/// after the end, and names would show in between.
/// </summary>
public sealed class Renew(Store<RegistrationDb> store, IOptions<RegistrationOptions> options)
{
    private readonly MaskingDates _dates = options.Value.Dates;

    public async Task<RenewResponse> Handle(RenewRequest request, Caller caller, CancellationToken cancel)
    {
        var id = Texts.Uuid(request.MaskingId, "masking_id");
        var extends = MaskingDates.RoundDown(
            request.ExtendsEnd.Instant("extends_end") ?? throw new RejectedException(Rejections.DateInvalid.For("extends_end")));
        var decidedBy = Texts.Id(request.DecidedBy, Rejections.IdInvalid, "decided_by");
        return await store.Write(caller.Actor, async scope =>
        {
            if (await scope.Db.Renewals.FindAsync([id, extends], scope.Cancel) is { } before)
                return Answer(before);
            var order = await scope.Masking(id) ?? throw new RejectedException(Rejections.MaskingNotFound.For("masking_id"));
            var decided = MaskingRules.Renew(order, extends, decidedBy, Guid.CreateVersion7(scope.Now), scope.Now, _dates).Value;
            var position = await scope.Change(order, decided, decidedBy);
            var renewal = new Renewal { MaskingId = id, ExtendedEnd = extends, EndsAt = decided.Order.EndsAt, Position = position };
            scope.Db.Renewals.Add(renewal);
            return Answer(renewal);
        }, cancel);
    }

    private static RenewResponse Answer(Renewal renewal) => new() { EndsAt = renewal.EndsAt.ToTimestamp(), Position = renewal.Position };
}
