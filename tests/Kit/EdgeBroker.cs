using Sloring.Cluster;

namespace Sloring.Tests;

/// <summary>One real broker for the tests of the edge, with the users and permissions of the cluster; started when the first test asks for it.</summary>
public sealed class EdgeBroker : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sloring-broker-").FullName;
    private readonly SemaphoreSlim _starting = new(1, 1);
    private readonly List<string> _folders = [];
    private RabbitMqServer? _server;

    public RabbitMqServer Server => _server ?? throw new InvalidOperationException("Await Start first.");

    public ClusterSecrets Secrets { get; private set; } = null!;

    public async Task Start()
    {
        await _starting.WaitAsync();
        try
        {
            if (_server is not null)
                return;
            Secrets = ClusterSecrets.Open(_folder, "sloring", [], [.. BrokerUsers.Adapters, .. BrokerUsers.DataSources.Keys, .. BrokerUsers.BrokerOnly, BrokerUsers.Replayer]);
            _server = await RabbitMqServer.Start(
                Path.Combine(_folder, "rabbitmq"), Platform.FreePort(), Platform.FreePort(), Platform.FreePort(), BrokerUsers.All(Secrets), CancellationToken.None);
        }
        finally
        {
            _starting.Release();
        }
    }

    /// <summary>Folder for a platform that knows the broker's passwords; deleted with the broker, once the platform that was on it has read what it kept.</summary>
    public string NewFolder()
    {
        var folder = Directory.CreateTempSubdirectory("sloring-edge-").FullName;
        _folders.Add(folder);
        File.Copy(Secrets.File, Path.Combine(folder, "secrets.json"));
        return folder;
    }

    /// <summary>What a platform is started with to meet this broker.</summary>
    public string[] Settings => ["--Edge=rabbitmq", $"--Edge:Port={Server.Port}"];

    /// <summary>Where a foreign system connects, under the user and password of its name.</summary>
    public string AddressOf(string user) => $"amqp://{user}:{Secrets[user is "sloring" ? "rabbitmq/sloring" : "client/" + user]}@127.0.0.1:{Server.Port}";

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
        _starting.Dispose();
        try
        {
            if (_server is not null)
                KeptScan.CheckLogs(_folder, "node.log");
        }
        finally
        {
            foreach (var folder in _folders.Append(_folder))
                Directory.Delete(folder, recursive: true);
        }
    }
}
