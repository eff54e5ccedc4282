using System.Text.Json.Nodes;
using Google.Protobuf;
using Sloring.Contracts.Effectuation.V1;
using Xunit;
using static Sloring.Tests.Distributed.EdgePlatform;

namespace Sloring.Tests.Distributed;

/// <summary>A data source over AMQP: updates masked, decisions told, and only to whom they concern (rules E5, E6).</summary>
public sealed class EdgeUpdateTests(EdgePlatform edge) : IClassFixture<EdgePlatform>
{
    private const string Kilde = "kilde-hovedstaden";
    private const string Update = "data-source-update";

    [Theory] // E5
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(1_000)]
    public async Task AnUpdate_IsMasked_AndReachesItsSourceOnly(int entries)
    {
        var (mine, others) = await Listen();
        var (cpr, shown) = (People.NextCpr(), People.NextCpr());
        await edge.Activate(cpr);
        await Masked(cpr);
        var masked = EdgePlatform.Update(cpr, entries);
        var clear = EdgePlatform.Update(shown, 1);

        await edge.Source.Publish("sloring.updates", Update, masked.ToJsonString(), From(Kilde));
        await edge.Source.Publish("sloring.updates", Update, clear.ToJsonString(), From(Kilde));
        var answer = await Answer(mine, (string)masked["updateId"]!);
        var clearAnswer = await Answer(mine, (string)clear["updateId"]!);

        var body = JsonNode.Parse((string)answer["body"]!)!;
        var patient = Assert.Single(body["entries"]!.AsArray())!;
        Assert.Equal(cpr, (string)patient["patientCpr"]!);
        var given = masked["entries"]![0]!["entries"]!.AsArray();
        Assert.Equal(given.Select(e => (string)e!["id"]!), patient["entries"]!.AsArray().Select(e => (string)e!["id"]!));
        Assert.All(patient["entries"]!.AsArray(), entry =>
        {
            var staff = entry!["staff"]![0]!;
            Assert.True((bool)staff["masked"]!);
            Assert.Null(staff["name"]);
            Assert.Equal("Sygeplejerske", (string)staff["profession"]!);
            Assert.True(Guid.TryParse((string)staff["pseudonym"]!, out _));
        });
        Assert.Contains("sundhed.dk", (string)body["explanation"]!["link"]!, StringComparison.Ordinal);
        Assert.DoesNotContain(People.Names, name => ((string)answer["body"]!).Contains(name, StringComparison.Ordinal));
        Assert.Equal(($"{Hovedstaden}.{Kilde}", "application/json"), ((string)answer["routingKey"]!, (string)answer["properties"]!["contentType"]!));
        Assert.True(Guid.TryParse((string)answer["properties"]!["messageId"]!, out _));
        Assert.True((long)answer["properties"]!["timestamp"]! > 0);
        Assert.Matches("^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$", (string)answer["headers"]!["traceparent"]!);

        // What is not masked comes as it went.
        Assert.True(JsonNode.DeepEquals(clear["entries"], JsonNode.Parse((string)clearAnswer["body"]!)!["entries"]));
        Assert.DoesNotContain(edge.OtherSource.Received(others), m => (string?)m["properties"]!["correlationId"] == (string)masked["updateId"]!);
    }

    [Fact]
    public async Task ManyPatients_AreMaskedEachByItsOwn()
    {
        var (mine, _) = await Listen();
        var (cpr, shown) = (People.NextCpr(), People.NextCpr());
        await edge.Activate(cpr);
        await Masked(cpr);
        var update = EdgePlatform.Update(cpr);
        update["entries"]!.AsArray().Add(EdgePlatform.Update(shown)["entries"]![0]!.DeepClone());

        await edge.Source.Publish("sloring.updates", Update, update.ToJsonString(), From(Kilde));

        var body = JsonNode.Parse((string)(await Answer(mine, (string)update["updateId"]!))["body"]!)!;
        Assert.Equal([true, null], body["entries"]!.AsArray().Select(p => (bool?)p!["entries"]![0]!["staff"]![0]!["masked"]));
    }

    [Fact] // E1, E2, E3, E5
    public async Task HoweverAnUpdateIsWritten_ItsAnswerIsThatOfHttp()
    {
        var (mine, _) = await Listen();
        var (cpr, shown) = (People.NextCpr(), People.NextCpr());
        await edge.Activate(cpr);
        await Masked(cpr);
        // Names at the limit of 200 characters, six bytes each; the other form of names, null, white space, somebody masked already and somebody only said to be.
        var longest = string.Concat(Enumerable.Repeat(@"\u00e6", 200));
        var entries = $$"""
            [ {"id":"1","cvr":"{{Hovedstaden}}" , "text":"Set af Bo  Eksempel \ud83d\ude00","staff":[{"name":"Bo Eksempel","userId":"bo"},{"name":"{{longest}}","professionCode":"7170"}]},
              {"id":"2","cvr":"{{Hovedstaden}}","sor_id":null,"organisation_name":"\"Æ\"","staff":[{"user_id":"x","authorisation_id":null,"name":"Ida Opdigtet"}]},
              { "staff" : [ {"masked":true,"pseudonym":"p","role":"user"}, {"masked":true,"name":"Ole Lund"} ] , "id" : "3", "activity":"a\/b" },
              {"id":"4","cvr":"{{Hovedstaden}}","staff":[]}, {"id":"5","staff":null}, {"id":"6","cvr":"1","staff":[{"masked":false,"name":""}]}, {} ]
            """;
        var id = Guid.NewGuid().ToString("D");

        await edge.Source.Publish(
            "sloring.updates", Update, $$"""{"entries":[{"entries":{{entries}},"patientCpr":"{{cpr}}"},{"patientCpr":"{{shown}}","entries":{{entries}}}],"updateId":"{{id}}"}""", From(Kilde));

        var body = JsonNode.Parse((string)(await Answer(mine, id))["body"]!)!;
        var findings = new List<string>();
        foreach (var (patient, answered) in ((string[])[cpr, shown]).Zip(body["entries"]!.AsArray()))
        {
            var request = new JsonObject { ["patientCpr"] = patient, ["entries"] = JsonNode.Parse(entries) };
            var byHttp = await edge.Platform.Client.Must(Kilde, HttpMethod.Post, "/v1/mask-entries", request, TestContext.Current.CancellationToken);
            Assert.Equal(Read(byHttp["entries"]!), Read(answered!["entries"]!));
            findings.AddRange(byHttp["findings"]?.AsArray().Select(finding => finding!.ToJsonString()) ?? []);
        }
        Assert.Equal(findings, body["findings"]!.AsArray().Select(finding => finding!.ToJsonString()));
        Assert.Contains(findings, finding => finding.Contains("NAME_IN_TEXT", StringComparison.Ordinal));
        Assert.DoesNotContain("Ida Opdigtet", body["entries"]![0]!.ToJsonString(), StringComparison.Ordinal);

        static List<Entry> Read(JsonNode entries) => [.. entries.AsArray().Select(entry => JsonParser.Default.Parse<Entry>(entry!.ToJsonString()))];
    }

    public static TheoryData<string, string, string> BadUpdates() => new()
    {
        { "51 people in an entry", Entry($$"""{"staff":[{{string.Join(',', Enumerable.Repeat("{}", 51))}}]}"""), "SLR-505" },
        { "a name of 201 characters", Entry($$"""{"staff":[{"name":"{{new string('x', 201)}}"}]}"""), "SLR-505" },
        { "a text of 100,001 characters", Entry($$"""{"text":"{{new string('x', 100_001)}}"}"""), "SLR-505" },
        { "entries of another CVR", EdgePlatform.Update("7101901234", 2, Midtjylland).ToJsonString(), "SLR-503" },
        { "1,001 entries", EdgePlatform.Update("7101901234", 1_001).ToJsonString(), "SLR-506" },
        { "1,001 patients without entries", Patients(1_001), "SLR-506" },
        { "no id", """{"entries":[]}""", "SLR-914" },
        { "a CPR number for an id", EdgePlatform.Update("7101901234", id: "710190-1234").ToJsonString(), "SLR-914" },
        { "a CPR number in an id", EdgePlatform.Update("7101901234", id: "7101901234-1").ToJsonString(), "SLR-914" },
        { "no entries", """{"updateId":"u-12345678"}""", "SLR-904" },
        { "a null patient", """{"updateId":"u-12345678","entries":[null]}""", "SLR-904" },
        { "a null entry", """{"updateId":"u-12345678","entries":[{"patientCpr":"7101901234","entries":[null]}]}""", "SLR-904" },
        { "no patient", """{"updateId":"u-12345678","entries":[{"entries":[{"id":"1"}]}]}""", "SLR-910" },
        { "a wrong type in an entry", """{"updateId":"u-12345678","entries":[{"patientCpr":"7101901234","entries":[{"id":1}]}]}""", "SLR-904" },
        { "an unknown field in an entry", """{"updateId":"u-12345678","entries":[{"patientCpr":"7101901234","entries":[{"ssn":"1"}]}]}""", "SLR-904" },
        { "an unknown field of staff", """{"updateId":"u-12345678","entries":[{"patientCpr":"7101901234","entries":[{"staff":[{"navn":"x"}]}]}]}""", "SLR-904" },
        { "a field twice in an entry", """{"updateId":"u-12345678","entries":[{"patientCpr":"7101901234","entries":[{"cvr":"29190623","cvr":"29190925"}]}]}""", "SLR-904" },
        { "half a character", """{"updateId":"u-12345678","entries":[{"patientCpr":"7101901234","entries":[{"text":"\ud83d"}]}]}""", "SLR-904" },
    };

    [Theory]
    [MemberData(nameof(BadUpdates))]
    public async Task ABadUpdate_EndsInTheErrors_AndTheNextGoodOnePasses(string what, string body, string code)
    {
        var (mine, _) = await Listen();
        var good = EdgePlatform.Update(People.NextCpr());
        var refused = await edge.Source.Request("sloring.updates", Update, body, From(Kilde, "m-" + what.Length));
        await edge.Source.Publish("sloring.updates", Update, good.ToJsonString(), From(Kilde));

        await Answer(mine, (string)good["updateId"]!);
        Assert.Equal(code, (string)JsonNode.Parse((string)refused["body"]!)!["rejection"]!["code"]!);
        var error = await edge.NextError("effectuation.data-source-update");
        Assert.Equal((code, body), ((string)error["headers"]!["sloring-code"]!, (string)error["body"]!));
    }

    [Fact]
    public async Task AnAnswerThatNobodyTakes_IsNotLost()
    {
        // Mapped by this platform's settings, and without a queue.
        var update = EdgePlatform.Update(People.NextCpr(), cvr: Midtjylland);
        await using var operators = await edge.Broker.Connect("drift");
        await operators.Publish("sloring.updates", Update, update.ToJsonString(), From("kilde-without-queue"));

        var error = await edge.NextError("effectuation.data-source-update");
        Assert.Equal(("SLR-921", update.ToJsonString()), ((string)error["headers"]!["sloring-code"]!, (string)error["body"]!));
    }

    [Fact]
    public async Task LargeUpdates_AreAllAnswered()
    {
        // Ten of 9 MB, more at once than are worked on at a time; most of it white space, so that the answers, which every other queue of this source gets too, are small.
        var mine = await edge.Source.Bind("kilde-hovedstaden.large", "sloring.masked-updates", $"{Hovedstaden}.{Kilde}");
        var body = EdgePlatform.Update(People.NextCpr()).ToJsonString().Insert(1, new string(' ', 9_000_000));

        await edge.Source.Publish("sloring.updates", Update, body, From(Kilde), times: 10);

        await Eventually.True(async () => await edge.Source.Count(mine) == 10, "all are answered", TimeSpan.FromSeconds(90));
        await edge.Source.Delete(mine);
    }

    [Fact] // E6, E8
    public async Task ADecision_IsToldToTheOrganisationsSources_EachUnderItsOwnKey()
    {
        var mine = await edge.Source.Listen(Kilde, "sloring.masking-decisions", $"{Hovedstaden}.{Kilde}");
        var others = await edge.OtherSource.Listen("kilde-midtjylland", "sloring.masking-decisions", $"{Midtjylland}.kilde-midtjylland");
        var cpr = People.NextCpr();

        var activated = await edge.Activate(cpr);
        await edge.Adapter.Request("sloring.activations", "end-masking", new JsonObject
        {
            ["maskingId"] = (string)activated["maskingId"]!,
            ["reason"] = "Slut.",
            ["activator"] = new JsonObject { ["personId"] = "ld-2001", ["role"] = "leader" },
        }.ToJsonString(), From("epj-hovedstaden"));
        await using var midtjylland = await edge.Broker.Connect("epj-midtjylland");
        await midtjylland.Request("sloring.activations", "activate-masking", Activation(cpr).ToJsonString(), From("epj-midtjylland"));
        await Eventually.True(() => Task.FromResult(edge.Source.Received(mine).Count >= 2 && edge.OtherSource.Received(others).Count >= 1), "the sources are told");

        var told = edge.Source.Received(mine).Select(m => JsonNode.Parse((string)m["body"]!)!).ToList();
        Assert.Equal(2, told.Count);
        Assert.All(told, t => Assert.Equal(Hovedstaden, (string)t["cvr"]!));
        Assert.Equal((string)told[0]["patientKey"]!, (string)told[1]["patientKey"]!);
        Assert.Equal((DateTimeOffset)activated["endsAt"]!, (DateTimeOffset)told[0]["endsAt"]!);
        Assert.Equal((long)activated["position"]!, (long)told[0]["position"]!);
        Assert.Null(told[1]["endsAt"]);
        var other = JsonNode.Parse((string)Assert.Single(edge.OtherSource.Received(others))["body"]!)!;
        Assert.Equal(Midtjylland, (string)other["cvr"]!);
        Assert.NotEqual((string)told[0]["patientKey"]!, (string)other["patientKey"]!);
        Assert.DoesNotContain(cpr, string.Concat(edge.Source.Received(mine).Select(m => m.ToJsonString())), StringComparison.Ordinal);
    }

    [Fact] // A1
    public async Task ANotification_ReachesTheRegionsSystem_AndNamesNoPatient()
    {
        await using var region = await edge.Broker.Connect("region-hovedstaden");
        await using var other = await edge.Broker.Connect("region-midtjylland");
        var mine = await region.Listen("region-hovedstaden", "sloring.notifications", $"{Hovedstaden}.leader-told");
        var others = await other.Listen("region-midtjylland", "sloring.notifications", $"{Midtjylland}.#");
        var cpr = People.NextCpr();

        var id = (string)(await edge.Activate(cpr))["maskingId"]!;
        await Eventually.True(() => Task.FromResult(region.Received(mine).Any(m => ((string)m["body"]!).Contains(id, StringComparison.Ordinal))), "the region is told");

        var message = region.Received(mine).Single(m => ((string)m["body"]!).Contains(id, StringComparison.Ordinal));
        var body = JsonNode.Parse((string)message["body"]!)!;
        Assert.Equal(("leader-told", id, Hovedstaden, "1000021000016006"), ((string)body["kind"]!, (string)body["caseId"]!, (string)body["cvr"]!, (string)body["toUnitSorId"]!));
        Assert.Equal((string)body["noticeId"]!, (string)message["properties"]!["messageId"]!);
        Assert.DoesNotContain(cpr, message.ToJsonString(), StringComparison.Ordinal);
        Assert.Empty(other.Received(others));
    }

    private static string Entry(string entry) => $$"""{"updateId":"u-12345678","entries":[{"patientCpr":"7101901234","entries":[{{entry}}]}]}""";

    private static string Patients(int count) => $$"""{"updateId":"u-12345678","entries":[{{string.Join(',', Enumerable.Repeat("""{"patientCpr":"7101901234","entries":[]}""", count))}}]}""";

    /// <summary>Queues of both sources, each bound to its own key, whose messages are received.</summary>
    private async Task<(string Mine, string Others)> Listen() => (
        await edge.Source.Listen(Kilde, "sloring.masked-updates", $"{Hovedstaden}.{Kilde}"),
        await edge.OtherSource.Listen("kilde-midtjylland", "sloring.masked-updates", $"{Midtjylland}.kilde-midtjylland"));

    private async Task<JsonNode> Answer(string queue, string updateId)
    {
        JsonNode? found = null;
        await Eventually.True(() => Task.FromResult((found = edge.Source.Received(queue).FirstOrDefault(m => (string?)m["properties"]!["correlationId"] == updateId)) is not null), "the update is answered");
        Assert.Equal(updateId, (string)JsonNode.Parse((string)found!["body"]!)!["updateId"]!);
        return found;
    }

    /// <summary>Until effectuation knows of the masking: the journal's entry reaches it a moment after the adapter's answer.</summary>
    private Task Masked(string cpr) => Eventually.True(async () =>
    {
        var request = new JsonObject { ["patientCpr"] = cpr, ["entries"] = EdgePlatform.Update(cpr)["entries"]![0]!["entries"]!.DeepClone() };
        return (bool?)(await edge.Platform.Client.Must(Kilde, HttpMethod.Post, "/v1/mask-entries", request, TestContext.Current.CancellationToken))["entries"]![0]!["staff"]![0]!["masked"] == true;
    }, "the patient is masked");
}
