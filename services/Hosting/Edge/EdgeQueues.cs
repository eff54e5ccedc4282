using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Sloring.Contracts;
using Sloring.Contracts.Edge;
using Sloring.Contracts.Operation.V1;
using EdgeMessage = Sloring.Contracts.Operation.V1.Edge;
using EdgeQueue = Sloring.Contracts.Edge.EdgeQueue;
using EdgeQueueMessage = Sloring.Contracts.Operation.V1.EdgeQueue;

namespace Sloring.Hosting;

/// <summary>What an operator wants of the broker at the edge: how many messages stand where, and that refused ones are done again.</summary>
/// <param name="link">Null where this deployment has no broker.</param>
/// <param name="senders">As <paramref name="link"/>.</param>
internal sealed class EdgeQueues(EdgeLink? link, EdgeSenders? senders)
{
    /// <summary>A page waits for it.</summary>
    private static readonly TimeSpan CountingLimit = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan MovingLimit = TimeSpan.FromSeconds(10);

    /// <summary>The queues that a service takes messages from.</summary>
    public static IReadOnlyList<EdgeQueue> Of(string service) => [.. EdgeNames.Queues.Where(queue => queue.Queue.StartsWith(service + ".", StringComparison.Ordinal))];

    public async Task<EdgeMessage> State(string service, CancellationToken cancel)
    {
        if (link is null)
            return new EdgeMessage { Broker = BrokerState.None };
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limited.CancelAfter(CountingLimit);
        var answer = new EdgeMessage { Broker = BrokerState.Connected };
        try
        {
            foreach (var queue in Of(service))
                answer.Queues.Add(await Count(link, queue, limited.Token));
            return link.IsConnected ? answer : new EdgeMessage { Broker = BrokerState.Away };
        }
        catch (RejectedException) when (!cancel.IsCancellationRequested)
        {
            return new EdgeMessage { Broker = BrokerState.Away };
        }
    }

    /// <summary>
    /// Takes messages out of a queue's errors, one after the other, and has each acknowledged there only when the broker has it safe in the queue. They are published
    /// as their senders' had been, by the queue's own exchange and key: what a message among the errors says of where it came from may be its sender's own words.
    /// </summary>
    /// <param name="queue">Whose errors.</param>
    /// <param name="most">How many at most.</param>
    /// <param name="begin">Told how many it will be, before the first; not where there is none.</param>
    /// <param name="cancel">Ends it between two messages.</param>
    /// <exception cref="RejectedException">SLR-922, SLR-923, SLR-924.</exception>
    public async Task<int> Replay(EdgeQueue queue, int most, Func<int, Task> begin, CancellationToken cancel)
    {
        if (link is null || senders is null)
            throw new RejectedException(Rejections.NoBroker);
        return await link.OnChannel(async channel =>
        {
            // No more than stand there now: one that is refused again is among the errors again before this is done.
            var standing = await Standing(channel, queue.Errors, cancel) ?? throw new RejectedException(Rejections.QueueUnknown.For("queue"));
            var wanted = (int)Math.Min(most, standing.MessageCount);
            if (wanted > 0)
                await begin(wanted);
            for (var replayed = 0; ; replayed++)
            {
                cancel.ThrowIfCancellationRequested();
                // Not the caller's: one who goes while a message moves would have it done twice.
                using var limited = new CancellationTokenSource(MovingLimit);
                if (replayed == wanted || await channel.BasicGetAsync(queue.Errors, autoAck: false, limited.Token) is not { } refused)
                    return replayed;
                await EdgeBus.Publish(channel, queue.Exchange, queue.RoutingKey, mandatory: true, senders.Again(refused.BasicProperties), refused.Body, limited.Token);
                await channel.BasicAckAsync(refused.DeliveryTag, multiple: false, limited.Token);
            }
        }, cancel);
    }

    private static async Task<EdgeQueueMessage> Count(EdgeLink link, EdgeQueue queue, CancellationToken cancel)
    {
        // A channel each: the broker closes one over a queue that is not there.
        var waiting = await link.OnChannel(channel => Standing(channel, queue.Queue, cancel), cancel);
        var errors = await link.OnChannel(channel => Standing(channel, queue.Errors, cancel), cancel);
        return new EdgeQueueMessage
        {
            Queue = queue.Queue,
            Waiting = waiting?.MessageCount ?? 0,
            Consumers = (int)(waiting?.ConsumerCount ?? 0),
            Errors = errors?.MessageCount ?? 0,
            Missing = waiting is null || errors is null,
        };
    }

    /// <summary>Null where the broker has no such queue.</summary>
    internal static async Task<QueueDeclareOk?> Standing(IChannel channel, string queue, CancellationToken cancel)
    {
        try
        {
            return await channel.QueueDeclarePassiveAsync(queue, cancel);
        }
        catch (OperationInterruptedException e) when (e.ShutdownReason?.ReplyCode == Constants.NotFound)
        {
            return null;
        }
    }
}
