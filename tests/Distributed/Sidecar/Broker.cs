using System.Collections.Concurrent;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace Sloring.Sidecar;

/// <summary>
/// One connection and one channel to RabbitMQ for everything, as daprd has. Its weaknesses are kept on purpose: a message that the broker refuses,
/// or whose confirmation never comes, counts as published; one without a queue is gone; a queue that stands with other arguments breaks the channel for all.
/// </summary>
internal sealed class Broker(PubSub component, ILogger<Broker> log) : IAsyncDisposable
{
    private const int PublishTries = 3;
    private static readonly TimeSpan PublishWait = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _lock = new(1, 1);
    private readonly HashSet<string> _exchanges = [];
    private readonly ConcurrentBag<string> _tags = [];
    private readonly CancellationTokenSource _stopping = new();
    private IConnection? _connection;
    private IChannel? _channel;
    private int _generation;
    private int _inFlight;

    /// <summary>Connects; tried a few times, then given up, as daprd does with a component that cannot start.</summary>
    public async Task Start(CancellationToken cancel)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                await Reconnect(0, cancel);
                return;
            }
            catch (Exception e) when (e is BrokerUnreachableException or OperationInterruptedException && tries < 5)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), cancel);
            }
            catch (BrokerUnreachableException)
            {
                throw new StartException($"Component {component.Name} cannot start: RabbitMQ does not answer at {component.Broker.Host}:{component.Broker.Port}, or refuses user and password.");
            }
        }
    }

    /// <exception cref="BrokerException">Not published.</exception>
    public async Task Publish(string topic, ReadOnlyMemory<byte> body, TimeSpan? timeToLive, CancellationToken cancel)
    {
        for (var tries = 1; ; tries++)
        {
            var (generation, open, error) = await TryPublish(topic, body, timeToLive);
            if (error is null)
                return;
            if (tries >= PublishTries)
                throw new BrokerException(error);
            try
            {
                await Task.Delay(open ? PublishWait : component.ReconnectWait, cancel);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            if (!open)
                await TryReconnect(generation);
        }
    }

    /// <summary>Consumes for as long as the sidecar runs, over every loss of the connection.</summary>
    public async Task Subscribe(string topic, string queue, IReadOnlyDictionary<string, string> metadata, Func<ReadOnlyMemory<byte>, CancellationToken, Task<bool>> deliver)
    {
        while (!_stopping.IsCancellationRequested)
        {
            var generation = Volatile.Read(ref _generation);
            try
            {
                await await Consume(topic, queue, metadata, deliver);
            }
            catch (Exception e) when (e is OperationInterruptedException or AlreadyClosedException or InvalidOperationException)
            {
                log.LogError("subscription of {Queue} failed: {Why}", queue, e.Message);
            }
            if (_stopping.IsCancellationRequested)
                return;
            await Task.Delay(component.ReconnectWait, _stopping.Token).ContinueWith(_ => { }, TaskScheduler.Default);
            if (_channel is not { IsOpen: true })
                await TryReconnect(generation);
        }
    }

    /// <summary>No more deliveries; those under way get their time, then the connection goes and the broker keeps what was not acknowledged.</summary>
    public async Task Stop(TimeSpan grace)
    {
        await _stopping.CancelAsync();
        if (_channel is { IsOpen: true } channel)
        {
            foreach (var tag in _tags.ToArray())
                await channel.BasicCancelAsync(tag, noWait: true);
        }
        var until = DateTime.UtcNow + grace;
        while (Volatile.Read(ref _inFlight) > 0 && DateTime.UtcNow < until)
            await Task.Delay(20);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        if (_connection is not null)
            await _connection.DisposeAsync();
        _stopping.Dispose();
        _lock.Dispose();
    }

    private async Task<(int Generation, bool Open, string? Error)> TryPublish(string topic, ReadOnlyMemory<byte> body, TimeSpan? timeToLive)
    {
        // One at a time with the round trip of the confirmation: daprd's own limit.
        await _lock.WaitAsync();
        try
        {
            if (_channel is not { IsOpen: true } channel)
                return (_generation, false, "channel not initialized");
            try
            {
                await DeclareExchange(channel, topic);
            }
            catch (Exception e) when (e is OperationInterruptedException or AlreadyClosedException)
            {
                return (_generation, channel.IsOpen, e.Message);
            }
            var properties = new BasicProperties
            {
                ContentType = "text/plain",
                DeliveryMode = component.DeliveryMode == 2 ? DeliveryModes.Persistent : DeliveryModes.Transient,
                Expiration = timeToLive is { } ttl ? ((long)ttl.TotalMilliseconds).ToString(System.Globalization.CultureInfo.InvariantCulture) : null,
            };
            try
            {
                await channel.BasicPublishAsync(topic, "", mandatory: false, properties, body);
            }
            catch (Exception e) when (e is PublishException or OperationInterruptedException or AlreadyClosedException)
            {
                // Dapr's fault, kept: it is logged, and the publisher is told that all is well.
                log.LogError("publishing to {Topic} failed: did not receive confirmation of publishing", topic);
            }
            return (_generation, true, null);
        }
        finally
        {
            _lock.Release();
        }
    }

    private async Task<Task> Consume(string topic, string queue, IReadOnlyDictionary<string, string> metadata, Func<ReadOnlyMemory<byte>, CancellationToken, Task<bool>> deliver)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await _lock.WaitAsync(_stopping.Token);
        try
        {
            var channel = _channel is { IsOpen: true } open ? open : throw new InvalidOperationException("channel not initialized");
            await DeclareExchange(channel, topic);
            var arguments = new Dictionary<string, object?> { ["x-queue-type"] = metadata.GetValueOrDefault("queueType", "classic") };
            if (metadata.GetValueOrDefault("singleActiveConsumer") == "true")
                arguments["x-single-active-consumer"] = true;
            await channel.QueueDeclareAsync(queue, component.Durable, exclusive: false, component.DeleteWhenUnused, arguments);
            await channel.QueueBindAsync(queue, topic, "");
            if (component.Prefetch > 0)
                await channel.BasicQosAsync(0, component.Prefetch, global: false);
            var consumer = new AsyncEventingBasicConsumer(channel);
            consumer.ReceivedAsync += async (_, message) =>
            {
                var (tag, body) = (message.DeliveryTag, message.Body.ToArray());
                var delivery = Receive(channel, tag, body, deliver);
                if (component.Single)
                    await delivery;
            };
            consumer.ShutdownAsync += (_, _) => { ended.TrySetResult(); return Task.CompletedTask; };
            consumer.UnregisteredAsync += (_, _) => { ended.TrySetResult(); return Task.CompletedTask; };
            _tags.Add(await channel.BasicConsumeAsync(queue, component.AutoAck, consumer));
            log.LogInformation("subscribed to {Topic} by queue {Queue}", topic, queue);
        }
        finally
        {
            _lock.Release();
        }
        return ended.Task.WaitAsync(_stopping.Token).ContinueWith(_ => { }, TaskScheduler.Default);
    }

    private async Task Receive(IChannel channel, ulong tag, byte[] body, Func<ReadOnlyMemory<byte>, CancellationToken, Task<bool>> deliver)
    {
        Interlocked.Increment(ref _inFlight);
        try
        {
            await Task.Yield();
            bool done;
            try
            {
                done = await deliver(body, _stopping.Token);
            }
            catch (OperationCanceledException)
            {
                // Dapr's fault, kept: what waits for another try when the sidecar is stopped is refused, and gone.
                done = false;
            }
            if (component.AutoAck)
                return;
            if (done)
                await channel.BasicAckAsync(tag, multiple: false);
            else
                await channel.BasicNackAsync(tag, multiple: false, component.Requeue);
        }
        catch (Exception e) when (e is AlreadyClosedException or ObjectDisposedException or OperationInterruptedException)
        {
            // The broker delivers it again.
        }
        finally
        {
            Interlocked.Decrement(ref _inFlight);
        }
    }

    private async Task DeclareExchange(IChannel channel, string topic)
    {
        if (_exchanges.Contains(topic))
            return;
        await channel.ExchangeDeclareAsync(topic, ExchangeType.Fanout, component.Durable, component.DeleteWhenUnused);
        _exchanges.Add(topic);
    }

    private async Task TryReconnect(int generation)
    {
        try
        {
            await Reconnect(generation, CancellationToken.None);
        }
        catch (Exception e) when (e is BrokerUnreachableException or OperationInterruptedException or AlreadyClosedException)
        {
            log.LogWarning("RabbitMQ cannot be reached");
        }
    }

    /// <summary>Does nothing where somebody else has reconnected since <paramref name="generation"/>.</summary>
    private async Task Reconnect(int generation, CancellationToken cancel)
    {
        await _lock.WaitAsync(cancel);
        try
        {
            if (generation != _generation || _stopping.IsCancellationRequested)
                return;
            if (_connection is not null)
                await _connection.DisposeAsync();
            (_connection, _channel) = (null, null);
            _exchanges.Clear();
            var factory = new ConnectionFactory
            {
                Uri = component.Broker,
                AutomaticRecoveryEnabled = false,
                TopologyRecoveryEnabled = false,
                RequestedHeartbeat = TimeSpan.FromSeconds(10),
                ClientProvidedName = "stand-in sidecar of " + component.App,
            };
            _connection = await factory.CreateConnectionAsync(cancel);
            _channel = await _connection.CreateChannelAsync(new CreateChannelOptions(component.Confirm, component.Confirm), cancel);
            Volatile.Write(ref _generation, _generation + 1);
            log.LogInformation("connected to RabbitMQ");
        }
        finally
        {
            _lock.Release();
        }
    }
}

/// <summary>The broker could not be told.</summary>
internal sealed class BrokerException(string message) : Exception(message);
