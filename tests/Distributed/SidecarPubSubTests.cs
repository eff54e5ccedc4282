using System.Net;
using System.Text.Json.Nodes;
using Xunit;

namespace Sloring.Tests.Distributed;

/// <summary>The stand-in publishes and delivers as daprd does, pitfalls included: what the platform is tested against must not be kinder than what it meets.</summary>
public sealed class SidecarPubSubTests(Broker broker) : IAsyncLifetime
{
    private const string App = "stand-in-test";
    private readonly string _run = Guid.NewGuid().ToString("N")[..8];
    private readonly SidecarWorld _world = new();
    private RecordingApp _app = null!;
    private StandIn _sidecar = null!;

    /// <summary>What the app answers → calls it gets, and whether a dead letter comes.</summary>
    public static TheoryData<string, int, string, int, bool> Answers => new()
    {
        { "success", 200, """{"status":"SUCCESS"}""", 1, false },
        { "empty", 200, "", 1, false },
        { "unparsable", 200, "fine", 1, false },
        { "no status", 200, "{}", 1, false },
        { "retry", 200, """{"status":"RETRY"}""", 3, true },
        { "lower case", 200, """{"status":"success"}""", 3, true },
        { "error", 500, "", 3, true },
        { "refused", 401, "", 3, true },
        { "drop", 200, """{"status":"DROP"}""", 1, true },
        { "not found", 404, "", 1, true },
    };

    public async ValueTask InitializeAsync()
    {
        var server = await broker.Server();
        await _world.Write("pubsub.yaml",
            $$"""
            apiVersion: dapr.io/v1alpha1
            kind: Component
            metadata: { name: sloring-pubsub }
            spec:
              type: pubsub.rabbitmq
              version: v1
              metadata:
                - { name: connectionString, value: "amqp://{{Broker.User}}:{{Broker.Password}}@127.0.0.1:{{server.Port}}/" }
                - { name: deletedWhenUnused, value: "false" }
                - { name: deliveryMode, value: "2" }
                - { name: publisherConfirm, value: "true" }
                - { name: prefetchCount, value: "20" }
                - { name: protectedTopics, value: secret }
            """);
        await _world.Write("resiliency.yaml",
            """
            apiVersion: dapr.io/v1alpha1
            kind: Resiliency
            metadata: { name: test }
            spec:
              policies: { retries: { twice: { policy: constant, duration: 20ms, maxRetries: 2 } } }
              targets: { components: { sloring-pubsub: { inbound: { retry: twice } } } }
            """);
        _app = await RecordingApp.Start(
            """
            [{"pubsubname":"sloring-pubsub","topic":"with-RUN","route":"/on/with","deadLetterTopic":"letters-RUN","metadata":{"queueType":"quorum"}},
             {"pubsubname":"sloring-pubsub","topic":"bare-RUN","routes":{"default":"/on/bare"}},
             {"pubsubname":"sloring-pubsub","topic":"letters-RUN","route":"on/letters"}]
            """.Replace("RUN", _run, StringComparison.Ordinal));
        _sidecar = await StandIn.Start(_world, App, _app.Port);
        await _sidecar.Subscribed("with-" + _run);
        await _sidecar.Subscribed("bare-" + _run);
        await _sidecar.Subscribed("letters-" + _run);
    }

    public async ValueTask DisposeAsync()
    {
        await _sidecar.DisposeAsync();
        await _app.DisposeAsync();
        _world.Dispose();
    }

    private string With => "with-" + _run;

    private string Bare => "bare-" + _run;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Answers))]
    public async Task AppsAnswer_DecidesWhatBecomesOfAMessage(string what, int status, string body, int calls, bool letter)
    {
        _app.Answers["with"] = _app.Answers["bare"] = (status, body);
        var id = Guid.NewGuid().ToString();
        await Published(With, $$"""{"id":"{{id}}","data":{"what":"{{what}}"} }""", "application/cloudevents+json");
        await Eventually.True(() => Task.FromResult(_app.Of("with").Count == calls), $"{what}: {calls} calls");
        await Eventually.True(() => Task.FromResult(_app.Of("letters").Count == (letter ? 1 : 0)), $"{what}: a dead letter");
        // What has no dead-letter topic is gone for good, whether dropped or given up: nothing is redelivered.
        await Published(Bare, """{"id":"x","data":{}}""", "application/cloudevents+json");
        await Eventually.True(() => Task.FromResult(_app.Of("bare").Count == calls), $"{what}: {calls} calls without a dead-letter topic");
        _app.Answers["with"] = _app.Answers["bare"] = (200, "");
        await Published(With, "{}");
        await Eventually.True(() => Task.FromResult(_app.Of("with").Count == calls + 1), "the next message comes");
        Assert.Equal(0, await broker.Waiting($"{App}-{With}"));
        Assert.Equal(0, await broker.Waiting($"{App}-{Bare}"));
        Assert.Equal(calls, _app.Of("bare").Count);
        if (letter)
        {
            var envelope = JsonNode.Parse(_app.Of("letters").Single().Body)!;
            Assert.Equal(id, (string?)envelope["id"]);
            Assert.Equal(With, (string?)envelope["topic"]);
        }
    }

    [Fact]
    public async Task Delivery_IsACloudEventOverHttp2_WithTheAppsToken()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v1.0/publish/sloring-pubsub/{With}") { Content = new StringContent("""{"big":12345678901234567890.5,"ø":1}""", null, "application/json") };
        request.Headers.Add("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        using (var answer = await _sidecar.Http.SendAsync(request, Cancel))
            Assert.Equal((HttpStatusCode.NoContent, ""), (answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancel)));
        await Eventually.True(() => Task.FromResult(_app.Of("with").Count == 1), "it is delivered");
        var received = _app.Of("with").Single();
        Assert.Equal("HTTP/2", received.Protocol);
        Assert.Equal("application/cloudevents+json", received.Headers["Content-Type"]);
        Assert.Equal(SidecarWorld.AppToken, received.Headers["dapr-api-token"]);
        Assert.Equal("sloring-pubsub", received.Headers["pubsubname"]);
        Assert.StartsWith("00-0af7651916cd43dd8448eb211c80319c-", received.Headers["traceparent"], StringComparison.Ordinal);
        var envelope = JsonNode.Parse(received.Body)!.AsObject();
        Assert.Equal(envelope.Select(p => p.Key).Order(StringComparer.Ordinal), envelope.Select(p => p.Key));
        Assert.Equal((App, "com.dapr.event.sent", "1.0", "application/json; charset=utf-8", With, "sloring-pubsub"), (
            (string?)envelope["source"], (string?)envelope["type"], (string?)envelope["specversion"], (string?)envelope["datacontenttype"], (string?)envelope["topic"], (string?)envelope["pubsubname"]));
        Assert.Equal("""{"big":12345678901234567890.5,"\u00F8":1}""", envelope["data"]!.ToJsonString());
        Assert.True(Guid.TryParse((string?)envelope["id"], out _));
        // The app was asked what it wants with the token as well.
        Assert.Equal(SidecarWorld.AppToken, _app.All.First(r => r.Path == "/dapr/subscribe").Headers["dapr-api-token"]);
    }

    [Fact]
    public async Task OwnEnvelope_KeepsWhatItSays_ExceptTopicAndPubsub()
    {
        await Published(With, """{"id":"i","source":"me","type":"t","position":"7","topic":"else","data":{"a":"<b>"}}""", "application/cloudevents+json");
        await Eventually.True(() => Task.FromResult(_app.Of("with").Count == 1), "it is delivered");
        var envelope = JsonNode.Parse(_app.Of("with").Single().Body)!;
        Assert.Equal(("i", "me", "t", "7", With, "sloring-pubsub", "1.0", "<b>"), (
            (string?)envelope["id"], (string?)envelope["source"], (string?)envelope["type"], (string?)envelope["position"], (string?)envelope["topic"], (string?)envelope["pubsubname"],
            (string?)envelope["specversion"], (string?)envelope["data"]!["a"]));
    }

    [Theory]
    [InlineData("text/plain", "[1]", "data", "[1]")]
    [InlineData("application/octet-stream", "abc", "data_base64", "YWJj")]
    [InlineData("application/json", "{not", "data", "{not")]
    public async Task OtherContent_IsATextOrBase64(string type, string body, string field, string value)
    {
        await Published(With, body, type, "?metadata.cloudevent.id=mine");
        await Eventually.True(() => Task.FromResult(_app.Of("with").Count == 1), "it is delivered");
        var envelope = JsonNode.Parse(_app.Of("with").Single().Body)!;
        Assert.Equal((value, "mine"), ((string?)envelope[field], (string?)envelope["id"]));
    }

    [Theory]
    [InlineData("other", "x", "application/json", "{}", 404, "ERR_PUBSUB_NOT_FOUND")]
    [InlineData("sloring-pubsub", "secret", "application/json", "{}", 403, "ERR_PUBSUB_FORBIDDEN")]
    [InlineData("sloring-pubsub", "x", "application/cloudevents+json", "{not", 500, "ERR_PUBSUB_CLOUD_EVENTS_SER")]
    public async Task PublishingThatCannotBe_IsRefusedByCode(string pubsub, string topic, string type, string body, int status, string code)
    {
        using var answer = await _sidecar.Publish(topic, body, type, pubsub: pubsub);
        Assert.Equal((status, code), ((int)answer.StatusCode, (string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!["errorCode"]));
    }

    [Fact]
    public async Task WrongToken_IsRefused_ButHealthNeedsNone()
    {
        using var stranger = new HttpClient { BaseAddress = _sidecar.Http.BaseAddress };
        using var answer = await stranger.PostAsync(new Uri($"/v1.0/publish/sloring-pubsub/{With}", UriKind.Relative), null, Cancel);
        Assert.Equal((HttpStatusCode.Unauthorized, "invalid api token"), (answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancel)));
        using var health = await stranger.GetAsync(new Uri("/v1.0/healthz", UriKind.Relative), Cancel);
        Assert.Equal(HttpStatusCode.NoContent, health.StatusCode);
    }

    [Fact]
    public async Task TopicWithoutQueue_IsPublishedIntoNothing() => await Published("nobody-" + _run, "{}");

    [Fact]
    public async Task BrokersRefusal_IsReportedAsSuccess()
    {
        var topic = "full-" + _run;
        await Published(topic, "{}");
        await using var connection = await broker.Connect();
        await using var channel = await connection.CreateChannelAsync(cancellationToken: Cancel);
        await channel.QueueDeclareAsync(topic, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-max-length"] = 1, ["x-overflow"] = "reject-publish" }, cancellationToken: Cancel);
        await channel.QueueBindAsync(topic, topic, "", cancellationToken: Cancel);
        for (var i = 0; i < 4; i++)
            await Published(topic, "{}");
        Assert.Equal(1, await broker.Waiting(topic));
        Assert.Contains("did not receive confirmation of publishing", _sidecar.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Switches_DropAndDouble_WhileItRuns()
    {
        await _world.Switch("""{"drop":100}""");
        await Published(With, "{}");
        await _world.Switch("""{"duplicate":100}""");
        await Published(With, """{"id":"twice","data":{}}""", "application/cloudevents+json");
        await Eventually.True(() => Task.FromResult(_app.Of("with").Count == 2), "one is dropped, one comes twice");
        await _world.Switch("""{"reorder":100}""");
        await Published(With, """{"id":"held back","data":{}}""", "application/cloudevents+json");
        await _world.Switch("{}");
        await Published(With, """{"id":"at once","data":{}}""", "application/cloudevents+json");
        await Eventually.True(() => Task.FromResult(_app.Of("with").Count == 4), "both come");
        Assert.Equal(["twice", "twice", "at once", "held back"], _app.Of("with").Select(r => (string?)JsonNode.Parse(r.Body)!["id"]));
    }

    [Fact]
    public async Task KilledSidecar_LosesNoMessageThatWaits()
    {
        await _sidecar.Kill();
        await using (var other = await StandIn.Start(_world, "publisher", 0))
        {
            for (var i = 0; i < 20; i++)
                Assert.Equal(HttpStatusCode.NoContent, (await other.Publish(With, "{}")).StatusCode);
        }
        await using var again = await StandIn.Start(_world, App, _app.Port);
        await Eventually.True(() => Task.FromResult(_app.Of("with").Count == 20), "all come");
    }

    private async Task Published(string topic, string body, string type = "application/json", string query = "")
    {
        using var answer = await _sidecar.Publish(topic, body, type, query);
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
    }
}
