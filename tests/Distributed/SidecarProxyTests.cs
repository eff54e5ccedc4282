using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Sloring.Tests.Interop;
using Sloring.Tests.Interop.V1;
using Xunit;

namespace Sloring.Tests.Distributed;

/// <summary>gRPC through two stand-in sidecars: every kind of call comes through whole, and what fails on the way fails as it does with daprd.</summary>
public sealed class SidecarProxyTests : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private readonly SidecarWorld _world = new();
    private readonly TrialService.Memory _memory = new(() => 0);
    private readonly List<RecordingApp> _apps = [];
    private StandIn _caller = null!;
    private StandIn _callee = null!;
    private GrpcChannel _channel = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string? _seen;

    public async ValueTask InitializeAsync()
    {
        await _world.Write("resiliency.yaml",
            """
            apiVersion: dapr.io/v1alpha1
            kind: Resiliency
            metadata: { name: test }
            spec:
              policies: { retries: { once: { policy: constant, duration: 1s, maxRetries: 1 } }, timeouts: { short: 1s } }
              targets: { apps: { retried: { retry: once }, timed: { timeout: short } } }
            """);
        await _world.Write("config.yaml",
            """
            apiVersion: dapr.io/v1alpha1
            kind: Configuration
            metadata: { name: test }
            spec:
              accessControl:
                defaultAction: deny
                policies:
                  - { appId: caller, trustDomain: t, namespace: n, defaultAction: allow }
                  - { appId: by-operation, trustDomain: t, namespace: n, defaultAction: deny, operations: [{ name: /sloring.interop.v1.Trial/Echo, action: allow }] }
                  - { appId: by-wildcard, trustDomain: t, namespace: n, defaultAction: deny, operations: [{ name: /**, action: allow }] }
            """);
        _callee = await StandIn.Start(_world, "callee", (await App()).Port);
        _caller = await StandIn.Start(_world, "caller", 0);
        _channel = GrpcChannel.ForAddress($"http://127.0.0.1:{_caller.GrpcPort}");
        await Listed("callee", 1);
    }

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await _caller.DisposeAsync();
        await _callee.DisposeAsync();
        foreach (var app in _apps)
            await app.DisposeAsync();
        _world.Dispose();
    }

    [Fact]
    public async Task AllKindsOfCalls_ComeThroughWhole()
    {
        var client = Client("callee");
        Assert.Equal("hello", (await client.EchoAsync(new TrialRequest { Text = "hello" }, cancellationToken: Cancel)).Text);
        Assert.StartsWith("caller callee shown-by-the-sidecar", _seen, StringComparison.Ordinal);
        Assert.DoesNotContain("dapr-app-id", _seen!, StringComparison.Ordinal);

        using var down = client.Down(new TrialRequest { Count = 100 }, cancellationToken: Cancel);
        Assert.Equal(100, await down.ResponseStream.ReadAllAsync(Cancel).CountAsync(Cancel));

        using var up = client.Up(cancellationToken: Cancel);
        for (var i = 0; i < 50; i++)
            await up.RequestStream.WriteAsync(new TrialRequest { Number = i }, Cancel);
        await up.RequestStream.CompleteAsync();
        Assert.Equal((50, 1225), ((await up).Count, (await up).Number));

        // Each answer before the next question: nothing is held back on the way.
        using var both = client.Both(cancellationToken: Cancel);
        for (var i = 0; i < 20; i++)
        {
            await both.RequestStream.WriteAsync(new TrialRequest { Number = i }, Cancel);
            Assert.True(await both.ResponseStream.MoveNext(Cancel).WaitAsync(Limit, Cancel));
            Assert.Equal(i, both.ResponseStream.Current.Number);
        }
        await both.RequestStream.CompleteAsync();
        Assert.False(await both.ResponseStream.MoveNext(Cancel));
    }

    [Fact]
    public async Task ErrorsTrailersAndDeadlines_ComeThrough()
    {
        var error = await Fails(StatusCode.FailedPrecondition, () => Client("callee").EchoAsync(new TrialRequest { Fail = 9 }, cancellationToken: Cancel).ResponseAsync);
        Assert.Equal(TrialService.FailureText, error.Status.Detail);
        Assert.Equal(TrialService.AllBytes, error.Trailers.GetValueBytes("reason-bin"));
        var left = (await Client("callee").EchoAsync(new TrialRequest { Act = "deadline" }, deadline: DateTime.UtcNow.AddSeconds(9), cancellationToken: Cancel)).Number;
        Assert.InRange(left, 1_000, 9_000);
        using var down = Client("callee").Down(new TrialRequest { Count = 2, Fail = 7 }, cancellationToken: Cancel);
        Assert.True(await down.ResponseStream.MoveNext(Cancel) && await down.ResponseStream.MoveNext(Cancel));
        await Fails(StatusCode.PermissionDenied, () => down.ResponseStream.MoveNext(Cancel));
    }

    [Fact]
    public async Task CancelledStream_IsCancelledAtTheCallee()
    {
        using (var down = Client("callee").Down(new TrialRequest { Act = "flood", Delay = 10, Text = "cancel me" }, cancellationToken: Cancel))
        {
            for (var i = 0; i < 5; i++)
                Assert.True(await down.ResponseStream.MoveNext(Cancel).WaitAsync(Limit, Cancel));
        }
        await _memory.Cancelled("cancel me").Task.WaitAsync(Limit, Cancel);
    }

    [Fact]
    public async Task UnknownApp_AndNoApp_AreUnknown_AndNoToken_IsUnauthenticated()
    {
        Assert.Contains("couldn't find service: nobody", (await Fails(StatusCode.Unknown, () => Client("nobody").EchoAsync(new TrialRequest(), cancellationToken: Cancel).ResponseAsync)).Status.Detail, StringComparison.Ordinal);
        Assert.Contains("dapr-app-id", (await Fails(StatusCode.Unknown, () => new Trial.TrialClient(With(("dapr-api-token", SidecarWorld.ApiToken)))
            .EchoAsync(new TrialRequest(), cancellationToken: Cancel).ResponseAsync)).Status.Detail, StringComparison.Ordinal);
        await Fails(StatusCode.Unauthenticated, () => new Trial.TrialClient(With(("dapr-app-id", "callee"))).EchoAsync(new TrialRequest(), cancellationToken: Cancel).ResponseAsync);
    }

    [Fact]
    public async Task AppThatIsDown_IsUnavailable_AndASidecarThatIsDownToo()
    {
        var app = await App();
        await using var gone = await StandIn.Start(_world, "gone", app.Port);
        await Listed("gone", 1);
        // The sidecar's listing is half a second behind its app: in between it answers for it.
        await app.DisposeAsync();
        var error = await Assert.ThrowsAsync<RpcException>(() => Client("gone").EchoAsync(new TrialRequest(), cancellationToken: Cancel).ResponseAsync);
        Assert.True(error.StatusCode is StatusCode.Unavailable or StatusCode.Unknown, error.ToString());
        await Listed("gone", 0);
        await Fails(StatusCode.Unknown, () => Client("gone").EchoAsync(new TrialRequest(), cancellationToken: Cancel).ResponseAsync);

        await _callee.Kill();
        await Fails(StatusCode.Unavailable, () => Client("callee").EchoAsync(new TrialRequest(), cancellationToken: Cancel).ResponseAsync);
    }

    [Fact]
    public async Task Replicas_AreUsedInTurn_AndADeadOneIsSkipped()
    {
        var texts = new List<string>();
        await using var second = await StandIn.Start(_world, "callee", (await App("second")).Port);
        await Listed("callee", 2);
        for (var i = 0; i < 10; i++)
            texts.Add((await Client("callee").EchoAsync(new TrialRequest { Text = "x" }, cancellationToken: Cancel)).Text);
        Assert.Equal((5, 5), (texts.Count(t => t == "x"), texts.Count(t => t == "second")));
        await second.Kill();
        // A call that takes the connection in the moment in which it ends is lost with it. After both have had their turn that has been seen.
        for (var i = 0; i < 2; i++)
        {
            var answered = await Record.ExceptionAsync(() => Client("callee").EchoAsync(new TrialRequest { Text = "x" }, cancellationToken: Cancel).ResponseAsync);
            Assert.True(answered is null or RpcException { StatusCode: StatusCode.Unavailable }, answered?.ToString());
        }
        for (var i = 0; i < 10; i++)
            Assert.Equal("x", (await Client("callee").EchoAsync(new TrialRequest { Text = "x" }, cancellationToken: Cancel)).Text);
    }

    /// <summary>With h2c the names of operations are put in lower case and compared as they are: a rule by name never lets anybody in.</summary>
    [Theory]
    [InlineData("stranger", false)]
    [InlineData("by-operation", false)]
    [InlineData("by-wildcard", true)]
    public async Task AccessControl_GoesByCaller_AndByNoName(string caller, bool allowed)
    {
        await using var sidecar = await StandIn.Start(_world, caller, 0);
        using var channel = GrpcChannel.ForAddress($"http://127.0.0.1:{sidecar.GrpcPort}");
        var client = new Trial.TrialClient(With(channel, ("dapr-app-id", "callee"), ("dapr-api-token", SidecarWorld.ApiToken)));
        if (allowed)
            Assert.Equal("in", (await client.EchoAsync(new TrialRequest { Text = "in" }, cancellationToken: Cancel)).Text);
        else
            await Fails(StatusCode.PermissionDenied, () => client.EchoAsync(new TrialRequest(), cancellationToken: Cancel).ResponseAsync);
    }

    [Fact]
    public async Task StreamThatDoesNotSayItIsOne_IsRefusedUnderARetryPolicy_AndCutByATimeout()
    {
        await using var retried = await StandIn.Start(_world, "retried", _apps[0].Port);
        await using var timed = await StandIn.Start(_world, "timed", _apps[0].Port);
        await Listed("retried", 1);
        await Listed("timed", 1);
        using (var up = Client("retried").Up(cancellationToken: Cancel))
        {
            var error = await Fails(StatusCode.FailedPrecondition, async () =>
            {
                for (var i = 0; i < 1000; i++)
                    await up.RequestStream.WriteAsync(new TrialRequest { Number = 1 }, Cancel);
                await up.RequestStream.CompleteAsync();
                await up;
            });
            Assert.Contains("streaming RPCs", error.Status.Detail, StringComparison.Ordinal);
        }
        using (var up = Client("retried", ("dapr-stream", "true")).Up(cancellationToken: Cancel))
        {
            await up.RequestStream.WriteAsync(new TrialRequest { Number = 1 }, Cancel);
            await up.RequestStream.WriteAsync(new TrialRequest { Number = 2 }, Cancel);
            await up.RequestStream.CompleteAsync();
            Assert.Equal(3, (await up).Number);
        }
        using var cut = Client("timed").Down(new TrialRequest { Count = 20, Delay = 100 }, cancellationToken: Cancel);
        await Assert.ThrowsAsync<RpcException>(async () => await cut.ResponseStream.ReadAllAsync(Cancel).CountAsync(Cancel));
        using var whole = Client("timed", ("dapr-stream", "true")).Down(new TrialRequest { Count = 20, Delay = 100 }, cancellationToken: Cancel);
        Assert.Equal(20, await whole.ResponseStream.ReadAllAsync(Cancel).CountAsync(Cancel));
    }

    private async Task<RecordingApp> App(string? says = null)
    {
        var app = await RecordingApp.Start(null, web =>
        {
            web.Use((http, next) =>
            {
                var headers = http.Request.Headers;
                // The sidecar asks for its subscriptions too, whenever it comes to it.
                if (headers.TryGetValue("dapr-caller-app-id", out var from))
                    _seen = $"{from} {headers["dapr-callee-app-id"]} {headers["dapr-api-token"]} {string.Join(',', headers.Keys)}";
                return next(http);
            });
            web.MapGrpcService<TrialService>();
        }, services =>
        {
            services.AddGrpc(grpc => grpc.Interceptors.Add<Says>());
            services.AddSingleton(_memory).AddSingleton(new Saying(says));
        });
        _apps.Add(app);
        return app;
    }

    /// <summary>Until so many replicas of an app are listed.</summary>
    private Task Listed(string app, int replicas) => Eventually.True(
        () => Task.FromResult((Directory.Exists(Path.Combine(_world.Names, app)) ? Directory.GetFiles(Path.Combine(_world.Names, app)).Length : 0) == replicas), $"{replicas} of {app} are listed");

    private Trial.TrialClient Client(string app, params (string, string)[] more) => new(With([("dapr-app-id", app), ("dapr-api-token", SidecarWorld.ApiToken), .. more]));

    private CallInvoker With(params (string Key, string Value)[] headers) => With(_channel, headers);

    private static CallInvoker With(GrpcChannel channel, params (string Key, string Value)[] headers) => channel.Intercept(metadata =>
    {
        foreach (var (key, value) in headers)
            metadata.Add(key, value);
        return metadata;
    });

    private static async Task<RpcException> Fails(StatusCode code, Func<Task> call)
    {
        var error = await Assert.ThrowsAsync<RpcException>(() => call().WaitAsync(Limit, Cancel));
        Assert.True(code == error.StatusCode, error.ToString());
        return error;
    }

    private sealed record Saying(string? Text);

    /// <summary>Lets a replica be told from another by its answer.</summary>
    private sealed class Says(Saying saying) : Interceptor
    {
        public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
        {
            var answer = await continuation(request, context);
            if (saying.Text is { } text && answer is TrialReply reply)
                reply.Text = text;
            return answer;
        }
    }
}
