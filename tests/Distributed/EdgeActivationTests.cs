using System.Text.Json.Nodes;
using Xunit;
using static Sloring.Tests.Distributed.EdgePlatform;

namespace Sloring.Tests.Distributed;

/// <summary>An EPJ adapter over AMQP, as a foreign client: the main job, answers, repeats.</summary>
public sealed class EdgeActivationTests(EdgePlatform edge) : IClassFixture<EdgePlatform>
{
    [Fact] // M2, M3
    public async Task ActivateMasking_IsInForce_AndIsAnswered()
    {
        var cpr = People.NextCpr();

        var answer = await edge.Adapter.Request("sloring.activations", "activate-masking", Activation(cpr).ToJsonString(), new { userId = "epj-hovedstaden", correlationId = "sag-17" });
        var said = JsonNode.Parse((string)answer["body"]!)!;

        Assert.True((bool)said["accepted"]!);
        Assert.Equal("sag-17", (string?)answer["properties"]!["correlationId"]);
        Assert.Equal("application/json", (string?)answer["properties"]!["contentType"]);
        Assert.Equal(90, Math.Round(((DateTimeOffset)said["endsAt"]! - (DateTimeOffset)said["inForceFrom"]!).TotalDays));
        Assert.True((long)said["position"]! > 0);
        var listed = Assert.Single((await MaskingsOf(cpr)));
        Assert.Equal(((string)said["maskingId"]!, Hovedstaden, "hw-1001"), ((string)listed!["maskingId"]!, (string)listed["cvr"]!, (string)listed["activatedBy"]!));
    }

    [Fact] // M9
    public async Task TheSameActivationTwice_AnswersTheSame_ByEitherWay()
    {
        var (cpr, key) = (People.NextCpr(), Guid.NewGuid().ToString("N"));

        var first = await edge.Activate(cpr, key);
        var second = await edge.Activate(cpr, key);
        var byHttp = await edge.Platform.Client.Must("epj-hovedstaden", HttpMethod.Post, "/v1/maskings", new JsonObject
        {
            ["idempotencyKey"] = key,
            ["patientCpr"] = cpr,
            ["trigger"] = "TRIGGER_THREATS",
            ["behaviourOn"] = "2025-01-15",
            ["reason"] = "Truede med vold ved døren.",
            ["activator"] = Activation(cpr)["activator"]!.DeepClone(),
        }, TestContext.Current.CancellationToken);

        Assert.Equal(first.ToJsonString(), second.ToJsonString());
        Assert.Equal((string)first["maskingId"]!, (string)byHttp["maskingId"]!);
        Assert.Single(await MaskingsOf(cpr));
    }

    [Fact] // M9
    public async Task AKeyUsedForOtherContent_IsRefused_AndTheAnswerSaysSo()
    {
        var key = Guid.NewGuid().ToString("N");
        await edge.Activate(People.NextCpr(), key);

        var said = await edge.Activate(People.NextCpr(), key);

        Assert.False((bool)said["accepted"]!);
        Assert.Equal(("SLR-107", "idempotency_key"), ((string)said["rejection"]!["code"]!, (string)said["rejection"]!["field"]!));
        Assert.StartsWith("Nøglen er brugt før", (string)said["rejection"]!["da"]!, StringComparison.Ordinal);
        Assert.Equal("SLR-107", (string)(await edge.NextError("registration.activate-masking"))["headers"]!["sloring-code"]!);
    }

    [Fact] // M5
    public async Task AddReasonAndEndMasking_WorkOnce_AndARepeatAnswersTheSame()
    {
        var cpr = People.NextCpr();
        var withoutReason = Activation(cpr);
        withoutReason.Remove("reason");
        var id = (string)(await Ask("activate-masking", withoutReason))["maskingId"]!;

        var reason = new JsonObject { ["maskingId"] = id, ["reason"] = "Slog ud efter en sygeplejerske." };
        var added = await Ask("add-reason", reason);
        var addedAgain = await Ask("add-reason", reason);
        var end = new JsonObject { ["maskingId"] = id, ["reason"] = "Fejl i identitet.", ["activator"] = new JsonObject { ["personId"] = "ld-2001", ["role"] = "leader" } };
        var ended = await Ask("end-masking", end);
        var endedAgain = await Ask("end-masking", end);

        Assert.True((bool)added["accepted"]!);
        Assert.Equal(added.ToJsonString(), addedAgain.ToJsonString());
        Assert.True((bool)ended["accepted"]!, ended.ToJsonString());
        Assert.Equal(ended.ToJsonString(), endedAgain.ToJsonString());
        Assert.Equal("MASKING_STATE_ENDED", (string)Assert.Single(await MaskingsOf(cpr))!["state"]!);
    }

    [Fact]
    public async Task AReplyToThatIsNotDirect_IsIgnored()
    {
        var theirs = await edge.Source.Bind("kilde-hovedstaden.mail", "sloring.masked-updates", $"{Hovedstaden}.kilde-hovedstaden");
        var cpr = People.NextCpr();

        await edge.Adapter.Publish("sloring.activations", "activate-masking", Activation(cpr).ToJsonString(), new { userId = "epj-hovedstaden", replyTo = theirs });
        // The broker ends the connection of whoever publishes to one that it cannot decode.
        foreach (var forged in (string[])["g1h2.forged", "abc", "g2EB.MJTt+yhWa4pOxfD84gt/uQ==", "g1h3CXJlcGx5QDEyMzQ=.MJTt+yhWa4pOxfD84gt/uQ=="])
            await edge.Adapter.Publish("sloring.activations", "activate-masking", Activation(People.NextCpr()).ToJsonString(), new { userId = "epj-hovedstaden", replyTo = "amq.rabbitmq.reply-to." + forged });
        Assert.True((bool)(await edge.Activate(People.NextCpr()))["accepted"]!);

        Assert.Single(await MaskingsOf(cpr));
        Assert.Equal(0, await edge.Source.Count(theirs));
    }

    private async Task<JsonNode> Ask(string key, JsonObject body) =>
        JsonNode.Parse((string)(await edge.Adapter.Request("sloring.activations", key, body.ToJsonString(), From("epj-hovedstaden")))["body"]!)!;

    private async Task<JsonArray> MaskingsOf(string cpr) =>
        (await edge.Platform.Client.Must("epj-hovedstaden", HttpMethod.Post, "/v1/maskings/search", new JsonObject { ["patientCpr"] = cpr }, TestContext.Current.CancellationToken))["maskings"]!.AsArray();
}
