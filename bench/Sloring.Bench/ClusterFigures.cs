using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Grpc.Core;
using Grpc.Net.Client;
using Npgsql;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Sloring.Cluster;
using Sloring.Contracts.Edge;
using Sloring.Contracts.Effectuation.V1;
using Sloring.Embedded;
using Sloring.Tests;

namespace Sloring.Bench;

/// <summary>
/// The whole cluster on this machine, every process its own: from the moment that an EPJ adapter sends an activation over AMQP until every
/// effectuation replica masks, each asked over gRPC again and again. The yardsticks, measured between: the same message through a bare quorum queue
/// of the same broker, confirmed and received, and one row inserted into the same PostgreSQL.
/// </summary>
public static class ClusterFigures
{
    private const int Activations = 150, WarmUp = 60, Offset = 100;
    private const string Adapter = "epj-hovedstaden", BareQueue = "effectuation.bare";

    public static IEnumerable<Figure> Measure() => [Effect().GetAwaiter().GetResult()];

    private static async Task<Figure> Effect()
    {
        var folder = Directory.CreateTempSubdirectory("sloring-bench-").FullName;
        await using var cluster = await LocalCluster.Start(
            new LocalClusterOptions { Root = Repository.Root, Folder = folder, Offset = Offset, Progress = Console.Error.WriteLine }, CancellationToken.None);
        using var tokens = new PlatformClient(cluster["tokens"].HttpAddress, cluster.Secrets.File);
        var replicas = cluster.Replicas("effectuation").Select(replica => GrpcChannel.ForAddress(replica.GrpcAddress)).ToList();
        await using var adapter = await Connect(cluster, Adapter, "client/" + Adapter);
        await using var sending = await Confirming(adapter);
        await using var bare = await Connect(cluster, "sloring", "rabbitmq/sloring");
        await using var roundTrip = await RoundTrip.Start(bare);
        await using var database = NpgsqlDataSource.Create(cluster.Postgres.ConnectionString("sloring"));
        await using (var create = database.CreateCommand("CREATE TABLE public.bare (id uuid PRIMARY KEY, data text NOT NULL)"))
            await create.ExecuteNonQueryAsync();

        var samples = new List<(double Effect, double Broker, double Commit)>();
        for (var i = 0; i < WarmUp + Activations; i++)
        {
            var cpr = People.NextCpr();
            var view = new Metadata { { "authorization", "Bearer " + await tokens.Token("borgervisning", CancellationToken.None) } };
            var body = Activation(cpr);
            var start = Stopwatch.GetTimestamp();
            await sending.BasicPublishAsync(EdgeNames.ActivateMasking.Exchange, EdgeNames.ActivateMasking.RoutingKey, mandatory: true,
                new BasicProperties { UserId = Adapter, Persistent = true }, body);
            await Task.WhenAll(replicas.Select(replica => Masks(new EffectuationService.EffectuationServiceClient(replica), Request(cpr), view)));
            var effect = Stopwatch.GetElapsedTime(start);

            var broker = await roundTrip.Once(body);
            start = Stopwatch.GetTimestamp();
            await using (var insert = database.CreateCommand("INSERT INTO public.bare VALUES ($1, $2)"))
            {
                insert.Parameters.AddWithValue(Guid.NewGuid());
                insert.Parameters.AddWithValue(Encoding.UTF8.GetString(body));
                await insert.ExecuteNonQueryAsync();
            }
            if (i >= WarmUp)
                samples.Add((effect.TotalMilliseconds, broker.TotalMilliseconds, Stopwatch.GetElapsedTime(start).TotalMilliseconds));
        }
        replicas.ForEach(replica => replica.Dispose());
        double At(Func<(double Effect, double Broker, double Commit), double> of, double part) => samples.Select(of).Order().ElementAt((int)(samples.Count * part));
        var yardstick = At(s => s.Broker + s.Commit, 0.5);
        return new Figure("Activation over AMQP → masked by every effectuation replica, against one broker round trip and one commit", At(s => s.Effect, 0.5) / yardstick, 10,
            FormattableString.Invariant($"median {At(s => s.Effect, 0.5):F1} ms, p99 {At(s => s.Effect, 0.99):F1} ms against median {yardstick:F1} ms, p99 {At(s => s.Broker + s.Commit, 0.99):F1} ms ({At(s => s.Broker, 0.5):F1} broker, {At(s => s.Commit, 0.5):F1} commit)"));
    }

    private static async Task Masks(EffectuationService.EffectuationServiceClient replica, MaskEntriesRequest request, Metadata view)
    {
        var limit = Stopwatch.StartNew();
        while ((await replica.MaskEntriesAsync(request, view)).Explanation is null)
        {
            if (limit.Elapsed > TimeSpan.FromSeconds(30))
                throw new TimeoutException("An activation over AMQP was not masked within 30 s.");
            // As often as makes no difference to the figure; without a pause the asking alone would fill the machine that is measured.
            await Task.Delay(1);
        }
    }

    private static MaskEntriesRequest Request(string cpr) => new()
    {
        PatientCpr = cpr,
        Entries =
        {
            new Entry
            {
                Id = "e", Source = "EPJ", Cvr = "29190623", SorId = "1000111000016001", OccurredAt = "2025-11-18T21:14:00+01:00", Activity = "Opslag i journal",
                Staff = { new Staff { Role = "user", Name = People.Names[0], ProfessionCode = "5166" } },
            },
        },
    };

    private static byte[] Activation(string cpr) => Encoding.UTF8.GetBytes(new JsonObject
    {
        ["idempotencyKey"] = Guid.NewGuid().ToString("N"),
        ["patientCpr"] = cpr,
        ["trigger"] = "threats",
        ["behaviourOn"] = "2025-01-15",
        ["reason"] = "Truede med vold.",
        ["activator"] = new JsonObject { ["personId"] = "hw-1001", ["role"] = "health-worker", ["unitSorId"] = "1000111000016001" },
    }.ToJsonString());

    private static Task<IConnection> Connect(LocalCluster cluster, string user, string secret) =>
        new ConnectionFactory { HostName = "127.0.0.1", Port = LocalCluster.RabbitMqPort + Offset, UserName = user, Password = cluster.Secrets[secret] }.CreateConnectionAsync();

    private static Task<IChannel> Confirming(IConnection connection) =>
        connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true));

    /// <summary>A message to a quorum queue and back.</summary>
    private sealed class RoundTrip(IChannel channel) : IAsyncDisposable
    {
        private readonly ConcurrentDictionary<string, TaskCompletionSource> _sent = [];

        public static async Task<RoundTrip> Start(IConnection connection)
        {
            var trip = new RoundTrip(await Confirming(connection));
            await trip.Listen();
            return trip;
        }

        public async Task<TimeSpan> Once(byte[] body)
        {
            var start = Stopwatch.GetTimestamp();
            var id = Guid.NewGuid().ToString("N");
            var back = _sent[id] = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await channel.BasicPublishAsync("", BareQueue, mandatory: true, new BasicProperties { MessageId = id, Persistent = true }, body);
            await back.Task;
            return Stopwatch.GetElapsedTime(start);
        }

        public ValueTask DisposeAsync() => channel.DisposeAsync();

        private async Task Listen()
        {
            await channel.QueueDeclareAsync(BareQueue, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-queue-type"] = "quorum" });
            var consumer = new AsyncEventingBasicConsumer(channel);
            consumer.ReceivedAsync += async (_, delivery) =>
            {
                if (_sent.TryRemove(delivery.BasicProperties.MessageId!, out var back))
                    back.SetResult();
                await channel.BasicAckAsync(delivery.DeliveryTag, multiple: false);
            };
            await channel.BasicConsumeAsync(BareQueue, autoAck: false, consumer);
        }
    }
}
