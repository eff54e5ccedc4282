using System.Collections.Concurrent;
using System.Diagnostics;
using System.Threading.Channels;
using Grpc.Core;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sloring.Contracts.Journal.V1;

namespace Sloring.Hosting;

/// <summary>What a service has subscribed to, where the database's type does not matter.</summary>
public abstract class Inbox : BackgroundService
{
    /// <summary>The service's name.</summary>
    public abstract string Service { get; }

    /// <summary>(publisher, event type) pairs.</summary>
    public abstract IReadOnlySet<(string Publisher, string Type)> Topics { get; }

    /// <summary>Whether an event's position means what it means in its publisher's journal now: after a restoring a broker may still hold events of lost positions.</summary>
    public abstract bool IsOfNow(Delivery delivery);

    /// <summary>Takes an event if there is room; one that is turned away is fetched from its publisher's journal later.</summary>
    public abstract void Offer(Delivery delivery);

    /// <summary>Takes an event if there is room, and tells what became of it once that is durable.</summary>
    public abstract Task<Receipt> Take(Delivery delivery, CancellationToken cancel);
}

/// <summary>What became of an event that was handed to an inbox.</summary>
public enum Receipt
{
    /// <summary>Committed now, or earlier.</summary>
    Applied,

    /// <summary>It came before one that it builds on: healing applies it, in journal order.</summary>
    TooEarly,

    /// <summary>It could not be applied, or the service stops.</summary>
    Failed,

    /// <summary>There was no room.</summary>
    Full,
}

/// <summary>
/// Applies other services' events, each once, and heals: every two seconds it reads on in each publisher's journal, so an event that a broker lost is
/// applied within five seconds, and events that came too early are tried again in order. One that can never be applied holds up none behind it.
/// </summary>
internal sealed class Inbox<TDb>(
    Store<TDb> store, IEnumerable<Subscription<TDb>> subscriptions, IServiceProvider services, TimeProvider clock, ILogger<Inbox<TDb>> log) : Inbox
    where TDb : ServiceDb
{
    private static readonly TimeSpan HealEvery = TimeSpan.FromSeconds(2);
    private const int BatchSize = 64;
    private const int PageSize = 500;

    /// <summary>So many that something else than single events is wrong: nothing more is read until they are applied.</summary>
    private const int MostStuck = PageSize;

    private readonly Channel<Offered> _offered = Channel.CreateBounded<Offered>(
        new BoundedChannelOptions(10_000) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });

    private readonly Dictionary<(string, string), Subscription<TDb>> _subscriptions = subscriptions.ToDictionary(s => (s.Publisher, s.Type));

    /// <summary>The last restoring of each publisher's journal, as it says itself.</summary>
    private readonly ConcurrentDictionary<string, string> _restorings = [];

    public override string Service => store.Service;

    public override IReadOnlySet<(string Publisher, string Type)> Topics { get; } = subscriptions.Select(s => (s.Publisher, s.Type)).ToHashSet();

    public override bool IsOfNow(Delivery delivery) => _restorings.TryGetValue(delivery.Publisher, out var restoring) && restoring == delivery.Restoring;

    public override void Offer(Delivery delivery) => _offered.Writer.TryWrite(new Offered(delivery, null));

    public override async Task<Receipt> Take(Delivery delivery, CancellationToken cancel)
    {
        var answer = new TaskCompletionSource<Receipt>(TaskCreationOptions.RunContinuationsAsynchronously);
        return _offered.Writer.TryWrite(new Offered(delivery, answer)) ? await answer.Task.WaitAsync(cancel) : Receipt.Full;
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (_subscriptions.Count == 0)
            return Task.CompletedTask;
        var healing = _subscriptions.Keys.Select(topic => topic.Item1).Distinct().Select(publisher => Heal(publisher, stoppingToken));
        return Task.WhenAll([ApplyOffered(stoppingToken), .. healing]);
    }

    private async Task ApplyOffered(CancellationToken stop)
    {
        var batch = new List<Offered>(BatchSize);
        try
        {
            while (await _offered.Reader.WaitToReadAsync(stop))
            {
                batch.Clear();
                while (batch.Count < BatchSize && _offered.Reader.TryRead(out var offered))
                    batch.Add(offered);
                var receipts = await Apply([.. batch.Select(offered => offered.Delivery)], stop);
                for (var i = 0; i < batch.Count; i++)
                    batch[i].Answer?.TrySetResult(receipts[i]);
            }
        }
        finally
        {
            // Nobody is left waiting for an inbox that has stopped.
            _offered.Writer.TryComplete();
            while (_offered.Reader.TryRead(out var offered))
                batch.Add(offered);
            batch.ForEach(offered => offered.Answer?.TrySetResult(Receipt.Failed));
        }
    }

    private async Task Heal(string publisher, CancellationToken stop)
    {
        var journal = new JournalService.JournalServiceClient(services.CallInvoker(store.Service, publisher));
        var types = _subscriptions.Keys.Where(topic => topic.Item1 == publisher).Select(topic => topic.Item2).ToArray();
        var healed = new Healed();
        using var timer = new PeriodicTimer(HealEvery, clock);
        do
        {
            try
            {
                await HealOnce(journal, publisher, types, healed, stop);
            }
            catch (Exception e) when (!stop.IsCancellationRequested)
            {
                // The publisher is away or starting: what it has is safe in its journal.
                if (e is RpcException { StatusCode: StatusCode.Unavailable or StatusCode.DeadlineExceeded })
                    log.LogDebug("{Service} cannot read the journal of {Publisher} yet", store.Service, publisher);
                else
                    Faults.Log(log, e, $"Healing {store.Service} from {publisher}");
            }
        }
        while (await timer.WaitForNextTickAsync(stop));
    }

    private async Task HealOnce(JournalService.JournalServiceClient journal, string publisher, string[] types, Healed healed, CancellationToken stop)
    {
        var start = await store.Read(db => db.Cursors.Where(c => c.Publisher == publisher).Select(c => c.Position).SingleOrDefaultAsync(stop), stop);
        healed.GoOnFrom(start);
        healed.Stuck = await Unapplied(healed.Stuck, stop);
        var head = long.MaxValue;
        while (healed.ReadTo < head && healed.Stuck.Count < MostStuck)
        {
            // Wall-clock deadline of the call itself, not of the platform's clock.
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(stop);
            timeout.CancelAfter(TimeSpan.FromSeconds(10));
            var page = await journal.ReadJournalAsync(
                new ReadJournalRequest { Service = publisher, AfterPosition = healed.ReadTo, Types_ = { types }, Limit = PageSize }, cancellationToken: timeout.Token);
            _restorings[publisher] = page.Restoring;
            // One that has read nothing yet begins with the first entry that is kept there: it was owed none of those before.
            if (healed.ReadTo > 0 && page.ErasedTo > healed.ReadTo)
                log.LogError("{Service} has missed entries {First} to {Last} of {Publisher}: they were erased there before it came to read them", store.Service, healed.ReadTo + 1, page.ErasedTo, publisher);
            healed.Stuck.AddRange(await Unapplied(page.Events.Select(e => Of(publisher, e)), stop));
            (healed.ReadTo, head) = (page.ReadTo, page.Head);
        }
        if (healed.AppliedTo > start)
            await MoveCursor(publisher, healed.AppliedTo, stop);
    }

    /// <summary>Applies deliveries, and gives those that could not be.</summary>
    private async Task<List<Delivery>> Unapplied(IEnumerable<Delivery> deliveries, CancellationToken stop)
    {
        var left = new List<Delivery>();
        foreach (var chunk in deliveries.Chunk(BatchSize))
            left.AddRange(chunk.Zip(await Apply(chunk, stop)).Where(pair => pair.Second != Receipt.Applied).Select(pair => pair.First));
        return left;
    }

    /// <summary>Applies deliveries in one transaction, or one by one where that fails.</summary>
    private async Task<Receipt[]> Apply(Delivery[] deliveries, CancellationToken stop)
    {
        try
        {
            await store.Write(store.Service, scope => ApplyAll(deliveries, scope), stop);
            return [.. deliveries.Select(_ => Receipt.Applied)];
        }
        catch (Exception) when (deliveries.Length > 1 && !stop.IsCancellationRequested)
        {
            var receipts = new List<Receipt>(deliveries.Length);
            foreach (var delivery in deliveries)
                receipts.AddRange(await Apply([delivery], stop));
            return [.. receipts];
        }
        catch (NotYetException)
        {
            log.LogDebug("{Service} met {Type} {Position} of {Publisher} too early", store.Service, deliveries[0].Type, deliveries[0].Position, deliveries[0].Publisher);
            return [Receipt.TooEarly];
        }
        catch (Exception e) when (!stop.IsCancellationRequested)
        {
            Faults.Log(log, e, $"{store.Service} applying {deliveries[0].Type} {deliveries[0].Position} of {deliveries[0].Publisher}");
            return [Receipt.Failed];
        }
    }

    private async Task ApplyAll(IReadOnlyList<Delivery> deliveries, WriteScope<TDb> scope)
    {
        var applied = new HashSet<(string, long)>();
        foreach (var delivery in deliveries)
        {
            var known = !applied.Add((delivery.Publisher, delivery.Position))
                || await scope.Db.Cursors.AnyAsync(c => c.Publisher == delivery.Publisher && c.Position >= delivery.Position, scope.Cancel)
                || await scope.Db.Inbox.AnyAsync(e => e.Publisher == delivery.Publisher && e.Position == delivery.Position, scope.Cancel);
            if (known || !_subscriptions.TryGetValue((delivery.Publisher, delivery.Type), out var subscription))
                continue;
            using var activity = Telemetry.Source.StartActivity($"{store.Service} {delivery.Type}", ActivityKind.Consumer, delivery.TraceParent);
            activity?.SetTag("sloring.position", delivery.Position);
            await subscription.React(EventJson.Read(delivery.Type, delivery.Data), scope);
            scope.Db.Inbox.Add(new InboxEntry { Publisher = delivery.Publisher, Position = delivery.Position });
            // Saved one by one, so that a later event of the batch finds what an earlier one wrote.
            await scope.Db.SaveChangesAsync(scope.Cancel);
        }
    }

    private Task MoveCursor(string publisher, long position, CancellationToken stop) => store.Write(store.Service, async scope =>
    {
        if (await scope.Db.Cursors.FindAsync([publisher], scope.Cancel) is { } cursor)
            cursor.Position = Math.Max(cursor.Position, position);
        else
            scope.Db.Cursors.Add(new InboxCursor { Publisher = publisher, Position = position });
        await scope.Db.Inbox.Where(e => e.Publisher == publisher && e.Position <= position).ExecuteDeleteAsync(scope.Cancel);
    }, stop);

    private static Delivery Of(string publisher, JournalEvent e) => new(
        publisher, e.Position, Guid.Parse(e.EventId), e.Type, e.Data, e.Traceparent, e.OccurredAt.ToDateTimeOffset());

    /// <summary>How far this process has read in a publisher's journal, and what of it could not be applied yet, in order.</summary>
    private sealed class Healed
    {
        public long ReadTo { get; set; }

        public List<Delivery> Stuck { get; set; } = [];

        /// <summary>Everything up to here is applied.</summary>
        public long AppliedTo => Stuck.Count > 0 ? Stuck[0].Position - 1 : ReadTo;

        /// <summary>Another process may have come further.</summary>
        public void GoOnFrom(long cursor)
        {
            ReadTo = Math.Max(ReadTo, cursor);
            Stuck.RemoveAll(delivery => delivery.Position <= cursor);
        }
    }

    /// <summary>A delivery, and whoever waits to hear what became of it.</summary>
    private readonly record struct Offered(Delivery Delivery, TaskCompletionSource<Receipt>? Answer);
}
