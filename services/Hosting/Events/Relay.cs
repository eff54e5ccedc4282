using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.Retry;
using Sloring.Contracts.Events;

namespace Sloring.Hosting;

/// <summary>
/// Reads on from a cursor of its own in the own journal and hands entry after entry on, in order, at least once: cursor 1 to the bus, cursor 2 to the edge.
/// </summary>
internal sealed class Relay<TDb>(Store<TDb> store, int id, Func<JournalEntry, CancellationToken, Task> hand, ILogger<Relay<TDb>> log) : BackgroundService
    where TDb : ServiceDb
{
    private const int PageSize = 500;
    private static readonly TimeSpan SaveEvery = TimeSpan.FromSeconds(1);

    /// <summary>Hands events to the bus. Audit entries stay in the journal.</summary>
    public static Func<JournalEntry, CancellationToken, Task> ToBus(string service, IEventBus bus) => (entry, cancel) => EventNames.IsAuditOnly(entry.Type)
        ? Task.CompletedTask
        : bus.Publish(new Delivery(service, entry.Position, entry.EventId, entry.Type, entry.Data, entry.TraceParent, entry.OccurredAt), cancel);

    /// <summary>Neither a bus nor a database that is away ends the relay: what it owes stands in the journal.</summary>
    private readonly ResiliencePipeline _patiently = new ResiliencePipelineBuilder().AddRetry(new RetryStrategyOptions
    {
        MaxRetryAttempts = int.MaxValue,
        BackoffType = DelayBackoffType.Exponential,
        Delay = TimeSpan.FromMilliseconds(100),
        MaxDelay = TimeSpan.FromSeconds(5),
        UseJitter = true,
    }).Build();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var saved = await _patiently.ExecuteAsync(
            async cancel => await store.Read(db => db.Relay.Where(c => c.Id == id).Select(c => c.Position).SingleOrDefaultAsync(cancel), cancel), stoppingToken);
        var position = saved;
        var sinceSaved = System.Diagnostics.Stopwatch.StartNew();
        try
        {
            while (true)
            {
                await store.Tail.WaitBeyond(position, stoppingToken);
                foreach (var entry in await _patiently.ExecuteAsync(async cancel => await store.ReadAfter(position, PageSize, cancel), stoppingToken))
                {
                    await _patiently.ExecuteAsync(async cancel => await hand(entry, cancel), stoppingToken);
                    position = entry.Position;
                }
                // Seldom: what is published twice after a crash is applied once.
                if (sinceSaved.Elapsed < SaveEvery)
                    continue;
                await _patiently.ExecuteAsync(async cancel => await Save(position, cancel), stoppingToken);
                saved = position;
                sinceSaved.Restart();
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            if (position > saved)
                await Save(position, CancellationToken.None);
            log.LogDebug("{Service} relayed up to {Position} by cursor {Cursor}", store.Service, position, id);
        }
    }

    private Task Save(long position, CancellationToken cancel) => store.Write(store.Service, async scope =>
    {
        if (await scope.Db.Relay.FindAsync([id], cancel) is { } cursor)
            cursor.Position = position;
        else
            scope.Db.Relay.Add(new RelayCursor { Id = id, Position = position });
    }, cancel);
}
