using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using Sloring.Cluster;
using Xunit;

namespace Sloring.Tests.Distributed;

/// <summary>The stand-in and a broker of this test's own, which dies.</summary>
public sealed class SidecarBrokerTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task BrokersCrash_StallsPublishingThenFailsIt_AndAfterwardsAllGoesOn()
    {
        using var world = new SidecarWorld();
        await using var server = await RabbitMqServer.Start(
            Path.Combine(world.Folder, "broker"), Platform.FreePort(), Platform.FreePort(), Platform.FreePort(), [new BrokerUser(Broker.User, Broker.Password, ".*", ".*", ".*")], Cancel);
        await world.Write("pubsub.yaml", Component(server.Port));
        await using var app = await RecordingApp.Start("""[{"pubsubname":"sloring-pubsub","topic":"t","route":"/on/t","metadata":{"queueType":"quorum"}}]""");
        await using (var first = await StandIn.Start(world, "app", app.Port))
            await first.Subscribed("t");
        // RabbitMQ 3.10 writes down where a quorum queue lives up to a second after it has declared it: killed before that, it never finds the queue again.
        await server.Restart(Cancel);
        await using var sidecar = await StandIn.Start(world, "app", app.Port);
        await sidecar.Subscribed("t");
        for (var i = 0; i < 20; i++)
            Assert.Equal(HttpStatusCode.NoContent, await Publish(sidecar, $"before-{i}"));
        await Eventually.True(() => Task.FromResult(Ids(app).Count == 20), "all come");

        await server.Kill();
        var clock = Stopwatch.StartNew();
        // The first may meet the connection as it breaks, and be reported as published.
        await Eventually.True(async () => await Publish(sidecar, "meanwhile") == HttpStatusCode.InternalServerError, "publishing fails", TimeSpan.FromSeconds(30));
        Assert.InRange(clock.Elapsed.TotalSeconds, 4, 30);

        await server.Restart(Cancel);
        await Eventually.True(async () => await Publish(sidecar, "after") == HttpStatusCode.NoContent, "publishing works again", TimeSpan.FromSeconds(60));
        await Eventually.True(() => Task.FromResult(Ids(app).Contains("after")), "and delivery", TimeSpan.FromSeconds(30));
        Assert.All(Enumerable.Range(0, 20), i => Assert.Contains($"before-{i}", Ids(app)));
    }

    [Fact]
    public async Task SidecarWithoutABroker_EndsAndSaysSo()
    {
        using var world = new SidecarWorld();
        await world.Write("pubsub.yaml", Component(Platform.FreePort()));
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => StandIn.Start(world, "app", 0));
        Assert.Contains("Stand-in for the Dapr sidecar: Component sloring-pubsub cannot start: RabbitMQ does not answer", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("- { name: enableDeadLetter, value: \"true\" }", "does not know enableDeadLetter")]
    [InlineData("- { name: password, secretKeyRef: { name: a, key: b } }", "is not in the secret store")]
    public async Task WhatItCannotDo_StopsTheStart(string line, string message)
    {
        using var world = new SidecarWorld();
        await world.Write("pubsub.yaml", Component(1) + "    " + line);
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => StandIn.Start(world, "app", 0));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    private static async Task<HttpStatusCode> Publish(StandIn sidecar, string id)
    {
        using var answer = await sidecar.Publish("t", new JsonObject { ["id"] = id, ["data"] = new JsonObject() }.ToJsonString(), "application/cloudevents+json");
        return answer.StatusCode;
    }

    private static List<string> Ids(RecordingApp app) => [.. app.Of("t").Select(r => (string)JsonNode.Parse(r.Body)!["id"]!).Distinct()];

    private static string Component(int port) =>
        $$"""
        apiVersion: dapr.io/v1alpha1
        kind: Component
        metadata: { name: sloring-pubsub }
        spec:
          type: pubsub.rabbitmq
          version: v1
          metadata:
            - { name: connectionString, value: "amqp://{{Broker.User}}:{{Broker.Password}}@127.0.0.1:{{port}}/" }
            - { name: deletedWhenUnused, value: "false" }
            - { name: deliveryMode, value: "2" }
            - { name: publisherConfirm, value: "true" }

        """;
}
