using System.Data;
using System.Data.Common;
using System.Globalization;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace Sloring.Hosting;

/// <summary>All that is particular to SQLite: one file per service, write-ahead log, one writer, tables made from the model, one process.</summary>
public sealed class SqliteDatabase(string folder) : Database
{
    internal override bool IsShared => false;

    public override void Configure(DbContextOptionsBuilder options, string service) => options.UseSqlite(new SqliteConnectionStringBuilder
    {
        DataSource = Path.Combine(folder, service + ".db"),
        DefaultTimeout = 30,
    }.ToString());

    /// <summary>Makes the tables in a new file, and refuses a file of another version.</summary>
    internal override async Task Prepare(ServiceDb db, string service, CancellationToken cancel)
    {
        await db.Database.OpenConnectionAsync(cancel);
        var connection = db.Database.GetDbConnection();
        await Execute(connection, "PRAGMA journal_mode=WAL", cancel);
        var found = Convert.ToInt32(await Execute(connection, "PRAGMA user_version", cancel), CultureInfo.InvariantCulture);
        if (found == db.SchemaVersion)
            return;
        if (found != 0)
            throw new InvalidOperationException(
                $"The database file of {service} has version {found}; this program needs version {db.SchemaVersion}. "
                + "Move the data folder away (setting Data:Folder) to start with an empty one, or run the version that made it.");
        // Tables and stamp in one transaction: a crash in between leaves an empty file, not half a schema.
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        await db.Database.ExecuteSqlRawAsync(db.Database.GenerateCreateScript(), cancel);
        await db.Database.ExecuteSqlRawAsync(string.Create(CultureInfo.InvariantCulture, $"PRAGMA user_version={db.SchemaVersion}"), cancel);
        await transaction.CommitAsync(cancel);
    }

    /// <summary>Nothing to do ahead of time: a new file is made when it is first opened.</summary>
    internal override Task Migrate(ServiceDb db, string service, CancellationToken cancel) => Prepare(db, service, cancel);

    /// <summary>Deferred: takes no lock until it reads, so readers never wait for the writer.</summary>
    internal override Task<DbTransaction> BeginRead(DbConnection connection, CancellationToken cancel) =>
        Task.FromResult<DbTransaction>(((SqliteConnection)connection).BeginTransaction(IsolationLevel.Serializable, deferred: true));

    internal override Task<JournalEnd?> LockJournal(ServiceDb db, string service, CancellationToken cancel) => Task.FromResult<JournalEnd?>(null);

    /// <summary>By one prepared statement.</summary>
    internal override async Task Insert(DbConnection connection, IReadOnlyList<JournalEntry> entries, CancellationToken cancel)
    {
        await using var insert = connection.CreateCommand();
        insert.CommandText = """
            INSERT INTO journal("Position", "EventId", "Type", "Subject", "PatientKey", "OccurredAt", "Actor", "Data", "TraceParent", "Hash")
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
            """;
        var values = Enumerable.Range(1, 10).Select(i => insert.Parameters[insert.Parameters.Add(new SqliteParameter { ParameterName = $"${i}" })]).ToArray();
        foreach (var e in entries)
        {
            var row = (object[])[e.Position, e.EventId, e.Type, e.Subject, e.PatientKey, e.OccurredAt.ToUnixTimeMilliseconds(), e.Actor, e.Data, e.TraceParent, e.Hash];
            for (var i = 0; i < row.Length; i++)
                values[i].Value = row[i];
            await insert.ExecuteNonQueryAsync(cancel);
        }
    }

    internal override Task Tell(ServiceDb db, string service, CancellationToken cancel) => Task.CompletedTask;

    internal override IQueryable<T> Claim<T>(IQueryable<T> rows) => rows;

    internal override Task Follow(string service, Func<CancellationToken, Task> catchUp, CancellationToken stop) => Task.CompletedTask;

    internal override Task<ITurn> TakeTurn(string service, string what, CancellationToken cancel) => Task.FromResult<ITurn>(AlwaysMine.Instance);

    internal override bool IsAway(Exception fault) => false;

    private static async Task<object?> Execute(DbConnection connection, string sql, CancellationToken cancel)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return await command.ExecuteScalarAsync(cancel);
    }

    private sealed class AlwaysMine : ITurn
    {
        public static readonly AlwaysMine Instance = new();

        public Task<bool> IsHeld(CancellationToken cancel) => Task.FromResult(true);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
