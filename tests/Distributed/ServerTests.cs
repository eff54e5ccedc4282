using System.Diagnostics;
using System.Net.NetworkInformation;
using Npgsql;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Sloring.Cluster;
using Xunit;

namespace Sloring.Tests.Distributed;

/// <summary>The private servers of services/Cluster: who gets in, and what is left after a crash.</summary>
public sealed class ServerTests : IAsyncLifetime
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;
    private readonly string _folder = Directory.CreateTempSubdirectory("sloring-").FullName;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task PostgresRole_OwnsItsSchema_AndReachesNoOther()
    {
        await using var postgres = await PostgresServer.Start(Path.Combine(_folder, "postgres"), Platform.FreePort(), Cancel);
        var passwords = new Dictionary<string, string> { ["registration"] = "one'", ["approval"] = "two" };
        await postgres.CreateDatabase("sloring", passwords);
        await postgres.CreateDatabase("sloring", passwords);
        await Execute(postgres, "registration", "one'", "create table mine (n int); insert into mine values (1)");
        await Refused(postgres, "approval", "two", "select * from registration.mine", PostgresErrorCodes.InsufficientPrivilege);
        await Refused(postgres, "approval", "two", "create table registration.mine2 (n int)", PostgresErrorCodes.InsufficientPrivilege);
        await Refused(postgres, "approval", "two", "create table public.mine (n int)", PostgresErrorCodes.InsufficientPrivilege);
        await Refused(postgres, "approval", "wrong", "select 1", PostgresErrorCodes.InvalidPassword);
        await Refused(postgres, "registration", "one'", "select 1", PostgresErrorCodes.InsufficientPrivilege, "postgres");
    }

    [Fact]
    public async Task Postgres_ThatWasKilled_StartsOverItsFolder_WithWhatWasCommitted()
    {
        var (folder, port) = (Path.Combine(_folder, "postgres"), Platform.FreePort());
        await using (var postgres = await PostgresServer.Start(folder, port, Cancel))
        {
            await postgres.CreateDatabase("sloring", new Dictionary<string, string> { ["registration"] = "one" });
            await Execute(postgres, "registration", "one", "create table mine (n int); insert into mine values (1)");
            await postgres.Kill();
            Assert.False(postgres.IsRunning);
            await postgres.Restart(Cancel);
            await Execute(postgres, "registration", "one", "insert into mine values (2)");
            await postgres.Kill();
        }
        await using var again = await PostgresServer.Start(folder, port, Cancel);
        Assert.Equal(3L, await Execute(again, "registration", "one", "select sum(n) from mine"));
    }

    [Fact]
    public async Task RabbitMq_ThatWasKilled_KeepsConfirmedMessages_AndLetsInOnlyItsUsers()
    {
        await using var broker = await RabbitMqServer.Start(Path.Combine(_folder, "rabbitmq"), Platform.FreePort(), Platform.FreePort(), Platform.FreePort(),
            [new BrokerUser("sloring", "secret", ".*", ".*", ".*"), new BrokerUser("reader", "secret", "^$", "^$", "^$")], Cancel);
        await using (var connection = await Connect(broker, "sloring", "secret"))
        {
            await using var channel = await connection.CreateChannelAsync(cancellationToken: Cancel);
            await channel.QueueDeclareAsync("kept", durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-queue-type"] = "quorum" }, cancellationToken: Cancel);
        }
        // RabbitMQ 3.10 writes down where a quorum queue lives up to a second after it has declared it: killed before that, it never finds the queue again.
        await broker.Restart(Cancel);
        await using (var connection = await Connect(broker, "sloring", "secret"))
        {
            await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(true, true), Cancel);
            await channel.BasicPublishAsync("", "kept", mandatory: true, new BasicProperties { Persistent = true }, "x"u8.ToArray(), Cancel);
            await broker.Kill();
        }
        await broker.Restart(Cancel);
        await using (var connection = await Connect(broker, "sloring", "secret"))
        {
            await using var channel = await connection.CreateChannelAsync(cancellationToken: Cancel);
            await Eventually.True(async () => await channel.BasicGetAsync("kept", autoAck: false, Cancel) is not null, "the message is there");
        }
        await Assert.ThrowsAsync<BrokerUnreachableException>(() => Connect(broker, "guest", "guest"));
        await using var reader = await Connect(broker, "reader", "secret");
        await using var nothing = await reader.CreateChannelAsync(cancellationToken: Cancel);
        await Assert.ThrowsAsync<OperationInterruptedException>(() => nothing.BasicGetAsync("kept", autoAck: true, Cancel));
    }

    [Fact]
    public async Task Runner_ThatIsKilled_LeavesNothingBehind()
    {
        var offset = RunningCluster.FreeOffset();
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Sloring.Cluster.dll"), "--offset", $"{offset}", "--folder", Path.Combine(_folder, "cluster")])
        {
            WorkingDirectory = Repository.Root,
            RedirectStandardOutput = true,
        };
        using var runner = Process.Start(start)!;
        // From here on both servers run, and services are about to.
        while (await runner.StandardOutput.ReadLineAsync(Cancel) is { } line && !line.StartsWith("Migrating", StringComparison.Ordinal))
            continue;
        Assert.Contains(LocalCluster.RabbitMqPort + offset, Listening());
        runner.Kill();
        await Eventually.True(() => Task.FromResult(!Listening().Any(port => port >= 5200 + offset && port < 5300 + offset)), "everything has ended");
        await runner.WaitForExitAsync(Cancel);
    }

    [Fact]
    public async Task TakenPort_IsNamed()
    {
        var port = Platform.FreePort();
        using var taken = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, port);
        taken.Start();
        var no = await Assert.ThrowsAsync<ClusterException>(() => PostgresServer.Start(Path.Combine(_folder, "postgres"), port, Cancel));
        Assert.Contains($"Port {port}", no.Message, StringComparison.Ordinal);
    }

    private static IEnumerable<int> Listening() => IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Select(endpoint => endpoint.Port);

    private static Task<IConnection> Connect(RabbitMqServer broker, string user, string password) =>
        new ConnectionFactory { HostName = "127.0.0.1", Port = broker.Port, UserName = user, Password = password }.CreateConnectionAsync(Cancel);

    private static async Task<object?> Execute(PostgresServer postgres, string role, string password, string sql, string database = "sloring")
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder { Host = "127.0.0.1", Port = postgres.Port, Database = database, Username = role, Password = password, Pooling = false }.ConnectionString);
        await connection.OpenAsync(Cancel);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(Cancel);
    }

    private static async Task Refused(PostgresServer postgres, string role, string password, string sql, string state, string database = "sloring") =>
        Assert.Equal(state, (await Assert.ThrowsAsync<PostgresException>(() => Execute(postgres, role, password, sql, database))).SqlState);
}
