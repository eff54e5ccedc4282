using Microsoft.EntityFrameworkCore;
using Sloring.Contracts;
using Sloring.Contracts.Edge;
using Sloring.Contracts.Events;
using Sloring.Hosting;

namespace Sloring.Registration;

/// <summary>
/// Tells an organisation's data sources over the broker that a masking started, ended, or was extended or shortened (rule E6), each under its own patient key. Registration
/// tells it, since no other service can open the sealed CPR number that the key is made from.
/// </summary>
public sealed class TellMaskingDecisions(Store<RegistrationDb> store, EdgeSenders senders, PatientKeys patients, Sealer sealer) : IEdgeTeller
{
    private static readonly string Activated = EventNames.Of<RegistrationActivated>();
    private static readonly string Renewed = EventNames.Of<RegistrationRenewed>();
    private static readonly string Shortened = EventNames.Of<RegistrationShortened>();
    private static readonly string TakenOver = EventNames.Of<RegistrationTakenOver>();
    private static readonly string Ended = EventNames.Of<RegistrationEnded>();

    public Task<IReadOnlyList<EdgeSending>> Of(JournalEntry entry, CancellationToken cancel)
    {
        if (entry.Type != Activated && entry.Type != Renewed && entry.Type != Shortened && entry.Type != TakenOver && entry.Type != Ended)
            return Task.FromResult<IReadOnlyList<EdgeSending>>([]);
        return EventJson.Read(entry.Type, entry.Data) switch
        {
            RegistrationActivated e => Tell(entry, e.Cvr, e.EndsAt, e.MaskingId, e.SealedCpr, cancel),
            RegistrationRenewed e => Tell(entry, e.Cvr, e.EndsAt, e.MaskingId, null, cancel),
            RegistrationShortened e => Tell(entry, e.Cvr, e.EndsAt, e.MaskingId, null, cancel),
            RegistrationTakenOver e => Tell(entry, e.Cvr, e.EndsAt, e.MaskingId, null, cancel),
            RegistrationEnded e => Tell(entry, e.Cvr, null, e.MaskingId, null, cancel),
            _ => throw new InvalidOperationException($"{entry.Type} is not told."),
        };
    }

    private async Task<IReadOnlyList<EdgeSending>> Tell(
        JournalEntry entry, string cvr, DateTimeOffset? endsAt, string maskingId, string? sealedCpr, CancellationToken cancel)
    {
        var own = CvrNumber.Parse(cvr);
        // Of an organisation that was replaced since, its entries still carry the number: each source hears of its own.
        var replaced = await store.Read(db => db.Replacements(cancel), cancel);
        var told = replaced.ReplacedBy(own).Prepend(own).SelectMany(one => senders.DataSourcesOf(one).Select(source => (Cvr: one, Source: source))).ToList();
        if (told.Count == 0)
            return [];
        var id = Guid.Parse(maskingId);
        sealedCpr ??= await store.Read(db => db.Maskings.Where(m => m.MaskingId == id).Select(m => m.SealedCpr).SingleOrDefaultAsync(cancel), cancel);
        // Erased: it ended years ago, before there was an edge.
        if (sealedCpr is null)
            return [];
        var cpr = CprNumber.Parse(sealer.Open(sealedCpr, SealedFor.Cpr));
        return told.ConvertAll(to => new EdgeSending(
            new MaskingDecisionChanged(to.Cvr.ToString(), PatientKey.Compute(patients.FeedSecret(to.Source), cpr).ToString(), endsAt, entry.Position),
            EdgeNames.MaskingDecisions, $"{to.Cvr}.{to.Source}", MessageId: to.Cvr == own ? $"{entry.EventId:D}" : $"{entry.EventId:D}.{to.Cvr}", TraceParent: entry.TraceParent));
    }
}
