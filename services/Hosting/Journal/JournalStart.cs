using Microsoft.EntityFrameworkCore;
using Sloring.Contracts.Events;

namespace Sloring.Hosting;

/// <summary>Where a journal begins: at its first entry, or behind what was erased on schedule, as its newest statement says.</summary>
public static class JournalStart
{
    internal static readonly string Stated = EventNames.Of<JournalErased>();

    private static readonly string RowsErased = EventNames.Of<RecordsErased>();

    private static readonly string Restored = EventNames.Of<JournalRestored>();

    /// <summary>The entry that says up to where the journal is erased; null where nothing is.</summary>
    internal static Task<JournalEntry?> Statement(this ServiceDb db, CancellationToken cancel) =>
        db.Journal.AsNoTracking().Where(e => e.Type == Stated).OrderByDescending(e => e.Position).FirstOrDefaultAsync(cancel);

    /// <summary>Names the journal for ever: the hash of the entry that was its first, whether or not that is still there. The journal must not be empty.</summary>
    public static async Task<string> JournalId(this ServiceDb db, CancellationToken cancel) =>
        await db.Statement(cancel) is { } entry
            ? ((JournalErased)EventJson.Read(entry.Type, entry.Data)).Journal
            : Convert.ToHexStringLower(await db.Journal.OrderBy(e => e.Position).Select(e => e.Hash).FirstAsync(cancel));

    /// <summary>
    /// The first position after which everything can still be told: every entry is there, and so is every row that was there when it was written. 0 where nothing was
    /// ever erased. The journal must not be empty.
    /// </summary>
    public static async Task<long> WholeFrom(this ServiceDb db, CancellationToken cancel)
    {
        var first = await db.Journal.MinAsync(e => e.Position, cancel);
        var rows = await db.Journal.Where(e => e.Type == RowsErased).OrderByDescending(e => e.Position).Select(e => e.Position).FirstOrDefaultAsync(cancel);
        return Math.Max(first - 1, rows);
    }

    /// <summary>
    /// Names what positions mean here: another after each restoring, since a position that was given out before and was lost is given out again. An entry that is erased changes
    /// it too, and nobody who follows loses anything by beginning anew. The journal must not be empty.
    /// </summary>
    public static async Task<string> PositionsId(this ServiceDb db, CancellationToken cancel) =>
        await db.JournalId(cancel) + await db.Restoring(cancel);

    /// <summary>Names the restoring from a backup that the journal last came through; empty where there was none, or it has been erased.</summary>
    public static async Task<string> Restoring(this ServiceDb db, CancellationToken cancel) =>
        await db.Journal.Where(e => e.Type == Restored).OrderByDescending(e => e.Position).Select(e => e.EventId.ToString()).FirstOrDefaultAsync(cancel) ?? "";
}
