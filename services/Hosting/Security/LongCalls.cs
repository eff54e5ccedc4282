using Microsoft.Extensions.Options;
using Sloring.Contracts;

namespace Sloring.Hosting;

/// <summary>Calls that outlast the check of their token at the start: each ends when its client is revoked, a watch also with its token; and a client, or each person who has signed in through it, has so many of each kind.</summary>
public sealed class LongCalls
{
    private readonly IOptions<LimitOptions> _limits;
    private readonly TokenTrust _trust;
    private readonly Rates _rates;
    private readonly TimeProvider _clock;
    private readonly HashSet<LongCall> _open = [];
    private readonly Dictionary<(string Client, string? Person, bool Watches), int> _counts = [];
    private readonly Lock _lock = new();

    internal LongCalls(IOptions<LimitOptions> limits, TokenTrust trust, Rates rates, TimeProvider clock)
    {
        (_limits, _trust, _rates, _clock) = (limits, trust, rates, clock);
        trust.Fetched += EndRevoked;
    }

    /// <summary>Begins a watch: one of so many, over with its token. Dispose of it when the call is over.</summary>
    /// <exception cref="RejectedException">SLR-933: the client has too many.</exception>
    public LongCall Watch(Caller caller) => Begin(caller, isWatch: true, caller.TokenExpiresAt);

    /// <summary>Begins a stream of requests: one of so many, as long as its sender likes, since a large file may take longer than a token lives. Dispose of it when the call is over.</summary>
    /// <exception cref="RejectedException">SLR-934: the client has too many.</exception>
    public LongCall Stream(Caller caller) => Begin(caller, isWatch: false, null);

    /// <summary>Completes when a client may have one more message taken.</summary>
    internal ValueTask Wait(string clientId, CancellationToken cancel) => _rates.Wait(clientId, cancel);

    internal void End(LongCall call)
    {
        lock (_lock)
        {
            if (_open.Remove(call) && --_counts[Counted(call)] == 0)
                _counts.Remove(Counted(call));
        }
    }

    /// <summary>Many people may come through one app.</summary>
    private static (string, string?, bool) Counted(LongCall call) => (call.Caller.ClientId, call.Caller.PersonId, call.IsWatch);

    private LongCall Begin(Caller caller, bool isWatch, DateTimeOffset? end)
    {
        var call = new LongCall(this, caller, isWatch);
        lock (_lock)
        {
            var open = _counts.GetValueOrDefault(Counted(call));
            if (open >= (isWatch ? _limits.Value.WatchesPerClient : _limits.Value.StreamsPerClient))
                throw new RejectedException(isWatch ? Rejections.TooManyWatches : Rejections.TooManyStreams);
            _counts[Counted(call)] = open + 1;
            _open.Add(call);
        }
        call.EndAt(end, _clock);
        return call;
    }

    private void EndRevoked()
    {
        List<LongCall> revoked;
        lock (_lock)
            revoked = [.. _open.Where(call => _trust.IsRevoked(call.Caller.ClientId, call.Caller.PersonId, call.Caller.TokenIssuedAt))];
        foreach (var call in revoked)
            call.Finish(Rejections.TokenRevoked);
    }
}

/// <summary>One call that is over when its client is revoked, or its token has expired.</summary>
public sealed class LongCall : IDisposable
{
    private readonly LongCalls _owner;
    private readonly CancellationTokenSource _over = new();
    private ITimer? _expiry;
    private volatile Rejection? _why;

    internal LongCall(LongCalls owner, Caller caller, bool isWatch) => (_owner, Caller, IsWatch) = (owner, caller, isWatch);

    /// <summary>Cancelled when it is over.</summary>
    public CancellationToken Over => _over.Token;

    /// <summary>Why it is over; null while it is not.</summary>
    public Rejection? Why => _why;

    /// <summary>Takes a message of the call: it counts against the client's rate as a call does, and waits where that is used up.</summary>
    /// <exception cref="RejectedException">The call is over.</exception>
    public ValueTask Take(CancellationToken cancel) => _why is { } why ? throw new RejectedException(why) : _owner.Wait(Caller.ClientId, cancel);

    internal Caller Caller { get; }

    internal bool IsWatch { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        _owner.End(this);
        _expiry?.Dispose();
    }

    internal void EndAt(DateTimeOffset? end, TimeProvider clock)
    {
        if (end is not { } at)
            return;
        var left = at - clock.GetUtcNow();
        _expiry = clock.CreateTimer(_ => Finish(Rejections.TokenMissing), null, left > TimeSpan.Zero ? left : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    internal void Finish(Rejection why)
    {
        _why ??= why;
        _over.Cancel();
    }
}
