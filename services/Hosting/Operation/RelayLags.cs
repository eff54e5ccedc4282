using Microsoft.EntityFrameworkCore;

namespace Sloring.Hosting;

/// <summary>How far a relay of a service's journal is behind.</summary>
/// <param name="Cursor"><see cref="RelayCursor.ToBus"/> or <see cref="RelayCursor.ToEdge"/>.</param>
/// <param name="Entries">Entries that it has not come to, audit entries among them, which it will pass over.</param>
/// <param name="Oldest">Age of the oldest of them; zero where there is none.</param>
internal sealed record RelayLag(int Cursor, long Entries, TimeSpan Oldest);

/// <summary>How far the relays of a service are behind, whichever replica has their turns: of every relay that this deployment has.</summary>
internal sealed class RelayLags<TDb>(IEnumerable<RelayOf<TDb>> relays, TimeProvider clock) where TDb : ServiceDb
{
    /// <summary>As a snapshot of the database has it. A relay tells how far it has come about once a second: up to a second's entries are no lag.</summary>
    public async Task<IReadOnlyList<RelayLag>> Of(TDb db, CancellationToken cancel)
    {
        var cursors = await db.Relay.AsNoTracking().ToDictionaryAsync(cursor => cursor.Id, cursor => cursor.Position, cancel);
        var lags = new List<RelayLag>();
        foreach (var id in relays.Select(relay => relay.Id).Order())
        {
            var after = cursors.GetValueOrDefault(id);
            var owed = db.Journal.AsNoTracking().Where(e => e.Position > after);
            // No gaps between positions: the first and the last tell how many there are, without a count of a long journal.
            var first = await owed.OrderBy(e => e.Position).Select(e => new { e.Position, e.OccurredAt }).FirstOrDefaultAsync(cancel);
            var last = first is null ? 0 : await owed.MaxAsync(e => e.Position, cancel);
            lags.Add(first is null
                ? new RelayLag(id, 0, TimeSpan.Zero)
                : new RelayLag(id, last - first.Position + 1, TimeSpan.FromTicks(Math.Max(0, (clock.GetUtcNow() - first.OccurredAt).Ticks))));
        }
        return lags;
    }
}
