// GET /dapr/subscribe and the app token, asked of a Kestrel app as the sidecar would.
using System.Net;
using System.Text.Json.Nodes;
using Dapr;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Sloring.Tests.Interop;

public sealed class DaprSubscribeTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task App_WithoutTopics_SubscribesToNothing() =>
        await Subscribes("[]", app => app.MapPost("/other", () => Results.Ok()));

    [Fact]
    public async Task Topic_IsARoute() => await Subscribes(
        """[{"topic":"orders","pubsubName":"events","route":"events/orders"}]""",
        app => app.MapPost("/events/orders", () => Results.Ok()).WithTopic("events", "orders"));

    [Fact]
    public async Task Topics_AreOrderedByPubsubAndName_AndAnEndpointMayTakeSeveral() => await Subscribes(
        """
        [{"topic":"a","pubsubName":"events","route":"one"},{"topic":"b","pubsubName":"events","route":"two"},{"topic":"a","pubsubName":"other","route":"one"}]
        """, app =>
        {
            app.MapPost("/two", () => Results.Ok()).WithTopic("events", "b");
            app.MapPost("/one", () => Results.Ok()).WithTopic("other", "a").WithTopic("events", "a");
        });

    [Fact]
    public async Task Rules_OfATopicAreFoldedAndOrderedByPriority() => await Subscribes(
        """
        [{"topic":"orders","pubsubName":"events","routes":{"rules":[{"match":"event.type == \"order.huge\"","path":"huge"},{"match":"event.type == \"order.big\"","path":"big"}],"default":"any"}}]
        """, app =>
        {
            app.MapPost("/big", () => Results.Ok()).WithTopic(new TopicOptions { PubsubName = "events", Name = "orders", Match = "event.type == \"order.big\"", Priority = 2 });
            app.MapPost("/any", () => Results.Ok()).WithTopic("events", "orders");
            app.MapPost("/huge", [Topic("events", "orders", "event.type == \"order.huge\"", 1)] () => Results.Ok());
        });

    [Fact]
    public async Task Rules_WithoutDefault_HaveNone() => await Subscribes(
        """[{"topic":"orders","pubsubName":"events","routes":{"rules":[{"match":"true","path":"x"}]}}]""",
        app => app.MapPost("/x", [Topic("events", "orders", true, "true", 0)] () => Results.Ok()), except: "metadata");

    [Fact]
    public async Task DeadLetterTopic_AndMetadata_AreSaid() => await Subscribes(
        """
        [{"topic":"orders","pubsubName":"events","route":"orders","metadata":{"queueType":"quorum","routingKey":"a"},"deadLetterTopic":"orders-dead"}]
        """,
        app => app.MapPost("/orders", () => Results.Ok()).WithTopic(new TopicOptions
        {
            PubsubName = "events",
            Name = "orders",
            DeadLetterTopic = "orders-dead",
            Metadata = new Dictionary<string, string> { ["queueType"] = "quorum", ["routingKey"] = "a" },
        }));

    [Fact]
    public async Task DeadLetterTopic_OfAnAttribute_IsSaid() => await Subscribes(
        """[{"topic":"orders","pubsubName":"events","route":"orders","deadLetterTopic":"dead"}]""",
        app => app.MapPost("/orders", [Topic("events", "orders", "dead", false)] () => Results.Ok()));

    [Fact]
    public async Task Metadata_WithAnId_BelongsToItsOwners_AndValuesOfOneNameAreJoined() => await Subscribes(
        """
        [{"topic":"a","pubsubName":"events","route":"x","metadata":{"routingKey":"k1;k2","maxLen":"5"}},{"topic":"b","pubsubName":"events","route":"x","metadata":{"maxLen":"5"}}]
        """,
        app => app.MapPost("/x",
            [Topic("events", "a", ["keys"], ";"), Topic("events", "b")]
        [TopicMetadata("keys", "routingKey", "k1"), TopicMetadata("keys", "routingKey", "k2"), TopicMetadata("maxLen", "5")] () => Results.Ok()));

    [Fact]
    public async Task RawPayload_OfATopic_IsMetadata() => await Subscribes(
        """[{"topic":"a","pubsubName":"events","route":"x","metadata":{"rawPayload":"true"}},{"topic":"b","pubsubName":"events","route":"x"}]""",
        app => app.MapPost("/x", [Topic("events", "a", true)] () => Results.Ok()).WithTopic("events", "b", false));

    [Fact]
    public async Task RawPayload_OfAll_IsAnOption() => await Subscribes(
        """[{"topic":"a","pubsubName":"events","route":"x","metadata":{"k":"v","rawPayload":"true"}}]""",
        app => app.MapPost("/x", () => Results.Ok()).WithTopic("events", "a", new Dictionary<string, string> { ["k"] = "v" }),
        new SubscribeOptions { EnableRawPayload = true });

    [Fact]
    public async Task RouteWithParameters_CannotBeSubscribed()
    {
        await using var app = await DaprApp.Start(a =>
        {
            a.MapSubscribeHandler();
            a.MapPost("/orders/{id}", () => Results.Ok()).WithTopic("events", "orders");
        });
        using var answer = await app.Client.GetAsync("/dapr/subscribe", Token);
        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
    }

    [Theory]
    [InlineData(null, "secret", HttpStatusCode.Unauthorized), InlineData("wrong", "secret", HttpStatusCode.Unauthorized)]
    [InlineData("secret", "secret", HttpStatusCode.OK), InlineData("secret", "", HttpStatusCode.Unauthorized), InlineData("", "", HttpStatusCode.Unauthorized)]
    public async Task AppToken_IsDemanded(string? sent, string expected, HttpStatusCode status)
    {
        await using var app = await DaprApp.Start(a =>
        {
            a.UseAuthentication();
            a.UseAuthorization();
            a.MapSubscribeHandler().RequireAuthorization("Dapr");
        }, b =>
        {
            b.Services.AddAuthentication().AddDapr(o => o.Token = expected);
            b.Services.AddAuthorization(o => o.AddDapr());
        });
        using var request = new HttpRequestMessage(HttpMethod.Get, "/dapr/subscribe");
        if (sent is not null)
            request.Headers.Add("dapr-api-token", sent);
        using var answer = await app.Client.SendAsync(request, Token);
        Assert.Equal(status, answer.StatusCode);
    }

    private static async Task Subscribes(string expected, Action<WebApplication> map, SubscribeOptions? options = null, string? except = null)
    {
        await using var app = await DaprApp.Start(a =>
        {
            _ = options is null ? a.MapSubscribeHandler() : a.MapSubscribeHandler(options);
            map(a);
        });
        var answer = JsonNode.Parse(await app.Client.GetStringAsync("/dapr/subscribe", Token))!.AsArray();
        if (except is not null)
            Assert.All(answer, subscription => Assert.True(subscription!.AsObject().Remove(except)));
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), answer), answer.ToJsonString());
    }
}
