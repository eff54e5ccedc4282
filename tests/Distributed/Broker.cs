using System.Net;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Sloring.Cluster;
using Sloring.Tests.Distributed;
using Xunit;

[assembly: AssemblyFixture(typeof(Broker))]

namespace Sloring.Tests.Distributed;

/// <summary>One private RabbitMQ for the test run, started by the first test that asks. Tests keep apart by the names of their exchanges and queues.</summary>
public sealed class Broker : IAsyncLifetime
{
    public const string User = "sloring";

    public const string Password = "only-in-tests";

    private readonly SemaphoreSlim _starting = new(1, 1);
    private readonly string _folder = Directory.CreateTempSubdirectory("sloring-broker-").FullName;
    private RabbitMqServer? _server;

    /// <summary>The server, ready; users other than <see cref="User"/> have their own rights.</summary>
    public async Task<RabbitMqServer> Server()
    {
        await _starting.WaitAsync();
        try
        {
            return _server ??= await RabbitMqServer.Start(_folder, Platform.FreePort(), Platform.FreePort(), Platform.FreePort(),
            [
                new BrokerUser(User, Password, ".*", ".*", ".*") { Tags = ["administrator"] },
                new BrokerUser("dapr", Password, ".*", ".*", ".*"),
                new BrokerUser("epj-hovedstaden", Password, "^$", @"^sloring\.", "^$"),
                new BrokerUser("kilde-hovedstaden", Password, @"^kilde-hovedstaden\.", @"^(sloring\.|kilde-hovedstaden\.)", @"^(sloring\.|kilde-hovedstaden\.)"),
                new BrokerUser("region-hovedstaden", Password, @"^region-hovedstaden\.", @"^(sloring\.|region-hovedstaden\.)", @"^(sloring\.|region-hovedstaden\.)"),
            ], CancellationToken.None);
        }
        finally
        {
            _starting.Release();
        }
    }

    /// <summary>A connection of a user, to look into the broker with.</summary>
    public async Task<IConnection> Connect(string user = User)
    {
        var server = await Server();
        return await new ConnectionFactory { HostName = IPAddress.Loopback.ToString(), Port = server.Port, UserName = user, Password = Password }.CreateConnectionAsync();
    }

    /// <summary>Messages in a queue; -1 where there is no such queue.</summary>
    public async Task<int> Waiting(string queue)
    {
        await using var connection = await Connect();
        await using var channel = await connection.CreateChannelAsync();
        try
        {
            return (int)(await channel.QueueDeclarePassiveAsync(queue)).MessageCount;
        }
        catch (OperationInterruptedException)
        {
            return -1;
        }
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

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
            Directory.Delete(_folder, recursive: true);
        }
    }
}
