using System.Globalization;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Npgsql;

namespace Sloring.Cluster;

/// <summary>A private PostgreSQL 15 on 127.0.0.1: its data, its port, nothing shared with a server of the machine.</summary>
public sealed partial class PostgresServer : IAsyncDisposable
{
    private const string Superuser = "postgres";
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60), StopLimit = TimeSpan.FromSeconds(20);
    private readonly string _folder, _data, _log;
    private readonly string? _user;
    private readonly string _password;
    private ChildProcess? _server;

    private PostgresServer(string folder, int port, string? user, string password) =>
        (_folder, _data, _log, Port, _user, _password) = (folder, Path.Combine(folder, "data"), Path.Combine(folder, "postgres.log"), port, user, password);

    public int Port { get; }

    public bool IsRunning => _server is { HasExited: false };

    /// <summary>The superuser's.</summary>
    public string ConnectionString(string database) =>
        new NpgsqlConnectionStringBuilder { Host = "127.0.0.1", Port = Port, Database = database, Username = Superuser, Password = _password }.ConnectionString;

    /// <summary>Starts one over a folder; makes the data at first use. Ready when this returns. A folder that a crash left behind is recovered.</summary>
    /// <exception cref="ClusterException">It can't start: the message says what to do.</exception>
    public static async Task<PostgresServer> Start(string folder, int port, CancellationToken cancellationToken)
    {
        await DebianPackages.Ensure(null, cancellationToken);
        folder = Path.GetFullPath(folder);
        Directory.CreateDirectory(folder);
        File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        // PostgreSQL refuses to run as root.
        var user = Environment.IsPrivilegedProcess ? "postgres" : null;
        if (user is not null)
            LetThrough(folder);
        var server = new PostgresServer(folder, port, user, Password(folder));
        await server.MakeData(cancellationToken);
        await server.Launch(cancellationToken);
        return server;
    }

    /// <summary>Makes what is missing: the database, and a role with a schema of its own per service. Only these roles may connect. Passwords are set anew each time.</summary>
    public async Task CreateDatabase(string database, IReadOnlyDictionary<string, string> passwordByService)
    {
        foreach (var name in passwordByService.Keys.Append(database).Where(name => !Identifier().IsMatch(name)))
            throw new ArgumentException($"'{name}' is no name for a database or a service: small letters, digits and _ only.", nameof(passwordByService));
        await using (var admin = await Open("postgres"))
        {
            // Two at once would both find it missing.
            await Execute(admin, "select pg_advisory_lock(5271)");
            await using var find = new NpgsqlCommand("select 1 from pg_database where datname = $1", admin) { Parameters = { new() { Value = database } } };
            if (await find.ExecuteScalarAsync() is null)
                await Execute(admin, $"create database {database}");
            foreach (var statement in Roles(database, passwordByService))
                await Execute(admin, statement);
        }
        await using var connection = await Open(database);
        await Execute(connection, "select pg_advisory_lock(5271)");
        foreach (var statement in Schemas(passwordByService.Keys))
            await Execute(connection, statement);
    }

    /// <summary>What a superuser says to any server so that each service is a role of its own name in the database, and nobody else may connect.</summary>
    public static IEnumerable<string> Roles(string database, IReadOnlyDictionary<string, string> passwordByService) =>
    [
        // A statement that fails is logged, and these hold passwords.
        "set log_min_error_statement = panic",
        .. passwordByService.SelectMany(role => (string[])
        [
            $"do $do$ begin if not exists (select from pg_roles where rolname = '{role.Key}') then create role {role.Key} login; end if; end $do$",
            $"alter role {role.Key} login nosuperuser nocreatedb nocreaterole noreplication password '{role.Value.Replace("'", "''", StringComparison.Ordinal)}'",
            $"alter role {role.Key} in database {database} set search_path = {role.Key}",
            $"grant connect on database {database} to {role.Key}",
        ]),
        $"revoke all on database {database} from public",
        "revoke all on database postgres from public",
    ];

    /// <summary>And then, in the database itself: a schema per service.</summary>
    public static IEnumerable<string> Schemas(IEnumerable<string> services) =>
        services.Select(service => $"create schema if not exists {service} authorization {service}").Prepend("revoke create on schema public from public");

    /// <summary>SIGKILL to the server and its sessions, as a crash of the machine would do.</summary>
    public Task Kill() => _server is { HasExited: false } server ? server.Kill() : Task.CompletedTask;

    /// <summary>Stops it if it runs, and starts it over the same folder.</summary>
    public async Task Restart(CancellationToken cancellationToken = default)
    {
        await Stop();
        await Launch(cancellationToken);
    }

    public async Task Stop()
    {
        if (_server is { } server)
            await server.Stop(StopLimit, interrupt: true); // SIGINT is its fast stop: sessions are ended, the data is closed
        NpgsqlConnection.ClearPool(new NpgsqlConnection(ConnectionString("postgres")));
    }

    public async ValueTask DisposeAsync() => await Stop();

    private async Task Launch(CancellationToken cancellationToken)
    {
        await OldServerGone(cancellationToken);
        Ports.MustBeFree("PostgreSQL", Port);
        string[] settings =
        [
            "listen_addresses=127.0.0.1", $"port={Port}", "unix_socket_directories=", "max_connections=200", "password_encryption=scram-sha-256",
            "logging_collector=off", "log_destination=stderr", "log_line_prefix=%m [%p] %u ", "log_statement=none", "log_parameter_max_length=0", "log_parameter_max_length_on_error=0",
        ];
        _server = await ChildProcess.Start(new ChildCommand("PostgreSQL", Path.Combine(DebianPackages.PostgresPrograms, "postgres"),
            ["-D", _data, .. settings.SelectMany(setting => new[] { "-c", setting })], _log)
        {
            User = _user,
            Folder = "/",
            DeathSignal = "INT",
        });
        try
        {
            await Ports.Ready(_server, StartLimit, async limit =>
            {
                try
                {
                    await using var connection = new NpgsqlConnection(ConnectionString("postgres") + ";Pooling=false;Timeout=5");
                    await connection.OpenAsync(limit);
                    return true;
                }
                catch (NpgsqlException)
                {
                    return false; // not listening yet, or "starting up"
                }
            }, cancellationToken);
        }
        catch
        {
            await _server.Kill();
            throw;
        }
    }

    /// <summary>What a crash left: the lock file of a server that is gone is removed; one that is still stopping is waited for.</summary>
    private async Task OldServerGone(CancellationToken cancellationToken)
    {
        var lockFile = Path.Combine(_data, "postmaster.pid");
        for (var waited = 0; File.Exists(lockFile); waited++)
        {
            var id = int.TryParse(File.ReadLines(lockFile).FirstOrDefault(), NumberStyles.None, CultureInfo.InvariantCulture, out var first) ? first : 0;
            if (id == 0 || WorkingFolder(id) != _data)
            {
                File.Delete(lockFile);
                return;
            }
            if (waited == 100)
                throw new ClusterException($"Another PostgreSQL (process {id}) runs over {_data}. Stop it (kill -INT {id}), and try again.");
            await Task.Delay(100, cancellationToken);
        }
    }

    private static string? WorkingFolder(int process)
    {
        try
        {
            return new DirectoryInfo($"/proc/{process}/cwd").ResolveLinkTarget(returnFinalTarget: false)?.FullName;
        }
        catch (IOException)
        {
            return null; // gone
        }
    }

    private async Task MakeData(CancellationToken cancellationToken)
    {
        if (Directory.Exists(_data))
            return;
        // Made beside and renamed: a crash in the middle leaves no half-made data.
        var next = _data + ".next";
        if (Directory.Exists(next))
            Directory.Delete(next, recursive: true);
        var made = await ChildProcess.Start(new ChildCommand("initdb", Path.Combine(DebianPackages.PostgresPrograms, "initdb"),
            ["-D", next, "--username", Superuser, "--pwfile", PasswordFile(_folder), "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8", "--data-checksums"],
            Path.Combine(_folder, "initdb.log"))
        {
            User = _user,
            Folder = "/",
        });
        await made.WaitForExit(cancellationToken);
        if (made.ExitCode != 0)
            throw new ClusterException($"PostgreSQL could not make its data in {_folder}:\n{made.LastLines()}");
        Directory.Move(next, _data);
    }

    private static string PasswordFile(string folder) => Path.Combine(folder, "superuser.password");

    private static string Password(string folder)
    {
        var path = PasswordFile(folder);
        if (!File.Exists(path))
        {
            using (var file = new StreamWriter(path, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            }))
            {
                file.Write(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)));
            }
            if (Environment.IsPrivilegedProcess)
                GiveToPostgres(path);
        }
        return File.ReadAllText(path);
    }

    /// <summary>The postgres user must own its folder and be able to walk to it.</summary>
    private static void LetThrough(string folder)
    {
        GiveToPostgres(folder);
        var temporary = Path.GetFullPath(Path.GetTempPath()).TrimEnd('/') + "/";
        for (var parent = Path.GetDirectoryName(folder); parent is not null; parent = Path.GetDirectoryName(parent))
        {
            var mode = File.GetUnixFileMode(parent);
            if (mode.HasFlag(UnixFileMode.OtherExecute))
                continue;
            // A temporary folder of ours is made for us alone. Walking through is allowed, listing still is not.
            if (!parent.StartsWith(temporary, StringComparison.Ordinal))
            {
                throw new ClusterException(
                    $"PostgreSQL does not run as root, and the system user 'postgres' cannot reach {folder}: {parent} is closed to it. Open the way (chmod o+x {parent}), or run this as a user other than root.");
            }
            File.SetUnixFileMode(parent, mode | UnixFileMode.OtherExecute);
        }
    }

    private static void GiveToPostgres(string path)
    {
        using var chown = System.Diagnostics.Process.Start("chown", ["postgres:postgres", path]);
        chown.WaitForExit();
        if (chown.ExitCode != 0)
            throw new ClusterException($"The folder {path} could not be given to the system user 'postgres' that PostgreSQL runs as. Choose a folder on a local disk.");
    }

    private async Task<NpgsqlConnection> Open(string database)
    {
        var connection = new NpgsqlConnection(ConnectionString(database) + ";Pooling=false");
        await connection.OpenAsync();
        return connection;
    }

    private static async Task Execute(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    [GeneratedRegex("^[a-z][a-z0-9_]{0,62}$")]
    private static partial Regex Identifier();
}
