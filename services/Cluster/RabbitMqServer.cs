using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Sloring.Cluster;

/// <summary>Regular expressions of the routing keys that a user may publish with, and bind, on one topic exchange.</summary>
public sealed record TopicPermission(string Exchange, string Write, string Read);

/// <summary>A user of the broker on vhost /: regular expressions of what it may declare, publish to and read from. "^$" is nothing.</summary>
public sealed record BrokerUser(string Name, string Password, string Configure, string Write, string Read)
{
    public IReadOnlyList<TopicPermission> Topics { get; init; } = [];

    /// <summary>For example "administrator"; none for all who only send and receive.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];
}

/// <summary>A private RabbitMQ on 127.0.0.1 with an epmd of its own: no user but those it is given, nothing shared with a broker of the machine.</summary>
public sealed class RabbitMqServer : IAsyncDisposable
{
    /// <summary>What a message may have, bytes: the 16 MiB that the edge takes, and by how much the answer to one of those can be longer. See docs/edge.md.</summary>
    public const int LargestMessage = 20_000_000;

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(90), StopLimit = TimeSpan.FromSeconds(30);
    private readonly string _folder;
    private readonly int _distPort, _epmdPort;
    private ChildProcess? _epmd, _broker;

    private RabbitMqServer(string folder, int port, int distPort, int epmdPort) => (_folder, Port, _distPort, _epmdPort) = (folder, port, distPort, epmdPort);

    public int Port { get; }

    public bool IsRunning => _broker is { HasExited: false };

    private string NodeLog => Path.Combine(_folder, "log", "node.log");

    /// <summary>Starts one over a folder. The users are set anew at each start. Ready when this returns.</summary>
    /// <exception cref="ClusterException">It can't start: the message says what to do.</exception>
    public static async Task<RabbitMqServer> Start(string folder, int port, int distPort, int epmdPort, IReadOnlyList<BrokerUser> users, CancellationToken cancellationToken)
    {
        await DebianPackages.Ensure(null, cancellationToken);
        folder = Path.GetFullPath(folder);
        Directory.CreateDirectory(Path.Combine(folder, "log"));
        // Users' password hashes and the node's cookie lie here.
        File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var server = new RabbitMqServer(folder, port, distPort, epmdPort);
        await server.WriteConfiguration(users, cancellationToken);
        await server.Launch(cancellationToken);
        return server;
    }

    /// <summary>SIGKILL, as a crash would do.</summary>
    public Task Kill() => _broker is { HasExited: false } broker ? broker.Kill() : Task.CompletedTask;

    /// <summary>Stops it if it runs, and starts it over the same folder.</summary>
    public async Task Restart(CancellationToken cancellationToken = default)
    {
        await Stop();
        await Launch(cancellationToken);
    }

    public async Task Stop()
    {
        if (_broker is { } broker)
            await broker.Stop(StopLimit);
        if (_epmd is { } epmd)
            await epmd.Kill();
    }

    public async ValueTask DisposeAsync() => await Stop();

    private async Task Launch(CancellationToken cancellationToken)
    {
        Ports.MustBeFree("RabbitMQ", Port, _distPort);
        if (_epmd is not { HasExited: false })
        {
            Ports.MustBeFree("RabbitMQ's epmd", _epmdPort);
            _epmd = await ChildProcess.Start(new ChildCommand("epmd", "epmd", ["-address", "127.0.0.1", "-port", $"{_epmdPort}"], Path.Combine(_folder, "log", "epmd.log")));
        }
        // With input allowed the script becomes the broker's process itself, which signals then reach.
        _broker = await ChildProcess.Start(new ChildCommand("RabbitMQ", Path.Combine(DebianPackages.RabbitMqScripts!, "rabbitmq-server"), ["-noinput"], Path.Combine(_folder, "log", "console.log"))
        {
            Folder = _folder,
            Environment = Environment(),
        });
        try
        {
            await Ports.Ready(_broker, StartLimit, Answers, cancellationToken);
        }
        catch (Exception e)
        {
            await Stop();
            throw e is ClusterException ? new ClusterException(e.Message + "\n" + ChildProcess.LastLines(NodeLog, 15), e) : e;
        }
    }

    private Dictionary<string, string?> Environment() => new()
    {
        ["HOME"] = _folder,
        ["RABBITMQ_NODENAME"] = "sloring@localhost",
        ["RABBITMQ_NODE_IP_ADDRESS"] = "127.0.0.1",
        ["RABBITMQ_NODE_PORT"] = $"{Port}",
        ["RABBITMQ_DIST_PORT"] = $"{_distPort}",
        ["ERL_EPMD_PORT"] = $"{_epmdPort}",
        ["ERL_EPMD_ADDRESS"] = "127.0.0.1",
        ["RABBITMQ_MNESIA_BASE"] = Path.Combine(_folder, "data"),
        ["RABBITMQ_LOG_BASE"] = Path.Combine(_folder, "log"),
        ["RABBITMQ_LOGS"] = NodeLog,
        ["RABBITMQ_PID_FILE"] = Path.Combine(_folder, "pid"),
        ["RABBITMQ_ENABLED_PLUGINS_FILE"] = Path.Combine(_folder, "enabled_plugins"),
        ["RABBITMQ_CONFIG_FILE"] = Path.Combine(_folder, "rabbitmq.conf"),
        ["RABBITMQ_CONF_ENV_FILE"] = Path.Combine(_folder, "no-rabbitmq-env.conf"),
        ["RABBITMQ_ADVANCED_CONFIG_FILE"] = Path.Combine(_folder, "no-advanced.config"),
        ["RABBITMQ_GENERATED_CONFIG_DIR"] = Path.Combine(_folder, "generated"),
        ["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] = "-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false",
        ["RABBITMQ_ALLOW_INPUT"] = "1",
        ["RABBITMQ_SCRIPTS_DIR"] = null,
        ["NOTIFY_SOCKET"] = null,
    };

    /// <summary>It listens only when the users are in; the first bytes of a connection show that it also serves.</summary>
    private async Task<bool> Answers(CancellationToken cancellationToken)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, Port, cancellationToken);
            var stream = client.GetStream();
            await stream.WriteAsync("AMQP\0\0\u0009\u0001"u8.ToArray(), cancellationToken);
            return await stream.ReadAsync(new byte[8], cancellationToken) > 0;
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return false;
        }
    }

    private async Task WriteConfiguration(IReadOnlyList<BrokerUser> users, CancellationToken cancellationToken)
    {
        var definitions = Path.Combine(_folder, "definitions.json");
        await Write(Path.Combine(_folder, "enabled_plugins"), "[].\n", cancellationToken);
        await Write(Path.Combine(_folder, "rabbitmq.conf"),
            $"""
            listeners.tcp.default = 127.0.0.1:{Port}
            load_definitions = {definitions}
            log.console = false
            log.file.level = info
            max_message_size = {LargestMessage}
            # Small enough for a laptop; a cluster of its own keeps the default.
            raft.wal_max_size_bytes = 67108864

            """, cancellationToken);
        await Write(definitions, Definitions(users), cancellationToken);
    }

    /// <summary>The broker's own file of users and what each may do.</summary>
    public static string Definitions(IReadOnlyList<BrokerUser> users) => JsonSerializer.Serialize(new
    {
        rabbit_version = "3.10.8",
        vhosts = new[] { new { name = "/" } },
        users = users.Select(user => new { name = user.Name, password_hash = Hash(user.Password), hashing_algorithm = "rabbit_password_hashing_sha256", tags = user.Tags, limits = new { } }),
        permissions = users.Select(user => new { user = user.Name, vhost = "/", configure = user.Configure, write = user.Write, read = user.Read }),
        topic_permissions = users.SelectMany(user => user.Topics.Select(topic => new { user = user.Name, vhost = "/", exchange = topic.Exchange, write = topic.Write, read = topic.Read })),
    });

    private static async Task Write(string path, string text, CancellationToken cancellationToken)
    {
        File.Delete(path);
        await using var file = new StreamWriter(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        await file.WriteAsync(text.AsMemory(), cancellationToken);
    }

    /// <summary>The broker's own form of a salted SHA-256.</summary>
    private static string Hash(string password)
    {
        var salt = RandomNumberGenerator.GetBytes(4);
        return Convert.ToBase64String([.. salt, .. SHA256.HashData([.. salt, .. Encoding.UTF8.GetBytes(password)])]);
    }
}
