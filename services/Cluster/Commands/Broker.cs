using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace Sloring.Cluster.Commands;

/// <summary>An outside system at the broker, as somebody else would write one: raw JSON over AMQP 0-9-1, no code of the platform's.</summary>
internal sealed class Broker : IAsyncDisposable
{
    private const string ReplyTo = "amq.rabbitmq.reply-to";
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(20);
    private readonly IConnection _connection;
    private readonly IChannel _channel;
    private readonly string _user;
    private readonly ConcurrentDictionary<string, TaskCompletionSource<JsonNode>> _asked = [];

    private Broker(IConnection connection, IChannel channel, string user) => (_connection, _channel, _user) = (connection, channel, user);

    /// <summary>Connects as a broker user, ready to be answered.</summary>
    public static async Task<Broker> Connect(int port, string user, string password, CancellationToken cancel)
    {
        var factory = new ConnectionFactory { HostName = "127.0.0.1", Port = port, UserName = user, Password = password, ClientProvidedName = user };
        var connection = await factory.CreateConnectionAsync(cancel);
        var channel = await connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true), cancel);
        var broker = new Broker(connection, channel, user);
        var answers = new AsyncEventingBasicConsumer(channel);
        answers.ReceivedAsync += (_, delivery) =>
        {
            if (delivery.BasicProperties.CorrelationId is { } id && broker._asked.TryRemove(id, out var asked))
                asked.TrySetResult(JsonNode.Parse(delivery.Body.Span)!);
            return Task.CompletedTask;
        };
        await channel.BasicConsumeAsync(ReplyTo, autoAck: true, answers, cancel);
        return broker;
    }

    /// <summary>Sends a message; done when the broker has confirmed it.</summary>
    public async Task Send(string exchange, string routingKey, JsonNode message, CancellationToken cancel, string? messageId = null, string? answerTo = null)
    {
        var properties = new BasicProperties
        {
            MessageId = messageId ?? Guid.NewGuid().ToString(),
            UserId = _user, // the broker refuses any other than the connection's own
            DeliveryMode = DeliveryModes.Persistent,
            ContentType = "application/json",
        };
        if (answerTo is not null)
            (properties.ReplyTo, properties.CorrelationId) = (ReplyTo, answerTo);
        await _channel.BasicPublishAsync(exchange, routingKey, mandatory: true, properties, Encoding.UTF8.GetBytes(message.ToJsonString()), cancel);
    }

    /// <summary>Sends a message and waits for what became of it.</summary>
    public async Task<JsonNode> Ask(string exchange, string routingKey, JsonNode message, CancellationToken cancel, string? messageId = null)
    {
        var id = Guid.NewGuid().ToString();
        var answer = _asked[id] = new TaskCompletionSource<JsonNode>(TaskCreationOptions.RunContinuationsAsynchronously);
        await Send(exchange, routingKey, message, cancel, messageId, id);
        return await answer.Task.WaitAsync(AnswerLimit, cancel);
    }

    /// <summary>A queue of this system's own, bound to what it may hear; all that comes is kept.</summary>
    public async Task<ConcurrentQueue<JsonNode>> Listen(CancellationToken cancel, params (string Exchange, string RoutingKey)[] bindings)
    {
        var queue = $"{_user}.demo-{Guid.NewGuid():N}";
        await _channel.QueueDeclareAsync(queue, durable: false, exclusive: true, autoDelete: true, cancellationToken: cancel);
        foreach (var (exchange, routingKey) in bindings)
            await _channel.QueueBindAsync(queue, exchange, routingKey, cancellationToken: cancel);
        var heard = new ConcurrentQueue<JsonNode>();
        var consumer = new AsyncEventingBasicConsumer(_channel);
        consumer.ReceivedAsync += (_, delivery) =>
        {
            heard.Enqueue(JsonNode.Parse(delivery.Body.Span)!);
            return Task.CompletedTask;
        };
        await _channel.BasicConsumeAsync(queue, autoAck: true, consumer, cancel);
        return heard;
    }

    /// <summary>Whether the broker refuses this system what it has no right to.</summary>
    public async Task<bool> IsRefused(Func<IChannel, Task> attempt, CancellationToken cancel)
    {
        try
        {
            // On a channel of its own: the broker closes it with the refusal.
            await using var channel = await _connection.CreateChannelAsync(new CreateChannelOptions(true, true), cancel);
            await attempt(channel);
            return false;
        }
        catch (Exception e) when (e is OperationInterruptedException or PublishException or AlreadyClosedException)
        {
            return true;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _channel.DisposeAsync();
        await _connection.DisposeAsync();
    }
}
