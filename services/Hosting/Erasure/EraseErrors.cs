using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Sloring.Contracts;
using Sloring.Contracts.Events;
using EdgeQueue = Sloring.Contracts.Edge.EdgeQueue;

namespace Sloring.Hosting;

/// <summary>
/// Erases from the error queues of the edge what was refused longer ago than its retention: the messages hold CPR numbers and reasons in clear, on the broker's disk. From the
/// front, where the oldest stand, and no further than the first that is young enough; that one goes back to where it stood.
/// </summary>
public sealed class EraseErrors : BackgroundService
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMinutes(10), Limit = TimeSpan.FromSeconds(30);

    private readonly IReadOnlyList<EdgeQueue> _queues;
    private readonly IEnumerable<IServiceJournal> _journals;
    private readonly EdgeLink _link;
    private readonly RetentionOptions _retention;
    private readonly TimeProvider _clock;
    private readonly ILogger<EraseErrors> _log;
    private readonly SemaphoreSlim _turn = new(1, 1);

    /// <summary>When a queue is to be looked at again: each look returns a message, and a broker may drop one that was returned very often.</summary>
    private readonly ConcurrentDictionary<string, DateTimeOffset> _next = [];

    internal EraseErrors(
        IEnumerable<EdgeEndpoint> endpoints, IEnumerable<IServiceJournal> journals, EdgeLink link, IOptions<RetentionOptions> options, TimeProvider clock, ILogger<EraseErrors> log) =>
        (_queues, _journals, _link, _retention, _clock, _log) = ([.. endpoints.Select(endpoint => endpoint.Queue)], journals, link, options.Value, clock, log);

    /// <summary>Erases all that is due, where the broker is there. Replicas may all be at it: of each queue one is at a time, and the others leave it.</summary>
    public async Task EraseAll(CancellationToken cancel)
    {
        if (_retention.RefusedDays == 0 || !_link.IsConnected)
            return;
        await _turn.WaitAsync(cancel);
        try
        {
            var (now, kept) = (_clock.GetUtcNow(), TimeSpan.FromDays(_retention.RefusedDays));
            foreach (var queue in _queues.Where(queue => !_next.TryGetValue(queue.Queue, out var next) || next <= now))
            {
                try
                {
                    // Nothing is due before the oldest is; but another may have held an older one when this one looked, and given it back.
                    if (await Alone(queue, channel => Erase(channel, queue, now - kept, cancel), cancel) is { } left)
                        _next[queue.Queue] = now + (left < kept / 10 ? left : kept / 10);
                }
                catch (RejectedException)
                {
                    // The broker is away, or has no such queue, or this process ends: the link has said so, and the next look tries again.
                }
                catch (Exception e) when (e is not OperationCanceledException || !cancel.IsCancellationRequested)
                {
                    Faults.Log(_log, e, $"Erasing from {queue.Errors}");
                }
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    public override void Dispose()
    {
        _turn.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var look = new PeriodicTimer(LookEvery, _clock);
        do
            await EraseAll(stoppingToken);
        while (await look.WaitForNextTickAsync(stoppingToken));
    }

    /// <summary>Does something while no other replica does it: two that each return a message would turn them around. Null where another is at it.</summary>
    private Task<TimeSpan?> Alone(EdgeQueue queue, Func<IChannel, Task<TimeSpan>> work, CancellationToken cancel) => _link.OnChannel<TimeSpan?>(async channel =>
    {
        // A queue that is this connection's alone, and goes with it.
        var turn = queue.Queue + "-erasing";
        try
        {
            await channel.QueueDeclareAsync(turn, durable: false, exclusive: true, autoDelete: false, cancellationToken: cancel);
        }
        catch (OperationInterruptedException e) when (e.ShutdownReason?.ReplyCode == Constants.ResourceLocked)
        {
            return null;
        }
        var left = await work(channel);
        await channel.QueueDeleteAsync(turn, cancellationToken: cancel);
        return left;
    }, cancel);

    /// <summary>
    /// One after the other: taken, stated in the journal, and then acknowledged. Killed in between, it goes back to the front, and is erased and stated again. More of them in one's
    /// hands would come back in any order.
    /// </summary>
    /// <returns>How long the oldest that is left may stay yet.</returns>
    private async Task<TimeSpan> Erase(IChannel channel, EdgeQueue queue, DateTimeOffset before, CancellationToken cancel)
    {
        var journal = _journals.Single(journal => queue.Queue.StartsWith(journal.Service + ".", StringComparison.Ordinal));
        while (true)
        {
            using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            limited.CancelAfter(Limit);
            if (await channel.BasicGetAsync(queue.Errors, autoAck: false, limited.Token) is not { } refused)
                return TimeSpan.MaxValue;
            // One that does not say when is passed over and stays: an operator has put it there.
            if (RefusedAt(refused.BasicProperties) is not { } at)
                continue;
            if (at >= before)
                return at - before;
            await journal.Append(journal.Service, new RecordsErased { Kind = queue.Errors, Before = before, Rows = 1 }, cancel);
            await channel.BasicAckAsync(refused.DeliveryTag, multiple: false, cancel);
        }
    }

    /// <summary>By the platform's clock where the platform has put it there, by the broker's where the broker has: what its sender says is nothing to go by.</summary>
    private static DateTimeOffset? RefusedAt(IReadOnlyBasicProperties refused)
    {
        if (refused.Headers?.TryGetValue(EdgeSenders.DeadLetteredByBroker, out var deaths) == true)
        {
            return deaths is IList<object?> { Count: > 0 } all && all[0] is IDictionary<string, object?> last && last.TryGetValue("time", out var time) && time is AmqpTimestamp at
                ? DateTimeOffset.FromUnixTimeSeconds(at.UnixTime) : null;
        }
        return refused.IsTimestampPresent() ? DateTimeOffset.FromUnixTimeSeconds(refused.Timestamp.UnixTime) : null;
    }
}
