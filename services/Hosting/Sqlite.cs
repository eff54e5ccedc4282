using System.Data;
using System.Data.Common;
using System.Globalization;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace Sloring.Hosting;

/// <summary>All that is particular to SQLite: one file per service, write-ahead log, one writer, tables made from the model.</summary>
internal static class Sqlite
{
    public static string ConnectionString(string folder, string service) => new SqliteConnectionStringBuilder
    {
        DataSource = Path.Combine(folder, service + ".db"),
        DefaultTimeout = 30,
    }.ToString();

    /// <summary>A transaction that takes no lock until it reads: readers never wait for the writer.</summary>
    public static Task<DbTransaction> BeginRead(DbConnection connection, CancellationToken cancel) =>
        Task.FromResult<DbTransaction>(((SqliteConnection)connection).BeginTransaction(IsolationLevel.Serializable, deferred: true));

    /// <summary>Makes the tables in a new file, and refuses a file of another version.</summary>
    public static async Task CreateOrCheck(ServiceDb db, string service, CancellationToken cancel)
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

    /// <summary>Inserts journal entries by one prepared statement, in the transaction that the connection has open.</summary>
    public static async Task Insert(DbConnection connection, IReadOnlyList<JournalEntry> entries, CancellationToken cancel)
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

    private static async Task<object?> Execute(DbConnection connection, string sql, CancellationToken cancel)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return await command.ExecuteScalarAsync(cancel);
    }
}
