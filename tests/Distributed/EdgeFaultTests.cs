using System.Diagnostics;
using System.Text.Json.Nodes;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Sloring.Contracts.Effectuation.V1;
using Sloring.Hosting;
using Xunit;
using static Sloring.Tests.Distributed.EdgePlatform;

namespace Sloring.Tests.Distributed;

/// <summary>The broker dies, is away at the start, or effectuation is stale: nothing is lost and nothing happens twice.</summary>
public sealed class EdgeFaultTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task ABrokerKilledMidway_LosesNothing_AndNoActivationHappensTwice()
    {
        await using var broker = new EdgeBroker();
        await broker.Start();
        var folder = broker.NewFolder();
        await using var platform = await Platform.Start(folder, broker.Settings);
        await using var adapter = await broker.Connect("epj-hovedstaden");
        await using var source = await broker.Connect("kilde-hovedstaden");
        await source.Bind("kilde-hovedstaden.masked", "sloring.masked-updates", $"{Hovedstaden}.kilde-hovedstaden");
        await source.Bind("kilde-hovedstaden.decisions", "sloring.masking-decisions", $"{Hovedstaden}.kilde-hovedstaden");
        var declared = Stopwatch.StartNew();
        var patients = Enumerable.Range(0, 60).Select(_ => People.NextCpr()).ToList();
        var updates = patients.ConvertAll(cpr => Update(cpr));

        Task restarting = Task.CompletedTask;
        foreach (var (i, cpr) in patients.Index())
        {
            if (i == 20)
            {
                // RabbitMQ 3.10 writes the name of a new quorum queue to disk half a second late: killed before, it comes back with a queue that elects no leader.
                await Eventually.True(() => Task.FromResult(declared.Elapsed > TimeSpan.FromSeconds(2)), "the queues' names are on disk");
                restarting = KillAndRestart(broker);
            }
            var body = Activation(cpr).ToJsonString();
            await Confirmed(() => adapter.Publish("sloring.activations", "activate-masking", body, From("epj-hovedstaden")));
            // An adapter that has not seen the confirm sends again.
            if (i % 3 == 0)
                await Confirmed(() => adapter.Publish("sloring.activations", "activate-masking", body, From("epj-hovedstaden")));
            await Confirmed(() => source.Publish("sloring.updates", "data-source-update", updates[i].ToJsonString(), From("kilde-hovedstaden")));
        }
        await restarting;

        await Eventually.True(async () => (await Maskings(platform)).Count == patients.Count, "all are in force", Patience);
        Assert.All(await Maskings(platform), masking => Assert.Equal("MASKING_STATE_IN_FORCE", (string)masking!["state"]!));
        Assert.Equal(patients.Order(), (await Maskings(platform)).Select(m => (string)m!["patientCpr"]!).Order());
        await Confirmed(() => source.Consume("kilde-hovedstaden.masked"));
        await Confirmed(() => source.Consume("kilde-hovedstaden.decisions"));
        var ids = updates.ConvertAll(update => (string)update["updateId"]!);
        await Eventually.True(() => Task.FromResult(!ids.Except(source.Received("kilde-hovedstaden.masked").Select(m => (string)Body(m)["updateId"]!)).Any()), "all updates are answered", Patience);
        List<long> Told() => [.. source.Received("kilde-hovedstaden.decisions").Select(m => (long)Body(m)["position"]!)];
        await Eventually.True(() => Task.FromResult(Told().Distinct().Count() == patients.Count), "all decisions are told", Patience);
        // In order; a repeat begins again at an earlier one and tells the same from there.
        var firsts = Told().Distinct().ToList();
        Assert.Equal(firsts.Order(), firsts);
        await using var operators = await broker.Connect("sloring");
        Assert.Equal(0, await operators.Count("registration.activate-masking.errors"));
        Assert.Equal(0, await operators.Count("effectuation.data-source-update.errors"));
        await Eventually.True(() => platform.Client.IsReady(CancellationToken.None), "the platform is ready again", Patience);
    }

    [Fact]
    public async Task ABrokerThatIsAway_IsWaitedFor_AndTakesNoProcessOutOfUse()
    {
        await using var broker = new EdgeBroker();
        await broker.Start();
        await broker.Server.Kill();
        var folder = broker.NewFolder();
        using var probe = new HttpClient();
        var (http, grpc) = ($"http://127.0.0.1:{Platform.FreePort()}", $"http://127.0.0.1:{Platform.FreePort()}");

        await using var app = Embedded.EmbeddedHost.Build([$"--Data:Folder={folder}", $"--Listen:Http={http}", $"--Listen:Grpc={grpc}", .. broker.Settings]);
        await app.StartAsync(TestContext.Current.CancellationToken);
        async Task<(int, string)> Health(string name)
        {
            using var answer = await probe.GetAsync($"{http}/health/{name}", TestContext.Current.CancellationToken);
            return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }
        await Eventually.True(async () => await Health("ready") == (200, "Degraded"), "ready without the broker, and says so", Patience);
        Assert.Equal((200, "Healthy"), await Health("live"));

        // An operator is told so, at once.
        using var client = new Embedded.PlatformClient(http, Path.Combine(folder, "secrets.json"));
        async Task<string> Edge() => (string)(await client.Must("drift", HttpMethod.Get, "/v1/services/registration/status", null, TestContext.Current.CancellationToken))["edge"]!["broker"]!;
        Assert.Equal("BROKER_STATE_AWAY", await Edge());
        var (status, refused) = await client.Send("drift", HttpMethod.Post, "/v1/services/registration/replay", new JsonObject { ["queue"] = "registration.add-reason" }, TestContext.Current.CancellationToken);
        Assert.Equal((503, "SLR-924"), ((int)status, (string)refused!["code"]!));

        await broker.Server.Restart(TestContext.Current.CancellationToken);
        await Eventually.True(async () => await Health("ready") == (200, "Healthy"), "whole once the broker is there", Patience);
        Assert.Equal("BROKER_STATE_CONNECTED", await Edge());

        await broker.Server.Kill();
        await Eventually.True(async () =>
        {
            var (status, body) = await Health("ready");
            Assert.Equal(200, status);
            return body == "Degraded";
        }, "ready without the broker, and says so");
        Assert.Equal((200, "Healthy"), await Health("live"));
        var stop = Stopwatch.StartNew();
        await app.StopAsync(TestContext.Current.CancellationToken);
        Assert.True(stop.Elapsed < TimeSpan.FromSeconds(20), $"stopping took {stop.Elapsed}");
        await KeptScan.Check(folder, KeptScan.EveryService);
    }

    [Fact] // E7
    public async Task AnUpdateWhileEffectuationIsStale_IsAnsweredOnceItIsFresh()
    {
        await using var broker = new EdgeBroker();
        await broker.Start();
        var folder = broker.NewFolder();
        await using var wire = new Wire();
        await using var platform = await HearingBy(wire, folder, broker, staleAfterSeconds: 2);
        await using var adapter = await broker.Connect("epj-hovedstaden");
        await using var source = await broker.Connect("kilde-hovedstaden");
        var queue = await source.Listen("kilde-hovedstaden", "sloring.masked-updates", $"{Hovedstaden}.kilde-hovedstaden");
        var cpr = People.NextCpr();

        wire.Broken = "cut";
        await Eventually.True(async () => !await platform.Client.IsReady(CancellationToken.None), "effectuation is stale");
        await adapter.Request("sloring.activations", "activate-masking", Activation(cpr).ToJsonString(), From("epj-hovedstaden"));
        await source.Publish("sloring.updates", "data-source-update", Update(cpr).ToJsonString(), From("kilde-hovedstaden"));
        await using var operators = await broker.Connect("sloring");
        await Eventually.True(async () => await operators.Count("effectuation.data-source-update") == 0, "the update has been taken");
        Assert.Empty(source.Received(queue));
        wire.Broken = null;

        await Eventually.True(() => Task.FromResult(source.Received(queue).Count > 0), "the update is answered", Patience);
        var staff = JsonNode.Parse((string)Assert.Single(source.Received(queue))["body"]!)!["entries"]![0]!["entries"]![0]!["staff"]![0]!;
        // Masked by the picture of now: the masking began while it waited.
        Assert.Equal((true, null), ((bool)staff["masked"]!, (string?)staff["name"]));
        Assert.Equal(0, await operators.Count("effectuation.data-source-update.errors"));
    }

    [Fact] // E7
    public async Task AnUpdateThatStaysUnanswerable_EndsInTheErrors_WithItsNumberAndBody()
    {
        await using var broker = new EdgeBroker();
        await broker.Start();
        var folder = broker.NewFolder();
        await using var platform = await Platform.Start(folder, broker.Settings);
        await using var source = await broker.Connect("kilde-hovedstaden");
        await using var operators = await broker.Connect("sloring");
        var queue = await source.Listen("kilde-hovedstaden", "sloring.masked-updates", $"{Hovedstaden}.kilde-hovedstaden");
        // No picture will ever know of it.
        var update = Update(People.NextCpr());
        update["afterPosition"] = long.MaxValue;

        await source.Publish("sloring.updates", "data-source-update", update.ToJsonString(), From("kilde-hovedstaden"));
        JsonNode? error = null;
        await Eventually.True(async () =>
        {
            // The pauses between tries are the clock's.
            platform.Clock.Advance(TimeSpan.FromSeconds(15));
            return (error = await operators.Get("effectuation.data-source-update.errors")) is not null;
        }, "it is among the errors");

        Assert.Equal(("SLR-501", update.ToJsonString()), ((string)error!["headers"]!["sloring-code"]!, (string)error["body"]!));
        Assert.Empty(source.Received(queue));
        Assert.Equal(0, await operators.Count("effectuation.data-source-update.errors"));
    }

    [Fact] // E6, E7
    public async Task AnUpdateBecauseOfADecision_IsNotAnsweredByAPictureFromBeforeIt()
    {
        await using var broker = new EdgeBroker();
        await broker.Start();
        var folder = broker.NewFolder();
        await using var wire = new Wire();
        // Fresh throughout, as for ten seconds after every lost watch: only the position says that it is behind.
        await using var platform = await HearingBy(wire, folder, broker, staleAfterSeconds: 60);
        await using var adapter = await broker.Connect("epj-hovedstaden");
        await using var source = await broker.Connect("kilde-hovedstaden");
        await using var operators = await broker.Connect("sloring");
        var queue = await source.Listen("kilde-hovedstaden", "sloring.masked-updates", $"{Hovedstaden}.kilde-hovedstaden");
        var cpr = People.NextCpr();
        var (plain, anew) = (Update(cpr), Update(cpr));

        wire.Broken = "silent";
        var activated = Body(await adapter.Request("sloring.activations", "activate-masking", Activation(cpr).ToJsonString(), From("epj-hovedstaden")));
        anew["afterPosition"] = (long)activated["position"]!;
        var request = new MaskEntriesRequest { PatientCpr = cpr, AfterPosition = (long)activated["position"]! };
        var effectuation = new EffectuationService.EffectuationServiceClient(platform.Channel);
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await effectuation.MaskEntriesAsync(request, await platform.As("kilde-hovedstaden"), cancellationToken: TestContext.Current.CancellationToken));
        await source.Publish("sloring.updates", "data-source-update", anew.ToJsonString(), From("kilde-hovedstaden"));
        await source.Publish("sloring.updates", "data-source-update", plain.ToJsonString(), From("kilde-hovedstaden"));
        await Eventually.True(() => Task.FromResult(source.Received(queue).Count > 0), "the other update is answered");

        Assert.Equal((StatusCode.Unavailable, "SLR-501"), (refused.StatusCode, refused.Status.Detail[..7]));
        // The one that knows of no decision is answered as ever; which shows that the picture is behind.
        Assert.Equal((string)plain["updateId"]!, (string)Body(Assert.Single(source.Received(queue)))["updateId"]!);
        Assert.NotNull(Staff(source.Received(queue)[0])["name"]);
        wire.Broken = null;

        await Eventually.True(() => Task.FromResult(source.Received(queue).Count == 2), "the update is answered", Patience);
        Assert.Equal((string)anew["updateId"]!, (string)Body(source.Received(queue)[1])["updateId"]!);
        Assert.Equal((true, null), ((bool)Staff(source.Received(queue)[1])["masked"]!, (string?)Staff(source.Received(queue)[1])["name"]));
        Assert.True((long)Body(source.Received(queue)[1])["position"]! >= request.AfterPosition);
        Assert.True((await effectuation.MaskEntriesAsync(request, await platform.As("kilde-hovedstaden"), cancellationToken: TestContext.Current.CancellationToken)).Position >= request.AfterPosition);
        Assert.Equal(0, await operators.Count("effectuation.data-source-update.errors"));

        static JsonNode Staff(JsonNode message) => Body(message)["entries"]![0]!["entries"]![0]!["staff"]![0]!;
    }

    /// <summary>A platform whose services hear of Registration by the wire.</summary>
    private static Task<Platform> HearingBy(Wire wire, string folder, EdgeBroker broker, int staleAfterSeconds) => Platform.StartWith(services => services
        .PostConfigure<ServiceAddresses>(addresses =>
        {
            wire.Target = new Uri(addresses["registration"]).Port;
            addresses["registration"] = wire.Address;
        })
        .PostConfigure<Effectuation.EffectuationOptions>(options => options.StalenessBoundSeconds = staleAfterSeconds), folder, broker.Settings);

    private static async Task KillAndRestart(EdgeBroker broker)
    {
        await broker.Server.Kill();
        await broker.Server.Restart(TestContext.Current.CancellationToken);
    }

    /// <summary>What a careful client does: again until the broker has confirmed.</summary>
    private static Task Confirmed(Func<Task> ask) => Eventually.True(async () =>
    {
        try
        {
            await ask();
            return true;
        }
        catch (PeerException)
        {
            return false;
        }
    }, "the broker has confirmed", Patience);

    private static JsonNode Body(JsonNode message) => JsonNode.Parse((string)message["body"]!)!;

    private static async Task<JsonArray> Maskings(Platform platform) =>
        (await platform.Client.Must("epj-hovedstaden", HttpMethod.Get, "/v1/maskings?page_size=500", null, TestContext.Current.CancellationToken))["maskings"]?.AsArray() ?? [];
}
