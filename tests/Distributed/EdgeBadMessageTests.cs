using System.Text;
using System.Text.Json.Nodes;
using Sloring.Cluster;
using Xunit;
using static Sloring.Tests.Distributed.EdgePlatform;

namespace Sloring.Tests.Distributed;

/// <summary>A bad message ends in its queue's errors, once, with its number and its body as it came, and the next good one passes at once.</summary>
public sealed class EdgeBadMessageTests(EdgePlatform edge) : IClassFixture<EdgePlatform>
{
    private const string Epj = "epj-hovedstaden";

    public static TheoryData<string, string, string, string?> Activations() => new()
    {
        { "not JSON", "kl. 14: patienten truede", "SLR-904", null },
        { "empty", "", "SLR-904", null },
        { "null", "null", "SLR-904", null },
        { "a list", "[]", "SLR-904", null },
        { "cut off", Activation("7101901234").ToJsonString()[..60], "SLR-904", null },
        { "an unknown field", With("cvr", Midtjylland), "SLR-904", null },
        { "a wrong type", With("patientCpr", 7101901234), "SLR-904", null },
        { "a field twice", Activation("7101901234").ToJsonString().Replace("{\"id", "{\"trigger\":\"threats\",\"id", StringComparison.Ordinal), "SLR-904", null },
        { "too deep", string.Concat(Enumerable.Repeat("{\"activator\":", 40)) + "1" + new string('}', 40), "SLR-904", null },
        { "half a character", Activation("7101901234").ToJsonString().Replace("Truede", "\\ud83d", StringComparison.Ordinal), "SLR-904", null },
        { "a date that is none", With("endsAt", "i morgen"), "SLR-904", null },
        { "a wrong CPR number", With("patientCpr", "3002901234"), "SLR-910", "patient_cpr" },
        { "no CPR number", Without("patientCpr"), "SLR-910", "patient_cpr" },
        { "no key", Without("idempotencyKey"), "SLR-108", "idempotency_key" },
        { "a short key", With("idempotencyKey", "abc"), "SLR-108", "idempotency_key" },
        { "no trigger", Without("trigger"), "SLR-101", "trigger" },
        { "an unknown trigger", With("trigger", "unease"), "SLR-906", "trigger" },
        { "too early", With("behaviourOn", "2024-01-31"), "SLR-102", "behaviour_on" },
        { "nobody acts", Without("activator"), "SLR-114", "activator" },
        { "too long a reason", With("reason", new string('x', 4_001)), "SLR-905", "reason" },
    };

    [Theory]
    [MemberData(nameof(Activations))]
    public async Task ABadActivation_EndsInTheErrors_WithItsNumber_AndDoesNotBlock(string what, string body, string code, string? field)
    {
        await edge.Adapter.Publish("sloring.activations", "activate-masking", body, From(Epj, "m-" + what));

        // The next good one first: it must not have to wait.
        Assert.True((bool)(await edge.Activate(People.NextCpr()))["accepted"]!);
        var error = await edge.NextError("registration.activate-masking");
        Assert.Equal((code, field), ((string)error["headers"]!["sloring-code"]!, (string?)error["headers"]!["sloring-field"]));
        Assert.Equal(body, (string)error["body"]!);
        Assert.Equal((Epj, "sloring.activations", "activate-masking", "m-" + what), (
            (string)error["headers"]!["sloring-user"]!, (string)error["headers"]!["sloring-exchange"]!, (string)error["headers"]!["sloring-routing-key"]!, (string)error["properties"]!["messageId"]!));
        Assert.Equal(Contracts.Rejections.All[code].Da, (string)error["headers"]!["sloring-da"]!);
        Assert.Equal(Contracts.Rejections.All[code].En, (string)error["headers"]!["sloring-en"]!);
        Assert.Equal(0, await edge.Operator.Count("registration.activate-masking.errors"));
    }

    [Theory]
    [InlineData("add-reason", """{"maskingId":"abc","reason":"Slog."}""", "SLR-914")]
    [InlineData("add-reason", """{"maskingId":"0197b0a0-0000-7000-8000-000000000000","reason":"Slog."}""", "SLR-109")]
    [InlineData("add-reason", """{"maskingId":"0197b0a0-0000-7000-8000-000000000000"}""", "SLR-111")]
    [InlineData("end-masking", """{"maskingId":"0197b0a0-0000-7000-8000-000000000000","reason":"Slut.","activator":{"personId":"hw-1","role":"health-worker"}}""", "SLR-116")]
    [InlineData("end-masking", """{"maskingId":"0197b0a0-0000-7000-8000-000000000000","reason":"Slut.","activator":{"personId":"ld-1","role":"leader"}}""", "SLR-109")]
    public async Task ABadCommand_EndsInTheErrors_AndTheSenderIsTold(string key, string body, string code)
    {
        var answer = JsonNode.Parse((string)(await edge.Adapter.Request("sloring.activations", key, body, From(Epj)))["body"]!)!;

        Assert.Equal((false, key, code), ((bool)answer["accepted"]!, (string)answer["message"]!, (string)answer["rejection"]!["code"]!));
        Assert.Equal(code, (string)(await edge.NextError("registration." + key))["headers"]!["sloring-code"]!);
    }

    [Fact]
    public async Task BytesThatAreNoText_EndInTheErrors_AsTheyCame()
    {
        await edge.Adapter.PublishBytes("sloring.activations", "activate-masking", [0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d], new { userId = Epj, contentType = ";;not a type//" });
        Assert.Equal("SLR-904", (string)(await edge.NextError("registration.activate-masking"))["headers"]!["sloring-code"]!);
    }

    [Theory] // any content type, or none
    [InlineData(null)]
    [InlineData("text/plain; charset=utf-8")]
    [InlineData("application/vnd.masstransit+json")]
    [InlineData(";;not a type//")]
    public async Task AGoodMessageOfAnyContentType_IsTaken(string? contentType)
    {
        var answer = await edge.Adapter.Request("sloring.activations", "activate-masking", Activation(People.NextCpr()).ToJsonString(), new { userId = Epj, contentType });
        Assert.True((bool)JsonNode.Parse((string)answer["body"]!)!["accepted"]!);
    }

    [Fact]
    public async Task ATooLargeMessage_EndsInTheErrors()
    {
        var body = Encoding.UTF8.GetBytes(With("reason", new string('x', 17 * 1024 * 1024)));
        await edge.Adapter.PublishBytes("sloring.activations", "activate-masking", body, From(Epj));

        Assert.True((bool)(await edge.Activate(People.NextCpr()))["accepted"]!);
        var error = await edge.NextError("registration.activate-masking");
        Assert.Equal("SLR-907", (string)error["headers"]!["sloring-code"]!);
        Assert.Equal(body.Length, Encoding.UTF8.GetByteCount((string)error["body"]!));
    }

    [Fact] // whoever reads it has it whole in memory before it sees its size
    public async Task ALargerMessageThanAnyAnswer_IsRefusedByTheBroker_WhereItIsSent()
    {
        await using var sender = await edge.Broker.Connect(Epj);
        await Assert.ThrowsAsync<PeerException>(() => sender.PublishBytes("sloring.activations", "activate-masking", new byte[RabbitMqServer.LargestMessage + 1], From(Epj)));

        Assert.True((bool)(await edge.Activate(People.NextCpr()))["accepted"]!);
        Assert.Equal(0, await edge.Operator.Count("registration.activate-masking.errors"));
    }

    [Theory] // headers that MassTransit would act on must not move anything
    [InlineData("MT-Fault-Address")]
    [InlineData("MT-Response-Address")]
    [InlineData("MT-Source-Address")]
    [InlineData("MT-Activity-Propagation")]
    [InlineData("MT-Host-Info")]
    public async Task HeadersOfTheLibrary_DoNothing(string header)
    {
        var mine = await edge.Source.Bind("kilde-hovedstaden.faults", "sloring.masked-updates", $"{Hovedstaden}.kilde-hovedstaden");
        await edge.Adapter.Publish("sloring.activations", "activate-masking", With("patientCpr", "3002901234"), new
        {
            userId = Epj,
            headers = new Dictionary<string, string> { [header] = header.EndsWith("Address", StringComparison.Ordinal) ? $"rabbitmq://127.0.0.1/{mine}?bind=true" : "Link" },
        });

        Assert.Equal("SLR-910", (string)(await edge.NextError("registration.activate-masking"))["headers"]!["sloring-code"]!);
        Assert.True((bool)(await edge.Activate(People.NextCpr()))["accepted"]!);
        Assert.Equal(0, await edge.Source.Count(mine));
    }

    [Fact]
    public async Task ARefusedMessage_CanBeReplayed_AsWhoeverSentIt()
    {
        var (cpr, key) = (People.NextCpr(), Guid.NewGuid().ToString("N"));
        // Refused for its sender only: midtjylland has no masking with this id. Then corrected by nobody, and replayed as it was.
        var masking = (string)(await edge.Activate(cpr, key))["maskingId"]!;
        await using var other = await edge.Broker.Connect("epj-midtjylland");
        await other.Publish("sloring.activations", "add-reason", new JsonObject { ["maskingId"] = masking, ["reason"] = "Truede med vold ved døren." }.ToJsonString(), From("epj-midtjylland"));

        await using var operators = await edge.Broker.Connect("drift");
        JsonNode? error = null;
        await Eventually.True(async () => (error = await operators.Get("registration.add-reason.errors")) is not null, "the message is among the errors");
        var answer = await operators.Request(
            (string)error!["headers"]!["sloring-exchange"]!, (string)error["headers"]!["sloring-routing-key"]!, (string)error["body"]!, From((string)error["headers"]!["sloring-user"]!));

        Assert.Equal("SLR-109", (string)JsonNode.Parse((string)answer["body"]!)!["rejection"]!["code"]!);
        Assert.Equal("epj-midtjylland", (string)(await edge.NextError("registration.add-reason"))["headers"]!["sloring-user"]!);
    }

    private static string With(string field, JsonNode value)
    {
        var body = Activation("7101901234");
        body[field] = value;
        return body.ToJsonString();
    }

    private static string Without(string field)
    {
        var body = Activation("7101901234");
        body.Remove(field);
        return body.ToJsonString();
    }
}
