using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using Sloring.Contracts.Events;

namespace Sloring.Hosting;

/// <summary>A service's database as its use cases see it: one transaction to write in, a snapshot to read from, and the journal.</summary>
public sealed class Store<TDb>(IDbContextFactory<TDb> factory, ServiceName<TDb> name, TimeProvider clock, PatientKeys? patients = null) : IServiceJournal, IDisposable
    where TDb : ServiceDb
{
    private readonly SemaphoreSlim _writer = new(1, 1);
    private volatile bool _prepared;
    private byte[] _headHash = new byte[32];

    /// <summary>The service's name.</summary>
    public string Service => name.Value;

    /// <summary>The end of the journal, in memory.</summary>
    public JournalTail Tail { get; } = new();

    /// <summary>
    /// Does <paramref name="work"/> in one transaction, saves, commits, and only then lets relay and watchers see its journal entries.
    /// Nothing of it stays when it throws.
    /// </summary>
    /// <param name="actor">Who: stands in the journal. Person id, client id or the name of a service.</param>
    /// <param name="work">Loads, decides, changes <see cref="WriteScope{TDb}.Db"/> and appends events.</param>
    /// <param name="cancel">Abandons the work; never a commit under way.</param>
    public async Task<T> Write<T>(string actor, Func<WriteScope<TDb>, Task<T>> work, CancellationToken cancel)
    {
        // One writer at a time in this process: SQLite allows no more, and waiting here is fair where waiting in the file is not.
        await _writer.WaitAsync(cancel);
        try
        {
            await PrepareAsWriter(cancel);
            await using var db = await factory.CreateDbContextAsync(cancel);
            await using var transaction = await db.Database.BeginTransactionAsync(cancel);
            var scope = new WriteScope<TDb>(db, actor, clock, Tail.Head, _headHash, cancel);
            var result = await work(scope);
            try
            {
                await db.SaveChangesAsync(cancel);
                await transaction.CommitAsync(CancellationToken.None);
            }
            catch
            {
                // What the file holds now is not known for certain: the journal's end is read anew before the next write.
                _prepared = false;
                throw;
            }
            _headHash = scope.HeadHash;
            Tail.Add(scope.Appended);
            return result;
        }
        finally
        {
            _writer.Release();
        }
    }

    /// <summary>As <see cref="Write{T}"/>, without a result.</summary>
    public Task Write(string actor, Func<WriteScope<TDb>, Task> work, CancellationToken cancel) =>
        Write(actor, async scope => { await work(scope); return true; }, cancel);

    /// <summary>Queries one consistent snapshot, without tracking.</summary>
    public async Task<T> Read<T>(Func<TDb, Task<T>> query, CancellationToken cancel)
    {
        await Prepare(cancel);
        await using var db = await factory.CreateDbContextAsync(cancel);
        db.ChangeTracker.QueryTrackingBehavior = QueryTrackingBehavior.NoTracking;
        // Deferred: a reader takes no write lock, and all its queries see the same instant.
        await using var transaction = await BeginRead(db, cancel);
        return await query(db);
    }

    /// <summary>Entries after a position in order, from memory where it reaches back far enough.</summary>
    public async Task<IReadOnlyList<JournalEntry>> ReadAfter(long position, int limit, CancellationToken cancel)
    {
        await Prepare(cancel);
        return Tail.After(position, limit)
            ?? await Read<IReadOnlyList<JournalEntry>>(
                async db => await db.Journal.Where(e => e.Position > position).OrderBy(e => e.Position).Take(limit).ToListAsync(cancel), cancel);
    }

    /// <inheritdoc/>
    public Task<List<JournalEntry>> Query(Func<IQueryable<JournalEntry>, IQueryable<JournalEntry>> query, CancellationToken cancel) =>
        Read(db => query(db.Journal).ToListAsync(cancel), cancel);

    /// <inheritdoc/>
    public Task Append(string actor, IEvent e, CancellationToken cancel) => Write(actor, scope => scope.Append(e), cancel);

    /// <inheritdoc/>
    public Task<JournalVerdict> Verify(CancellationToken cancel) => Read(async db =>
    {
        var previous = new byte[32];
        var position = 0L;
        await foreach (var entry in db.Journal.OrderBy(e => e.Position).AsAsyncEnumerable().WithCancellation(cancel))
        {
            position++;
            if (entry.Position != position || !entry.HashAfter(previous).AsSpan().SequenceEqual(entry.Hash))
                return new JournalVerdict(false, position, position, Convert.ToHexStringLower(previous));
            previous = entry.Hash;
        }
        return new JournalVerdict(true, position, 0, Convert.ToHexStringLower(previous));
    }, cancel);

    /// <summary>Creates the tables on first use and reads where the journal ends.</summary>
    /// <exception cref="InvalidOperationException">The file was made by another version: the message says what to do.</exception>
    public async Task Prepare(CancellationToken cancel)
    {
        if (_prepared)
            return;
        await _writer.WaitAsync(cancel);
        try
        {
            await PrepareAsWriter(cancel);
        }
        finally
        {
            _writer.Release();
        }
    }

    /// <summary>Only ever while no write is under way: an end read during a commit could be put back over it.</summary>
    private async Task PrepareAsWriter(CancellationToken cancel)
    {
        if (_prepared)
            return;
        await using var db = await factory.CreateDbContextAsync(cancel);
        await Sqlite.CreateOrCheck(db, Service, cancel);
        if (patients is not null)
            await CheckKeys(db, patients, cancel);
        var last = await db.Journal.AsNoTracking().OrderByDescending(e => e.Position).FirstOrDefaultAsync(cancel);
        _headHash = last?.Hash ?? new byte[32];
        Tail.StartAt(last?.Position ?? 0);
        _prepared = true;
    }

    /// <summary>With another key every patient would be looked for under another hash and none be found: all names would show.</summary>
    private async Task CheckKeys(TDb db, PatientKeys keys, CancellationToken cancel)
    {
        var known = await db.KeyChecks.AsNoTracking().SingleOrDefaultAsync(cancel);
        if (known is null)
        {
            db.KeyChecks.Add(new KeyCheck { Value = keys.Check });
            await db.SaveChangesAsync(cancel);
        }
        else if (known.Value != keys.Check)
        {
            throw new InvalidOperationException(
                $"The database of {Service} was made with other keys than those of the secrets file. Put back the file that belongs to it (setting Secrets:File).");
        }
    }

    private static async Task<IAsyncDisposable> BeginRead(TDb db, CancellationToken cancel)
    {
        await db.Database.OpenConnectionAsync(cancel);
        var transaction = await Sqlite.BeginRead(db.Database.GetDbConnection(), cancel);
        await db.Database.UseTransactionAsync(transaction, cancel);
        return transaction;
    }

    public void Dispose()
    {
        _writer.Dispose();
    }
}

/// <summary>The transaction that a use case or a reaction works in.</summary>
public sealed class WriteScope<TDb> where TDb : ServiceDb
{
    private readonly string _actor;
    private readonly TimeProvider _clock;
    private readonly List<JournalEntry> _appended = [];
    private long _position;

    internal WriteScope(TDb db, string actor, TimeProvider clock, long head, byte[] headHash, CancellationToken cancel)
    {
        Db = db;
        Cancel = cancel;
        _actor = actor;
        _clock = clock;
        _position = head;
        HeadHash = headHash;
    }

    /// <summary>The service's tables; saved and committed when the work is done.</summary>
    public TDb Db { get; }

    /// <summary>Cancelled when the caller has gone.</summary>
    public CancellationToken Cancel { get; }

    /// <summary>The instant of this transaction, UTC.</summary>
    public DateTimeOffset Now => _clock.GetUtcNow();

    internal byte[] HeadHash { get; private set; }

    internal IReadOnlyList<JournalEntry> Appended => _appended;

    /// <summary>Appends an event to the journal in this transaction and gives its position.</summary>
    public Task<long> Append(IEvent e) => Append(e, _actor);

    /// <summary>As <see cref="Append(IEvent)"/>, where entries of several actors share a transaction.</summary>
    public Task<long> Append(IEvent e, string actor)
    {
        var entry = Next(e, actor);
        Db.Journal.Add(entry);
        return Task.FromResult(entry.Position);
    }

    /// <summary>Appends a batch in order, several times faster than one by one: the entries go straight to the database, untracked.</summary>
    public Task AppendMany(IEnumerable<IEvent> events) => Sqlite.Insert(Db.Database.GetDbConnection(), [.. events.Select(e => Next(e, _actor))], Cancel);

    private JournalEntry Next(IEvent e, string actor)
    {
        var entry = new JournalEntry
        {
            Position = ++_position,
            EventId = Guid.CreateVersion7(Now),
            Type = EventNames.Of(e.GetType()),
            Subject = e.Subject,
            PatientKey = e.Patient ?? "",
            // Whole milliseconds: what the database keeps, so that the hash of a stored entry is the hash of this one.
            OccurredAt = DateTimeOffset.FromUnixTimeMilliseconds(Now.ToUnixTimeMilliseconds()),
            Actor = actor,
            Data = EventJson.Write(e),
            TraceParent = Activity.Current?.Id ?? "",
        };
        entry.Hash = HeadHash = entry.HashAfter(HeadHash);
        _appended.Add(entry);
        return entry;
    }
}

/// <summary>The name of the service that owns a database.</summary>
public sealed record ServiceName<TDb>(string Value) where TDb : ServiceDb;

/// <summary>What verifying a chain found.</summary>
/// <param name="Intact">Every position and hash is right.</param>
/// <param name="Entries">Entries read.</param>
/// <param name="FirstBadPosition">0 when intact.</param>
/// <param name="HeadHash">Hex.</param>
public sealed record JournalVerdict(bool Intact, long Entries, long FirstBadPosition, string HeadHash);

/// <summary>A service's journal where the database's type does not matter: to be served, searched and verified.</summary>
public interface IServiceJournal
{
    string Service { get; }

    JournalTail Tail { get; }

    Task Prepare(CancellationToken cancel);

    Task<IReadOnlyList<JournalEntry>> ReadAfter(long position, int limit, CancellationToken cancel);

    Task<List<JournalEntry>> Query(Func<IQueryable<JournalEntry>, IQueryable<JournalEntry>> query, CancellationToken cancel);

    Task Append(string actor, IEvent e, CancellationToken cancel);

    Task<JournalVerdict> Verify(CancellationToken cancel);
}
