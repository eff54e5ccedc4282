using System.Threading.Channels;
using Grpc.Core;
using Sloring.Client;
using Sloring.Contracts;
using Sloring.Contracts.Effectuation.V1;
using Sloring.Contracts.Registration.V1;
using Xunit;
using static Sloring.Tests.Unit.Client.MaskingFeedTests;

namespace Sloring.Tests.Unit.Client;

public sealed class MaskingWatcherTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private static readonly CprNumber Citizen = CprNumber.Parse("2512489996");

    private readonly Connections _server = new();
    private readonly MovableClock _clock = new();

    [Fact]
    public async Task Until_a_picture_is_there_and_once_it_is_old_everything_is_refused() // E7
    {
        var watcher = new MaskingWatcher(new(_server), _clock);
        Assert.Equal("SLR-501", Assert.Throws<RejectedException>(() => watcher.Mask([new Entry()], Citizen, "salt")).Rejection.Code);

        await using var running = Running.Start(watcher);
        var connection = await _server.Next();
        connection.Send(Welcome());
        connection.Send(Snapshot(5, last: true));
        await watcher.Ready(TestContext.Current.CancellationToken).WaitAsync(Limit, TestContext.Current.CancellationToken);
        Assert.Single(watcher.Mask([new Entry()], Citizen, "salt").Entries);

        _clock.Passed = TimeSpan.FromSeconds(10.5);

        Assert.False(watcher.IsFresh);
        Assert.Equal("SLR-501", Assert.Throws<RejectedException>(() => watcher.Fresh()).Rejection.Code);
        Assert.NotNull(watcher.Current);
    }

    [Fact]
    public async Task Maskings_end_by_the_servers_clock() // M6
    {
        var watcher = new MaskingWatcher(new(_server), _clock);
        await using var running = Running.Start(watcher);
        var connection = await _server.Next();
        connection.Send(Welcome(serverTimeMs: 50_000));
        connection.Send(Snapshot(5, last: true));
        await watcher.Ready(TestContext.Current.CancellationToken).WaitAsync(Limit, TestContext.Current.CancellationToken);

        _clock.Passed = TimeSpan.FromSeconds(4);

        Assert.InRange(watcher.Fresh().NowMs, 54_000, 56_000);
    }

    [Fact]
    public async Task Lost_connection_is_resumed_and_a_gap_is_healed_by_a_snapshot()
    {
        var watcher = new MaskingWatcher(new(_server), _clock);
        await using var running = Running.Start(watcher);
        var connection = await _server.Next();
        Assert.Equal(new WatchMaskingsRequest(), connection.Request);
        connection.Send(Welcome());
        connection.Send(Snapshot(5, last: true));
        connection.Lose();

        connection = await _server.Next();
        Assert.Equal(new WatchMaskingsRequest { FeedId = "feed", AfterPosition = 5 }, connection.Request);
        connection.Send(Welcome(resumed: true));
        connection.Send(Heartbeat(7)); // 6 and 7 never came

        connection = await _server.Next();
        Assert.Equal(new WatchMaskingsRequest(), connection.Request);
    }

    [Fact]
    public async Task Changes_reach_those_who_listen() // E6
    {
        var watcher = new MaskingWatcher(new(_server), _clock);
        await using var running = Running.Start(watcher);
        var connection = await _server.Next();
        connection.Send(Welcome());
        connection.Send(Snapshot(5, last: true));
        await watcher.Ready(TestContext.Current.CancellationToken).WaitAsync(Limit, TestContext.Current.CancellationToken);

        await using var changes = watcher.Changes(TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        var next = changes.MoveNextAsync().AsTask();
        connection.Send(Changes(6, Ends(watcher.Current!.KeyOf(Citizen), 9_000)));
        await next.WaitAsync(Limit, TestContext.Current.CancellationToken);

        Assert.Equal(new PictureChange(CvrNumber.Parse("33257872"), watcher.Current!.KeyOf(Citizen), 9_000), changes.Current);
    }

    private sealed class Running(Task task, CancellationTokenSource stop) : IAsyncDisposable
    {
        public static Running Start(MaskingWatcher watcher)
        {
            var stop = new CancellationTokenSource();
            return new Running(Task.Run(() => watcher.Run(stop.Token)), stop);
        }

        public async ValueTask DisposeAsync()
        {
            await stop.CancelAsync();
            await task.WaitAsync(Limit);
            stop.Dispose();
        }
    }

    /// <summary>Timers run in real time; only what has passed for time stamps can be moved.</summary>
    private sealed class MovableClock : TimeProvider
    {
        public TimeSpan Passed { get; set; }

        public override long GetTimestamp() => base.GetTimestamp() + (long)(Passed.TotalSeconds * TimestampFrequency);
    }

    /// <summary>The server's end of each watch that is opened, without a wire.</summary>
    private sealed class Connections : CallInvoker
    {
        private readonly Channel<Connection> _opened = Channel.CreateUnbounded<Connection>();

        public async Task<Connection> Next() =>
            await _opened.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Limit, TestContext.Current.CancellationToken);

        public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
        {
            var connection = new Connection((WatchMaskingsRequest)(object)request);
            _opened.Writer.TryWrite(connection);
            return new AsyncServerStreamingCall<TResponse>(
                (IAsyncStreamReader<TResponse>)(object)connection, Task.FromResult(new Metadata()), () => Status.DefaultSuccess, () => [], () => { });
        }

        public override TResponse BlockingUnaryCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
            throw new NotSupportedException();

        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
            throw new NotSupportedException();

        public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options) =>
            throw new NotSupportedException();

        public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options) =>
            throw new NotSupportedException();
    }

    private sealed class Connection(WatchMaskingsRequest request) : IAsyncStreamReader<WatchMaskingsResponse>
    {
        private readonly Channel<WatchMaskingsResponse> _messages = Channel.CreateUnbounded<WatchMaskingsResponse>();

        public WatchMaskingsRequest Request { get; } = request;

        public WatchMaskingsResponse Current { get; private set; } = new();

        public void Send(WatchMaskingsResponse message) => _messages.Writer.TryWrite(message);

        public void Lose() => _messages.Writer.Complete(new RpcException(new Status(StatusCode.Unavailable, "")));

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            Current = await _messages.Reader.ReadAsync(cancellationToken);
            return true;
        }
    }
}
