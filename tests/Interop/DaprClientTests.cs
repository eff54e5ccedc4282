// The client against the stand-in for the sidecar (DaprStandIn.cs), and gRPC invocation against a server that records its headers.
// All tests that build a client are in this class: one of them changes the environment, and tests of one class run one after the other.
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Dapr;
using Dapr.Client;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Sloring.Tests.Interop.V1;
using Xunit;

namespace Sloring.Tests.Interop;

public sealed class DaprClientTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private sealed record Ordered(string OrderId, int Amount);

    [Fact]
    public async Task Data_IsPublishedAsJson()
    {
        await using var sidecar = await new DaprStandIn().Start();
        using var client = Client(sidecar);
        await client.PublishEventAsync("events", "orders", new Ordered("æ1", 2), Token);
        await client.PublishEventAsync("events", "orders/big one", new Ordered("b", 3), new Dictionary<string, string> { ["ttlInSeconds"] = "60", ["cloudevent.id"] = "a&b=ø" }, Token);
        Assert.Equal(["/v1.0/publish/events/orders", "/v1.0/publish/events/orders/big one?metadata.ttlInSeconds=60&metadata.cloudevent.id=a%26b%3D%C3%B8"],
            sidecar.Requests.Select(r => r.Target));
        Assert.All(sidecar.Requests, r => Assert.Equal("application/json", r.ContentType));
        Assert.Equal(new Ordered("æ1", 2), JsonSerializer.Deserialize<Ordered>(sidecar.Requests[0].Body, JsonSerializerOptions.Web));
        Assert.Contains("\"orderId\"", sidecar.Requests[0].Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OwnEnvelope_IsPublishedAsCloudEvent()
    {
        await using var sidecar = await new DaprStandIn().Start();
        using var client = Client(sidecar);
        await client.PublishEventAsync("events", "orders",
            new CloudEvent<Ordered>(new Ordered("a", 1)) { Source = new Uri("registration", UriKind.Relative), Type = "order.placed", Subject = "a" }, Token);
        await client.PublishByteEventAsync("events", "orders", """{"id":"1","data":{}}"""u8.ToArray(), "application/cloudevents+json", cancellationToken: Token);
        Assert.All(sidecar.Requests, r => Assert.Equal("application/cloudevents+json", r.ContentType));
        var sent = JsonDocument.Parse(sidecar.Requests[0].Body).RootElement;
        Assert.Equal(("registration", "order.placed", "a", "application/json", "a"), (sent.GetProperty("source").GetString(), sent.GetProperty("type").GetString(),
            sent.GetProperty("subject").GetString(), sent.GetProperty("datacontenttype").GetString(), sent.GetProperty("data").GetProperty("orderId").GetString()));
        Assert.Equal("""{"id":"1","data":{}}""", sidecar.Requests[1].Body);
    }

    [Fact]
    public async Task NoData_IsPublishedWithoutBody()
    {
        await using var sidecar = await new DaprStandIn().Start();
        using var client = Client(sidecar);
        await client.PublishEventAsync("events", "orders", Token);
        await client.PublishEventAsync("events", "orders", new Dictionary<string, string> { ["a"] = "b" }, Token);
        Assert.Equal([("/v1.0/publish/events/orders", null, ""), ("/v1.0/publish/events/orders?metadata.a=b", null, "")],
            sidecar.Requests.Select(r => (r.Target, r.ContentType, r.Body)));
    }

    [Fact]
    public async Task Bytes_ArePublishedUnderTheirContentType()
    {
        await using var sidecar = await new DaprStandIn().Start();
        using var client = Client(sidecar);
        await client.PublishByteEventAsync("events", "a", Encoding.UTF8.GetBytes("[1]"), cancellationToken: Token);
        await client.PublishByteEventAsync("events", "b", Encoding.UTF8.GetBytes("tekst"), "text/plain; charset=utf-8", new() { ["rawPayload"] = "true" }, Token);
        Assert.Equal([("application/json", "[1]"), ("text/plain; charset=utf-8", "tekst")], sidecar.Requests.Select(r => (r.ContentType!, r.Body)));
        Assert.EndsWith("?metadata.rawPayload=true", sidecar.Requests[1].Target, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("elsewhere", "orders", StatusCode.InvalidArgument, "pubsub elsewhere not found")]
    [InlineData("events", "closed", StatusCode.PermissionDenied, "topic closed is not allowed for app id registration")]
    [InlineData("events", "broken", StatusCode.Internal, "error when publishing to topic broken in pubsub events: no connection")]
    [InlineData("events", "413", StatusCode.ResourceExhausted, "The sidecar answered 413.")]
    [InlineData("events", "503", StatusCode.Unavailable, "The sidecar answered 503.")]
    public async Task FailedPublish_IsADaprExceptionWithTheStatus(string pubsub, string topic, StatusCode status, string detail)
    {
        await using var sidecar = await new DaprStandIn().Start();
        using var client = Client(sidecar);
        Assert.Equal((status, detail), await Failure(client.PublishEventAsync(pubsub, topic, new Ordered("a", 1), Token)));
    }

    [Fact]
    public async Task ApiToken_IsSentAndDemanded()
    {
        await using var sidecar = await new DaprStandIn { Token = "the token" }.Start();
        using var stranger = Client(sidecar);
        Assert.Equal((StatusCode.Unauthenticated, "The sidecar answered 401."), await Failure(stranger.PublishEventAsync("events", "orders", Token)));
        Assert.True(await stranger.CheckHealthAsync(Token)); // probes need none
        using var client = Client(sidecar, b => b.UseDaprApiToken("the token"));
        await client.PublishEventAsync("events", "orders", Token);
        Assert.Equal("the token", sidecar.Requests[^1].Token);
    }

    [Fact]
    public async Task Trace_IsPassedOn()
    {
        await using var sidecar = await new DaprStandIn().Start();
        using var client = Client(sidecar);
        using var activity = new Activity("publishing").SetIdFormat(ActivityIdFormat.W3C).Start();
        await client.PublishEventAsync("events", "orders", Token);
        Assert.Contains(activity.TraceId.ToHexString(), sidecar.Requests[0].TraceParent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Secrets_AreRead()
    {
        await using var sidecar = await new DaprStandIn().Start();
        using var client = Client(sidecar);
        Assert.Equal(new() { ["db:password"] = "the value" },
            await client.GetSecretAsync("vault", "db:password", new Dictionary<string, string> { ["namespace"] = "sloring" }, Token));
        Assert.EndsWith("?metadata.namespace=sloring", sidecar.Requests[0].Target, StringComparison.Ordinal);
        Assert.Empty(await client.GetSecretAsync("vault", "nothing", cancellationToken: Token)); // 204
        var all = await client.GetBulkSecretAsync("vault", cancellationToken: Token);
        Assert.Equal(("p", "u"), (all["db"]["password"], all["mq"]["user"]));
    }

    [Theory]
    [InlineData("cellar", "db", StatusCode.InvalidArgument)] // 401 with the name of an error: not a matter of tokens
    [InlineData("vault", "denied", StatusCode.PermissionDenied)]
    [InlineData("vault", "missing", StatusCode.Internal)]
    public async Task FailedSecret_IsADaprExceptionWithTheStatus(string store, string key, StatusCode status)
    {
        await using var sidecar = await new DaprStandIn().Start();
        using var client = Client(sidecar);
        Assert.Equal(status, (await Failure(client.GetSecretAsync(store, key, cancellationToken: Token))).Status);
    }

    [Fact]
    public async Task Sidecar_IsWaitedFor()
    {
        await using var sidecar = await new DaprStandIn { ProbesUntilHealthy = 2 }.Start();
        using var client = Client(sidecar);
        Assert.False(await client.CheckHealthAsync(Token));
        await client.WaitForSidecarAsync(Token).WaitAsync(Limit, Token);
        Assert.True(await client.CheckOutboundHealthAsync(Token));
        Assert.Equal(["/v1.0/healthz", "/v1.0/healthz/outbound", "/v1.0/healthz/outbound", "/v1.0/healthz/outbound"], sidecar.Requests.Select(r => r.Target));
    }

    [Fact]
    public async Task WaitingForASidecarThatNeverComes_EndsWithTheToken()
    {
        await using var sidecar = await new DaprStandIn { ProbesUntilHealthy = int.MaxValue }.Start();
        using var client = Client(sidecar);
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.WaitForSidecarAsync(soon.Token).WaitAsync(Limit, Token));
    }

    [Fact]
    public async Task AbsentSidecar_IsUnhealthyAndUnavailable()
    {
        var sidecar = await new DaprStandIn().Start();
        using var client = Client(sidecar);
        await sidecar.DisposeAsync();
        Assert.False(await client.CheckHealthAsync(Token));
        Assert.False(await client.CheckOutboundHealthAsync(Token));
        Assert.Equal(StatusCode.Unavailable, (await Failure(client.PublishEventAsync("events", "orders", Token))).Status);
    }

    [Fact]
    public async Task SilentSidecar_IsGivenUpAfterTheTimeoutOrByTheToken()
    {
        await using var sidecar = await new DaprStandIn().Start();
        using var hasty = Client(sidecar, b => b.UseTimeout(TimeSpan.FromMilliseconds(50)));
        Assert.Equal(StatusCode.DeadlineExceeded, (await Failure(hasty.PublishEventAsync("events", DaprStandIn.Silent, Token).WaitAsync(Limit, Token))).Status);
        using var client = Client(sidecar);
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.PublishEventAsync("events", DaprStandIn.Silent, soon.Token).WaitAsync(Limit, Token));
    }

    [Fact]
    public async Task Metadata_NamesTheAppAndItsComponents()
    {
        await using var sidecar = await new DaprStandIn().Start();
        using var client = Client(sidecar);
        var metadata = await client.GetMetadataAsync(Token);
        Assert.Equal(("registration", "1.17.13"), (metadata.Id, metadata.Extended["daprRuntimeVersion"]));
        Assert.Equal(["events pubsub.rabbitmq v1 SUBSCRIBE_WILDCARDS", "vault secretstores.local.file v1 "],
            metadata.Components.Select(c => $"{c.Name} {c.Type} {c.Version} {string.Join(',', c.Capabilities)}"));
        Assert.Empty(metadata.Actors);
    }

    [Fact]
    public async Task Environment_GivesEndpointAndToken()
    {
        await using var sidecar = await new DaprStandIn { Token = "from the environment" }.Start();
        var before = Environment.GetEnvironmentVariable("DAPR_API_TOKEN");
        try
        {
            Environment.SetEnvironmentVariable("DAPR_API_TOKEN", sidecar.Token);
            foreach (var (name, value) in new[] { ("DAPR_HTTP_ENDPOINT", sidecar.Address), ("DAPR_HTTP_PORT", $"{new Uri(sidecar.Address).Port}") })
            {
                Environment.SetEnvironmentVariable(name, value);
                using var client = new DaprClientBuilder().Build();
                await client.PublishEventAsync("events", "orders", Token);
                Environment.SetEnvironmentVariable(name, null);
            }
        }
        finally
        {
            Environment.SetEnvironmentVariable("DAPR_API_TOKEN", before);
        }
        Assert.Equal(2, sidecar.Requests.Count);
    }

    [Fact]
    public void Builder_RefusesOtherSchemes()
    {
        Assert.Throws<InvalidOperationException>(() => new DaprClientBuilder().UseHttpEndpoint("ftp://127.0.0.1:1").Build());
        Assert.Throws<InvalidOperationException>(() => new DaprClientBuilder().UseGrpcEndpoint("unix:/tmp/x").Build());
    }

    [Fact]
    public async Task Container_HoldsOneClient()
    {
        await using var sidecar = await new DaprStandIn().Start();
        var services = new ServiceCollection().AddSingleton(new JsonSerializerOptions());
        services.AddDaprClient((provider, b) => b.UseHttpEndpoint(sidecar.Address).UseJsonSerializationOptions(provider.GetRequiredService<JsonSerializerOptions>()));
        services.AddDaprClient(b => b.UseHttpEndpoint("http://127.0.0.1:9")); // the first holds
        await using var provider = services.BuildServiceProvider();
        var client = provider.GetRequiredService<DaprClient>();
        Assert.Same(client, provider.GetRequiredService<DaprClient>());
        Assert.Same(provider.GetRequiredService<JsonSerializerOptions>(), client.JsonSerializerOptions);
        await client.PublishEventAsync("events", "orders", new Ordered("a", 1), Token);
        Assert.Equal("""{"OrderId":"a","Amount":1}""", sidecar.Requests.Single().Body);
    }

    [Fact]
    public async Task Invoker_NamesTheCalleeOnEveryKindOfCall()
    {
        var seen = new ConcurrentQueue<string>();
        await using var server = await TrialServer.Start(
            builder => builder.Services.AddSingleton(new TrialService.Memory(() => 0)).AddGrpc(),
            app =>
            {
                app.Use((context, next) =>
                {
                    var headers = context.Request.Headers;
                    seen.Enqueue($"{context.Request.Path.Value!.Split('/')[^1]} {headers["dapr-app-id"]} {headers["dapr-api-token"]} {headers["x-own"]} {headers.ContainsKey("dapr-stream")}");
                    return next(context);
                });
                app.MapGrpcService<TrialService>();
            });
        var client = new Trial.TrialClient(DaprClient.CreateInvocationInvoker("registration", server.Address, "t"));
        Metadata own = new() { { "x-own", "mine" } };
        client.Echo(new TrialRequest { Text = "a" }, own, cancellationToken: Token);
        Assert.Equal("b", (await client.EchoAsync(new TrialRequest { Text = "b" }, own).ResponseAsync.WaitAsync(Limit, Token)).Text);
        using (var down = client.Down(new TrialRequest { Count = 1 }, own))
            Assert.True(await down.ResponseStream.MoveNext(Token).WaitAsync(Limit, Token));
        using (var up = client.Up(own))
        {
            await up.RequestStream.CompleteAsync();
            await up.ResponseAsync.WaitAsync(Limit, Token);
        }
        using (var both = client.Both())
        {
            await both.RequestStream.CompleteAsync();
            Assert.False(await both.ResponseStream.MoveNext(Token).WaitAsync(Limit, Token));
        }
        Assert.Equal(["Echo registration t mine False", "Echo registration t mine False", "Down registration t mine False",
            "Up registration t mine False", "Both registration t  False"], seen);
        Assert.Single(own); // the caller's headers stay the caller's
    }

    private static DaprClient Client(DaprStandIn sidecar, Action<DaprClientBuilder>? configure = null)
    {
        var builder = new DaprClientBuilder().UseHttpEndpoint(sidecar.Address);
        configure?.Invoke(builder);
        return builder.Build();
    }

    private static async Task<(StatusCode Status, string Detail)> Failure(Task call)
    {
        var failure = Assert.IsType<RpcException>((await Assert.ThrowsAsync<DaprException>(() => call)).InnerException);
        return (failure.StatusCode, failure.Status.Detail);
    }
}
