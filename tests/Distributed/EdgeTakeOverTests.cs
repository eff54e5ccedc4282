using System.Text.Json.Nodes;
using Xunit;
using static Sloring.Tests.Distributed.EdgePlatform;

namespace Sloring.Tests.Distributed;

/// <summary>Over AMQP, one region is replaced by the other: its data sources hear of all, and its adapters lose nothing (decision 37, rule E6).</summary>
public sealed class EdgeTakeOverTests(EdgePlatform edge) : IClassFixture<EdgePlatform>
{
    [Fact] // M1, E6
    public async Task TheSourcesOfBoth_AreTold_EachOfItsOwnNumber_AndAnAdapterWithAnOldNameActivates()
    {
        var mine = await edge.Source.Listen("kilde-hovedstaden", "sloring.masking-decisions", $"{Hovedstaden}.kilde-hovedstaden");
        var others = await edge.OtherSource.Listen("kilde-midtjylland", "sloring.masking-decisions", $"{Midtjylland}.kilde-midtjylland");
        await using var midtjylland = await edge.Broker.Connect("epj-midtjylland");
        var nord = await edge.Activate(People.NextCpr());
        var vest = await Activate(midtjylland);
        await Told(1, 1);

        var plan = (string)(await TakeOver(""))["plan"]!;
        var position = long.Parse((string)(await TakeOver(plan))["position"]!, System.Globalization.CultureInfo.InvariantCulture);
        // Of both maskings, both sources: what each has copied may have to be hidden now.
        await Told(3, 3);
        var late = await Activate(midtjylland);
        await Told(4, 4);

        Assert.All(Decisions(edge.Source, mine), told => Assert.Equal(Hovedstaden, (string)told["cvr"]!));
        Assert.All(Decisions(edge.OtherSource, others), told => Assert.Equal(Midtjylland, (string)told["cvr"]!));
        var ends = new[] { nord, vest, late }.Select(masking => (DateTimeOffset)masking["endsAt"]!).Order();
        Assert.Equal(ends, Decisions(edge.Source, mine).Select(told => (DateTimeOffset)told["endsAt"]!).Distinct().Order());
        Assert.All(Decisions(edge.OtherSource, others).Skip(1).Take(2), told => Assert.InRange((long)told["position"]!, position - 10, position));
        var list = await edge.Platform.Client.Must("leder", HttpMethod.Get, "/v1/maskings", null, TestContext.Current.CancellationToken);
        Assert.Contains(list["maskings"]!.AsArray(), masking => (string)masking!["maskingId"]! == (string)late["maskingId"]!);

        Task Told(int toMine, int toOthers) => Eventually.True(
            () => Task.FromResult(edge.Source.Received(mine).Count == toMine && edge.OtherSource.Received(others).Count == toOthers), "the sources are told");
    }

    private static async Task<JsonNode> Activate(Peer adapter)
    {
        var answer = await adapter.Request("sloring.activations", "activate-masking", Activation(People.NextCpr()).ToJsonString(), From("epj-midtjylland"));
        return JsonNode.Parse((string)answer["body"]!)!;
    }

    private static List<JsonNode> Decisions(Peer source, string queue) => [.. source.Received(queue).Select(message => JsonNode.Parse((string)message["body"]!)!)];

    private Task<JsonNode> TakeOver(string plan) => edge.Platform.Client.Must(
        "drift", HttpMethod.Post, $"/v1/organisations/{Midtjylland}/takeover", new JsonObject { ["byCvr"] = Hovedstaden, ["plan"] = plan }, TestContext.Current.CancellationToken);
}
