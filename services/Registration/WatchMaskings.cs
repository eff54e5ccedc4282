using Grpc.Core;
using Sloring.Contracts;
using Sloring.Contracts.Registration.V1;
using Sloring.Hosting;
using Sloring.Registration.Domain;

namespace Sloring.Registration;

/// <summary>
/// List and watch (rules E6, E8): welcome, snapshot unless resumed, then changes as they are committed, and a heartbeat every second.
/// A heartbeat's position has always been sent before it, so a watcher that has applied less knows that it missed something; and it says up
/// to when the picture is whole, so that a replica that has lost its database, or was stopped for a while, makes no watcher feel fresh. A watch ends with
/// its token; whoever resumes with the next one misses nothing.
/// </summary>
public sealed class WatchMaskings(
    Store<RegistrationDb> store, MaskingFeed feed, AuditReads<RegistrationDb> audit, LongCalls longCalls, IHostApplicationLifetime lifetime, TimeProvider clock)
{
    private const int LargestPart = 1_000;
    private const int Reach = 8_000;
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(1);

    /// <summary>A watcher that takes nothing for so long is stale anyway (rule E7): it is cut off and may come again.</summary>
    private static readonly TimeSpan Stuck = TimeSpan.FromSeconds(10);

    public async Task Handle(
        WatchMaskingsRequest request, Caller caller, IServerStreamWriter<WatchMaskingsResponse> stream, CancellationToken gone)
    {
        var takenAt = MonotonicMs();
        var scope = feed.ScopeOf(caller);
        using var call = longCalls.Watch(caller);
        await audit.Record(caller, Operations.WatchMaskings, null, scope.Cvr?.ToString() ?? "all", gone);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(gone, lifetime.ApplicationStopping, call.Over);
        try
        {
            var (position, replaced) = await Open(request, takenAt, scope, stream, ending.Token);
            await Watch(position, scope, replaced, stream, ending.Token);
        }
        catch (Exception e) when (e is TimeoutException || (e is OperationCanceledException && !gone.IsCancellationRequested))
        {
            throw new RejectedException(call.Why ?? Rejections.Busy);
        }
    }

    /// <summary>Sends welcome and snapshot; gives the position to go on from, and who had replaced whom there.</summary>
    private async Task<(long Position, Replacements Replaced)> Open(
        WatchMaskingsRequest request, long takenAt, FeedScope scope, IServerStreamWriter<WatchMaskingsResponse> stream, CancellationToken cancel)
    {
        var (id, replaced) = await feed.IdOf(scope, cancel);
        var head = store.Tail.Head;
        var resumed = request.FeedId == id
            && request.AfterPosition > 0 && request.AfterPosition <= head && head - request.AfterPosition <= Reach
            && request.AfterPosition >= await feed.WholeFrom(cancel);
        await Send(new WatchMaskingsResponse
        {
            Welcome = new Welcome
            {
                FeedId = id,
                PatientKeySecret = Google.Protobuf.ByteString.CopyFrom(scope.Secret),
                Resumed = resumed,
                ServerTimeMs = clock.GetUtcNow().ToUnixTimeMilliseconds(),
                OnlyCvr = scope.Cvr?.Value ?? 0,
                MonotonicMs = takenAt,
            },
        }, stream, cancel);
        if (resumed)
            return (request.AfterPosition, replaced);

        var reading = feed.Snapshot(scope, cancel);
        // A large one takes longer than a watcher waits for a sign of life.
        while (await Task.WhenAny(reading, Task.Delay(Beat, clock, cancel)) != reading && !cancel.IsCancellationRequested)
            await Send(new WatchMaskingsResponse { Heartbeat = new Heartbeat { ServerTimeMs = clock.GetUtcNow().ToUnixTimeMilliseconds() } }, stream, cancel);
        var snapshot = await reading;
        for (var sent = 0; sent == 0 || sent < snapshot.Maskings.Count; sent += LargestPart)
        {
            var part = new SnapshotPart { Position = snapshot.Position, Last = sent + LargestPart >= snapshot.Maskings.Count };
            part.Maskings.AddRange(snapshot.Maskings.Skip(sent).Take(LargestPart));
            if (part.Last)
            {
                part.Units.AddRange(snapshot.Units);
                part.Replaced.AddRange(MaskingFeed.Told(snapshot.Replaced, scope));
            }
            await Send(new WatchMaskingsResponse { Snapshot = part }, stream, cancel);
        }
        return (snapshot.Position, snapshot.Replaced);
    }

    private async Task Watch(long position, FeedScope scope, Replacements replaced, IServerStreamWriter<WatchMaskingsResponse> stream, CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(Beat, clock);
        var (told, due) = (position, true);
        Task<bool> tick = timer.WaitForNextTickAsync(cancel).AsTask();
        var more = store.Tail.WaitBeyond(position, cancel);
        while (true)
        {
            // Taken before what there is to tell is told: what was committed later may be missing.
            var wholeAt = MonotonicMs() - (long)store.Tail.Age(clock).TotalMilliseconds;
            while (await feed.After(position, scope, replaced, cancel) is var changes && changes.Position > position)
            {
                position = changes.Position;
                // Entries that change nothing for this watcher are told with the next heartbeat, in one message.
                if (changes.Maskings.Count > 0 || changes.Units.Count > 0)
                    told = await Tell(changes, stream, cancel);
            }
            if (due)
            {
                if (told < position)
                    told = await Tell(new Changes { Position = position }, stream, cancel);
                var beat = new Heartbeat { Position = position, ServerTimeMs = clock.GetUtcNow().ToUnixTimeMilliseconds(), WholeAtMs = wholeAt };
                await Send(new WatchMaskingsResponse { Heartbeat = beat }, stream, cancel);
            }
            if (more.IsCompleted)
                more = store.Tail.WaitBeyond(position, cancel);
            await Task.WhenAny(more, tick);
            cancel.ThrowIfCancellationRequested();
            due = tick.IsCompleted;
            if (due)
                tick = timer.WaitForNextTickAsync(cancel).AsTask();
        }
    }

    private long MonotonicMs() => (long)clock.GetElapsedTime(0, clock.GetTimestamp()).TotalMilliseconds;

    private async Task<long> Tell(Changes changes, IServerStreamWriter<WatchMaskingsResponse> stream, CancellationToken cancel)
    {
        await Send(new WatchMaskingsResponse { Changes = changes }, stream, cancel);
        return changes.Position;
    }

    private Task Send(WatchMaskingsResponse message, IServerStreamWriter<WatchMaskingsResponse> stream, CancellationToken cancel) =>
        stream.WriteAsync(message, cancel).WaitAsync(Stuck, clock, cancel);
}
