using System.Data.Common;
using Microsoft.EntityFrameworkCore;

namespace Sloring.Hosting;

/// <summary>Where data is kept.</summary>
public sealed class DataOptions
{
    /// <summary>Folder of the SQLite files, one per service.</summary>
    public string Folder { get; set; } = "";

    /// <summary>PostgreSQL: server and database, for example "Host=db;Port=5432;Database=sloring"; without user and password, which are each service's own.</summary>
    public string ConnectionString { get; set; } = "";
}

/// <summary>What the store needs of a kind of database beyond EF Core: one file for each kind, and no other code that knows which it is.</summary>
public abstract class Database
{
    /// <summary>Whether other processes may append to the same journals, so that what is in memory must be proven.</summary>
    internal abstract bool IsShared { get; }

    /// <summary>Points a service's context at its own file or schema.</summary>
    public abstract void Configure(DbContextOptionsBuilder options, string service);

    /// <summary>Makes sure that the schema is this program's, or refuses with a message that says what to do.</summary>
    internal abstract Task Prepare(ServiceDb db, string service, CancellationToken cancel);

    /// <summary>A transaction whose queries all see one instant, and which takes no lock.</summary>
    internal abstract Task<DbTransaction> BeginRead(DbConnection connection, CancellationToken cancel);

    /// <summary>Brings the schema up to this program's version.</summary>
    internal abstract Task Migrate(ServiceDb db, string service, CancellationToken cancel);

    /// <summary>Takes the right to append to the journal until the transaction ends, and answers in the same round trip what the work needs to know first.</summary>
    internal abstract Task<Locked> LockJournal(ServiceDb db, string service, IReadOnlyList<KeySet> ask, CancellationToken cancel);

    /// <summary>
    /// Inserts new rows in bulk, in the transaction that the connection has open. Of journal entries among them other processes hear when, and only when,
    /// the transaction is committed.
    /// </summary>
    internal abstract Task Insert(ServiceDb db, string service, IReadOnlyList<object> rows, CancellationToken cancel);

    /// <summary>The rows whose properties have the values of one of some keys.</summary>
    internal abstract IQueryable<T> Find<T>(ServiceDb db, KeySet keys) where T : class;

    /// <summary>Marks a query whose rows are to be changed in this transaction: rows that another transaction has claimed are passed over.</summary>
    internal abstract IQueryable<T> Claim<T>(IQueryable<T> rows);

    /// <summary>Keeps a journal's end in memory level with the database for as long as other processes may append; never throws for a database that is away.</summary>
    internal abstract Task Follow(string service, Func<CancellationToken, Task> catchUp, CancellationToken stop);

    /// <summary>
    /// Waits until this process alone, of all replicas of a service, holds the turn to do something; held until it is disposed of or the
    /// database goes away.
    /// </summary>
    internal abstract Task<ITurn> TakeTurn(string service, string what, CancellationToken cancel);

    /// <summary>Writes down that this replica is there, for the others of its service; and forgets those that were not heard of for long.</summary>
    internal abstract Task TellOfReplica(ServiceDb db, Replica self, TimeSpan forgetAfter, CancellationToken cancel);

    /// <summary>The replica is there no more.</summary>
    internal abstract Task TakeLeave(ServiceDb db, Replica self, CancellationToken cancel);

    /// <summary>The replicas of a service that have told of themselves, and how long ago by the database's clock.</summary>
    internal abstract Task<IReadOnlyList<(Replica Replica, TimeSpan Silent)>> Replicas(ServiceDb db, Replica self, CancellationToken cancel);

    /// <summary>Makes sure, as far as it lets anybody, that what was erased can't be read from its files either.</summary>
    internal abstract Task Scrub(ServiceDb db, CancellationToken cancel);

    /// <summary>Whether a fault means that the database cannot be reached or is too busy, so that trying again later may help.</summary>
    internal abstract bool IsAway(Exception fault);
}

/// <summary>Where a journal ends.</summary>
internal readonly record struct JournalEnd(long Position, byte[] Hash);

/// <summary>What was found when the right to append was there.</summary>
/// <param name="End">Where the journal ends; null where this process is the only writer and knows.</param>
/// <param name="MayBeThere">For each set of keys the indexes of those that may have a row; null where that was not asked.</param>
internal sealed record Locked(JournalEnd? End, IReadOnlyList<IReadOnlyList<int>>? MayBeThere);

/// <summary>The right to do something that one replica does for all.</summary>
internal interface ITurn : IAsyncDisposable
{
    /// <summary>False once the turn is lost: another replica may have it.</summary>
    Task<bool> IsHeld(CancellationToken cancel);
}
