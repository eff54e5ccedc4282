using Microsoft.EntityFrameworkCore;
using Sloring.Contracts.Events;

namespace Sloring.Hosting;

/// <summary>How a service's journal stands, and what is still to be handed on of it.</summary>
internal sealed class JournalFigures<TDb>(Store<TDb> store, RelayLags<TDb> lags, Sealer sealer, TimeProvider clock) : Figures<JournalFigures<TDb>.Seen> where TDb : ServiceDb
{
    protected override Task<Seen> Read(CancellationToken cancel) => store.Read(async db =>
    {
        var last = await db.Journal.OrderByDescending(entry => entry.Position).Select(entry => (DateTimeOffset?)entry.OccurredAt).FirstOrDefaultAsync(cancel);
        return new Seen(last, await KeyFrom(db, cancel), await lags.Of(db, cancel));
    }, cancel);

    protected override IEnumerable<Figure> Of(Seen seen)
    {
        var (now, service) = (clock.GetUtcNow(), new KeyValuePair<string, object?>("service", store.Service));
        yield return new Figure(Metrics.JournalHead, store.Tail.Head, service);
        if (seen.LastAt is { } last)
            yield return new Figure(Metrics.LastEntryTime, last.ToUnixTimeMilliseconds() / 1000.0, service);
        if (seen.KeyFrom is { } from)
            yield return new Figure(Metrics.SealingKeyAge, (now - from).TotalSeconds, service);
        foreach (var lag in seen.Behind)
        {
            var cursor = new KeyValuePair<string, object?>("cursor", lag.Cursor == RelayCursor.ToBus ? "bus" : "edge");
            yield return new Figure(Metrics.RelayLagEntries, lag.Entries, service, cursor);
            yield return new Figure(Metrics.RelayLag, lag.Oldest.TotalSeconds, service, cursor);
        }
    }

    /// <summary>The first time that rows were brought under it, or else when the journal begins; null while that is empty, and of a service that has no sealed rows.</summary>
    private async Task<DateTimeOffset?> KeyFrom(TDb db, CancellationToken cancel)
    {
        if (db.SealedColumns.Count == 0)
            return null;
        var (type, names) = (EventNames.Of<RowsResealed>(), $"\"{sealer.KeyId}\"");
        return await First(db.Journal.Where(entry => entry.Type == type && entry.Data.Contains(names))) ?? await First(db.Journal);

        Task<DateTimeOffset?> First(IQueryable<JournalEntry> entries) => entries.OrderBy(entry => entry.Position).Select(entry => (DateTimeOffset?)entry.OccurredAt).FirstOrDefaultAsync(cancel);
    }

    /// <summary>What was there at a look.</summary>
    /// <param name="LastAt">When the last entry was appended; null where there is none.</param>
    /// <param name="KeyFrom">Since when the rows lie under the current sealing key; null where there are none.</param>
    /// <param name="Behind">What each relay still owes.</param>
    internal sealed record Seen(DateTimeOffset? LastAt, DateTimeOffset? KeyFrom, IReadOnlyList<RelayLag> Behind);
}
