using Microsoft.Extensions.Configuration;
using Npgsql;
using Sloring.Embedded;

namespace Sloring.Cluster;

/// <summary>What a cluster on this machine is made of.</summary>
public sealed record LocalClusterOptions
{
    /// <summary>The repository: dapr.yaml, components/, the built services.</summary>
    public required string Root { get; init; }

    /// <summary>The repository that the services' programs and dapr.yaml are of, where another version of them runs with these components and sidecars; null for <see cref="Root"/>.</summary>
    public string? ServicesRoot { get; init; }

    /// <summary>Data, logs, secrets.</summary>
    public required string Folder { get; init; }

    /// <summary>Folder of the logs; null for <c>logs</c> in <see cref="Folder"/>, which each start empties.</summary>
    public string? Logs { get; init; }

    /// <summary>Added to every port of 5200–5299, for a second cluster on the same machine.</summary>
    public int Offset { get; init; }

    /// <summary>Added to the environment of all services, for example a setting of a test.</summary>
    public IReadOnlyDictionary<string, string?> ServiceEnvironment { get; init; } = new Dictionary<string, string?>();

    /// <summary>App ids of dapr.yaml that are not started.</summary>
    public IReadOnlyList<string> LeftOut { get; init; } = [];

    /// <summary>Added to the environment of all sidecars.</summary>
    public IReadOnlyDictionary<string, string?> SidecarEnvironment { get; init; } = new Dictionary<string, string?>();

    /// <summary>Added to the environment of one service or sidecar by its name ("registration-1", "registration-1-sidecar").</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, string?>> EnvironmentOf { get; init; } = new Dictionary<string, IReadOnlyDictionary<string, string?>>();

    /// <summary>How long all services together may take until they are ready.</summary>
    public TimeSpan ReadyLimit { get; init; } = TimeSpan.FromSeconds(240);

    /// <summary>Told what is being done, for a screen.</summary>
    public Action<string> Progress { get; init; } = _ => { };

    /// <summary>Told when a service or sidecar ends without being asked to. Nothing starts it again.</summary>
    public Action<ClusterProgram> Died { get; init; } = _ => { };
}

/// <summary>
/// The platform as several processes on this machine: PostgreSQL, RabbitMQ, every process of dapr.yaml and a sidecar for each. All of it
/// listens on loopback only, and ends when this is disposed of or when this process dies, however it dies.
/// </summary>
public sealed class LocalCluster : IAsyncDisposable
{
    private const string Tokens = "tokens";

    /// <summary>Services without a database: the token service, which keeps a file, and the portal, which keeps nothing.</summary>
    private static readonly string[] NoDatabase = [Tokens, "portal"];

    /// <summary>Folders that are made anew at each start.</summary>
    private static readonly string[] Passing = ["logs", "components", "names", "faults"];
    private readonly LocalClusterOptions _options;
    private readonly RunFile _run;
    private readonly string _folder;
    private readonly List<ClusterProcess> _beside = [];

    private LocalCluster(LocalClusterOptions options, RunFile run, ClusterSecrets secrets)
    {
        (_options, _run, _folder, Secrets) = (options, run, Path.GetFullPath(options.Folder), secrets);
        Parties = new DemoParties(_folder);
        Parties.Ensure();
        SidecarProgram = FindDaprd() ?? Path.Combine(options.Root, "tests", "Distributed", "Sidecar", "bin", Configuration, "net10.0", "Sloring.Sidecar.dll");
        Processes = Plan(run, options.ServicesRoot ?? options.Root, "");
    }

    /// <summary>The PostgreSQL, RabbitMQ and its helpers' ports before the offset.</summary>
    public const int PostgresPort = 5271, RabbitMqPort = 5272, RabbitMqDistPort = 5273, EpmdPort = 5274;

#if DEBUG
    private const string Configuration = "Debug";
#else
    private const string Configuration = "Release";
#endif

    /// <summary>Secrets of services, servers and demo clients.</summary>
    public ClusterSecrets Secrets { get; }

    /// <summary>Who stands outside of the platform: whose tickets and citizens' tokens it trusts, and the app that exchanges them.</summary>
    public DemoParties Parties { get; }

    public PostgresServer Postgres { get; private set; } = null!;

    public RabbitMqServer RabbitMq { get; private set; } = null!;

    /// <summary>Services in the order of dapr.yaml.</summary>
    public IReadOnlyList<ClusterProcess> Processes { get; }

    /// <summary>daprd, or the stand-in of tests/Distributed/Sidecar.</summary>
    public string SidecarProgram { get; }

    /// <summary>Whether the sidecars are the stand-in and not Dapr's own.</summary>
    public bool SidecarIsStandIn => SidecarProgram.EndsWith(".dll", StringComparison.Ordinal);

    /// <summary>The process of a name, for example "registration-1"; the app id is enough where there is one replica.</summary>
    public ClusterProcess this[string name] => Processes.Single(process => process.Name == name);

    /// <summary>Replicas of a service.</summary>
    public IEnumerable<ClusterProcess> Replicas(string appId) => Processes.Where(process => process.AppId == appId);

    /// <summary>The sidecar of a process.</summary>
    public ClusterProgram SidecarOf(string name) => this[name].Sidecar;

    /// <summary>Reads the plan and the secrets, without starting anything: for a client of a cluster that runs already.</summary>
    public static LocalCluster Describe(LocalClusterOptions options)
    {
        var run = RunFile.Read(Path.Combine(options.ServicesRoot ?? options.Root, "dapr.yaml"), options.Offset);
        Directory.CreateDirectory(options.Folder);
        var secrets = ClusterSecrets.Open(options.Folder, run.Common.Env["Secrets__Name"], run.Apps.Select(app => app.AppId).Distinct().Except(NoDatabase),
            [.. TokenClients(options.Root), .. BrokerUsers.BrokerOnly]);
        return new LocalCluster(options, run, secrets);
    }

    /// <summary>Starts everything; ready when this returns. What was started is stopped again when something fails.</summary>
    /// <exception cref="ClusterException">It can't: the message says what to do.</exception>
    public static async Task<LocalCluster> Start(LocalClusterOptions options, CancellationToken cancellationToken)
    {
        var cluster = Describe(options);
        try
        {
            await cluster.StartAll(cancellationToken);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Plans another set of processes beside the first: the services as a repository has them (programs, dapr.yaml), on ports that are higher by hundreds, with the servers, the
    /// secrets and the sidecars' resources of this cluster. They are named as those that they can replace, with the set's name behind. None is started; those that are stop with the cluster.
    /// </summary>
    public IReadOnlyList<ClusterProcess> Beside(string root, string name, int ports = 100)
    {
        var path = Path.Combine(root, "dapr.yaml");
        var run = RunFile.Read(path, _options.Offset + ports);
        // What all services share is where it was.
        run.Common = RunFile.Read(path, _options.Offset).Common;
        var next = Plan(run, root, "-" + name);
        Ports.MustBeFree($"the set '{name}'", next.SelectMany(process => process.Ports));
        _beside.AddRange(next);
        return next;
    }

    /// <summary>Makes what is missing of the database, its roles and schemas.</summary>
    public Task CreateDatabase() => Postgres.CreateDatabase(DatabaseName, WithDatabase.ToDictionary(service => service, service => Secrets["postgres/" + service]));

    /// <summary>Waits until every service says that it is ready.</summary>
    public async Task Ready(CancellationToken cancellationToken)
    {
        var waiting = Processes.ToDictionary(process => process.Ready(_options.ReadyLimit, cancellationToken));
        while (waiting.Count > 0)
        {
            var ready = await Task.WhenAny(waiting.Keys);
            await ready;
            waiting.Remove(ready, out var process);
            _options.Progress($"{process!.Name} is ready{(waiting.Count > 0 ? "; waiting for " + string.Join(", ", waiting.Values.Select(p => p.Name)) : "")}");
        }
    }

    /// <summary>Stops services, then sidecars, then the servers.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopServices();
        if (RabbitMq is not null)
            await RabbitMq.DisposeAsync();
        if (Postgres is not null)
            await Postgres.DisposeAsync();
    }

    /// <summary>Stops services, then sidecars; PostgreSQL and RabbitMQ stay.</summary>
    public async Task StopServices()
    {
        await Task.WhenAll(Processes.Concat(_beside).Select(process => process.Stop()));
        await Task.WhenAll(Processes.Concat(_beside).Select(process => process.Sidecar.Stop()));
    }

    /// <summary>Starts every service with its sidecar; ready when this returns.</summary>
    public async Task StartServices(CancellationToken cancellationToken)
    {
        foreach (var process in Processes)
        {
            await process.Sidecar.Start();
            await process.Start();
        }
        await Ready(cancellationToken);
    }

    private async Task StartAll(CancellationToken cancellationToken)
    {
        foreach (var missing in Processes.Select(process => process.Program).Append(SidecarProgram).Where(program => !File.Exists(program)))
            throw new ClusterException($"{missing} is not built. Run: dotnet build services/Cluster -c {Configuration}");
        await DebianPackages.Ensure(_options.Progress, cancellationToken);
        int[] servers = [.. new[] { PostgresPort, RabbitMqPort, RabbitMqDistPort, EpmdPort }.Select(port => port + _options.Offset)];
        Ports.MustBeFree("the cluster", Processes.SelectMany(process => process.Ports).Concat(servers));
        PrepareFolder();

        _options.Progress("Starting PostgreSQL and RabbitMQ");
        var postgres = PostgresServer.Start(Path.Combine(_folder, "postgres"), servers[0], cancellationToken);
        var rabbitMq = RabbitMqServer.Start(Path.Combine(_folder, "rabbitmq"), servers[1], servers[2], servers[3], BrokerUsers.All(Secrets), cancellationToken);
        // Both are awaited before either error is thrown: what started must be known, so that it is stopped.
        await Task.WhenAll(postgres.ContinueWith(_ => { }, TaskScheduler.Default), rabbitMq.ContinueWith(_ => { }, TaskScheduler.Default));
        if (postgres.IsCompletedSuccessfully)
            Postgres = await postgres;
        if (rabbitMq.IsCompletedSuccessfully)
            RabbitMq = await rabbitMq;
        await Task.WhenAll(postgres, rabbitMq);

        await CreateDatabase();
        _options.Progress("Migrating the databases");
        await Migrate(cancellationToken);

        _options.Progress($"Starting {Processes.Count} services, each with {(SidecarIsStandIn ? "the stand-in for a sidecar" : "daprd")}");
        await StartServices(cancellationToken);
    }

    private string DatabaseName => new NpgsqlConnectionStringBuilder(_run.Common.Env["Data__ConnectionString"]).Database!;

    private IEnumerable<string> WithDatabase => Processes.Select(process => process.AppId).Distinct().Except(NoDatabase);

    /// <summary>Brings every database up to date; what is <paramref name="also"/> said beside <c>--migrate</c> is <c>--restored</c>, after a backup was put back.</summary>
    public Task Migrate(CancellationToken cancellationToken, params string[] also) =>
        Task.WhenAll(WithDatabase.Select(service => Migrate(Replicas(service).First(), cancellationToken, also)));

    /// <summary>By its own command, as an init container does: no sidecar yet, so the secrets come from the file. Nothing is done for a service without a database.</summary>
    public async Task Migrate(ClusterProcess process, CancellationToken cancellationToken, params string[] also)
    {
        if (NoDatabase.Contains(process.AppId))
            return;
        var command = process.Command;
        var migration = await ChildProcess.Start(command with
        {
            Name = process.AppId + " --migrate",
            Arguments = [.. command.Arguments, "--migrate", .. also],
            Log = LogOf(process.Name + "-migrate"),
            Environment = new Dictionary<string, string?>(command.Environment) { ["Secrets__Store"] = null, ["Secrets__Name"] = null, ["Secrets__File"] = Secrets.File },
        });
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_options.ReadyLimit);
        try
        {
            await migration.WaitForExit(limit.Token);
        }
        catch (OperationCanceledException)
        {
            await migration.Kill();
            cancellationToken.ThrowIfCancellationRequested();
            throw new ClusterException($"{migration.Name} took too long. Its last lines:\n{migration.LastLines()}");
        }
        if (migration.ExitCode != 0)
            throw new ClusterException($"{migration.Name} ended with code {migration.ExitCode}. Its last lines:\n{migration.LastLines()}");
    }

    /// <summary>Logs begin anew, and the components are this cluster's own: its ports, its folder.</summary>
    private void PrepareFolder()
    {
        foreach (var folder in Passing.Select(name => Path.Combine(_folder, name)))
        {
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
            Directory.CreateDirectory(folder);
        }
        foreach (var component in _run.Common.ResourcesPaths.SelectMany(path => Directory.EnumerateFiles(Path.Combine(_options.Root, path), "*.yaml")))
        {
            var text = RunFile.Move(File.ReadAllText(component), _options.Offset).Replace(".data/cluster", _folder, StringComparison.Ordinal);
            // On one machine no sentry hands out certificates, so no caller can be known, and daprd would refuse them all.
            if (!SidecarIsStandIn)
                text = text.Replace("defaultAction: deny\n    trustDomain", "defaultAction: allow\n    trustDomain", StringComparison.Ordinal);
            File.WriteAllText(Path.Combine(_folder, "components", Path.GetFileName(component)), text);
        }
    }

    private IReadOnlyList<ClusterProcess> Plan(RunFile run, string root, string suffix) =>
        [.. run.Apps.Where(app => !_options.LeftOut.Contains(app.AppId)).GroupBy(app => app.AppId).SelectMany(replicas => replicas.Select((app, at) =>
            Plan(run.Common, root, app, (replicas.Count() == 1 ? app.AppId : $"{app.AppId}-{at + 1}") + suffix)))];

    private ClusterProcess Plan(RunSettings common, string root, RunApp app, string name)
    {
        var folder = Path.GetFullPath(app.AppDirPath, root);
        var protocol = app.AppProtocol ?? common.AppProtocol ?? "http";
        var tokens = new Dictionary<string, string?> { ["DAPR_API_TOKEN"] = Secrets[ClusterSecrets.DaprApiToken], ["APP_API_TOKEN"] = Secrets[ClusterSecrets.AppApiToken] };
        foreach (var (variable, value) in common.Env)
            app.Env.TryAdd(variable, value);
        var environment = new Dictionary<string, string?>(tokens)
        {
            ["APP_ID"] = app.AppId,
            ["APP_PORT"] = $"{app.AppPort}",
            ["APP_PROTOCOL"] = protocol,
            ["DAPR_HTTP_PORT"] = $"{app.DaprHttpPort}",
            ["DAPR_GRPC_PORT"] = $"{app.DaprGrpcPort}",
        };
        foreach (var (variable, value) in app.Env)
            environment[variable] = value;
        var isTokens = app.AppId == Tokens;
        if (isTokens)
            environment["Tokens__StateFile"] = Path.Combine(_folder, "tokens.json");
        string[] trusting = isTokens ? ["Tokens__IdentityProviders__", "Tokens__Audiences__"] : ["Soap__"];
        if (!app.Env.Keys.Any(variable => trusting.Any(section => variable.StartsWith(section, StringComparison.Ordinal))))
        {
            foreach (var (key, value) in isTokens ? Parties.ExchangeSettings() : Parties.TicketSettings())
                environment[key.Replace(":", "__", StringComparison.Ordinal)] = value;
        }

        var components = Path.Combine(_folder, "components");
        string[] flags =
        [
            "--app-id", app.AppId, "--app-port", $"{app.AppPort}", "--app-protocol", protocol,
            "--dapr-http-port", $"{app.DaprHttpPort}", "--dapr-grpc-port", $"{app.DaprGrpcPort}", "--dapr-internal-grpc-port", $"{app.DaprInternalGrpcPort}",
            "--resources-path", components, "--metrics-port", $"{app.MetricsPort}", "--dapr-listen-addresses", "127.0.0.1",
            // As on a cluster: asked to stop, it stays for as long as its app does, which still calls through it.
            "--dapr-block-shutdown-duration", "45s",
            .. (common.ConfigFilePath is { } config ? new[] { "--config", Path.Combine(components, Path.GetFileName(config)) } : []),
        ];
        var faults = Path.Combine(_folder, "faults", name + ".json");
        var sidecar = new ChildCommand(name + "-sidecar", SidecarIsStandIn ? "dotnet" : SidecarProgram,
            SidecarIsStandIn ? [SidecarProgram, .. flags, "--names", Path.Combine(_folder, "names"), "--faults", faults] : flags, LogOf(name + "-sidecar"))
        {
            Folder = _options.Root,
            Environment = new Dictionary<string, string?>(tokens) { ["DOTNET_gcServer"] = "0" },
        };
        var service = new ChildCommand(name, app.Command[0], [.. app.Command.Skip(1)], LogOf(name)) { Folder = folder, Environment = environment };
        return new ClusterProcess(app, service, Additions(_options.ServiceEnvironment, name),
            new ClusterProgram(sidecar, Additions(_options.SidecarEnvironment, name + "-sidecar"), _options.Died), faults, _options.Died);
    }

    private string LogOf(string name) => Path.Combine(_options.Logs ?? Path.Combine(_folder, "logs"), name + ".log");

    private Dictionary<string, string?> Additions(IReadOnlyDictionary<string, string?> ofAll, string name)
    {
        var additions = new Dictionary<string, string?>(ofAll);
        foreach (var (variable, value) in _options.EnvironmentOf.GetValueOrDefault(name) ?? new Dictionary<string, string?>())
            additions[variable] = value;
        return additions;
    }

    private static string? FindDaprd() => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)
        .Select(folder => Path.Combine(folder, "daprd")).FirstOrDefault(File.Exists);

    /// <summary>The settings that every service of the cluster has its clients from.</summary>
    public static IConfiguration DemoClients(string root) => new ConfigurationBuilder().AddJsonFile(Path.GetFullPath(Path.Combine(root, "samples", "demo-clients.json"))).Build();

    private static IEnumerable<string> TokenClients(string root) => DemoClients(root).GetSection("Tokens:Clients").GetChildren().Select(client => client["Id"]!);
}
