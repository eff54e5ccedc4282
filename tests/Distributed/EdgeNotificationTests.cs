using System.Text.Json.Nodes;
using Sloring.Contracts;
using Xunit;
using static Sloring.Tests.Distributed.EdgePlatform;

namespace Sloring.Tests.Distributed;

/// <summary>What a region's system hears of a case over AMQP in the course of time; the platform's clock is moved, so that these have a platform of their own.</summary>
public sealed class EdgeNotificationTests(EdgePlatform edge) : IClassFixture<EdgePlatform>
{
    [Fact] // A3, A8
    public async Task AReminder_AnEscalation_AndAnExpiryNotice_ReachTheRegionsSystem()
    {
        await using var region = await edge.Broker.Connect("region-hovedstaden");
        var queue = await region.Listen("region-hovedstaden", "sloring.notifications", $"{Hovedstaden}.#");
        var cpr = People.NextCpr();
        var activated = await edge.Activate(cpr);
        var id = (string)activated["maskingId"]!;
        await Heard(region, queue, id, "leader-told");

        await edge.Platform.Client.MoveClock(edge.Platform.Clock.GetUtcNow().AddDays(20), TestContext.Current.CancellationToken);
        await Heard(region, queue, id, "decision-reminder");
        await Heard(region, queue, id, "decision-overdue");
        await edge.Platform.Client.MoveClock(((DateTimeOffset)activated["endsAt"]!).AddDays(-9), TestContext.Current.CancellationToken);
        await Heard(region, queue, id, "expiry-notice");

        Assert.DoesNotContain(cpr, string.Concat(region.Received(queue).Select(message => message.ToJsonString())), StringComparison.Ordinal);
    }

    [Fact] // A5
    public async Task ALift_ReachesTheRegionsSystem()
    {
        await using var region = await edge.Broker.Connect("region-hovedstaden");
        var queue = await region.Listen("region-hovedstaden", "sloring.notifications", $"{Hovedstaden}.lifted");
        var id = await Case();

        await edge.Platform.Client.Must(
            "leder", HttpMethod.Post, $"/v1/cases/{id}/decision", new JsonObject { ["decision"] = "DECISION_LIFT", ["reason"] = "Ikke chikane." }, TestContext.Current.CancellationToken);

        Assert.Equal("hw-1001", (string)(await Heard(region, queue, id, "lifted"))["toPerson"]!);
    }

    [Fact] // C3
    public async Task AComplaint_ReachesTheRegionsSystem_WithoutItsText()
    {
        await using var region = await edge.Broker.Connect("region-hovedstaden");
        var queue = await region.Listen("region-hovedstaden", "sloring.notifications", $"{Hovedstaden}.complaint");
        var id = await Case();

        await edge.Platform.Client.Must("region", HttpMethod.Post, "/v1/complaints", new JsonObject
        {
            ["complaintId"] = Guid.NewGuid().ToString(),
            ["caseId"] = id,
            ["receivedOn"] = DanishTime.DayOf(edge.Platform.Clock.GetUtcNow()).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture),
            ["complainant"] = "COMPLAINANT_PATIENT",
            ["text"] = "Jeg truede ingen.",
        }, TestContext.Current.CancellationToken);

        var told = await Heard(region, queue, id, "complaint");
        Assert.Equal("1000021000016006", (string)told["toUnitSorId"]!);
        Assert.DoesNotContain("truede", told.ToJsonString(), StringComparison.Ordinal);
    }

    /// <summary>A case that has reached the leader.</summary>
    private async Task<string> Case()
    {
        var id = (string)(await edge.Activate(People.NextCpr()))["maskingId"]!;
        await Eventually.True(
            async () => (await edge.Platform.Client.Send("leder", HttpMethod.Get, $"/v1/cases/{id}", null, TestContext.Current.CancellationToken)).Status == System.Net.HttpStatusCode.OK, "the case is there");
        return id;
    }

    private static async Task<JsonNode> Heard(Peer region, string queue, string id, string kind)
    {
        JsonNode? found = null;
        await Eventually.True(() => Task.FromResult((found = region.Received(queue)
            .Where(message => (string)message["routingKey"]! == $"{Hovedstaden}.{kind}")
            .Select(message => JsonNode.Parse((string)message["body"]!)!)
            .FirstOrDefault(body => ((string)body["caseId"]!, (string)body["kind"]!) == (id, kind))) is not null), $"the region hears {kind}");
        return found!;
    }
}
