using System.Collections.Immutable;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Polly;
using Polly.Retry;
using Sloring.Contracts;
using Sloring.Contracts.Effectuation.V1;
using Sloring.Contracts.Registration.V1;

namespace Sloring.Client;

/// <summary>
/// Keeps a picture of all maskings in memory by list and watch: a snapshot, then changes, then a heartbeat every second. Loses the connection,
/// and resumes where it was. Fails safe (rule E7): until the first snapshot is complete, and once the picture is older than
/// <see cref="Bound"/>, every question is refused with SLR-501 instead of being answered by an old picture.
/// </summary>
/// <param name="registration">The register, with credentials that may watch.</param>
/// <param name="clock">Its monotonic time stamps measure age; its wall clock is never read.</param>
/// <param name="log">Told of connections won and lost; optional.</param>
public sealed class MaskingWatcher(
    RegistrationService.RegistrationServiceClient registration, TimeProvider clock, ILogger<MaskingWatcher>? log = null)
{
    /// <summary>Where an activation's trace ends: at the picture that it is in.</summary>
    private static readonly ActivitySource Traces = new("Sloring.Client");

    /// <summary>Heartbeats come every second: after three have failed to, the connection is taken for dead.</summary>
    private static readonly TimeSpan SilenceMost = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(2);

    private readonly ILogger _log = log ?? NullLogger<MaskingWatcher>.Instance;
    private readonly MaskingFeed _feed = new(clock.TimestampFrequency);
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ImmutableArray<ChannelWriter<PictureChange>> _listeners = [];
    private volatile FeedView? _view;

    /// <summary>Greatest age of a picture that is still answered from (rule E7).</summary>
    public TimeSpan Bound { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The picture as last heard, fresh or not; null before the first snapshot is complete. To mask by, take <see cref="Fresh"/>.</summary>
    public MaskingPicture? Current => _view?.Picture;

    /// <summary>Time since the picture was last known to be whole.</summary>
    public TimeSpan Staleness => _view?.Age(clock) ?? TimeSpan.MaxValue;

    /// <summary>True while the picture may be answered from.</summary>
    public bool IsFresh => TryFresh(out _);

    /// <summary>Completes when the first snapshot is complete.</summary>
    public Task Ready(CancellationToken cancel) => _ready.Task.WaitAsync(cancel);

    /// <summary>The picture and its time.</summary>
    /// <exception cref="RejectedException">SLR-501: show no names.</exception>
    public FreshPicture Fresh() => TryFresh(out var fresh) ? fresh : throw new RejectedException(Rejections.PictureNotFresh);

    /// <summary>The picture and its time, or false where it is too old, or not there yet.</summary>
    public bool TryFresh(out FreshPicture fresh)
    {
        var view = _view;
        if (view is null || view.Age(clock) > Bound)
        {
            fresh = default;
            return false;
        }
        fresh = new FreshPicture(view.Picture, view.NowMs(clock));
        return true;
    }

    /// <summary>Masks the entries of one patient by the picture as it is now.</summary>
    /// <exception cref="RejectedException">SLR-501: show no names.</exception>
    public MaskEntriesResponse Mask(IReadOnlyList<Entry> entries, CprNumber patient, string salt)
    {
        var (picture, nowMs) = Fresh();
        return Masker.Mask(entries, picture, patient, salt, nowMs);
    }

    /// <summary>What starts, ends or is prolonged from now on (rule E6), until cancelled. After a gap, what differs from the picture before it.</summary>
    public async IAsyncEnumerable<PictureChange> Changes([EnumeratorCancellation] CancellationToken cancel)
    {
        var channel = Channel.CreateUnbounded<PictureChange>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
        ImmutableInterlocked.Update(ref _listeners, all => all.Add(channel.Writer));
        try
        {
            await foreach (var change in channel.Reader.ReadAllAsync(cancel))
                yield return change;
        }
        finally
        {
            ImmutableInterlocked.Update(ref _listeners, all => all.Remove(channel.Writer));
        }
    }

    /// <summary>Watches until cancelled; run it once, beside whatever else the program does.</summary>
    public async Task Run(CancellationToken stop)
    {
        var patiently = Patiently(stop);
        try
        {
            while (true)
            {
                await patiently.ExecuteAsync(Watch, stop);
                await Task.Delay(ShortestWait, clock, stop);
            }
        }
        catch (Exception e) when (stop.IsCancellationRequested && e is OperationCanceledException or RpcException { StatusCode: StatusCode.Cancelled })
        {
            // Asked to stop; a call that was under way says so in gRPC's words.
        }
    }

    /// <summary>One connection. Returns when one that worked was lost, so that waiting starts over from the shortest; throws when it never worked.</summary>
    private async ValueTask Watch(CancellationToken stop)
    {
        var worked = false;
        try
        {
            using var silence = new CancellationTokenSource(SilenceMost, clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, silence.Token);
            _feed.Connected(clock.GetTimestamp());
            using var call = registration.WatchMaskings(_feed.Request(), cancellationToken: either.Token);
            while (await call.ResponseStream.MoveNext(either.Token))
            {
                silence.CancelAfter(SilenceMost);
                var changes = _feed.Apply(call.ResponseStream.Current, clock.GetTimestamp());
                Publish(changes);
                Trace(call.ResponseStream.Current.Changes);
                if (call.ResponseStream.Current.MessageCase != WatchMaskingsResponse.MessageOneofCase.Heartbeat || _feed.View is null)
                    continue;
                // A sender that lives but has nothing new to vouch for: another replica may.
                if (_feed.View.Age(clock) > TimeSpan.FromTicks(Math.Max(Bound.Ticks / 2, SilenceMost.Ticks)))
                    throw new FeedFaultException("The sender's own knowledge is old.");
                worked = true;
            }
            throw new FeedFaultException("The server ended the watch.");
        }
        catch (RpcException e) when (worked && e.StatusCode == StatusCode.Unauthenticated)
        {
            // As every few minutes: the next one has a new token.
            _log.LogDebug("The watch ended with its token and goes on with another");
        }
        catch (Exception e) when (worked && !stop.IsCancellationRequested)
        {
            LogLost(e);
        }
    }

    private void Publish(IReadOnlyList<PictureChange> changes)
    {
        _view = _feed.View;
        if (_view is not null && _ready.TrySetResult())
            _log.LogInformation("The first picture is complete: {Maskings} maskings, {Units} units", _view.Picture.Index.Count, _view.Picture.Units.Count);
        foreach (var listener in _listeners)
        {
            foreach (var change in changes)
                listener.TryWrite(change);
        }
    }

    private static void Trace(Changes? changes)
    {
        if (changes is null || !Traces.HasListeners())
            return;
        foreach (var change in changes.Maskings.Where(change => change.Traceparent.Length > 0))
        {
            using var effect = Traces.StartActivity("picture of maskings", ActivityKind.Consumer, change.Traceparent);
            effect?.SetTag("sloring.position", changes.Position);
        }
    }

    private ResiliencePipeline Patiently(CancellationToken stop) => new ResiliencePipelineBuilder { TimeProvider = clock }
        .AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = attempt => ValueTask.FromResult(attempt.Outcome.Exception is not null && !stop.IsCancellationRequested),
            MaxRetryAttempts = int.MaxValue,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            Delay = ShortestWait,
            MaxDelay = LongestWait,
            OnRetry = attempt =>
            {
                LogLost(attempt.Outcome.Exception!);
                return default;
            },
        })
        .Build();

    /// <summary>By kind only: the texts of foreign exceptions are not ours to trust in a log.</summary>
    private void LogLost(Exception e) => _log.LogWarning("The watch was lost and is tried again: {Why}", e switch
    {
        RpcException rpc => rpc.StatusCode.ToString(),
        OperationCanceledException => "silence",
        FeedFaultException => e.Message,
        _ => e.GetType().Name,
    });
}

/// <summary>A picture that may be masked by, and the time to do so at.</summary>
/// <param name="Picture">What is masked.</param>
/// <param name="NowMs">Now by the feed's clock, milliseconds since 1970 UTC.</param>
public readonly record struct FreshPicture(MaskingPicture Picture, long NowMs);
