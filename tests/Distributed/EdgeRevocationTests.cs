using System.Text.Json.Nodes;
using Xunit;
using static Sloring.Tests.Distributed.EdgePlatform;

namespace Sloring.Tests.Distributed;

/// <summary>Who is revoked as a client is shut out at the edge too, though the broker lets its user connect.</summary>
public sealed class EdgeRevocationTests(EdgePlatform edge) : IClassFixture<EdgePlatform>
{
    private const string Epj = "epj-midtjylland";
    private const string Source = "kilde-midtjylland";
    private const string Queue = Source + ".decisions";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ARevokedClient_IsRefusedOverAmqpToo_AndHearsOfNoDecision()
    {
        await using var adapter = await edge.Broker.Connect(Epj);
        await edge.OtherSource.Bind(Queue, "sloring.masking-decisions", $"{Midtjylland}.{Source}");
        // Whoever hears that the second is revoked has heard of the first.
        foreach (var client in (string[])[Source, Epj])
            await Operator(client, "revocation");

        var (refused, answer) = await Until(adapter, answer => (string?)answer["rejection"]?["code"] == "SLR-609");
        Assert.False((bool)answer["accepted"]!);
        var error = await edge.NextError("registration.activate-masking");
        Assert.Equal(("SLR-609", Epj, refused), ((string)error["headers"]!["sloring-code"]!, (string)error["headers"]!["sloring-user"]!, Patient(error)));
        await edge.OtherSource.Publish("sloring.updates", "data-source-update", Update(People.NextCpr(), cvr: Midtjylland).ToJsonString(), From(Source));
        Assert.Equal("SLR-609", (string)(await edge.NextError("effectuation.data-source-update"))["headers"]!["sloring-code"]!);

        await Operator(Epj, "restoration");
        var untold = (long)(await Until(adapter, answer => (bool)answer["accepted"]!)).Answer["position"]!;
        await Operator(Source, "restoration");
        var told = new List<long>();
        await Eventually.True(
            async () =>
            {
                await Until(adapter, answer => (bool)answer["accepted"]!);
                while (await edge.OtherSource.Get(Queue) is { } decision)
                    told.Add((long)JsonNode.Parse((string)decision["body"]!)!["position"]!);
                return told.Exists(position => position > untold);
            },
            "the restored source hears of decisions again");
        // They are told in order, so what it does not have by now it was not told.
        Assert.DoesNotContain(untold, told);
        foreach (var queue in (string[])["registration.activate-masking.errors", "effectuation.data-source-update.errors"])
        {
            while (await edge.Operator.Get(queue) is not null)
            {
            }
        }
        var found = await edge.Platform.Client.Must(Epj, HttpMethod.Post, "/v1/maskings/search", new JsonObject { ["patientCpr"] = refused }, Cancel);
        Assert.Empty(found["maskings"]?.AsArray() ?? []);
    }

    private Task<JsonNode> Operator(string client, string what) => edge.Platform.Client.Must("drift", HttpMethod.Post, $"/v1/clients/{client}/{what}", new JsonObject(), Cancel);

    /// <summary>Activates for one patient after the other until it is answered so.</summary>
    private static async Task<(string Cpr, JsonNode Answer)> Until(Peer adapter, Func<JsonNode, bool> answered)
    {
        var (cpr, answer) = ("", (JsonNode?)null);
        await Eventually.True(
            async () =>
            {
                cpr = People.NextCpr();
                answer = JsonNode.Parse((string)(await adapter.Request("sloring.activations", "activate-masking", Activation(cpr).ToJsonString(), From(Epj)))["body"]!)!;
                return answered(answer);
            },
            "the answer is another");
        return (cpr, answer!);
    }

    private static string Patient(JsonNode message) => (string)JsonNode.Parse((string)message["body"]!)!["patientCpr"]!;
}
