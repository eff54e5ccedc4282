using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.Retry;
using Sloring.Contracts.Events;

namespace Sloring.Hosting;

/// <summary>Reads on from its cursor in the own journal and publishes, in order, at least once. Audit entries stay in the journal.</summary>
internal sealed class Relay<TDb>(Store<TDb> store, IEventBus bus, ILogger<Relay<TDb>> log) : BackgroundService where TDb : ServiceDb
{
    private const int PageSize = 500;
    private static readonly TimeSpan SaveEvery = TimeSpan.FromSeconds(1);

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
            async cancel => await store.Read(db => db.Relay.Select(c => c.Position).SingleOrDefaultAsync(cancel), cancel), stoppingToken);
        var position = saved;
        var sinceSaved = System.Diagnostics.Stopwatch.StartNew();
        try
        {
            while (true)
            {
                await store.Tail.WaitBeyond(position, stoppingToken);
                foreach (var entry in await _patiently.ExecuteAsync(async cancel => await store.ReadAfter(position, PageSize, cancel), stoppingToken))
                {
                    if (!EventNames.IsAuditOnly(entry.Type))
                        await _patiently.ExecuteAsync(async cancel => await bus.Publish(Of(entry), cancel), stoppingToken);
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
            log.LogDebug("{Service} relayed up to {Position}", store.Service, position);
        }
    }

    private Delivery Of(JournalEntry entry) => new(store.Service, entry.Position, entry.EventId, entry.Type, entry.Data, entry.TraceParent, entry.OccurredAt);

    private Task Save(long position, CancellationToken cancel) => store.Write(store.Service, async scope =>
    {
        if (await scope.Db.Relay.FindAsync([1], cancel) is { } cursor)
            cursor.Position = position;
        else
            scope.Db.Relay.Add(new RelayCursor { Position = position });
    }, cancel);
}
