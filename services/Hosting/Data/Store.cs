using System.Collections.Concurrent;
using System.Data.Common;
using System.Diagnostics;
using System.Linq.Expressions;
using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Sloring.Contracts;
using Sloring.Contracts.Events;
using Sloring.Contracts.Journal.V1;

namespace Sloring.Hosting;

/// <summary>
/// A service's database as its use cases see it: one transaction to write in, a snapshot to read from, and the journal. Writes of the whole
/// service, in all its processes, happen one after another; those that wait at the same time share a commit.
/// </summary>
public sealed class Store<TDb>(
    IDbContextFactory<TDb> factory, ServiceName<TDb> name, Database database, TimeProvider clock, PatientKeys? patients = null, Sealer? sealer = null, CheckpointSigner? signer = null)
    : IServiceJournal, IDisposable
    where TDb : ServiceDb
{
    /// <summary>Enough to make the cost of a commit small beside the work; few enough that the first of them does not wait long for the last.</summary>
    private const int LargestGroup = 32;

    private const int PageSize = 1_000;

    private readonly ConcurrentQueue<Job> _jobs = [];
    private readonly SemaphoreSlim _writer = new(1, 1);
    private int _writing;
    private volatile bool _prepared;
    private volatile string? _restoring;
    private byte[] _headHash = new byte[32];

    /// <summary>The service's name.</summary>
    public string Service => name.Value;

    /// <summary>The end of the journal, in memory.</summary>
    public JournalTail Tail { get; } = new();

    /// <summary>
    /// Does <paramref name="work"/> in a transaction, saves, commits, and only then lets relay and watchers see its journal entries.
    /// Nothing of it stays when it throws. Completes when it is durable.
    /// </summary>
    /// <param name="actor">Who: stands in the journal. Person id, client id or the name of a service.</param>
    /// <param name="work">Loads, decides, changes <see cref="WriteScope{TDb}.Db"/> and appends events.</param>
    /// <param name="cancel">Abandons the work; never a commit under way.</param>
    /// <param name="touches">
    /// Names all rows that the work looks up, changes or inserts, where it can: works that touch different rows have them read and saved in one go, which is
    /// several times faster. Such a work saves nothing itself. Null: the work sees all that was done before it.
    /// </param>
    /// <exception cref="RejectedException">SLR-909: the database is away or too busy; whether the work was done is not known for certain.</exception>
    public async Task<T> Write<T>(string actor, Func<WriteScope<TDb>, Task<T>> work, CancellationToken cancel, IReadOnlyList<Row<TDb>>? touches = null)
    {
        var result = default(T);
        var job = new Job(actor, async scope => result = await work(scope), touches ?? [], Activity.Current, cancel);
        _jobs.Enqueue(job);
        StartWriting();
        await job.Done.Task;
        return result!;
    }

    /// <summary>As <see cref="Write{T}"/>, without a result.</summary>
    public Task Write(string actor, Func<WriteScope<TDb>, Task> work, CancellationToken cancel) =>
        Write(actor, async scope => { await work(scope); return true; }, cancel);

    private void StartWriting()
    {
        if (Interlocked.CompareExchange(ref _writing, 1, 0) == 0)
            _ = Task.Run(WriteGroups);
    }

    private async Task WriteGroups()
    {
        // The writer belongs to none of the callers: each job brings its own trace context.
        Activity.Current = null;
        var group = new List<Job>(LargestGroup);
        do
        {
            while (Gather(group))
                await WriteGroup(group);
            Volatile.Write(ref _writing, 0);
        }
        while (!_jobs.IsEmpty && Interlocked.CompareExchange(ref _writing, 1, 0) == 0);
    }

    private bool Gather(List<Job> group)
    {
        group.Clear();
        while (group.Count < LargestGroup && _jobs.TryDequeue(out var job))
        {
            if (job.Cancel.IsCancellationRequested)
                job.Done.TrySetCanceled(job.Cancel);
            else
                group.Add(job);
        }
        return group.Count > 0;
    }

    /// <summary>Never throws: every job of the group is answered.</summary>
    private async Task WriteGroup(List<Job> group)
    {
        await _writer.WaitAsync();
        try
        {
            try
            {
                await Commit(group);
            }
            catch (SpoiledException)
            {
                foreach (var job in group.Where(job => !job.Done.Task.IsCompleted))
                {
                    try
                    {
                        await Commit([job]);
                    }
                    catch (OperationCanceledException e) when (job.Cancel.IsCancellationRequested)
                    {
                        // Its caller has gone; those of the others have not.
                        job.Fail(e);
                    }
                }
            }
        }
        catch (Exception e)
        {
            foreach (var job in group)
                job.Fail(Told(e));
        }
        finally
        {
            _writer.Release();
        }
    }

    /// <summary>Does jobs in one transaction and answers them.</summary>
    /// <exception cref="SpoiledException">One of those that share a save failed: nothing was done, and each is to be done alone.</exception>
    private async Task Commit(List<Job> group)
    {
        var alone = group.Count == 1;
        // A single job may give up while it waits for the database; a group's members must not end each other.
        var cancel = alone ? group[0].Cancel : CancellationToken.None;
        await PrepareAsWriter(cancel);
        await using var db = await factory.CreateDbContextAsync(cancel);
        // Savepoints are set here, where they are needed.
        db.Database.AutoSavepointsEnabled = false;
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var runs = Runs(group).ToList();
        var locked = await database.LockJournal(db, Service, [.. Named(runs[0]).Select(named => named.Lookup.Keys(named.Keys))], cancel);
        var end = locked.End ?? new JournalEnd(Tail.Head, _headHash);
        var appended = new List<JournalEntry>();
        var done = new List<Job>(group.Count);
        foreach (var run in runs)
        {
            var shared = !alone && run[0].Touches.Count > 0;
            var found = await LookUp(db, run, run == runs[0] ? locked.MayBeThere : null, cancel);
            var rows = new List<object>();
            foreach (var job in run)
            {
                var scope = new WriteScope<TDb>(db, job.Actor, clock, database, end, found, job.Cancel);
                if (shared)
                    await DoShared(job, scope);
                else if (!await DoAndSave(job, scope, alone ? null : transaction))
                    continue;
                end = scope.End;
                rows.AddRange(scope.Rows);
                appended.AddRange(scope.Rows.OfType<JournalEntry>());
                done.Add(job);
            }
            if (shared)
                await SaveShared(db, rows);
        }
        if (done.Count == 0)
            return;
        try
        {
            await transaction.CommitAsync(CancellationToken.None);
        }
        catch
        {
            // What the database holds now is not known for certain: the journal's end is read anew before the next write.
            _prepared = false;
            throw;
        }
        _headHash = end.Hash;
        foreach (var entry in appended)
            Telemetry.Entries.Add(1, new("service", Service), new("type", entry.Type));
        Show(appended);
        foreach (var job in done)
            job.Done.TrySetResult();
    }

    /// <summary>Jobs in their order: those in a row that say what they touch, and touch different rows, together; each of the others by itself.</summary>
    private static IEnumerable<List<Job>> Runs(List<Job> group)
    {
        var run = new List<Job>(group.Count);
        var touched = new HashSet<Row<TDb>>();
        foreach (var job in group)
        {
            if (run.Count > 0 && (touched.Count == 0 || job.Touches.Count == 0 || job.Touches.Any(row => !row.Lookup.IsOnlyRead && touched.Contains(row))))
            {
                yield return run;
                run = [];
                touched.Clear();
            }
            run.Add(job);
            touched.UnionWith(job.Touches);
        }
        yield return run;
    }

    /// <summary>Reads what jobs will look up, a query for each kind of which something may be there.</summary>
    private async Task<Dictionary<Row<TDb>, object?>> LookUp(TDb db, List<Job> jobs, IReadOnlyList<IReadOnlyList<int>>? mayBeThere, CancellationToken cancel)
    {
        var found = jobs.SelectMany(job => job.Touches).Distinct().ToDictionary(row => row, _ => default(object));
        foreach (var (i, (lookup, keys)) in Named(jobs).Index())
        {
            var wanted = mayBeThere is null ? keys : [.. mayBeThere[i].Select(index => keys[index])];
            if (wanted.Count > 0)
                await lookup.Load(db, database, wanted, found, cancel);
        }
        return found;
    }

    private static IEnumerable<(ILookup<TDb> Lookup, List<object> Keys)> Named(List<Job> jobs) =>
        jobs.SelectMany(job => job.Touches).Distinct().GroupBy(row => row.Lookup).Select(rows => (rows.Key, rows.Select(row => row.Key).ToList()));

    /// <summary>Does a job and saves it; false, and nothing of it stays, when it throws. The job is told why.</summary>
    private async Task<bool> DoAndSave(Job job, WriteScope<TDb> scope, IDbContextTransaction? ofOthers)
    {
        const string Before = "before";
        if (ofOthers is not null)
            await ofOthers.CreateSavepointAsync(Before, CancellationToken.None);
        try
        {
            // The trace of whoever asked, for as long as this method runs.
            Activity.Current = job.Activity;
            await job.Work(scope);
            await Save(scope.Db, scope.Rows, job.Cancel);
            return true;
        }
        catch (Exception e)
        {
            job.Fail(Told(e));
            scope.Db.ChangeTracker.Clear();
            if (ofOthers is not null)
                await ofOthers.RollbackToSavepointAsync(Before, CancellationToken.None);
            return false;
        }
    }

    /// <summary>Does a job whose changes are saved with those of others.</summary>
    private static async Task DoShared(Job job, WriteScope<TDb> scope)
    {
        try
        {
            Activity.Current = job.Activity;
            await job.Work(scope);
        }
        catch (Exception e)
        {
            // What it has left among the others' changes can't be told from them.
            throw new SpoiledException(e);
        }
    }

    private async Task SaveShared(TDb db, List<object> rows)
    {
        try
        {
            await Save(db, rows, CancellationToken.None);
        }
        catch (Exception e) when (e is DbUpdateException or DbException)
        {
            throw new SpoiledException(e);
        }
    }

    /// <summary>Changed rows before new ones: a unique index may allow the new one only then.</summary>
    private async Task Save(TDb db, IReadOnlyList<object> rows, CancellationToken cancel)
    {
        await db.SaveChangesAsync(cancel);
        db.ChangeTracker.Clear();
        if (rows.Count > 0)
            await database.Insert(db, Service, rows, cancel);
    }

    /// <summary>A database that is away is no fault of ours: whoever asked is told to try again.</summary>
    private Exception Told(Exception fault) => fault is not RejectedException && database.IsAway(fault) ? new RejectedException(Rejections.Busy) : fault;

    /// <summary>Queries one consistent snapshot, without tracking.</summary>
    public async Task<T> Read<T>(Func<TDb, Task<T>> query, CancellationToken cancel)
    {
        try
        {
            await Prepare(cancel);
            await using var db = await factory.CreateDbContextAsync(cancel);
            db.ChangeTracker.QueryTrackingBehavior = QueryTrackingBehavior.NoTracking;
            await using var transaction = await BeginRead(db, cancel);
            return await query(db);
        }
        catch (Exception e) when (e is not RejectedException && database.IsAway(e))
        {
            cancel.ThrowIfCancellationRequested();
            throw new RejectedException(Rejections.Busy);
        }
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
    public async Task<string> Restoring(CancellationToken cancel) => _restoring ??= await Read(db => db.Restoring(cancel), cancel);

    /// <inheritdoc/>
    public Task<JournalVerdict> Verify(CancellationToken cancel) => Read(async db =>
    {
        var statement = await db.Statement(cancel);
        if (statement is null)
            return await VerifyFrom(db, new JournalState(Service, 0, Convert.ToHexStringLower(new byte[32]), default), cancel);
        return Start(statement) is { } start
            ? await VerifyFrom(db, start, cancel)
            : new JournalVerdict(JournalFault.StartForged, 0, 0, 0, [statement.Position], "", "");
    }, cancel);

    /// <summary>What a statement says of where the journal begins; null where the platform has not signed it.</summary>
    private JournalState? Start(JournalEntry statement)
    {
        try
        {
            var erased = (JournalErased)EventJson.Read(statement.Type, statement.Data);
            var start = signer?.Open(erased.Signed, CheckpointSigner.Start);
            return start?.Service == Service && start.Position == erased.Position && start.Hash == erased.Hash ? start : null;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private static async Task<JournalVerdict> VerifyFrom(TDb db, JournalState start, CancellationToken cancel)
    {
        var (position, previous, entries, bad) = (start.Position, Convert.FromHexString(start.Hash), 0L, new List<long>());
        await foreach (var entry in db.Journal.AsNoTracking().OrderBy(e => e.Position).AsAsyncEnumerable().WithCancellation(cancel))
        {
            entries++;
            position++;
            if ((entry.Position != position || !entry.HashAfter(previous).AsSpan().SequenceEqual(entry.Hash)) && bad.Count < JournalVerdict.MostFindings)
                bad.Add(position);
            // On from here as it stands: one altered entry must not hide another.
            (position, previous) = (entry.Position, entry.Hash);
        }
        return new JournalVerdict(bad.Count == 0 ? JournalFault.Unspecified : JournalFault.EntryAltered, entries, position, start.Position, bad, Convert.ToHexStringLower(previous), start.Hash);
    }

    /// <summary>Makes sure, as far as a database lets anybody, that what was erased can't be read from its files either.</summary>
    internal async Task Scrub(CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        await database.Scrub(db, cancel);
    }

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

    /// <inheritdoc/>
    public async Task Migrate(CancellationToken cancel)
    {
        await using var db = await factory.CreateDbContextAsync(cancel);
        await database.Migrate(db, Service, cancel);
    }

    /// <summary>Takes in what other processes have appended; afterwards the end in memory is as the database was when this began.</summary>
    internal async Task CatchUp(CancellationToken cancel)
    {
        await Prepare(cancel);
        var startedAt = clock.GetTimestamp();
        List<JournalEntry> page;
        do
        {
            var head = Tail.Head;
            page = await Read(db => db.Journal.Where(e => e.Position > head).OrderBy(e => e.Position).Take(PageSize).ToListAsync(cancel), cancel);
            Show(page);
        }
        while (page.Count == PageSize);
        Tail.WholeAt(startedAt);
    }

    /// <summary>Lets relay and watchers see committed entries. What one of them says is erased leaves memory too, in every process.</summary>
    private void Show(IReadOnlyList<JournalEntry> entries)
    {
        Tail.Add(entries);
        foreach (var entry in entries.Where(entry => entry.Type == JournalStart.Stated))
            Tail.Forget(((JournalErased)EventJson.Read(entry.Type, entry.Data)).Position);
    }

    /// <summary>Only ever while no write is under way: an end read during a commit could be put back over it.</summary>
    private async Task PrepareAsWriter(CancellationToken cancel)
    {
        if (_prepared)
            return;
        await using var db = await factory.CreateDbContextAsync(cancel);
        await database.Prepare(db, Service, cancel);
        if (patients is not null)
            await CheckKey(db, patients, cancel);
        if (sealer is not null)
            await CheckKeys(db, sealer, cancel);
        var startedAt = clock.GetTimestamp();
        var last = await db.Journal.AsNoTracking().OrderByDescending(e => e.Position).FirstOrDefaultAsync(cancel);
        _headHash = last?.Hash ?? new byte[32];
        Tail.StartAt(last?.Position ?? 0);
        if (database.IsShared)
            Tail.WholeAt(startedAt);
        _prepared = true;
    }

    /// <summary>With another key every patient would be looked for under another hash and none be found: all names would show.</summary>
    private async Task CheckKey(TDb db, PatientKeys keys, CancellationToken cancel)
    {
        var known = await db.KeyChecks.AsNoTracking().SingleOrDefaultAsync(cancel) ?? await Keep(db, db.KeyChecks, new KeyCheck { Value = keys.Check }, _ => true, cancel);
        if (known.Value != keys.Check)
        {
            throw new InvalidOperationException(
                $"The database of {Service} was made with other keys than those of the secrets file. Put back the file that belongs to it (setting Secrets:File).");
        }
    }

    /// <summary>
    /// With another key under an id that was in use, the rows of before could not be read, and new ones by nobody who has the right key. A key that is gone is not looked for: decision 32.
    /// </summary>
    private async Task CheckKeys(TDb db, Sealer keys, CancellationToken cancel)
    {
        var kept = await db.SealingChecks.AsNoTracking().ToDictionaryAsync(check => check.KeyId, cancel);
        foreach (var id in keys.CheckKeys())
        {
            var known = kept.GetValueOrDefault(id)
                ?? await Keep(db, db.SealingChecks, new SealingCheck { KeyId = id, Text = keys.Seal("", SealedFor.Check, id) }, check => check.KeyId == id, cancel);
            try
            {
                keys.Open(known.Text, SealedFor.Check);
            }
            catch (CryptographicException)
            {
                throw new InvalidOperationException(
                    $"The database of {Service} was written with another key than the secret '{Sealer.SecretOf(id)}' is now. Put its former value back; a new key needs an id of its own.");
            }
        }
    }

    private static async Task<T> Keep<T>(TDb db, DbSet<T> checks, T check, Expression<Func<T, bool>> isSame, CancellationToken cancel) where T : class
    {
        try
        {
            checks.Add(check);
            await db.SaveChangesAsync(cancel);
            return check;
        }
        catch (DbUpdateException)
        {
            // Another replica was first, with keys that may not be ours.
            db.ChangeTracker.Clear();
            return await checks.AsNoTracking().SingleAsync(isSame, cancel);
        }
    }

    private async Task<IAsyncDisposable> BeginRead(TDb db, CancellationToken cancel)
    {
        await db.Database.OpenConnectionAsync(cancel);
        var transaction = await database.BeginRead(db.Database.GetDbConnection(), cancel);
        await db.Database.UseTransactionAsync(transaction, cancel);
        return transaction;
    }

    public void Dispose() => _writer.Dispose();

    private sealed class SpoiledException(Exception why) : Exception("A shared save failed.", why);

    /// <summary>A piece of work that waits for the writer.</summary>
    private sealed record Job(string Actor, Func<WriteScope<TDb>, Task> Work, IReadOnlyList<Row<TDb>> Touches, Activity? Activity, CancellationToken Cancel)
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Fail(Exception e)
        {
            if (e is OperationCanceledException && Cancel.IsCancellationRequested)
                Done.TrySetCanceled(Cancel);
            else
                Done.TrySetException(e);
        }
    }
}

/// <summary>The transaction that a use case or a reaction works in.</summary>
public sealed class WriteScope<TDb> where TDb : ServiceDb
{
    private readonly Database _database;
    private readonly string _actor;
    private readonly TimeProvider _clock;
    private readonly Dictionary<Row<TDb>, object?> _found;
    private readonly List<object> _rows = [];

    internal WriteScope(TDb db, string actor, TimeProvider clock, Database database, JournalEnd end, Dictionary<Row<TDb>, object?> found, CancellationToken cancel)
    {
        Db = db;
        Cancel = cancel;
        End = end;
        _database = database;
        _found = found;
        _actor = actor;
        _clock = clock;
    }

    /// <summary>The service's tables; saved and committed when the work is done.</summary>
    public TDb Db { get; }

    /// <summary>The journal's last position, with what this transaction has appended.</summary>
    public long Position => End.Position;

    /// <summary>Cancelled when the caller has gone.</summary>
    public CancellationToken Cancel { get; }

    /// <summary>The instant of this transaction, UTC.</summary>
    public DateTimeOffset Now => _clock.GetUtcNow();

    internal JournalEnd End { get; private set; }

    /// <summary>New rows, journal entries among them.</summary>
    internal IReadOnlyList<object> Rows => _rows;

    /// <summary>The row of a key, or null; without a query where the work has named it among those it touches.</summary>
    public async Task<TRow?> Find<TKey, TRow>(Lookup<TDb, TKey, TRow> lookup, TKey key) where TKey : notnull where TRow : class
    {
        var name = lookup.Row(key);
        if (!_found.ContainsKey(name))
            await name.Lookup.Load(Db, _database, [key], _found, Cancel);
        return (TRow?)_found.GetValueOrDefault(name);
    }

    /// <summary>Inserts a row with its key, in bulk with those of others, when the work is done and its changes are saved: queries of the work do not find it.</summary>
    public void Insert<TRow>(TRow row) where TRow : class => _rows.Add(row);

    /// <summary>Appends an event to the journal in this transaction and gives its position.</summary>
    public Task<long> Append(IEvent e) => Append(e, _actor);

    /// <summary>As <see cref="Append(IEvent)"/>, where entries of several actors share a transaction.</summary>
    public Task<long> Append(IEvent e, string actor) => Task.FromResult(Next(e, actor).Position);

    /// <summary>The rows of a query that this transaction will change; those that another transaction is changing are left to it.</summary>
    public IQueryable<T> Claim<T>(IQueryable<T> rows) => _database.Claim(rows);

    private JournalEntry Next(IEvent e, string actor)
    {
        var entry = new JournalEntry
        {
            Position = End.Position + 1,
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
        entry.Hash = entry.HashAfter(End.Hash);
        End = new JournalEnd(entry.Position, entry.Hash);
        _rows.Add(entry);
        return entry;
    }
}

/// <summary>The name of the service that owns a database.</summary>
public sealed record ServiceName<TDb>(string Value) where TDb : ServiceDb;

/// <summary>What verifying a chain found.</summary>
/// <param name="Fault">What is wrong first.</param>
/// <param name="Entries">Entries read.</param>
/// <param name="End">Position of the last entry.</param>
/// <param name="ErasedTo">Everything up to this position was erased, as the journal's signed statement says; 0: nothing.</param>
/// <param name="Bad">The positions that are wrong, at most <see cref="MostFindings"/>; of a forged statement, where that stands.</param>
/// <param name="HeadHash">Hex.</param>
/// <param name="StartHash">Hash of the last erased entry, hex; zeros where none was.</param>
public sealed record JournalVerdict(JournalFault Fault, long Entries, long End, long ErasedTo, IReadOnlyList<long> Bad, string HeadHash, string StartHash)
{
    /// <summary>So many are told.</summary>
    public const int MostFindings = 1_000;

    /// <summary>Every position and hash is right, and so is the statement of where it begins.</summary>
    public bool Intact => Fault == JournalFault.Unspecified;
}

/// <summary>A service's journal where the database's type does not matter: to be served, searched and verified.</summary>
public interface IServiceJournal
{
    string Service { get; }

    JournalTail Tail { get; }

    Task Prepare(CancellationToken cancel);

    /// <summary>Brings the database up to this program's version.</summary>
    Task Migrate(CancellationToken cancel);

    Task<IReadOnlyList<JournalEntry>> ReadAfter(long position, int limit, CancellationToken cancel);

    Task<List<JournalEntry>> Query(Func<IQueryable<JournalEntry>, IQueryable<JournalEntry>> query, CancellationToken cancel);

    Task Append(string actor, IEvent e, CancellationToken cancel);

    /// <summary>Names the restoring from a backup that the journal last came through, as it was when this process first asked; empty where there was none.</summary>
    Task<string> Restoring(CancellationToken cancel);

    Task<JournalVerdict> Verify(CancellationToken cancel);
}
