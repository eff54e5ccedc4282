using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Sloring.Cluster;
using Sloring.Hosting;

namespace Sloring.Tests;

/// <summary>
/// The database that the tests of this process run on: SQLite, or with SLORING_TEST_DATABASE=postgres a private PostgreSQL server with a
/// database for each folder, so that a host that starts again on its folder finds its data there.
/// </summary>
public static class TestDatabase
{
    private const string Dump = "sloring.dump";

    private static readonly string[] Services = KeptScan.EveryService;
    private static readonly string Password = Convert.ToHexString(RandomNumberGenerator.GetBytes(16));

    private static readonly Lazy<Task<PostgresServer>> Server = new(Start);

    public static bool IsPostgres { get; } = Environment.GetEnvironmentVariable("SLORING_TEST_DATABASE") == "postgres";

    /// <summary>After AddHosting: the host keeps its data here.</summary>
    public static void UseTestDatabase(this IServiceCollection services, string folder)
    {
        if (IsPostgres)
            services.AddSingleton<Database>(_ => Of(folder));
    }

    /// <summary>Before the start: the databases exist and are up to date.</summary>
    public static async Task MakeReady(this WebApplication app, string folder)
    {
        if (!IsPostgres)
            return;
        await Create(folder);
        foreach (var journal in app.Services.GetServices<IServiceJournal>())
        {
            await journal.Migrate(CancellationToken.None);
            await (Task)typeof(TestDatabase).GetMethod(nameof(MakeTables), System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Static)!
                .MakeGenericMethod(journal.GetType().GetGenericArguments()).Invoke(null, [app.Services])!;
        }
    }

    /// <summary>For a store made by hand. The database must be there: <see cref="Ready{TDb}"/>.</summary>
    public static Database Of(string folder) => IsPostgres
        ? new PostgresDatabase(ConnectionString(folder), _ => Password, TimeProvider.System, NullLogger<PostgresDatabase>.Instance)
        : new SqliteDatabase(folder);

    /// <summary>A store made by hand on a folder's database, which is made at first use.</summary>
    public static async Task<Store<TDb>> Ready<TDb>(string folder, string service, TimeProvider clock, CheckpointSigner? signer = null) where TDb : ServiceDb
    {
        if (IsPostgres)
            await Create(folder);
        var store = new Store<TDb>(Factory<TDb>(folder, service), new ServiceName<TDb>(service), Of(folder), clock, signer: signer);
        await store.Migrate(CancellationToken.None);
        return store;
    }

    public static IDbContextFactory<TDb> Factory<TDb>(string folder, string service) where TDb : ServiceDb
    {
        var options = new DbContextOptionsBuilder<TDb>();
        Of(folder).Configure(options, service);
        return new PooledDbContextFactory<TDb>(options.Options);
    }

    /// <summary>Settings of a process of its own on this database, secrets included.</summary>
    public static Dictionary<string, string> Settings(string folder)
    {
        if (!IsPostgres)
            return [];
        var file = Path.Combine(folder, "secrets.json");
        var secrets = File.Exists(file) ? JsonSerializer.Deserialize<Dictionary<string, string>>(File.ReadAllText(file))! : [];
        foreach (var service in Services)
            secrets["postgres/" + service] = Password;
        File.WriteAllText(file, JsonSerializer.Serialize(secrets));
        return new() { ["Database"] = "postgres", ["Data:ConnectionString"] = ConnectionString(folder) };
    }

    /// <summary>From now on no journal entry of a service can be written.</summary>
    public static Task FillJournal(string folder, string service) => Execute(folder, service, IsPostgres
        ? "ALTER TABLE journal ADD CONSTRAINT full_disk CHECK (false) NOT VALID"
        : "CREATE TRIGGER full_disk BEFORE INSERT ON journal BEGIN SELECT RAISE(ABORT, 'full'); END");

    /// <summary>Does something to a service's tables behind its back.</summary>
    public static async Task<int> Execute(string folder, string service, string sql)
    {
        if (IsPostgres)
        {
            await using var postgres = new NpgsqlConnection(ConnectionString(folder) + $";Username={service};Password={Password};Search Path={service};Pooling=false");
            await postgres.OpenAsync();
            await using var command = new NpgsqlCommand(sql, postgres);
            return await command.ExecuteNonQueryAsync();
        }
        await using var sqlite = new SqliteConnection($"Data Source={Path.Combine(folder, service + ".db")}");
        await sqlite.OpenAsync();
        await using var statement = sqlite.CreateCommand();
        statement.CommandText = sql;
        return await statement.ExecuteNonQueryAsync();
    }

    /// <summary>All that is kept in a folder's databases and files, as bytes.</summary>
    public static async Task<IReadOnlyDictionary<string, byte[]>> Kept(string folder)
    {
        var kept = Directory.GetFiles(folder).ToDictionary(file => Path.GetFileName(file), File.ReadAllBytes);
        if (IsPostgres)
        {
            foreach (var (table, rows) in await Tables(folder))
                kept[table] = Encoding.UTF8.GetBytes(rows);
        }
        return kept;
    }

    /// <summary>Every row of every table of a folder's databases as text, by service and table.</summary>
    public static async Task<IReadOnlyDictionary<string, string>> Tables(string folder)
    {
        var files = Directory.GetFiles(folder, "*.db");
        // A process of its own has files, whatever the tests of this one run on.
        if (IsPostgres && files.Length == 0)
            return await Tables(await Server.Value, Name(folder), Services);
        var tables = new Dictionary<string, string>();
        foreach (var file in files)
        {
            await using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
            await connection.OpenAsync();
            foreach (var table in await Rows(connection, "SELECT name FROM sqlite_master WHERE type = 'table'"))
                tables[$"{Path.GetFileNameWithoutExtension(file)}.{table}"] = string.Join('\n', await Rows(connection, $"SELECT * FROM \"{table}\""));
        }
        return tables;
    }

    /// <summary>The same of services on a PostgreSQL server.</summary>
    public static async Task<IReadOnlyDictionary<string, string>> Tables(PostgresServer server, string database, string[] services)
    {
        await using var connection = new NpgsqlConnection(server.ConnectionString(database) + ";Pooling=false");
        await connection.OpenAsync();
        var names = new List<string>();
        await using (var list = new NpgsqlCommand("SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = ANY ($1)", connection) { Parameters = { new() { Value = services } } })
        await using (var reader = await list.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
                names.Add(reader.GetString(0));
        }
        var tables = new Dictionary<string, string>();
        foreach (var table in names)
        {
            using var rows = await connection.BeginTextExportAsync($"COPY {table} TO STDOUT");
            tables[table] = await rows.ReadToEndAsync();
        }
        return tables;
    }

    private static async Task<List<string>> Rows(SqliteConnection connection, string sql)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await using var reader = await command.ExecuteReaderAsync();
        var (rows, cells) = (new List<string>(), new object[reader.FieldCount]);
        while (await reader.ReadAsync())
        {
            reader.GetValues(cells);
            rows.Add(string.Join('\t', cells.Select(cell => cell is byte[] bytes ? Convert.ToHexString(bytes) : Convert.ToString(cell, CultureInfo.InvariantCulture))));
        }
        return rows;
    }

    /// <summary>
    /// Backs up what a platform keeps in a folder: on PostgreSQL while it runs, as docs/operations.md says; SQLite's files once it has stopped.
    /// </summary>
    /// <returns>A folder, to be deleted by whoever asked.</returns>
    public static async Task<string> Backup(string folder)
    {
        var backup = Directory.CreateTempSubdirectory("sloring-backup-").FullName;
        foreach (var file in Directory.GetFiles(folder))
            File.Copy(file, Path.Combine(backup, Path.GetFileName(file)));
        if (IsPostgres)
            await ForeignProgram.Run(Path.Combine(DebianPackages.PostgresPrograms, "pg_dump"), "", "--format=custom", "--file=" + Path.Combine(backup, Dump), "--dbname=" + await Address(folder));
        return backup;
    }

    /// <summary>Puts a backup into a folder that is empty, and into a database that is.</summary>
    public static async Task Restore(string backup, string folder)
    {
        foreach (var file in Directory.GetFiles(backup).Where(file => Path.GetFileName(file) != Dump))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        if (!IsPostgres)
            return;
        await Create(folder);
        await ForeignProgram.Run(Path.Combine(DebianPackages.PostgresPrograms, "pg_restore"), "", "--clean", "--if-exists", "--exit-on-error", "--dbname=" + await Address(folder), Path.Combine(backup, Dump));
    }

    /// <summary>A database as libpq's programs name it.</summary>
    public static string AddressOf(string connectionString)
    {
        var to = new NpgsqlConnectionStringBuilder(connectionString);
        return $"postgresql://{to.Username}:{Uri.EscapeDataString(to.Password!)}@{to.Host}:{to.Port}/{to.Database}";
    }

    /// <summary>It ends with this process, and its log lies where the privacy scan reads it.</summary>
    private static async Task<PostgresServer> Start()
    {
        var folder = Directory.CreateTempSubdirectory("sloring-postgres-").FullName;
        File.CreateSymbolicLink(Path.Combine(folder, "postgres.log"), Path.Combine(Repository.Captured, Path.GetFileName(folder) + ".log"));
        return await PostgresServer.Start(folder, Platform.FreePort(), CancellationToken.None);
    }

    private static async Task<string> Address(string folder) => AddressOf((await Server.Value).ConnectionString(Name(folder)));

    private static async Task Create(string folder) =>
        await (await Server.Value).CreateDatabase(Name(folder), Services.ToDictionary(service => service, _ => Password));

    private static string ConnectionString(string folder) =>
        $"Host=127.0.0.1;Port={Server.Value.GetAwaiter().GetResult().Port};Database={Name(folder)};Connection Idle Lifetime=2;Connection Pruning Interval=1";

    private static string Name(string folder) =>
        "t" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Path.GetFullPath(folder))))[..16];

    /// <summary>A context of a test has no migrations.</summary>
    private static async Task MakeTables<TDb>(IServiceProvider services) where TDb : ServiceDb
    {
        await using var db = await services.GetRequiredService<IDbContextFactory<TDb>>().CreateDbContextAsync();
        var creator = (Microsoft.EntityFrameworkCore.Storage.IRelationalDatabaseCreator)db.GetService<Microsoft.EntityFrameworkCore.Storage.IDatabaseCreator>();
        if (!db.Database.GetMigrations().Any() && await db.Database.SqlQuery<bool>($"SELECT to_regclass('journal') IS NULL AS \"Value\"").SingleAsync())
            await creator.CreateTablesAsync();
    }
}
