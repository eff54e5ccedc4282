using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using RabbitMQ.Client;
using Sloring.Contracts.Events;
using Sloring.Contracts.Pseudonym.V1;
using Sloring.Effectuation;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Distributed;

/// <summary>The services over sidecars and a real broker: what the bus does wrong, the journal puts right.</summary>
public sealed class DaprEventsTests(DaprPlatform platform, Broker broker) : IClassFixture<DaprPlatform>
{
    /// <summary>A promise to subscribers: what a bus has lost is applied within 5 s. Three times that here, for a machine that is busy with tests.</summary>
    private static readonly TimeSpan Healed = TimeSpan.FromSeconds(15);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string> Subscribers => ["registration", "approval", "scheduler", "effectuation", "pseudonym"];

    [Fact]
    public async Task Activation_TravelsInAnEnvelopeThatTellsItsIdAndPosition_AndOpensItsCase()
    {
        await using var connection = await broker.Connect();
        await using var channel = await connection.CreateChannelAsync(cancellationToken: Cancel);
        var queue = (await channel.QueueDeclareAsync(cancellationToken: Cancel)).QueueName;
        await channel.QueueBindAsync(queue, "registration.activated.v1", "", cancellationToken: Cancel);
        var masking = await platform.Activate();
        await Eventually.True(async () => (await platform.Cases()).Contains(masking), "the case is open", Healed);

        var entry = Assert.Single(await platform.Journal("registration", "registration.activated"), e => (string?)e["subject"] == masking);
        BasicGetResult? message = null;
        await Eventually.True(async () => (message = await channel.BasicGetAsync(queue, autoAck: true, Cancel)) is not null, "it was published");
        Assert.Equal(DeliveryModes.Persistent, message!.BasicProperties.DeliveryMode);
        var envelope = JsonNode.Parse(message.Body.Span)!;
        Assert.Equal(("1.0", (string?)entry["eventId"], "registration", "registration.activated.v1", (string?)entry["position"], "application/json"), (
            (string?)envelope["specversion"], (string?)envelope["id"], (string?)envelope["source"], (string?)envelope["type"], (string?)envelope["position"], (string?)envelope["datacontenttype"]));
        Assert.Equal((string?)entry["traceparent"], (string?)envelope["traceparent"]);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse((string)entry["data"]!), envelope["data"]));
    }

    /// <summary>Of an event that stands in no journal healing knows nothing: what is applied here came by the bus.</summary>
    [Fact]
    public async Task Event_IsAppliedFromTheBusAlone()
    {
        var masking = Guid.NewGuid().ToString();
        await Publish("registration.activated.v1", Envelope(9_300_000, Activated(masking, "29190623")));
        await Eventually.True(async () => (await platform.Journal("approval", "approval.case-opened")).Any(e => (string?)e["subject"] == masking), "the case is open", Healed);
    }

    /// <summary>After a restoring the broker may still hold events of positions that were lost and mean something else now.</summary>
    [Fact]
    public async Task EventOfAnotherRestoring_IsPassedOver()
    {
        var masking = Guid.NewGuid().ToString();
        var envelope = JsonNode.Parse(Envelope(9_400_000, Activated(masking, "29190623")))!;
        envelope["restoring"] = Guid.NewGuid().ToString();
        await Publish("registration.activated.v1", envelope.ToJsonString());
        var next = Guid.NewGuid().ToString();
        await Publish("registration.activated.v1", Envelope(9_400_001, Activated(next, "29190623")));
        await Eventually.True(async () => (await platform.Journal("approval", "approval.case-opened")).Any(e => (string?)e["subject"] == next), "the next one's case is open", Healed);
        Assert.DoesNotContain(await platform.Journal("approval", "approval.case-opened"), e => (string?)e["subject"] == masking);
        Assert.DoesNotContain(await Letters(), e => ((string?)e["data"])!.Contains("9400000", StringComparison.Ordinal));
    }

    [Fact]
    public async Task BusThatLosesAll_IsHealedByReadingTheJournal()
    {
        await platform.World.Switch("""{"drop":100}""");
        var masking = await platform.Activate();
        await Eventually.True(async () => (await platform.Cases()).Contains(masking), "the case is open, though no event came", Healed);
        Assert.Contains("is dropped and reported as published", platform.Members["registration"].Sidecar.Log, StringComparison.Ordinal);
        await platform.World.Switch("{}");
    }

    [Fact]
    public async Task BusThatDoublesAndReorders_ChangesNothing()
    {
        await platform.World.Switch("""{"duplicate":100,"reorder":50}""");
        var maskings = new List<string>();
        for (var i = 0; i < 10; i++)
        {
            maskings.Add(await platform.Activate());
            // Held back or ahead of its activation, a reason waits for its case.
            await platform.Must("registration", "epj-hovedstaden", HttpMethod.Post, $"/v1/maskings/{maskings[^1]}/reason", new JsonObject { ["reason"] = "Truede personalet." });
        }
        await Eventually.True(async () => maskings.All((await platform.Cases()).Contains), "all cases are open", Healed);
        await Eventually.True(async () =>
        {
            var cases = (await platform.Must("approval", "leder", HttpMethod.Get, "/v1/cases?page_size=500"))["cases"]!.AsArray();
            return maskings.All(id => (bool?)cases.Single(c => (string?)c!["caseId"] == id)!["reasonMissing"] != true);
        }, "all have their reason", Healed);
        var opened = await platform.Journal("approval", "approval.case-opened");
        Assert.All(maskings, id => Assert.Single(opened, e => (string?)e["subject"] == id));
        await platform.World.Switch("{}");
    }

    [Theory]
    [InlineData("no envelope", """{"id":"5d1e6c3e-0d55-4f33-a6bb-1d6f0b1f2a01","source":"registration","type":"registration.activated.v1","position":"9000001","data":"not the data"}""", 9_000_001)]
    [InlineData("another type", """{"id":"5d1e6c3e-0d55-4f33-a6bb-1d6f0b1f2a02","source":"registration","type":"registration.ended.v1","position":"9000002","time":"2026-01-01T00:00:00Z","datacontenttype":"application/json","data":{}}""", 9_000_002)]
    [InlineData("no position", """{"id":"5d1e6c3e-0d55-4f33-a6bb-1d6f0b1f2a03","source":"Mette Holm Testesen","type":"x","data":{}}""", null)]
    public async Task MessageThatCanNeverBeRead_BecomesADeadLetter_ThatIsKeptWithoutItsContent(string what, string envelope, int? position)
    {
        var id = (string?)JsonNode.Parse(envelope)!["id"];
        await Publish("registration.activated.v1", envelope);
        await Eventually.True(async () => (await Letters()).Any(e => (string?)e["subject"] == id), what + " is kept", Healed);
        var letter = JsonNode.Parse((string)(await Letters()).Single(e => (string?)e["subject"] == id)["data"]!)!;
        Assert.Equal(position, (int?)letter["position"]);
        Assert.DoesNotContain("Testesen", letter.ToJsonString(), StringComparison.Ordinal);
        Assert.DoesNotContain("not the data", letter.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task EventThatCannotBeApplied_IsTriedAgain_ThenKeptAsADeadLetter_AndBlocksNothing()
    {
        await Publish("registration.activated.v1", Envelope(9_100_000, Activated(Guid.NewGuid().ToString(), "no organisation")));
        var masking = await platform.Activate();
        await Eventually.True(async () => (await platform.Cases()).Contains(masking), "the next event goes past it", Healed);
        await Eventually.True(async () => (await Letters()).Any(e => ((string?)e["data"])!.Contains("9100000", StringComparison.Ordinal)), "it is given up", Healed);
        Assert.Contains("is given up", platform.Members["approval"].Sidecar.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task EventThatComesTooEarly_IsAcknowledged_AndNoDeadLetter()
    {
        await Publish("registration.reason-added.v1", Envelope(9_200_000, new RegistrationReasonAdded
        {
            MaskingId = Guid.NewGuid().ToString(),
            PatientKey = new string('0', 32),
            SealedReason = "x",
            AddedBy = "hw-1001",
            AddedAt = DateTimeOffset.UtcNow,
        }));
        var masking = await platform.Activate();
        await Eventually.True(async () => (await platform.Cases()).Contains(masking), "events go on", Healed);
        Assert.DoesNotContain(await Letters(), e => ((string?)e["data"])!.Contains("9200000", StringComparison.Ordinal));
    }

    [Fact]
    public async Task SidecarThatDies_DelaysEvents_AndLosesNone()
    {
        var registration = platform.Members["registration"];
        var old = registration.Sidecar;
        await old.Kill();
        var masking = await platform.Activate();
        registration.Sidecar = await StandIn.Start(platform.World, "registration", registration.GrpcPort, (old.HttpPort, old.GrpcPort, old.InternalPort));
        await old.DisposeAsync();
        await Eventually.True(async () => (await platform.Cases()).Contains(masking), "the case is open", TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task EffectuationsWatch_ComesThroughSidecars_AndComesBackWhenOneDies()
    {
        var watcher = platform.Members["effectuation"].App.Services.GetRequiredService<WatchPicture>().Watcher;
        await Eventually.True(() => Task.FromResult(watcher.IsFresh), "the picture is fresh", Healed);
        var before = watcher.Fresh().Picture.Index.Count;
        await platform.Activate();
        await Eventually.True(() => Task.FromResult(watcher.Fresh().Picture.Index.Count == before + 1), "the change comes", TimeSpan.FromSeconds(5));

        var effectuation = platform.Members["effectuation"];
        var old = effectuation.Sidecar;
        await old.Kill();
        await Eventually.True(() => Task.FromResult(!watcher.IsFresh), "the picture grows old", TimeSpan.FromSeconds(40));
        effectuation.Sidecar = await StandIn.Start(platform.World, "effectuation", effectuation.GrpcPort, (old.HttpPort, old.GrpcPort, old.InternalPort));
        await old.DisposeAsync();
        await Eventually.True(() => Task.FromResult(watcher.IsFresh), "the picture is fresh again", TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task CallToAServiceThatIsNowhere_IsUnavailable_AsIfItsConnectionWereLost()
    {
        var pseudonym = platform.Members["pseudonym"];
        await pseudonym.Sidecar.DisposeAsync();
        var client = platform.Members["effectuation"].App.Services.GetRequiredKeyedService<PseudonymService.PseudonymServiceClient>("effectuation");
        var error = await Assert.ThrowsAsync<RpcException>(() => client.GetCurrentSaltAsync(new GetCurrentSaltRequest(), cancellationToken: Cancel).ResponseAsync);
        Assert.Contains("couldn't find service", error.Status.Detail, StringComparison.Ordinal);
        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
        pseudonym.Sidecar = await StandIn.Start(platform.World, "pseudonym", pseudonym.GrpcPort);
    }

    [Theory, MemberData(nameof(Subscribers))]
    public async Task WhatAServiceSubscribesTo_IsWhatItsScopeAllows(string service)
    {
        var running = platform.Members[service];
        using var http = new HttpClient { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        using var refused = await http.GetAsync(new Uri(running.Grpc + "/dapr/subscribe"), Cancel);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        http.DefaultRequestHeaders.Add("dapr-api-token", SidecarWorld.AppToken);
        var subscriptions = (await http.GetFromJsonAsync<JsonArray>(new Uri(running.Grpc + "/dapr/subscribe"), Cancel))!;
        Assert.Equal(ScopeOf(service), subscriptions.Select(s => (string)s!["topic"]!).Order(StringComparer.Ordinal));
        Assert.All(subscriptions, s =>
        {
            Assert.Equal(("sloring-pubsub", "quorum", "events/" + s!["topic"]), ((string?)s["pubsubName"], (string?)s["metadata"]!["queueType"], (string?)s["route"]));
            Assert.Equal((string?)s["topic"] == "dead-letters." + service ? null : "dead-letters." + service, (string?)s["deadLetterTopic"]);
        });
        using var config = await http.GetAsync(new Uri(running.Grpc + "/dapr/config"), Cancel);
        Assert.Equal(HttpStatusCode.NotFound, config.StatusCode);
    }

    [Fact]
    public async Task Stranger_CannotDeliver()
    {
        using var http = new HttpClient();
        foreach (var token in (string?[])[null, "", "wrong"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, platform.Members["approval"].Grpc + "/events/registration.activated.v1")
            {
                Version = HttpVersion.Version20,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                Content = new StringContent("{}"),
            };
            if (token is not null)
                request.Headers.Add("dapr-api-token", token);
            using var answer = await http.SendAsync(request, Cancel);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        }
    }

    [Theory]
    [InlineData("DAPR_API_TOKEN")]
    [InlineData("APP_API_TOKEN")]
    public void ServiceWithoutATokenBetweenItAndItsSidecar_DoesNotStart(string missing)
    {
        var error = Assert.Throws<OptionsValidationException>(() => platform.Build("scheduler", $"http://127.0.0.1:{Platform.FreePort()}", $"http://127.0.0.1:{Platform.FreePort()}",
            "--Secrets:Store=sloring-secrets", $"--{(missing == "DAPR_API_TOKEN" ? "APP_API_TOKEN" : "DAPR_API_TOKEN")}=set"));
        Assert.Contains("needs " + missing, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("other", "sloring", "PermissionDenied")] // denied by scope, in components/config.yaml
    [InlineData("sloring", "no-such-store", "InvalidArgument")]
    public async Task SecretThatMayNotBeRead_StopsTheStart_AndSaysWhereToLook(string name, string store, string why)
    {
        var sidecar = platform.Members["scheduler"].Sidecar;
        await using var app = platform.Build("scheduler", $"http://127.0.0.1:{Platform.FreePort()}", $"http://127.0.0.1:{Platform.FreePort()}",
            $"--Secrets:Store={(store == "sloring" ? "sloring-secrets" : store)}", $"--Secrets:Name={name}", $"--DAPR_HTTP_PORT={sidecar.HttpPort}", $"--DAPR_API_TOKEN={SidecarWorld.ApiToken}", "--APP_API_TOKEN=x");
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => app.StartAsync(Cancel));
        Assert.Contains(why, error.Message, StringComparison.Ordinal);
        Assert.Contains("components/secretstore.yaml", error.Message, StringComparison.Ordinal);
    }

    private Task<List<JsonNode>> Letters() => platform.Journal("approval", "audit.event-dead-lettered");

    private async Task Publish(string topic, string envelope)
    {
        using var answer = await platform.Members["registration"].Sidecar.Publish(topic, envelope, "application/cloudevents+json");
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
    }

    private static string Envelope(long position, IEvent e) => new JsonObject
    {
        ["id"] = Guid.NewGuid().ToString(),
        ["source"] = "registration",
        ["specversion"] = "1.0",
        ["type"] = EventNames.Of(e.GetType()),
        ["time"] = "2026-01-01T00:00:00Z",
        ["position"] = $"{position}",
        ["datacontenttype"] = "application/json",
        ["data"] = JsonNode.Parse(EventJson.Write(e)),
    }.ToJsonString();

    private static RegistrationActivated Activated(string masking, string cvr) => new()
    {
        MaskingId = masking,
        PatientKey = new string('0', 32),
        SealedCpr = "x",
        Cvr = cvr,
        Trigger = "threats",
        BehaviourOn = new DateOnly(2025, 1, 1),
        ActivatedAt = DateTimeOffset.UtcNow,
        EndsAt = DateTimeOffset.UtcNow.AddDays(1),
        ActivatedBy = "hw-1001",
        ActivatorRole = "health-worker",
    };

    private static IEnumerable<string> ScopeOf(string service) => ComponentsTests.Scope("subscriptionScopes", service);
}
