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
    private static readonly string Ended = EventNames.Of<RegistrationEnded>();

    public Task<IReadOnlyList<EdgeSending>> Of(JournalEntry entry, CancellationToken cancel)
    {
        if (entry.Type != Activated && entry.Type != Renewed && entry.Type != Shortened && entry.Type != Ended)
            return Task.FromResult<IReadOnlyList<EdgeSending>>([]);
        return EventJson.Read(entry.Type, entry.Data) switch
        {
            RegistrationActivated e => Tell(entry, e.Cvr, e.EndsAt, e.MaskingId, e.SealedCpr, cancel),
            RegistrationRenewed e => Tell(entry, e.Cvr, e.EndsAt, e.MaskingId, null, cancel),
            RegistrationShortened e => Tell(entry, e.Cvr, e.EndsAt, e.MaskingId, null, cancel),
            RegistrationEnded e => Tell(entry, e.Cvr, null, e.MaskingId, null, cancel),
            _ => throw new InvalidOperationException($"{entry.Type} is not told."),
        };
    }

    private async Task<IReadOnlyList<EdgeSending>> Tell(
        JournalEntry entry, string cvr, DateTimeOffset? endsAt, string maskingId, string? sealedCpr, CancellationToken cancel)
    {
        var sources = senders.DataSourcesOf(CvrNumber.Parse(cvr)).ToList();
        if (sources.Count == 0)
            return [];
        var id = Guid.Parse(maskingId);
        sealedCpr ??= await store.Read(db => db.Maskings.Where(m => m.MaskingId == id).Select(m => m.SealedCpr).SingleOrDefaultAsync(cancel), cancel);
        // Erased: it ended years ago, before there was an edge.
        if (sealedCpr is null)
            return [];
        var cpr = CprNumber.Parse(sealer.Open(sealedCpr, SealedFor.Cpr));
        return sources.ConvertAll(source => new EdgeSending(
            new MaskingDecisionChanged(cvr, PatientKey.Compute(patients.FeedSecret(source), cpr).ToString(), endsAt, entry.Position),
            EdgeNames.MaskingDecisions, $"{cvr}.{source}", MessageId: entry.EventId.ToString("D"), TraceParent: entry.TraceParent));
    }
}
