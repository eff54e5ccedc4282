using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Microsoft.EntityFrameworkCore;
using Sloring.Contracts;
using Sloring.Contracts.Registration.V1;
using Sloring.Hosting;
using Sloring.Registration.Domain;

namespace Sloring.Registration;

/// <summary>
/// The caller's organisation's maskings, newest first. Every patient shown leaves an audit entry before the answer does (rule O3).
/// </summary>
public sealed class ListMaskings(
    Store<RegistrationDb> store, PatientKeys patients, Sealer sealer, AuditReads<RegistrationDb> audit, TimeProvider clock)
{
    public async Task<ListMaskingsResponse> Handle(ListMaskingsRequest request, Caller caller, CancellationToken cancel)
    {
        var own = caller.RequireCvr();
        var (size, after) = Paging.Of(request.PageSize, request.PageToken);
        PatientKey? patient = request.PatientCpr.Length == 0 ? null : patients.Of(CprNumber.Parse(request.PatientCpr));
        var before = PageEnd(after);
        if (request.MineOnly)
            _ = caller.RequirePerson();
        var persons = caller.PersonIds;
        var now = clock.GetUtcNow();

        var found = await store.Read(async db =>
        {
            var cvr = await db.OrganisationOf(own, cancel);
            var query = db.Maskings.Where(m => m.Cvr == cvr && m.Position < before);
            if (patient is { } key)
                query = query.Where(m => m.Patient == key);
            if (request.InForceOnly)
                query = query.Where(m => m.State == MaskingState.InForce && m.EndsAt > now);
            if (request.MineOnly)
                query = query.Where(m => persons.Contains(m.ActivatedBy));
            if (request.ReasonMissingOnly)
                query = query.Where(m => m.SealedReason == null);
            return await query.OrderByDescending(m => m.Position).Take(size + 1).ToListAsync(cancel);
        }, cancel);

        var page = found.Take(size).ToList();
        // Asking about a patient who is not masked is a read of that patient as well.
        var read = page.Select(m => (PatientKey?)m.Patient).Append(patient).Distinct().Where(key => key is not null || page.Count == 0);
        await Task.WhenAll(read.Select(key => audit.Record(caller, Operations.ListMaskings, key, null, cancel)));
        return new ListMaskingsResponse
        {
            Maskings = { page.Select(order => Show(order, now)) },
            NextPageToken = found.Count > size ? Paging.Token(page[^1].Position.ToString(CultureInfo.InvariantCulture)) : "",
        };
    }

    /// <summary>The position that the page before ended at.</summary>
    internal static long PageEnd(string? after) => after is null ? long.MaxValue
        : long.TryParse(after, NumberStyles.None, CultureInfo.InvariantCulture, out var position) ? position
        : throw new RejectedException(Rejections.PageInvalid.For("page_token"));

    private Masking Show(MaskingOrder order, DateTimeOffset now) => new()
    {
        MaskingId = order.MaskingId.ToString("D"),
        PatientCpr = sealer.Open(order.SealedCpr, SealedFor.Cpr),
        Cvr = order.Cvr.ToString(),
        Trigger = order.Trigger,
        BehaviourOn = order.BehaviourOn.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        ActivatedAt = order.ActivatedAt.ToTimestamp(),
        ActivatedBy = order.ActivatedBy,
        EndsAt = order.EndsAt.ToTimestamp(),
        State = order.StateAt(now),
        ReasonMissing = order.SealedReason is null,
    };
}
