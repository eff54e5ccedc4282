using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Sloring.Contracts.Events;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Service.Operation;

/// <summary>What an operator is told of a service: replicas, how far behind its relays are, what the bus gave up on.</summary>
public sealed class ServiceStatusTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact] // E7
    public async Task EveryService_TellsOfItsReplica_AndEffectuationOfItsPicture()
    {
        await using var platform = await Platform.Start();
        foreach (var service in ServiceNames.WithJournal)
        {
            JsonNode status = null!;
            await Eventually.True(async () => (status = await Status(platform, service))["replicas"]?.AsArray().Count == 1, $"the replica of {service} is known");
            var replica = status["replicas"]![0]!;
            Assert.EndsWith($":{new Uri(platform.HttpAddress).Port}", (string)replica["name"]!, StringComparison.Ordinal);
            Assert.StartsWith("0.1.0", (string)replica["version"]!, StringComparison.Ordinal);
            Assert.Null(replica["away"]);
            Assert.Equal(service, (string)status["service"]!);
            // Nothing says that there are queues where there is no broker; and of whom the edge is no business, nothing is said.
            Assert.Equal(service is "registration" or "effectuation" ? "BROKER_STATE_NONE" : null, (string?)status["edge"]?["broker"]);
            Assert.Equal(service == "effectuation", replica["picture"] is not null);
        }
        await Eventually.True(
            async () => (bool?)(await Status(platform, "effectuation"))["replicas"]![0]!["picture"]!["fresh"] == true, "the replica tells that its picture is fresh");
    }

    [Fact]
    public async Task Replicas_AreKnownToEachOther_OneThatStopsTakesLeave_AndOneThatIsSilentIsAway_ForAnHour()
    {
        Assert.SkipUnless(TestDatabase.IsPostgres, "SQLite is for one process.");
        await using var first = await Platform.Start();
        // Once the first has made its secrets: replicas are given theirs, they make none.
        await first.Client.Must("epj-hovedstaden", HttpMethod.Post, "/v1/maskings/search", new JsonObject { ["patientCpr"] = People.NextCpr() }, Cancel);
        await using var second = await Platform.Start(first.Folder);
        var (one, other) = (Port(first), Port(second));
        foreach (var platform in (Platform[])[first, second])
        {
            await Eventually.True(async () => (await Ports(platform)).SetEquals([one, other]), "each replica knows both");
            await Eventually.True(
                async () => (await Status(platform, "effectuation"))["replicas"]!.AsArray().All(replica => (bool?)replica!["picture"]!["fresh"] == true && replica["away"] is null),
                "both tell that their picture is fresh");
        }

        await second.Stop();
        await Eventually.True(async () => (await Ports(first)).SetEquals([one]), "the one that has stopped is gone");

        await Tell(first, "killed:1", secondsAgo: 20);
        await Tell(first, "killed:2", secondsAgo: 3_700);
        await Eventually.True(async () => (await Ports(first)).SetEquals([one, 1]), "one that was not heard of for an hour is forgotten, the other is not");
        var away = (await Status(first, "effectuation"))["replicas"]!.AsArray().Single(replica => (string)replica!["name"]! == "killed:1")!;
        Assert.True((bool)away["away"]! && (double)away["silentSeconds"]! >= 20);
    }

    [Fact]
    public async Task RelayLag_CountsWhatIsOwed_AndItsAge_AndIsGoneWhenItIsHandedOn()
    {
        var bus = new StoppedBus();
        await using var platform = await Platform.StartWith(services => services.AddSingleton<IEventBus>(bus));
        await Activate(platform);
        await Jump(platform, TimeSpan.FromHours(1));

        await Eventually.True(async () => await Lag(platform) is { Entries: >= 1, Oldest: >= 3_600 }, "what the bus has not taken is owed");

        bus.Runs = true;
        await Eventually.True(async () => await Lag(platform) is { Entries: 0, Oldest: 0 }, "nothing is owed any more", TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task DeadLetters_AreTold_WithWhatBecameOfThem_For30Days()
    {
        await using var platform = await Platform.Start();
        await Activate(platform);
        var activated = (await Journal(platform, "registration").Query(all => all.Where(e => e.Type == "registration.activated.v1"), Cancel)).Single();
        var approval = Journal(platform, "approval");
        await approval.Append("approval", new EventDeadLettered { Publisher = "registration", Type = activated.Type, Position = activated.Position, EventId = activated.EventId }, Cancel);
        await approval.Append("approval", new EventDeadLettered { Publisher = "registration", Type = activated.Type, Position = 1_000_000, EventId = Guid.NewGuid() }, Cancel);
        await approval.Append("approval", new EventDeadLettered(), Cancel);

        JsonArray letters = [];
        await Eventually.True(async () =>
        {
            letters = (await Status(platform, "approval"))["deadLetters"]!["newest"]!.AsArray();
            return (string?)letters[2]!["state"] == "DEAD_LETTER_STATE_APPLIED";
        }, "the event itself is applied");
        Assert.Equal([null, "1000000", activated.Position.ToString(CultureInfo.InvariantCulture)], letters.Select(letter => (string?)letter!["position"]));
        Assert.Equal([null, "DEAD_LETTER_STATE_OWED", "DEAD_LETTER_STATE_APPLIED"], letters.Select(letter => (string?)letter!["state"]));
        Assert.Equal([null, "registration", "registration"], letters.Select(letter => (string?)letter!["publisher"]));

        for (var i = 0; i < 20; i++)
            await approval.Append("approval", new EventDeadLettered(), Cancel);
        var many = (await Status(platform, "approval"))["deadLetters"]!;
        Assert.Equal(("23", 20), ((string?)many["count"], many["newest"]!.AsArray().Count));

        await Jump(platform, TimeSpan.FromDays(31));
        Assert.Null((await Status(platform, "approval"))["deadLetters"]!["count"]);
    }

    private static Task<JsonNode> Status(Platform platform, string service) => platform.Client.Must("drift", HttpMethod.Get, $"/v1/services/{service}/status", null, Cancel);

    private static async Task<(long Entries, double Oldest)> Lag(Platform platform)
    {
        var relay = Assert.Single((await Status(platform, "registration"))["relays"]!.AsArray())!;
        Assert.Equal("RELAY_TARGET_BUS", (string?)relay["to"]);
        return (long.Parse((string?)relay["entries"] ?? "0", CultureInfo.InvariantCulture), (double?)relay["oldestSeconds"] ?? 0);
    }

    private static Task Jump(Platform platform, TimeSpan by) => platform.Client.MoveClock(platform.Clock.GetUtcNow() + by, Cancel);

    private static async Task<HashSet<int>> Ports(Platform platform) =>
        [.. (await Status(platform, "effectuation"))["replicas"]?.AsArray().Select(replica => int.Parse(((string)replica!["name"]!).Split(':')[1], CultureInfo.InvariantCulture)) ?? []];

    private static int Port(Platform platform) => new Uri(platform.HttpAddress).Port;

    /// <summary>A replica that told of itself some time ago.</summary>
    private static Task<int> Tell(Platform platform, string name, int secondsAgo) => TestDatabase.Execute(platform.Folder, "effectuation",
        $"""INSERT INTO replicas("Name", "Version", "StartedAt", "HeardAt") VALUES ('{name}', '0', 0, (extract(epoch FROM clock_timestamp()) * 1000)::bigint - {secondsAgo} * 1000)""");

    private static IServiceJournal Journal(Platform platform, string service) => platform.Services.GetServices<IServiceJournal>().Single(journal => journal.Service == service);

    private static Task<JsonNode> Activate(Platform platform) => platform.Client.Must("epj-hovedstaden", HttpMethod.Post, "/v1/maskings", new JsonObject
    {
        ["idempotencyKey"] = Guid.NewGuid().ToString("N"),
        ["patientCpr"] = People.NextCpr(),
        ["trigger"] = "TRIGGER_VIOLENCE",
        ["behaviourOn"] = "2025-01-15",
        ["activator"] = new JsonObject { ["personId"] = "hw-1001", ["role"] = "health-worker", ["unitSorId"] = "1000111000016001" },
    }, Cancel);

    /// <summary>A bus that takes nothing until it is told to.</summary>
    private sealed class StoppedBus : IEventBus
    {
        public bool Runs { get; set; }

        public Task Publish(Delivery delivery, CancellationToken cancel) => Runs ? Task.CompletedTask : throw new IOException("stopped");
    }
}
