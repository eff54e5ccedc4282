using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.Retry;
using Sloring.Contracts.Events;

namespace Sloring.Hosting;

/// <summary>
/// Reads on from a cursor of its own in the own journal and hands entry after entry on, in order, at least once: cursor 1 to the bus,
/// cursor 2 to the edge. Of several replicas one does it for all; it gives up its turn when what it hands to does not take it.
/// </summary>
internal sealed class Relay<TDb>(Store<TDb> store, Database database, int id, Func<JournalEntry, CancellationToken, Task> hand, ILogger<Relay<TDb>> log)
    : BackgroundService where TDb : ServiceDb
{
    private const int PageSize = 500;
    private static readonly TimeSpan SaveEvery = TimeSpan.FromSeconds(1);

    /// <summary>Hands events to the bus. Audit entries stay in the journal.</summary>
    public static Func<JournalEntry, CancellationToken, Task> ToBus(Store<TDb> store, IEventBus bus) => async (entry, cancel) =>
    {
        if (!EventNames.IsAuditOnly(entry.Type))
            await bus.Publish(new Delivery(store.Service, entry.Position, entry.EventId, entry.Type, entry.Data, entry.TraceParent, entry.OccurredAt, await store.Restoring(cancel)), cancel);
    };

    /// <summary>A receiver that is away for a moment; longer, and another replica may reach it.</summary>
    private readonly ResiliencePipeline _patiently = Retrying(tries: 6, TimeSpan.FromSeconds(2), _ => { });

    /// <summary>Neither a receiver nor a database that is away ends the relay: what it owes stands in the journal, and whoever operates it hears of it.</summary>
    private readonly ResiliencePipeline _forEver = Retrying(tries: int.MaxValue, TimeSpan.FromSeconds(5), fault =>
        log.LogWarning("{Service} cannot hand on its journal by cursor {Cursor} and tries again: {Why}", store.Service, id, fault?.GetBaseException().GetType().Name));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await _forEver.ExecuteAsync(async cancel =>
            {
                await using var turn = await database.TakeTurn(store.Service, $"relay-{id}", cancel);
                await HandOn(turn, cancel);
            }, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            log.LogDebug("{Service} relays no more by cursor {Cursor}", store.Service, id);
        }
    }

    /// <exception cref="TurnLostException">Another replica may have the turn.</exception>
    private async Task HandOn(ITurn turn, CancellationToken stop)
    {
        var saved = await store.Read(db => db.Relay.Where(c => c.Id == id).Select(c => c.Position).SingleOrDefaultAsync(stop), stop);
        var position = saved;
        var sinceSaved = Stopwatch.StartNew();
        try
        {
            while (true)
            {
                var more = store.Tail.WaitBeyond(position, stop);
                // Where nothing follows it is told all the same what has been handed on: erasure waits for that.
                if (!more.IsCompleted && position > saved && await Task.WhenAny(more, Task.Delay(SaveEvery, stop)) != more)
                    await Keep();
                await more;
                var entries = await store.ReadAfter(position, PageSize, stop);
                // Only of a relay that did not run for longer than the journal reaches back. One that has handed on nothing begins with what is kept.
                if (position > 0 && entries.Count > 0 && entries[0].Position > position + 1)
                    log.LogError("{Service}: entries {First} to {Last} of its journal were erased before they were handed on by cursor {Cursor}", store.Service, position + 1, entries[0].Position - 1, id);
                foreach (var entry in entries)
                {
                    // Also before the first after a standstill: another replica has told what came later, and old news would seem to be the last word.
                    if (sinceSaved.Elapsed >= SaveEvery)
                        await Keep();
                    using (var activity = Start(entry))
                        await _patiently.ExecuteAsync(async cancel => await hand(entry, cancel), stop);
                    position = entry.Position;
                }
                if (sinceSaved.Elapsed >= SaveEvery)
                    await Keep();
            }
        }
        finally
        {
            if (position > saved)
                await Save(position, CancellationToken.None);
        }

        // Seldom: what is handed on twice after a crash is applied once.
        async Task Keep()
        {
            if (!await turn.IsHeld(stop))
                throw new TurnLostException();
            if (position > saved)
                await Save(position, stop);
            saved = position;
            sinceSaved.Restart();
        }
    }

    /// <summary>In the trace of what appended it; an audit entry goes nowhere on the bus.</summary>
    private Activity? Start(JournalEntry entry) => id == RelayCursor.ToBus && EventNames.IsAuditOnly(entry.Type)
        ? null
        : Telemetry.Source.StartActivity($"{store.Service} relays {entry.Type}", ActivityKind.Producer, entry.TraceParent);

    private Task Save(long position, CancellationToken cancel) => store.Write(store.Service, async scope =>
    {
        if (await scope.Db.Relay.FindAsync([id], cancel) is { } cursor)
            cursor.Position = Math.Max(cursor.Position, position);
        else
            scope.Db.Relay.Add(new RelayCursor { Id = id, Position = position });
    }, cancel);

    private static ResiliencePipeline Retrying(int tries, TimeSpan longest, Action<Exception?> onRetry) => new ResiliencePipelineBuilder().AddRetry(new RetryStrategyOptions
    {
        MaxRetryAttempts = tries,
        BackoffType = DelayBackoffType.Exponential,
        Delay = TimeSpan.FromMilliseconds(100),
        MaxDelay = longest,
        UseJitter = true,
        OnRetry = retry =>
        {
            onRetry(retry.Outcome.Exception);
            return default;
        },
    }).Build();

    private sealed class TurnLostException : Exception;
}
