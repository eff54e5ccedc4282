using System.Data;
using System.Data.Common;
using System.Globalization;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Sloring.Hosting;

/// <summary>All that is particular to SQLite: one file per service, write-ahead log, one writer, tables made from the model, one process.</summary>
public sealed class SqliteDatabase(string folder) : Database
{
    internal override bool IsShared => false;

    public override void Configure(DbContextOptionsBuilder options, string service) => options.UseSqlite(new SqliteConnectionStringBuilder
    {
        DataSource = Path.Combine(folder, service + ".db"),
        DefaultTimeout = 30,
    }.ToString()).AddInterceptors(SecureDelete.Instance);

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

    /// <summary>Asks for no key: a query costs no round trip here.</summary>
    internal override Task<Locked> LockJournal(ServiceDb db, string service, IReadOnlyList<KeySet> ask, CancellationToken cancel) => Task.FromResult(new Locked(null, null));

    /// <summary>By one prepared statement a table.</summary>
    internal override async Task Insert(ServiceDb db, string service, IReadOnlyList<object> rows, CancellationToken cancel)
    {
        foreach (var ofTable in rows.GroupBy(row => row.GetType()))
        {
            var table = Table.Of(db, ofTable.Key);
            await using var insert = db.Database.GetDbConnection().CreateCommand();
            insert.CommandText = $"INSERT INTO {table.Target} VALUES ({string.Join(", ", table.Columns.Select((_, i) => $"${i}"))})";
            var values = table.Columns.Select((_, i) => insert.Parameters[insert.Parameters.Add(new SqliteParameter { ParameterName = $"${i}" })]).ToArray();
            foreach (var row in ofTable)
            {
                for (var i = 0; i < values.Length; i++)
                    values[i].Value = table.Columns[i].ValueIn(row) ?? DBNull.Value;
                await insert.ExecuteNonQueryAsync(cancel);
            }
        }
    }

    internal override IQueryable<T> Find<T>(ServiceDb db, KeySet keys)
    {
        var table = Table.Of(db, typeof(T));
        var columns = table.Find(keys.Properties);
        return db.Set<T>().FromSqlRaw(
            LookUp(table, columns, keys.Keys.Count), [.. keys.Keys.SelectMany((key, n) => columns.Select((column, i) => new SqliteParameter($"$k{n}_{i}", column.Convert(key[i]))))]);
    }

    private static string LookUp(Table table, IReadOnlyList<Column> columns, int keys) =>
        $"""
        WITH k({string.Join(", ", columns.Select((_, i) => $"k{i}"))}) AS (VALUES {string.Join(", ", Enumerable.Range(0, keys).Select(n => $"({string.Join(", ", columns.Select((_, i) => $"$k{n}_{i}"))})"))})
        SELECT r.* FROM k CROSS JOIN "{table.Name}" r WHERE {string.Join(" AND ", columns.Select((column, i) => $"r.\"{column.Name}\" = k.k{i}"))}
        """;

    internal override IQueryable<T> Claim<T>(IQueryable<T> rows) => rows;

    internal override Task Follow(string service, Func<CancellationToken, Task> catchUp, CancellationToken stop) => Task.CompletedTask;

    internal override Task<ITurn> TakeTurn(string service, string what, CancellationToken cancel) => Task.FromResult<ITurn>(AlwaysMine.Instance);

    /// <summary>There is one process.</summary>
    internal override Task TellOfReplica(ServiceDb db, Replica self, TimeSpan forgetAfter, CancellationToken cancel) => Task.CompletedTask;

    internal override Task TakeLeave(ServiceDb db, Replica self, CancellationToken cancel) => Task.CompletedTask;

    internal override Task<IReadOnlyList<(Replica Replica, TimeSpan Silent)>> Replicas(ServiceDb db, Replica self, CancellationToken cancel) =>
        Task.FromResult<IReadOnlyList<(Replica, TimeSpan)>>([(self, TimeSpan.Zero)]);

    /// <summary>The write-ahead log holds pages as they were before: it is taken up and emptied. Where a reader is in its way, the next erasure does it.</summary>
    internal override async Task Scrub(ServiceDb db, CancellationToken cancel)
    {
        await db.Database.OpenConnectionAsync(cancel);
        await Execute(db.Database.GetDbConnection(), "PRAGMA wal_checkpoint(TRUNCATE)", cancel);
    }

    internal override bool IsAway(Exception fault) => false;

    private static async Task<object?> Execute(DbConnection connection, string sql, CancellationToken cancel)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return await command.ExecuteScalarAsync(cancel);
    }

    /// <summary>What a row was before it was changed or deleted is written over with zeros; it would else stay in the file until something else needs the room.</summary>
    private sealed class SecureDelete : DbConnectionInterceptor
    {
        public static readonly SecureDelete Instance = new();

        public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData) => Set(connection);

        public override Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
        {
            Set(connection);
            return Task.CompletedTask;
        }

        private static void Set(DbConnection connection)
        {
            using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA secure_delete=ON";
            command.ExecuteNonQuery();
        }
    }

    private sealed class AlwaysMine : ITurn
    {
        public static readonly AlwaysMine Instance = new();

        public Task<bool> IsHeld(CancellationToken cancel) => Task.FromResult(true);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
