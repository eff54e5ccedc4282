using Microsoft.Extensions.Options;
using Sloring.Contracts;

namespace Sloring.Hosting;

/// <summary>Calls that outlast the check of their token at the start: each ends when its client is revoked, a watch also with its token; and a client, or each person who has signed in through it, has so many watches.</summary>
public sealed class LongCalls
{
    private readonly IOptions<LimitOptions> _limits;
    private readonly TokenTrust _trust;
    private readonly TimeProvider _clock;
    private readonly HashSet<LongCall> _open = [];
    private readonly Dictionary<(string Client, string? Person), int> _watches = [];
    private readonly Lock _lock = new();

    internal LongCalls(IOptions<LimitOptions> limits, TokenTrust trust, TimeProvider clock)
    {
        (_limits, _trust, _clock) = (limits, trust, clock);
        trust.Fetched += EndRevoked;
    }

    /// <summary>Begins a watch: one of so many, over with its token. Dispose of it when the call is over.</summary>
    /// <exception cref="RejectedException">SLR-933: the client has too many.</exception>
    public LongCall Watch(Caller caller)
    {
        lock (_lock)
        {
            var watches = _watches.GetValueOrDefault(Watcher(caller));
            if (watches >= _limits.Value.WatchesPerClient)
                throw new RejectedException(Rejections.TooManyWatches);
            _watches[Watcher(caller)] = watches + 1;
        }
        return Begin(caller, isWatch: true, caller.TokenExpiresAt);
    }

    /// <summary>Begins a stream of requests, as long as its sender likes: a large file may take longer than a token lives. Dispose of it when the call is over.</summary>
    public LongCall Stream(Caller caller) => Begin(caller, isWatch: false, null);

    internal void End(LongCall call)
    {
        lock (_lock)
        {
            if (!_open.Remove(call) || !call.IsWatch)
                return;
            if (--_watches[Watcher(call.Caller)] == 0)
                _watches.Remove(Watcher(call.Caller));
        }
    }

    /// <summary>Many people may come through one app.</summary>
    private static (string, string?) Watcher(Caller caller) => (caller.ClientId, caller.PersonId);

    private LongCall Begin(Caller caller, bool isWatch, DateTimeOffset? end)
    {
        var call = new LongCall(this, caller, isWatch, end, _clock);
        lock (_lock)
            _open.Add(call);
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
    private readonly ITimer? _expiry;
    private volatile Rejection? _why;

    internal LongCall(LongCalls owner, Caller caller, bool isWatch, DateTimeOffset? end, TimeProvider clock)
    {
        (_owner, Caller, IsWatch) = (owner, caller, isWatch);
        if (end is not { } at)
            return;
        var left = at - clock.GetUtcNow();
        _expiry = clock.CreateTimer(_ => Finish(Rejections.TokenMissing), null, left > TimeSpan.Zero ? left : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Cancelled when it is over.</summary>
    public CancellationToken Over => _over.Token;

    /// <summary>Why it is over; null while it is not.</summary>
    public Rejection? Why => _why;

    internal Caller Caller { get; }

    internal bool IsWatch { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        _owner.End(this);
        _expiry?.Dispose();
    }

    internal void Finish(Rejection why)
    {
        _why ??= why;
        _over.Cancel();
    }
}
