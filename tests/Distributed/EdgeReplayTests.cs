using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Sloring.Contracts.Events;
using Sloring.Hosting;
using Xunit;
using static Sloring.Tests.Distributed.EdgePlatform;

namespace Sloring.Tests.Distributed;

/// <summary>An operator sees what was refused and has it done again, as whoever sent it; and nobody else can speak in another's name that way.</summary>
public sealed class EdgeReplayTests(EdgePlatform edge) : IClassFixture<EdgePlatform>
{
    private const string Epj = "epj-hovedstaden";
    private const string Activations = "registration.activate-masking";
    private const string Updates = "effectuation.data-source-update";
    private const string Queueless = "kilde-without-queue";
    private const string Answers = "sloring.answers";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WhatWasRefused_IsDone_WhenItsCauseIsGone_AsItsSenders_AndTheOldestFirst()
    {
        await using var operators = await edge.Broker.Connect("drift");
        var ids = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            ids.Add(await SendUpdate(operators));
            await Errors("effectuation", Updates, i + 1);
        }
        var before = await Replays("effectuation");

        await using var source = await edge.Broker.Connect("sloring");
        await Listen(source);
        List<string> Answered() => AnsweredTo(source);

        Assert.Equal(1, await Replay("effectuation", Updates, limit: 1));
        await Eventually.True(() => Task.FromResult(Answered().Count == 1), "the first is done");
        Assert.Equal(ids[0], Answered()[0]);
        await Errors("effectuation", Updates, 2);

        Assert.Equal(2, await Replay("effectuation", Updates));
        await Eventually.True(() => Task.FromResult(Answered().Count == 3), "all are done");
        Assert.Equal(ids.Order(), Answered().Order());
        await Errors("effectuation", Updates, 0);
        Assert.Equal(0, await Replay("effectuation", Updates));

        var kept = (await Replays("effectuation"))[before.Count..];
        Assert.Equal([(Updates, 1), (Updates, 2)], kept.Select(entry => (ErrorsReplayed)EventJson.Read(entry.Type, entry.Data)).Select(e => (e.Queue, e.Messages)));
        Assert.All(kept, entry => Assert.Equal("op-8001", entry.Actor));
    }

    [Fact]
    public async Task AReplayThatIsBrokenOff_LosesNothing_AndDoesNothingTwice()
    {
        const int Messages = 200;
        await using var operators = await edge.Broker.Connect("drift");
        var ids = new List<string>();
        for (var i = 0; i < Messages; i++)
            ids.Add(await SendUpdate(operators));
        await Errors("effectuation", Updates, Messages);
        await using var source = await edge.Broker.Connect("sloring");
        await Listen(source);

        using var gone = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var replaying = edge.Platform.Client.Send("drift", HttpMethod.Post, "/v1/services/effectuation/replay", new JsonObject { ["queue"] = Updates }, gone.Token);
        await Eventually.True(() => Task.FromResult(AnsweredTo(source).Count > 0), "the first are done");
        await gone.CancelAsync();
        // Unless it was quicker than the news of its first message.
        await ((Task)replaying).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);

        await Eventually.True(async () => await Replay("effectuation", Updates) == 0, "nothing is left among the errors");
        await Eventually.True(() => Task.FromResult(AnsweredTo(source).Count >= Messages), "all are done");
        Assert.Equal(ids.Order(), AnsweredTo(source).Order());
        await Errors("effectuation", Updates, 0);
    }

    [Fact]
    public async Task WhatIsRefusedAgain_IsAmongTheErrorsOnce_WithTheSameWords()
    {
        var body = Activation("3002901234").ToJsonString();
        foreach (var id in (string[])["r-1", "r-2"])
            await edge.Adapter.Publish("sloring.activations", "activate-masking", body, new { userId = Epj, messageId = id, headers = new { traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" } });
        await Errors("registration", Activations, 2);

        for (var times = 0; times < 2; times++)
        {
            Assert.Equal(2, await Replay("registration", Activations));
            Assert.True((bool)(await edge.Activate(People.NextCpr()))["accepted"]!);
            await Errors("registration", Activations, 2);
        }

        JsonNode[] errors = [await edge.NextError(Activations), await edge.NextError(Activations)];
        Assert.Equal(["r-1", "r-2"], errors.Select(error => (string)error["properties"]!["messageId"]!).Order());
        foreach (var error in errors)
        {
            string Header(string name) => (string)error["headers"]![name]!;
            Assert.Equal((body, "SLR-910", Epj, "sloring.activations", "activate-masking"), ((string)error["body"]!, Header("sloring-code"), Header("sloring-user"), Header("sloring-exchange"), Header("sloring-routing-key")));
            Assert.StartsWith("00-4bf92f3577b34da6a3ce929d0e0e4736-", Header("traceparent"), StringComparison.Ordinal);
        }
        await Errors("registration", Activations, 0);
    }

    [Fact] // M2
    public async Task ASenderThatNamesAnother_IsStillItself()
    {
        var cpr = People.NextCpr();
        var forged = new { userId = Epj, headers = new Dictionary<string, string> { ["sloring-user"] = "epj-midtjylland" } };
        var answer = await edge.Adapter.Request("sloring.activations", "activate-masking", Activation(cpr).ToJsonString(), forged);
        Assert.True((bool)JsonNode.Parse((string)answer["body"]!)!["accepted"]!);
        var found = await edge.Platform.Client.Must("epj-hovedstaden", HttpMethod.Post, "/v1/maskings/search", new JsonObject { ["patientCpr"] = cpr }, Cancel);
        Assert.Equal(Hovedstaden, (string)Assert.Single(found["maskings"]!.AsArray())!["cvr"]!);

        // Not by way of the errors either.
        await edge.Adapter.Publish("sloring.activations", "activate-masking", Activation("3002901234").ToJsonString(), forged);
        await Errors("registration", Activations, 1);
        Assert.Equal(1, await Replay("registration", Activations));
        var error = await edge.NextError(Activations);
        Assert.Equal(("SLR-910", Epj), ((string)error["headers"]!["sloring-code"]!, (string)error["headers"]!["sloring-user"]!));
    }

    [Fact] // M2
    public async Task WithoutAUserId_TheHeaderNamesNobody_AndNorDoesItInWhatTheBrokerPutsAmongTheErrors()
    {
        var headers = new Dictionary<string, string> { ["sloring-user"] = Epj };
        await edge.Adapter.Publish("sloring.activations", "activate-masking", Activation(People.NextCpr()).ToJsonString(), new { headers });
        Assert.Equal("SLR-918", (string)(await edge.NextError(Activations))["headers"]!["sloring-code"]!);

        // As the broker leaves one there that was delivered too often: with what its sender wrote, and a mark.
        headers["x-death"] = "delivery_limit";
        await edge.Operator.Publish("", Activations + ".errors", Activation(People.NextCpr()).ToJsonString(), new { headers });
        Assert.Equal(1, await Replay("registration", Activations));
        var error = await edge.NextError(Activations);
        Assert.Equal(("SLR-918", null), ((string)error["headers"]!["sloring-code"]!, (string?)error["headers"]!["sloring-user"]));
        await Errors("registration", Activations, 0);
    }

    [Fact]
    public async Task WhatTheBrokerDoesNotTakeBack_StaysAmongTheErrors()
    {
        const string Queue = "registration.end-masking";
        await edge.Adapter.Publish("sloring.activations", "end-masking", "{}", From(Epj));
        await Errors("registration", Queue, 1);
        await edge.Operator.Unbind(Queue, "sloring.activations", "end-masking");
        try
        {
            var (status, answer) = await edge.Platform.Client.Send("drift", HttpMethod.Post, "/v1/services/registration/replay", new JsonObject { ["queue"] = Queue }, Cancel);
            Assert.Equal((503, "SLR-924"), ((int)status, (string)answer!["code"]!));
        }
        finally
        {
            await edge.Operator.Rebind(Queue, "sloring.activations", "end-masking");
        }
        await Errors("registration", Queue, 1);

        Assert.Equal(1, await Replay("registration", Queue));
        Assert.Equal("{}", (string)(await edge.NextError(Queue))["body"]!);
        await Errors("registration", Queue, 0);
    }

    [Fact]
    public async Task AQueueThatSomebodyHasDeleted_IsShownAsMissing_BesideTheOthers()
    {
        const string Deleted = "registration.add-reason";
        await edge.Operator.Delete(Deleted + ".errors");
        try
        {
            var queues = (await edge.Platform.Client.Must("drift", HttpMethod.Get, "/v1/services/registration/status", null, Cancel))["edge"]!["queues"]!.AsArray();
            Assert.Equal([Deleted], queues.Where(queue => (bool?)queue!["missing"] == true).Select(queue => (string)queue!["queue"]!));
            Assert.Equal(3, queues.Count);
            var (status, answer) = await edge.Platform.Client.Send("drift", HttpMethod.Post, "/v1/services/registration/replay", new JsonObject { ["queue"] = Deleted }, Cancel);
            Assert.Equal((404, "SLR-922"), ((int)status, (string)answer!["code"]!));
        }
        finally
        {
            // As the platform declares it.
            await edge.Operator.Bind(Deleted + ".errors", "sloring.activations", "none");
            await edge.Operator.Unbind(Deleted + ".errors", "sloring.activations", "none");
        }
        await Errors("registration", Deleted, 0);
    }

    /// <summary>An update that is refused: no queue takes its answer. Gives its id.</summary>
    private static async Task<string> SendUpdate(Peer operators)
    {
        var id = Guid.NewGuid().ToString("D");
        await operators.Publish("sloring.updates", "data-source-update", Update(People.NextCpr(), cvr: Midtjylland, id: id).ToJsonString(), From(Queueless));
        return id;
    }

    /// <summary>Mends the cause: from now on, and until <paramref name="source"/> goes, answers are taken.</summary>
    private static async Task Listen(Peer source) =>
        await source.Consume(await source.Bind(Answers, "sloring.masked-updates", $"{Midtjylland}.{Queueless}", passing: true));

    private static List<string> AnsweredTo(Peer source) => [.. source.Received(Answers).Select(message => (string)JsonNode.Parse((string)message["body"]!)!["updateId"]!)];

    /// <summary>What the service's status says of a queue's errors, in the end.</summary>
    private async Task Errors(string service, string queue, int expected)
    {
        JsonNode? seen = null;
        await Eventually.True(async () =>
        {
            var status = (await edge.Platform.Client.Must("drift", HttpMethod.Get, $"/v1/services/{service}/status", null, Cancel))["edge"]!;
            Assert.Equal("BROKER_STATE_CONNECTED", (string)status["broker"]!);
            seen = status["queues"]!.AsArray().Single(one => (string)one!["queue"]! == queue)!;
            return ((string?)seen["errors"] ?? "0", (string?)seen["waiting"] ?? "0") == ($"{expected}", "0");
        }, $"{queue}.errors holds {expected} messages");
        Assert.Equal((1, null), ((int?)seen!["consumers"], (bool?)seen["missing"]));
    }

    private async Task<int> Replay(string service, string queue, int limit = 0) => (int?)(await edge.Platform.Client.Must(
        "drift", HttpMethod.Post, $"/v1/services/{service}/replay", new JsonObject { ["queue"] = queue, ["limit"] = limit }, Cancel))["replayed"] ?? 0;

    private Task<List<JournalEntry>> Replays(string service) => edge.Platform.Services.GetServices<IServiceJournal>().Single(journal => journal.Service == service)
        .Query(all => all.Where(e => e.Type == "audit.errors-replayed.v1").OrderBy(e => e.Position), Cancel);
}
