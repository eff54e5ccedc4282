using Microsoft.EntityFrameworkCore;
using Sloring.Contracts.Events;

namespace Sloring.Hosting;

/// <summary>
/// Erases the front of a journal: whole entries, with actors and patient keys, and with them the need for the keys that their texts are sealed under. In the same
/// transaction a signed statement says where the journal begins now, so that the chain from there on still verifies, and a front that anybody else took out shows.
/// </summary>
internal sealed class EraseJournal<TDb>(Store<TDb> store, CheckpointSigner signer, IEnumerable<RelayOf<TDb>> relays) : Erasure<TDb>(store) where TDb : ServiceDb
{
    private const int BatchSize = 2_000;

    public override RecordKind Kind => RecordKind.Journal;

    protected override async Task<bool> IsDue(TDb db, DateTimeOffset before, CancellationToken cancel) => (await Oldest(db, 1, before, cancel)).Count > 0;

    protected override async Task<bool> EraseBatch(WriteScope<TDb> scope, DateTimeOffset before)
    {
        var oldest = await Oldest(scope.Db, BatchSize, before, scope.Cancel);
        if (oldest.Count == 0)
            return false;
        var (journal, last) = (await scope.Db.JournalId(scope.Cancel), oldest[^1]);
        await scope.Db.Journal.Where(e => e.Position <= last.Position).ExecuteDeleteAsync(scope.Cancel);
        var state = new JournalState(Service, last.Position, Convert.ToHexStringLower(last.Hash), last.OccurredAt);
        await scope.Append(new JournalErased
        {
            Position = state.Position,
            Hash = state.Hash,
            Before = before,
            Journal = journal,
            Signed = signer.Sign(state, CheckpointSigner.Start),
        });
        return true;
    }

    /// <summary>The first entries, as far as all were written before an instant and every relay of this process has handed them on.</summary>
    private async Task<List<Entry>> Oldest(TDb db, int most, DateTimeOffset before, CancellationToken cancel)
    {
        var cursors = await db.Relay.AsNoTracking().ToListAsync(cancel);
        // Only of relays that run: a cursor from when there was an edge would keep the journal for ever.
        var handedOn = relays.Min(relay => cursors.Find(cursor => cursor.Id == relay.Id)?.Position ?? 0);
        var oldest = await db.Journal.AsNoTracking().Where(e => e.Position <= handedOn).OrderBy(e => e.Position).Take(most)
            .Select(e => new Entry(e.Position, e.OccurredAt, e.Hash)).ToListAsync(cancel);
        return [.. oldest.TakeWhile(entry => entry.OccurredAt < before)];
    }

    private sealed record Entry(long Position, DateTimeOffset OccurredAt, byte[] Hash);
}

/// <summary>A relay of this process by its cursor.</summary>
internal sealed record RelayOf<TDb>(int Id) where TDb : ServiceDb;
