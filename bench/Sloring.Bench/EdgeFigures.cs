using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Sloring.Cluster;
using Sloring.Contracts.Edge;
using Sloring.Contracts.Effectuation.V1;
using Sloring.Embedded;
using Sloring.Tests;

namespace Sloring.Bench;

/// <summary>
/// <c>DataSourceUpdate</c> to <c>MaskedUpdate</c> through a real broker, against a bare program that consumes and publishes messages of the same sizes: same broker,
/// queue type, confirms, acknowledgements, prefetch and number at once. A foreign publisher fills the queue while they work, and a foreign consumer empties theirs.
/// </summary>
public static class EdgeFigures
{
    private const int Rounds = 7;
    private const int AtOnce = 64;
    private const int LargestPatient = 100;
    /// <summary>Both sides: what counts is the rate of a process that has run for a while, not that of the JIT, which takes a core to itself for the first seconds.</summary>
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(6);

    private const string Source = "kilde-hovedstaden", Cvr = "29190623", Bare = "bare.in";

    public static IEnumerable<Figure> Measure() => MeasureAll().GetAwaiter().GetResult();

    private static async Task<List<Figure>> MeasureAll()
    {
        var folder = Directory.CreateTempSubdirectory("sloring-bench-").FullName;
        var secrets = ClusterSecrets.Open(folder, "sloring", [], [.. BrokerUsers.Adapters, .. BrokerUsers.DataSources.Keys, .. BrokerUsers.BrokerOnly, BrokerUsers.Replayer]);
        await using var broker = await RabbitMqServer.Start(
            Path.Combine(folder, "rabbitmq"), Platform.FreePort(), Platform.FreePort(), Platform.FreePort(),
            [.. BrokerUsers.All(secrets), new BrokerUser("bare", secrets["client/" + Source], ".*", ".*", ".*")], CancellationToken.None);
        var data = Directory.CreateDirectory(Path.Combine(folder, "platform")).FullName;
        File.Copy(secrets.File, Path.Combine(data, "secrets.json"));
        // Not the tests' platform: that listens to every trace.
        var http = $"http://127.0.0.1:{Platform.FreePort()}";
        await using var platform = EmbeddedHost.Build(
            [$"--Data:Folder={data}", $"--Listen:Http={http}", $"--Listen:Grpc=http://127.0.0.1:{Platform.FreePort()}", "--Edge=rabbitmq", $"--Edge:Port={broker.Port}"],
            builder => builder.Logging.ClearProviders());
        await platform.StartAsync();
        using var client = new PlatformClient(http, Path.Combine(data, "secrets.json"));
        await Eventually.True(() => client.IsReady(CancellationToken.None), "the platform is ready");
        await using var publisher = await Connect(broker, Source, secrets["client/" + Source]);
        await using var bare = await Connect(broker, "bare", secrets["client/" + Source]);
        await using var echo = await Echo.Start(bare);

        var figures = new List<Figure>();
        foreach (var (entries, messages, half) in ((int, int, bool)[])[(1, 4_000, false), (100, 1_000, false), (1_000, 150, false), (100, 1_000, true), (1_000, 150, true)])
        {
            var patients = Enumerable.Range(0, Math.Max(half ? 2 : 1, entries / LargestPatient)).Select(_ => People.NextCpr()).ToArray();
            await HostFigures.Activate(client, half ? patients.Where((_, i) => i % 2 == 0) : []);
            figures.Add(await Compare(publisher, bare, patients, entries, messages, half ? entries / 2 : 0));
        }
        Directory.Delete(folder, recursive: true);
        return figures;
    }

    private static async Task<Figure> Compare(IConnection publisher, IConnection bare, string[] patients, int entries, int messages, int masked)
    {
        var update = Update(patients, entries);
        var pairs = new List<(double Masked, double Bare)>();
        var start = Stopwatch.GetTimestamp();
        while (pairs.Count < Rounds)
        {
            var isWarm = Stopwatch.GetElapsedTime(start) > WarmUp;
            var (time, answer) = await Masked(publisher, update, messages);
            var (bareTime, _) = await Run(bare, "bare", "in", "bare", "out", update, messages);
            if (!isWarm)
                continue;
            pairs.Add((time, bareTime));
            var people = JsonSerializer.Deserialize<MaskedUpdate>(answer, EdgeJson.Options)!.Entries.SelectMany(patient => patient.Entries).SelectMany(entry => entry.Staff).ToList();
            if ((people.Count, people.Count(person => person.Masked)) != (entries, masked))
                throw new InvalidOperationException("The answer is not the update, masked.");
        }
        double Rate(Func<(double Masked, double Bare), double> of) => messages / Median(pairs.Select(of));
        return new Figure(
            $"`DataSourceUpdate` → `MaskedUpdate` over RabbitMQ, {entries:N0} {(entries == 1 ? "entry" : "entries")} a message{(masked > 0 ? ", half of them masked" : "")}, against a bare consume-and-publish",
            Median(pairs.Select(p => p.Masked / p.Bare)), 1 / 0.6,
            FormattableString.Invariant($"{Rate(p => p.Masked):N0} messages/s ({Rate(p => p.Masked) * entries:N0} entries/s) against {Rate(p => p.Bare):N0}; {update.Length:N0} bytes each"));
    }

    /// <summary>Sends an update so many times to a platform: <see cref="Run"/>.</summary>
    internal static Task<(double Seconds, byte[] Answer)> Masked(IConnection source, byte[] update, int messages) =>
        Run(source, "sloring.updates", "data-source-update", "sloring.masked-updates", $"{Cvr}.{Source}", update, messages);

    /// <summary>Seconds from the first message out to the last answer in, and that answer.</summary>
    private static async Task<(double Seconds, byte[] Answer)> Run(IConnection connection, string exchange, string key, string answers, string answerKey, byte[] body, int messages)
    {
        await using var sending = await connection.CreateChannelAsync(new CreateChannelOptions(true, true));
        await using var receiving = await connection.CreateChannelAsync();
        // The receiver is not what is measured: a queue that costs the broker as little as can be.
        var queue = (await receiving.QueueDeclareAsync($"{Source}.bench-{Guid.NewGuid():N}", durable: false, exclusive: true, autoDelete: true)).QueueName;
        await receiving.QueueBindAsync(queue, answers, answerKey);
        var (left, done) = (messages, new TaskCompletionSource<byte[]>());
        var consumer = new AsyncEventingBasicConsumer(receiving);
        consumer.ReceivedAsync += (_, delivery) =>
        {
            if (Interlocked.Decrement(ref left) == 0)
                done.SetResult(delivery.Body.ToArray());
            return Task.CompletedTask;
        };
        await receiving.BasicConsumeAsync(queue, autoAck: true, consumer);
        using var window = new SemaphoreSlim(256);
        async Task Send()
        {
            await sending.BasicPublishAsync(exchange, key, mandatory: true, new BasicProperties { UserId = connection.ClientProvidedName, Persistent = true }, body);
            window.Release();
        }
        var start = Stopwatch.GetTimestamp();
        var confirms = new List<Task>(messages);
        for (var i = 0; i < messages; i++)
        {
            await window.WaitAsync();
            confirms.Add(Send());
        }
        await Task.WhenAll(confirms);
        var answer = await done.Task.WaitAsync(TimeSpan.FromMinutes(2));
        return (Stopwatch.GetElapsedTime(start).TotalSeconds, answer);
    }

    internal static Task<IConnection> Connect(RabbitMqServer broker, string user, string password) => new ConnectionFactory
    {
        HostName = "127.0.0.1",
        Port = broker.Port,
        UserName = user,
        Password = password,
    }.CreateConnectionAsync(user);

    internal static byte[] Update(string[] patients, int entries)
    {
        // Patients of some entries each, as a source sends them.
        var shares = Enumerable.Range(0, entries).Chunk(entries / patients.Length).Zip(patients, (chunk, patient) => new PatientEntries(patient, [.. chunk.Select(i => new Entry
        {
            Id = $"entry-{i}",
            Source = "EPJ",
            Cvr = Cvr,
            SorId = "1000111000016001",
            OrganisationName = "Akutmodtagelsen",
            OccurredAt = "2025-11-18T21:14:00+01:00",
            Activity = "Opslag i journal",
            Text = "Patienten modtaget i akutmodtagelsen.",
            Staff = { new Staff { Role = "user", Name = People.Names[i % People.Names.Length], ProfessionCode = "5166", UserId = "mho", AuthorisationId = "6QF17" } },
        })]));
        return JsonSerializer.SerializeToUtf8Bytes(new DataSourceUpdate("bench-update", [.. shares]), EdgeJson.Options);
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }

    /// <summary>The yardstick: takes a message from a quorum queue, publishes one of its size with confirm, acknowledges.</summary>
    private sealed class Echo : IAsyncDisposable
    {
        private readonly IChannel _channel;

        private Echo(IChannel channel) => _channel = channel;

        public static async Task<Echo> Start(IConnection connection)
        {
            var channel = await connection.CreateChannelAsync(new CreateChannelOptions(true, true, null, AtOnce));
            await channel.ExchangeDeclareAsync("bare", ExchangeType.Topic, durable: true);
            await channel.QueueDeclareAsync(Bare, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-queue-type"] = "quorum" });
            await channel.QueueBindAsync(Bare, "bare", "in");
            await channel.BasicQosAsync(0, AtOnce, false);
            var consumer = new AsyncEventingBasicConsumer(channel);
            consumer.ReceivedAsync += async (_, delivery) =>
            {
                var properties = new BasicProperties
                {
                    Persistent = true,
                    ContentType = "application/json",
                    MessageId = Guid.CreateVersion7().ToString("D"),
                    CorrelationId = "bench-update",
                    Timestamp = new AmqpTimestamp(DateTimeOffset.UtcNow.ToUnixTimeSeconds()),
                };
                await channel.BasicPublishAsync("bare", "out", mandatory: true, properties, delivery.Body.ToArray());
                await channel.BasicAckAsync(delivery.DeliveryTag, multiple: false);
            };
            await channel.BasicConsumeAsync(Bare, autoAck: false, consumer);
            return new Echo(channel);
        }

        public ValueTask DisposeAsync() => _channel.DisposeAsync();
    }
}
