using System.Collections.Concurrent;
using System.Data;
using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Sloring.Hosting;

/// <summary>
/// All that is particular to PostgreSQL: one role and one schema per service, named as it; several processes write, one at a time by an
/// advisory lock, and hear of each other's commits by LISTEN.
/// </summary>
/// <param name="connectionString">Server and database, without user and password.</param>
/// <param name="passwordOf">A service's password.</param>
/// <param name="clock">Set right by the database's, where it can be.</param>
/// <param name="log">Told when the database goes away and comes back.</param>
public sealed class PostgresDatabase(string connectionString, Func<string, string> passwordOf, TimeProvider clock, ILogger<PostgresDatabase> log) : Database
{
    /// <summary>A process that stops in the middle of a transaction loses it after this long, and with it the lock that others wait for.</summary>
    private const string IdleInTransaction = "5s";

    /// <summary>
    /// A process that holds a turn and says nothing for so long loses it: one that stands still keeps its connection open, and nobody else would hand on what it
    /// owes. One that runs is heard of by the driver's keep-alive, at half of this.
    /// </summary>
    private const string SilentHolder = "10s";

    /// <summary>Whoever waits for the lock longer than this is told to try again.</summary>
    private const string LongestWait = "10s";

    /// <summary>How often a journal is looked at even when nothing is heard; also the greatest age of what a heartbeat tells.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    /// <summary>idle_in_transaction_session_timeout; the driver has no name for it.</summary>
    private const string IdleInTransactionEnded = "25P03";

    private const int MostTries = 20;

    private static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(250);

    /// <summary>The database's clock, as instants are stored.</summary>
    private const string Milliseconds = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

    private static readonly ConcurrentDictionary<Table, string> Statements = [];

    internal override bool IsShared => true;

    public override void Configure(DbContextOptionsBuilder options, string service) =>
        options.UseNpgsql(ConnectionString(service), npgsql => npgsql.MigrationsHistoryTable("migrations", service)).AddInterceptors(SkipLocked.Instance);

    internal override async Task Prepare(ServiceDb db, string service, CancellationToken cancel)
    {
        await db.Database.OpenConnectionAsync(cancel);
        // Until it is known: a process with a wrong clock would tell a wrong time from its first answer on.
        for (var tries = 0; !await CompareClocks((NpgsqlConnection)db.Database.GetDbConnection(), cancel); tries++)
        {
            if (tries == MostTries)
                throw new InvalidOperationException($"The database of {service} answers too slowly to compare clocks with. Start again when it is less busy.");
        }
        if ((await db.Database.GetPendingMigrationsAsync(cancel)).Any())
            throw new InvalidOperationException(
                $"The database of {service} is older than this program. Run {service} once with --migrate, as an init container does, then start it again.");
    }

    /// <summary>Several may try at once: EF Core lets one at a time.</summary>
    internal override Task Migrate(ServiceDb db, string service, CancellationToken cancel) => db.Database.MigrateAsync(cancel);

    internal override async Task<DbTransaction> BeginRead(DbConnection connection, CancellationToken cancel) =>
        await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancel);

    internal override async Task<Locked> LockJournal(ServiceDb db, string service, IReadOnlyList<KeySet> ask, CancellationToken cancel)
    {
        // Statements in one round trip: those after the first see what was committed while it waited.
        await using var batch = new NpgsqlBatch((NpgsqlConnection)db.Database.GetDbConnection());
        batch.BatchCommands.Add(new NpgsqlBatchCommand("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))") { Parameters = { new() { Value = "journal:" + service } } });
        // A look-up for many keys at once is planned for the table as it is now: a plan kept from when it was nearly empty would read all of it.
        batch.BatchCommands.Add(new NpgsqlBatchCommand("SET LOCAL plan_cache_mode = force_custom_plan"));
        batch.BatchCommands.Add(new NpgsqlBatchCommand("""SELECT "Position", "Hash" FROM journal ORDER BY "Position" DESC LIMIT 1"""));
        foreach (var keys in ask)
        {
            var table = Table.Of(db, keys.Row);
            var columns = table.Find(keys.Properties);
            var command = new NpgsqlBatchCommand(
                $"SELECT k.n FROM {Arrays(columns, i => $"${i + 1}")} WITH ORDINALITY AS k({Names(columns)}, n) WHERE EXISTS (SELECT FROM \"{table.Name}\" r WHERE {IsKey(columns)})");
            foreach (var parameter in Parameters(columns, keys))
                command.Parameters.Add(parameter);
            batch.BatchCommands.Add(command);
        }
        await using var reader = await batch.ExecuteReaderAsync(cancel);
        await reader.NextResultAsync(cancel);
        var end = await reader.ReadAsync(cancel) ? new JournalEnd(reader.GetInt64(0), reader.GetFieldValue<byte[]>(1)) : new JournalEnd(0, new byte[32]);
        var there = new List<IReadOnlyList<int>>(ask.Count);
        while (await reader.NextResultAsync(cancel))
        {
            var indexes = new List<int>();
            while (await reader.ReadAsync(cancel))
                indexes.Add((int)reader.GetInt64(0) - 1);
            there.Add(indexes);
        }
        return new Locked(end, there);
    }

    /// <summary>
    /// All tables in one round trip. By statements that take a column as an array, and not by COPY: the server keeps them prepared, and they need no round trip each.
    /// </summary>
    internal override async Task Insert(ServiceDb db, string service, IReadOnlyList<object> rows, CancellationToken cancel)
    {
        await using var batch = new NpgsqlBatch((NpgsqlConnection)db.Database.GetDbConnection());
        foreach (var ofTable in rows.GroupBy(row => row.GetType()))
        {
            var (table, members) = (Table.Of(db, ofTable.Key), ofTable.ToList());
            var insert = new NpgsqlBatchCommand(Statements.GetOrAdd(table, BulkInsert));
            foreach (var column in table.Columns)
                insert.Parameters.Add(new NpgsqlParameter { Value = column.Array(members, column.ValueIn) });
            batch.BatchCommands.Add(insert);
        }
        if (rows.Any(row => row is JournalEntry))
            batch.BatchCommands.Add(new NpgsqlBatchCommand("SELECT pg_notify($1, '')") { Parameters = { new() { Value = Channel(service) } } });
        await batch.ExecuteNonQueryAsync(cancel);
    }

    /// <summary>
    /// By a join, and not by each column's array: without statistics the planner takes one column for telling enough, and reads all of an organisation's rows.
    /// </summary>
    internal override IQueryable<T> Find<T>(ServiceDb db, KeySet keys)
    {
        var table = Table.Of(db, typeof(T));
        var columns = table.Find(keys.Properties);
        return db.Set<T>().FromSqlRaw(LookUp(table, columns), [.. Parameters(columns, keys).Select((parameter, i) => new NpgsqlParameter($"k{i}", parameter.Value))]);
    }

    private static string LookUp(Table table, IReadOnlyList<Column> columns) =>
        $"SELECT r.* FROM {Arrays(columns, i => $"@k{i}")} AS k({Names(columns)}) JOIN \"{table.Name}\" r ON {IsKey(columns)}";

    private static string Arrays(IReadOnlyList<Column> columns, Func<int, string> parameter) =>
        $"unnest({string.Join(", ", columns.Select((column, i) => $"{parameter(i)}::{column.Type}[]"))})";

    private static string Names(IReadOnlyList<Column> columns) => string.Join(", ", columns.Select((_, i) => $"k{i}"));

    private static string IsKey(IReadOnlyList<Column> columns) => string.Join(" AND ", columns.Select((column, i) => $"r.\"{column.Name}\" = k.k{i}"));

    private static IEnumerable<NpgsqlParameter> Parameters(IReadOnlyList<Column> columns, KeySet keys) =>
        columns.Select((column, i) => new NpgsqlParameter { Value = column.Array(keys.Keys, key => column.Convert(key[i])) });

    private static string BulkInsert(Table table) =>
        $"INSERT INTO {table.Target} SELECT * FROM {Arrays(table.Columns, i => $"${i + 1}")}";

    internal override IQueryable<T> Claim<T>(IQueryable<T> rows) => rows.TagWith(SkipLocked.Tag);

    internal override async Task Follow(string service, Func<CancellationToken, Task> catchUp, CancellationToken stop)
    {
        var away = false;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await using var listening = new NpgsqlConnection(ConnectionString(service, pooled: false));
                await listening.OpenAsync(stop);
                await using (var listen = new NpgsqlCommand($"LISTEN \"{Channel(service)}\"", listening))
                    await listen.ExecuteNonQueryAsync(stop);
                while (true)
                {
                    await CompareClocks(listening, stop);
                    await catchUp(stop);
                    if (away)
                        log.LogInformation("The database of {Service} is back", service);
                    away = false;
                    await listening.WaitAsync(LookEvery, stop);
                }
            }
            catch (Exception e) when (!stop.IsCancellationRequested)
            {
                if (!away && IsAway(e))
                    log.LogWarning("The database of {Service} is away; its journal is followed again when it is back", service);
                else if (!away)
                    Faults.Log(log, e, $"Following the journal of {service}");
                away = true;
                await Task.Delay(RetryAfter, stop);
            }
        }
    }

    internal override async Task<ITurn> TakeTurn(string service, string what, CancellationToken cancel)
    {
        while (true)
        {
            var connection = new NpgsqlConnection(ConnectionString(service, pooled: false, $" -c idle_session_timeout={SilentHolder}"));
            try
            {
                await connection.OpenAsync(cancel);
                while (true)
                {
                    await using var command = new NpgsqlCommand("SELECT pg_try_advisory_lock(hashtextextended($1, 0))", connection) { Parameters = { new() { Value = $"{what}:{service}" } } };
                    if (await command.ExecuteScalarAsync(cancel) is true)
                        return new Turn(connection);
                    await Task.Delay(RetryAfter, cancel);
                }
            }
            catch (Exception e) when (!cancel.IsCancellationRequested && IsAway(e))
            {
                await connection.DisposeAsync();
                await Task.Delay(RetryAfter, cancel);
            }
            catch
            {
                await connection.DisposeAsync();
                throw;
            }
        }
    }

    /// <summary>By one round trip that commits by itself, beside the service's writes: no lock that they take is asked for.</summary>
    internal override async Task TellOfReplica(ServiceDb db, Replica self, TimeSpan forgetAfter, CancellationToken cancel)
    {
        await db.Database.OpenConnectionAsync(cancel);
        await using var batch = new NpgsqlBatch((NpgsqlConnection)db.Database.GetDbConnection());
        batch.BatchCommands.Add(new NpgsqlBatchCommand($"""
            INSERT INTO replicas("Name", "Version", "StartedAt", "HeardAt", "Position", "StalenessSeconds", "Fresh") VALUES ($1, $2, $3, {Milliseconds}, $4, $5, $6)
            ON CONFLICT ("Name") DO UPDATE SET ("Version", "StartedAt", "HeardAt", "Position", "StalenessSeconds", "Fresh")
                = (EXCLUDED."Version", EXCLUDED."StartedAt", EXCLUDED."HeardAt", EXCLUDED."Position", EXCLUDED."StalenessSeconds", EXCLUDED."Fresh")
            """)
        {
            Parameters =
            {
                new() { Value = self.Name },
                new() { Value = self.Version },
                new() { Value = self.StartedAt.ToUnixTimeMilliseconds() },
                new NpgsqlParameter<long?> { TypedValue = self.Position },
                new NpgsqlParameter<double?> { TypedValue = self.StalenessSeconds },
                new NpgsqlParameter<bool?> { TypedValue = self.Fresh },
            },
        });
        batch.BatchCommands.Add(new NpgsqlBatchCommand($"""DELETE FROM replicas WHERE "HeardAt" < {Milliseconds} - $1""") { Parameters = { new() { Value = (long)forgetAfter.TotalMilliseconds } } });
        await batch.ExecuteNonQueryAsync(cancel);
    }

    /// <summary>Not that of a process that has the name by now.</summary>
    internal override Task TakeLeave(ServiceDb db, Replica self, CancellationToken cancel) =>
        db.Set<Replica>().Where(r => r.Name == self.Name && r.StartedAt == self.StartedAt).ExecuteDeleteAsync(cancel);

    internal override async Task<IReadOnlyList<(Replica Replica, TimeSpan Silent)>> Replicas(ServiceDb db, Replica self, CancellationToken cancel)
    {
        var told = await db.Set<Replica>().AsNoTracking().OrderBy(r => r.Name).ToListAsync(cancel);
        var now = DateTimeOffset.FromUnixTimeMilliseconds(await db.Database.SqlQueryRaw<long>($"SELECT {Milliseconds} AS \"Value\"").SingleAsync(cancel));
        return told.ConvertAll(replica => (replica, now > replica.HeardAt ? now - replica.HeardAt : TimeSpan.Zero));
    }

    /// <summary>Nothing: dead rows are the server's to clear away, by autovacuum.</summary>
    internal override Task Scrub(ServiceDb db, CancellationToken cancel) => Task.CompletedTask;

    internal override bool IsAway(Exception fault) => fault switch
    {
        PostgresException e => e.IsTransient || e.SqlState is
            IdleInTransactionEnded or PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.QueryCanceled,
        NpgsqlException or TimeoutException => true,
        _ => fault.InnerException is { } inner && IsAway(inner),
    };

    private async Task<bool> CompareClocks(NpgsqlConnection connection, CancellationToken cancel)
    {
        if (clock is not DatabaseClock database)
            return true;
        await using var command = new NpgsqlCommand("SELECT clock_timestamp()", connection);
        var asked = TimeProvider.System.GetUtcNow();
        var answer = (DateTime)(await command.ExecuteScalarAsync(cancel))!;
        return database.Compare(asked, answer, TimeProvider.System.GetUtcNow());
    }

    private string ConnectionString(string service, bool pooled = true, string more = "") => new NpgsqlConnectionStringBuilder(connectionString)
    {
        Username = service,
        Password = passwordOf(service),
        SearchPath = service,
        ApplicationName = service,
        Pooling = pooled,
        // One writer, and readers that come and go in milliseconds: more would only queue inside the server.
        MaxPoolSize = 30,
        // No statement of ours leaves anything behind in a session that would need to be taken back: six statements less for each transaction.
        NoResetOnClose = true,
        // Statements that come again are prepared once per connection.
        MaxAutoPrepare = pooled ? 50 : 0,
        Timeout = 5,
        CommandTimeout = 15,
        CancellationTimeout = 1_000,
        KeepAlive = pooled ? 0 : 5,
        Options = $"-c idle_in_transaction_session_timeout={IdleInTransaction} -c lock_timeout={LongestWait}{more}",
    }.ToString();

    private static string Channel(string service) => "journal_" + service;

    private sealed class Turn(NpgsqlConnection connection) : ITurn
    {
        public async Task<bool> IsHeld(CancellationToken cancel)
        {
            try
            {
                await using var command = new NpgsqlCommand("SELECT 1", connection);
                return await command.ExecuteScalarAsync(cancel) is 1;
            }
            // The latter where the driver has seen already that the connection was ended.
            catch (Exception e) when (e is NpgsqlException or InvalidOperationException)
            {
                return false;
            }
        }

        public ValueTask DisposeAsync() => connection.DisposeAsync();
    }

    /// <summary>EF Core has no word for it: a query tagged as a claim gets it put behind.</summary>
    private sealed class SkipLocked : DbCommandInterceptor
    {
        public const string Tag = "claim";
        public static readonly SkipLocked Instance = new();

        public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
            DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
        {
            if (command.CommandText.StartsWith("-- " + Tag, StringComparison.Ordinal))
                command.CommandText += "\nFOR UPDATE SKIP LOCKED";
            return new ValueTask<InterceptionResult<DbDataReader>>(result);
        }
    }
}
