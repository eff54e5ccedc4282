using System.Buffers;
using System.Collections.Concurrent;
using System.Data.Common;
using System.Diagnostics;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using System.Text.Json;
using System.Threading.RateLimiting;
using MassTransit;
using MassTransit.RabbitMqTransport;
using MassTransit.RabbitMqTransport.Configuration;
using MassTransit.Transports;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Polly;
using Polly.Retry;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Sloring.Contracts;
using Sloring.Contracts.Edge;
using PublishException = RabbitMQ.Client.Exceptions.PublishException;

namespace Sloring.Hosting;

/// <summary>
/// The edge towards outside systems over RabbitMQ, and the only file that knows MassTransit (decision 15): it connects, consumes, reconnects and
/// drains. What it would do with a message's headers, faults and error queues it does not get to do: senders are outside systems.
/// </summary>
public static class EdgeBus
{
    /// <summary>
    /// Messages handled at a time: enough to keep a confirm's round trip covered. Each holds its body in memory, whole, before anything here sees its size: at the very
    /// worst 64 times the broker's <c>max_message_size</c>, which installations set to 20 MB (docs/edge.md). What is made of bodies is bounded by <see cref="EdgeFilter"/>.
    /// </summary>
    private const int UpdatesAtOnce = 64;

    /// <summary>Writes of one service share one writer: more at once would only wait there, and more prefetched would keep another replica idle.</summary>
    private const int CommandsAtOnce = 16;

    private const int LargestBuffer = 1024 * 1024;

    /// <summary>A confirm takes milliseconds. One that takes longer is looked after so often.</summary>
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(2);

    private static readonly ConcurrentBag<ArrayBufferWriter<byte>> Buffers = [];
    private static readonly JsonWriterOptions Writing = new() { Encoder = EdgeJson.Options.Encoder, SkipValidation = true };

    /// <summary>Subscribes a service to a message of outside systems. Without <c>Edge=rabbitmq</c> nothing is registered.</summary>
    /// <param name="builder">The process.</param>
    /// <param name="queue">Where it comes from.</param>
    /// <param name="operation">The operation that it asks for; its roles are those of the table of operations.</param>
    /// <param name="read">How it is read; null for an object of all that it holds.</param>
    public static void OnEdge<TMessage, TConsumer>(
        this WebApplicationBuilder builder, EdgeQueue queue, string operation, Func<ReadOnlyMemory<byte>, TMessage?>? read = null)
        where TMessage : class where TConsumer : class, IEdgeConsumer<TMessage>
    {
        if (!builder.AddEdge())
            return;
        builder.Services.TryAddSingleton<TConsumer>();
        builder.Services.AddSingleton(provider =>
        {
            var (consumer, clock) = (provider.GetRequiredService<TConsumer>(), provider.GetRequiredService<TimeProvider>());
            return new EdgeEndpoint(
                queue, operation, async (body, caller, cancel) => Write(await consumer.Handle(Read(body, read ?? Whole<TMessage>), caller, cancel), clock.GetUtcNow()));
        });
    }

    /// <summary>Tells outside systems of a service's journal, in order, at least once, from a cursor of its own.</summary>
    public static void TellEdge<TDb, TTeller>(this WebApplicationBuilder builder) where TDb : ServiceDb where TTeller : class, IEdgeTeller
    {
        if (!builder.AddEdge())
            return;
        builder.Services.TryAddSingleton<TTeller>();
        builder.AddRelay<TDb>(RelayCursor.ToEdge, provider =>
        {
            var (teller, link, senders) = (provider.GetRequiredService<TTeller>(), provider.GetRequiredService<EdgeLink>(), provider.GetRequiredService<EdgeSenders>());
            return async (entry, cancel) =>
            {
                await senders.Known(cancel);
                foreach (var sending in await teller.Of(entry, cancel))
                    await link.Publish(sending, cancel);
            };
        });
    }

    /// <summary>One bus for the process, whichever services ask for it. False where the edge is in memory.</summary>
    private static bool AddEdge(this WebApplicationBuilder builder)
    {
        if (builder.Configuration["Edge"] != "rabbitmq")
            return false;
        var services = builder.Services;
        if (services.Any(service => service.ServiceType == typeof(EdgeLink)))
            return true;
        services.AddOptions<EdgeOptions>().BindConfiguration("Edge").ValidateOnStart();
        services.AddSingleton<IValidateOptions<EdgeOptions>, EdgeOptionsCheck>();
        services.AddSingleton<EdgeSenders>();
        services.AddMassTransit(edge =>
        {
            // It would report to its makers over the network.
            edge.ConfigureUsageTelemetryOptions(telemetry => telemetry.Enabled = false);
            edge.ConfigureHealthCheckOptions(health => (health.Name, health.MinimalFailureStatus) = ("edge", HealthStatus.Degraded));
            edge.UsingRabbitMq((context, bus) => Configure(context, bus));
        });
        // After MassTransit, so that it stops before it.
        services.AddSingleton<EdgeLink>();
        services.AddHostedService(provider => provider.GetRequiredService<EdgeLink>());
        services.AddHealthChecks().AddCheck<EdgeLink>("edge-link", tags: ["ready"]);
        services.AddSingleton<IFigures, EdgeFigures>();
        services.AddHostedService(provider => new EraseErrors(
            provider.GetServices<EdgeEndpoint>(), provider.GetServices<IServiceJournal>(), provider.GetRequiredService<EdgeLink>(), provider.GetRequiredService<IOptions<RetentionOptions>>(),
            provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<EraseErrors>>()));
        return true;
    }

    private static void Configure(IServiceProvider provider, IRabbitMqBusFactoryConfigurator bus)
    {
        var options = provider.GetRequiredService<IOptions<EdgeOptions>>().Value;
        bus.Host(options.Host, (ushort)options.Port, "/", "sloring", host =>
        {
            host.Username(options.User);
            host.Password(provider.GetRequiredService<SecretStore>().Text($"rabbitmq/{options.User}"));
            host.PublisherConfirmation = true;
            host.Heartbeat(TimeSpan.FromSeconds(10));
            // As large as a broker lets a message be. One over the client's own limit would end the connection, and all that was fetched with it would be delivered again:
            // after twenty times innocent messages stood among the errors with it. The broker's limit is the one that refuses a message where it is sent.
            host.MaxMessageSize(512 * 1024 * 1024);
            if (options.Tls)
                host.UseSsl(tls => (tls.Protocol, tls.ServerName) = (SslProtocols.Tls12 | SslProtocols.Tls13, options.Host));
        });
        foreach (var endpoint in provider.GetServices<EdgeEndpoint>())
        {
            bus.ReceiveEndpoint(endpoint.Queue.Queue, queue =>
            {
                // The queue is declared and bound below, with a name and arguments that outside systems and operators can rely on.
                queue.BindQueue = false;
                queue.ConfigureConsumeTopology = false;
                queue.PublishFaults = false;
                queue.ConcurrentMessageLimit = endpoint.Queue == EdgeNames.DataSourceUpdate ? UpdatesAtOnce : CommandsAtOnce;
                queue.PrefetchCount = endpoint.Queue == EdgeNames.DataSourceUpdate ? UpdatesAtOnce : CommandsAtOnce;
                queue.ConfigureChannel(channel => channel.UseFilter(new DeclareFirst()));
                queue.ConfigureReceive(receive => receive.UseFilter(ActivatorUtilities.CreateInstance<EdgeFilter>(provider, endpoint)));
            });
        }
    }

    /// <summary>Every exchange and queue of the edge, whichever process is first: a message is kept although nobody takes it yet.</summary>
    internal static async Task Declare(IChannel channel, CancellationToken cancel)
    {
        foreach (var exchange in EdgeNames.Exchanges)
            await channel.ExchangeDeclareAsync(exchange, ExchangeType.Topic, durable: true, autoDelete: false, cancellationToken: cancel);
        foreach (var queue in EdgeNames.Queues)
        {
            await channel.QueueDeclareAsync(queue.Errors, durable: true, exclusive: false, autoDelete: false, Quorum(), cancellationToken: cancel);
            var arguments = Quorum();
            // A message that ends the process each time it is read must not do so for ever. At least once: not lost on its way to the errors either.
            arguments["x-delivery-limit"] = 20;
            arguments["x-dead-letter-exchange"] = "";
            arguments["x-dead-letter-routing-key"] = queue.Errors;
            arguments["x-dead-letter-strategy"] = "at-least-once";
            arguments["x-overflow"] = "reject-publish";
            await channel.QueueDeclareAsync(queue.Queue, durable: true, exclusive: false, autoDelete: false, arguments, cancellationToken: cancel);
            await channel.QueueBindAsync(queue.Queue, queue.Exchange, queue.RoutingKey, cancellationToken: cancel);
        }
    }

    /// <summary>Completes once the broker has the message safe.</summary>
    /// <exception cref="ConfirmLostException">The connection is gone, and with it the confirm.</exception>
    internal static async Task Publish(IChannel channel, string exchange, string routingKey, bool mandatory, BasicProperties properties, ReadOnlyMemory<byte> body, CancellationToken cancel)
    {
        properties.Persistent = true;
        var confirmed = channel.BasicPublishAsync(exchange, routingKey, mandatory, properties, body, cancel).AsTask();
        while (true)
        {
            try
            {
                await confirmed.WaitAsync(LookAgain, cancel);
                return;
            }
            // However long an open channel takes: a broker that is short of memory or disk confirms nothing until it has some.
            catch (TimeoutException) when (!confirmed.IsCompleted && channel.IsOpen)
            {
            }
            // A publish that meets the end of its connection is sometimes forgotten by the client, and would be waited for for ever (rabbitmq-dotnet-client, issue 1930).
            catch (TimeoutException) when (!confirmed.IsCompleted)
            {
                throw new ConfirmLostException();
            }
        }
    }

    /// <summary>As above.</summary>
    internal static async Task Publish(IChannel channel, EdgeLetter letter, bool mandatory, CancellationToken cancel)
    {
        await Publish(channel, letter.Exchange ?? "", letter.RoutingKey, mandatory, letter.Properties, letter.Body.WrittenMemory, cancel);
        // Not where it failed: the client may be at it still.
        Recycle(letter);
    }

    /// <summary>Writes a message, into memory that is used again, since one of many entries would else be a large object each time.</summary>
    internal static EdgeLetter Write(EdgeSending sending, DateTimeOffset now)
    {
        if (!Buffers.TryTake(out var buffer))
            buffer = new ArrayBufferWriter<byte>(16 * 1024);
        Write(sending.Body, buffer);
        return new EdgeLetter(sending.Exchange, sending.RoutingKey, Properties(sending, now), buffer);
    }

    /// <summary>For a letter that has been sent, or never will be.</summary>
    internal static void Recycle(EdgeLetter letter)
    {
        if (letter.Body.Capacity > LargestBuffer)
            return;
        letter.Body.ResetWrittenCount();
        Buffers.Add(letter.Body);
    }

    private static void Write(object body, ArrayBufferWriter<byte> to)
    {
        if (body is IRawBody raw)
        {
            raw.Write(to);
            return;
        }
        using var writer = new Utf8JsonWriter(to, Writing);
        JsonSerializer.Serialize(writer, body, body.GetType(), EdgeJson.Options);
    }

    private static BasicProperties Properties(EdgeSending sending, DateTimeOffset now)
    {
        var properties = new BasicProperties
        {
            ContentType = "application/json",
            MessageId = sending.MessageId ?? Guid.CreateVersion7(now).ToString("D"),
            Timestamp = new AmqpTimestamp(now.ToUnixTimeSeconds()),
            Type = sending.Body is IRawBody raw ? raw.Name : sending.Body.GetType().Name,
        };
        if (sending.CorrelationId is not null)
            properties.CorrelationId = sending.CorrelationId;
        if ((sending.TraceParent ?? Activity.Current?.Id) is { Length: > 0 } cause)
            properties.Headers = new Dictionary<string, object?> { [EdgeSenders.TraceHeader] = cause };
        return properties;
    }

    internal static TMessage? Whole<TMessage>(ReadOnlyMemory<byte> body) => JsonSerializer.Deserialize<TMessage>(body.Span, EdgeJson.Options);

    /// <summary>Reads a body.</summary>
    /// <exception cref="RejectedException">SLR-904: it is none of these messages.</exception>
    internal static TMessage Read<TMessage>(byte[] body, Func<ReadOnlyMemory<byte>, TMessage?> read) where TMessage : class
    {
        try
        {
            return read(body) ?? throw new RejectedException(Rejections.Malformed);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            // The parser's message quotes the text: it goes no further.
            throw new RejectedException(Rejections.Malformed);
        }
    }

    private static Dictionary<string, object?> Quorum() => new() { ["x-queue-type"] = "quorum" };

    private sealed class DeclareFirst : IFilter<ChannelContext>
    {
        public async Task Send(ChannelContext context, IPipe<ChannelContext> next)
        {
            try
            {
                await Declare(context.Channel, context.CancellationToken);
                await next.Send(context);
            }
            catch (OperationCanceledException e) when (!context.CancellationToken.IsCancellationRequested)
            {
                // The broker was too slow to answer. MassTransit takes a cancellation for its own and would never consume again.
                throw new RabbitMqConnectionException("The broker of the edge did not answer in time.", e);
            }
        }

        public void Probe(ProbeContext context)
        {
        }
    }
}

/// <summary>Nobody knows whether the broker has the message: it is sent again.</summary>
internal sealed class ConfirmLostException() : IOException("The broker's connection ended before it confirmed.");

/// <summary>A queue, what it takes to send to it, and who takes what comes.</summary>
internal sealed record EdgeEndpoint(EdgeQueue Queue, string Operation, Func<byte[], Caller, CancellationToken, Task<EdgeLetter>> Handle) : IDisposable
{
    /// <summary>
    /// For bodies worked on at a time, by their bytes, in the order of asking: small ones all at once, of the largest four. What is made of a body until its
    /// answer is confirmed is as large again or more. Whoever has room asks for no more of it, so nobody waits for ever.
    /// </summary>
    public ConcurrencyLimiter Room { get; } = new(new ConcurrencyLimiterOptions { PermitLimit = 64 * 1024 * 1024, QueueLimit = int.MaxValue, QueueProcessingOrder = QueueProcessingOrder.OldestFirst });

    public void Dispose() => Room.Dispose();
}

/// <summary>A message written and not yet confirmed. What it was made from is let go: a thousand entries that outlive a confirm's round trip cost the collector more than making them.</summary>
internal sealed record EdgeLetter(string? Exchange, string RoutingKey, BasicProperties Properties, ArrayBufferWriter<byte> Body);

/// <summary>
/// Takes a message from its queue to its consumer, and the answer or the rejection to where it belongs; only then is the message acknowledged. It stands
/// first in MassTransit's pipe and passes nothing on: an outside system's headers would there choose where faults go, and faults carry the body.
/// </summary>
internal sealed class EdgeFilter(EdgeEndpoint endpoint, EdgeSenders senders, IHostApplicationLifetime lifetime, TimeProvider clock, ILogger<EdgeFilter> log) : IFilter<ReceiveContext>
{
    private const int LargestBody = 16 * 1024 * 1024;

    /// <summary>About a minute in all.</summary>
    private readonly ResiliencePipeline _patiently = new ResiliencePipelineBuilder { TimeProvider = clock }.AddRetry(new RetryStrategyOptions
    {
        ShouldHandle = new PredicateBuilder().Handle<Exception>(MayPass),
        MaxRetryAttempts = 10,
        BackoffType = DelayBackoffType.Exponential,
        Delay = TimeSpan.FromMilliseconds(250),
        MaxDelay = TimeSpan.FromSeconds(10),
        UseJitter = true,
    }).Build();

    public async Task Send(ReceiveContext context, IPipe<ReceiveContext> next)
    {
        var delivery = context.GetPayload<RabbitMqBasicConsumeContext>();
        var (channel, sent, stop) = (context.GetPayload<ChannelContext>().Channel, delivery.Properties, lifetime.ApplicationStopping);
        // A sender may have put anything into its message id.
        Activity.Current?.SetTag("messaging.message.id", null);
        using var activity = Telemetry.Source.StartActivity($"edge {endpoint.Queue.RoutingKey}", ActivityKind.Consumer, TraceParent(sent));
        var body = context.Body.GetBytes();
        var user = senders.UserOf(sent);
        try
        {
            var caller = senders.Of(user, endpoint.Operation);
            await senders.KnownOrLate(stop);
            if (body.Length > LargestBody)
                throw new RejectedException(Rejections.TooLarge);
            // Handled anew each time: an answer is masked with the picture of the moment that it leaves.
            await _patiently.ExecuteAsync(async cancel =>
            {
                senders.MustNotBeRevoked(caller);
                // Not while it waits to be tried again: then it is its body alone, and would keep others out.
                using var room = await endpoint.Room.AcquireAsync(Math.Max(1, body.Length), cancel);
                await Answer(channel, sent, await endpoint.Handle(body, caller, cancel), cancel);
            }, stop);
        }
        catch (RejectedException rejected)
        {
            await Refuse(channel, delivery, user, body, rejected.Rejection, stop);
        }
        catch (Exception e) when (!stop.IsCancellationRequested && !ChannelIsGone(e))
        {
            Faults.Log(log, e, $"Edge {endpoint.Queue.Queue}");
            await Refuse(channel, delivery, user, body, Rejections.Failed, stop);
        }
    }

    public void Probe(ProbeContext context)
    {
    }

    private static async Task Answer(IChannel channel, IReadOnlyBasicProperties sent, EdgeLetter letter, CancellationToken cancel)
    {
        if (letter.Exchange is null)
        {
            await Reply(channel, sent, letter, cancel);
            return;
        }
        try
        {
            await EdgeBus.Publish(channel, letter, mandatory: true, cancel);
        }
        catch (PublishException e) when (e.IsReturn)
        {
            throw new RejectedException(Rejections.NobodyTakesAnswer);
        }
    }

    private static async Task Reply(IChannel channel, IReadOnlyBasicProperties sent, EdgeLetter letter, CancellationToken cancel)
    {
        if (!DirectReply.Is(sent.ReplyTo))
        {
            EdgeBus.Recycle(letter);
            return;
        }
        letter.Properties.CorrelationId = sent.CorrelationId ?? sent.MessageId;
        await EdgeBus.Publish(channel, letter with { Exchange = "", RoutingKey = sent.ReplyTo! }, mandatory: false, cancel);
    }

    private async Task Refuse(IChannel channel, RabbitMqBasicConsumeContext delivery, string? user, byte[] body, Rejection rejection, CancellationToken cancel)
    {
        var sent = delivery.Properties;
        // Not the user-id: the broker lets us publish with our own only, and would close the channel over another.
        var properties = new BasicProperties
        {
            ContentType = sent.ContentType ?? "application/json",
            MessageId = sent.MessageId,
            CorrelationId = sent.CorrelationId,
            Timestamp = new AmqpTimestamp(clock.GetUtcNow().ToUnixTimeSeconds()),
            Headers = new Dictionary<string, object?>
            {
                ["sloring-code"] = rejection.Code,
                ["sloring-da"] = Encoding.UTF8.GetBytes(rejection.Da),
                ["sloring-en"] = rejection.En,
                ["sloring-exchange"] = delivery.Exchange,
                ["sloring-routing-key"] = delivery.RoutingKey,
            },
        };
        if (rejection.Field is not null)
            properties.Headers["sloring-field"] = rejection.Field;
        if (user is not null)
            properties.Headers[EdgeSenders.UserHeader] = user;
        // Whoever replays it goes on with its trace.
        if (TraceParent(sent) is { } trace)
            properties.Headers[EdgeSenders.TraceHeader] = trace;
        await EdgeBus.Publish(channel, "", endpoint.Queue.Errors, mandatory: true, properties, body, cancel);
        Telemetry.Count(rejection, "amqp");
        log.LogInformation("A message of {User} to {Queue} was refused with {Code}", user ?? "nobody", endpoint.Queue.Queue, rejection.Code);
        await Reply(channel, sent, EdgeBus.Write(new EdgeSending(new EdgeAnswer(endpoint.Queue.RoutingKey, false, Rejection: EdgeRejection.Of(rejection))), clock.GetUtcNow()), cancel);
    }

    private static string? TraceParent(IReadOnlyBasicProperties sent) =>
        sent.Headers?.TryGetValue(EdgeSenders.TraceHeader, out var value) == true && value is byte[] { Length: 55 } bytes ? Encoding.ASCII.GetString(bytes) : null;

    /// <summary>Whether the same message may fare better in a while. A rule's "no" will not.</summary>
    private static bool MayPass(Exception e) => e switch
    {
        RejectedException rejected => rejected.Rejection.Kind == RejectionKind.Unavailable,
        OperationCanceledException => false,
        _ when ChannelIsGone(e) => false,
        // The broker could not take the answer just now.
        PublishException => true,
        DbException or TimeoutException or IOException or SocketException => true,
        _ => e.InnerException is { } inner && MayPass(inner),
    };

    /// <summary>The broker has taken the message back: it will come again, here or at another replica.</summary>
    private static bool ChannelIsGone(Exception e) => e is AlreadyClosedException or OperationInterruptedException or ObjectDisposedException or ConfirmLostException;
}

/// <summary>
/// The process's own channel on the bus's connection: declares the topology as soon as there is a broker, publishes what the journal tells, and says whether
/// there is a connection, which a process without a queue of its own would else not notice.
/// </summary>
internal sealed class EdgeLink(IBusInstance bus, TimeProvider clock, ILogger<EdgeLink> log) : BackgroundService, IHealthCheck
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);
    private volatile IChannel? _channel;

    private IConnectionContextSupervisor Connection => ((IRabbitMqHostConfiguration)bus.HostConfiguration).ConnectionContextSupervisor;

    /// <summary>Completes once the broker has the message safe. Nobody need take it: who is interested has bound a queue.</summary>
    /// <exception cref="IOException">There is no connection right now.</exception>
    public async Task Publish(EdgeSending sending, CancellationToken cancel)
    {
        var channel = _channel is { IsOpen: true } open ? open : throw new IOException("The broker of the edge is away.");
        await EdgeBus.Publish(channel, EdgeBus.Write(sending, clock.GetUtcNow()), mandatory: false, cancel);
    }

    /// <summary>Whether there is a connection.</summary>
    public bool IsConnected => _channel is { IsOpen: true };

    /// <summary>Does something on a channel of its own. What it has taken and not acknowledged goes back to where it stood when the channel closes.</summary>
    /// <exception cref="RejectedException">SLR-924, or what <paramref name="work"/> refuses.</exception>
    public async Task<T> OnChannel<T>(Func<IChannel, Task<T>> work, CancellationToken cancel)
    {
        if (!IsConnected)
            throw new RejectedException(Rejections.BrokerAway);
        try
        {
            IChannel? own = null;
            await Connection.Send(MassTransit.Pipe.ExecuteAsync<ConnectionContext>(async connection => own = await connection.CreateChannel(cancel, null)), cancel);
            await using var channel = own!;
            return await work(channel);
        }
        catch (Exception e) when (e is RabbitMQClientException or MassTransit.ConnectionException or IOException or TimeoutException or ObjectDisposedException or OperationCanceledException)
        {
            log.LogWarning("The broker of the edge did not do what it was asked for: {Type}", e.GetType().Name);
            throw new RejectedException(Rejections.BrokerAway);
        }
    }

    /// <summary>Without the broker a process is ready all the same: gRPC and HTTP do without, and it would be away for all replicas at once (decision 4).</summary>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(IsConnected ? HealthCheckResult.Healthy() : HealthCheckResult.Degraded("The broker of the edge is away."));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var away = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (!IsConnected)
                {
                    await Connection.Send(MassTransit.Pipe.ExecuteAsync<ConnectionContext>(connection => Open(connection, stoppingToken)), stoppingToken);
                    log.LogInformation("Connected to the broker of the edge");
                    away = false;
                }
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                // Once an outage: MassTransit tells of each attempt, with stack traces, to whoever turns its log on.
                if (!away)
                    log.LogWarning("The broker of the edge is away ({Type}); trying until it is there", e.GetBaseException().GetType().Name);
                away = true;
            }
            await Task.Delay(Pause, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task Open(ConnectionContext connection, CancellationToken cancel)
    {
        var channel = await connection.CreateChannel(cancel, null);
        await EdgeBus.Declare(channel, cancel);
        _channel = channel;
    }
}

/// <summary>What lies in the error queues of what this process takes from the edge.</summary>
internal sealed class EdgeFigures(IEnumerable<EdgeEndpoint> endpoints, EdgeLink link) : Figures<EdgeFigures.Seen>
{
    protected override async Task<Seen> Read(CancellationToken cancel)
    {
        var errors = new List<(string, uint)>();
        foreach (var queue in endpoints.Select(endpoint => endpoint.Queue))
        {
            if (link.IsConnected && await link.OnChannel(channel => EdgeQueues.Standing(channel, queue.Errors, cancel), cancel) is { } standing)
                errors.Add((queue.Errors, standing.MessageCount));
        }
        return new Seen(errors);
    }

    protected override IEnumerable<Figure> Of(Seen seen) =>
        seen.Errors.Select(errors => new Figure(Metrics.EdgeErrors, errors.Messages, new KeyValuePair<string, object?>("queue", errors.Queue)));

    internal sealed record Seen(IReadOnlyList<(string Queue, uint Messages)> Errors);
}
