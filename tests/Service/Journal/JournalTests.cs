using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Service.Journal;

/// <summary>The journal shows when it has been altered (rule O3), and who looked.</summary>
public sealed class JournalTests
{
    [Theory]
    [InlineData("update journal set \"Actor\" = 'somebody-else' where \"Position\" = 3", 3)]
    [InlineData("update journal set \"Data\" = \"Data\" || ' ' where \"Position\" = 1", 1)]
    [InlineData("update journal set \"OccurredAt\" = \"OccurredAt\" + 1 where \"Position\" = 4", 4)]
    [InlineData("delete from journal where \"Position\" = 2", 2)]
    [InlineData("update journal set \"Position\" = 1000 where \"Position\" = 5", 5)]
    public async Task AnAlteredJournal_FailsVerificationAtTheRightPosition(string alteration, long position)
    {
        await using var platform = await Platform.Start();
        for (var i = 0; i < 3; i++)
            await Activate(platform, People.NextCpr());
        Assert.True((bool?)(await Verify(platform))["intact"]);

        Assert.Equal(1, await TestDatabase.Execute(platform.Folder, "registration", alteration));

        var verdict = await Verify(platform);
        Assert.NotEqual(true, (bool?)verdict["intact"]);
        Assert.Equal(position.ToString(System.Globalization.CultureInfo.InvariantCulture), (string?)verdict["firstBadPosition"]);
    }

    [Fact]
    public async Task AnAuditor_FindsWhoReadAPatient_AndTheSearchItself()
    {
        await using var platform = await Platform.Start();
        var cpr = People.NextCpr();
        await platform.Client.Must("borgervisning", HttpMethod.Post, "/v1/masking-instructions", new JsonObject { ["patientCpr"] = cpr }, TestContext.Current.CancellationToken);
        var search = new JsonObject { ["patientCpr"] = cpr };
        var found = await platform.Client.Must("revisor", HttpMethod.Post, "/v1/journals/effectuation/search", search, TestContext.Current.CancellationToken);
        var read = Assert.Single(found["events"]!.AsArray(), e => (string?)e!["type"] == "audit.masking-read.v1" && (string?)e["actor"] == "borgervisning")!;
        var (what, from, why) = Data(read);
        Assert.Equal(("borgervisning", "127.0.0.0/24", "citizen-view"), ((string?)what["client"], from, why));
        found = await platform.Client.Must("revisor", HttpMethod.Post, "/v1/journals/effectuation/search", new JsonObject { ["typePrefix"] = "audit.journal" }, TestContext.Current.CancellationToken);
        Assert.Contains(found["events"]!.AsArray(), e => (string?)e!["actor"] == "au-7001");
        Assert.All(found["events"]!.AsArray(), e => Assert.Null(Data(e!).Data["sealedPurpose"]));
    }

    [Fact] // O3: a read of masking state itself, of cases and of the list is answered once its entry is durable
    public async Task AReadWhoseEntryCannotBeWritten_IsNotAnswered()
    {
        await using var platform = await Platform.Start();
        var cancel = TestContext.Current.CancellationToken;
        var cpr = People.NextCpr();
        var id = (string)(await Activate(platform, cpr))["maskingId"]!;
        await Eventually.True(async () => (await platform.Client.Send("leder", HttpMethod.Get, $"/v1/cases/{id}", null, cancel)).Status == HttpStatusCode.OK, "the leader has the case");
        foreach (var service in (string[])["registration", "approval", "effectuation"])
            await TestDatabase.FillJournal(platform.Folder, service);

        foreach (var (client, method, path) in ((string, HttpMethod, string)[])
            [("borgervisning", HttpMethod.Post, "/v1/masking-instructions"), ("leder", HttpMethod.Get, $"/v1/cases/{id}"), ("epj-hovedstaden", HttpMethod.Post, "/v1/maskings/search")])
        {
            var (status, answer) = await platform.Client.Send(client, method, path, method == HttpMethod.Post ? new JsonObject { ["patientCpr"] = cpr } : null, cancel);
            Assert.Equal((HttpStatusCode.ServiceUnavailable, "SLR-504"), (status, (string?)answer["code"]));
            Assert.DoesNotContain("29190623", answer.ToJsonString(), StringComparison.Ordinal);
            Assert.DoesNotContain(cpr, answer.ToJsonString(), StringComparison.Ordinal);
        }
    }

    [Fact] // O3
    public async Task AnAuditorsPurpose_StandsSealedInTheJournal()
    {
        await using var platform = await Platform.Start();
        var search = new JsonObject { ["typePrefix"] = "audit.journal-searched", ["purpose"] = "Klage 2026-44" };
        await platform.Client.Must("revisor", HttpMethod.Post, "/v1/journals/approval/search", search, TestContext.Current.CancellationToken);
        var found = await platform.Client.Must("revisor", HttpMethod.Post, "/v1/journals/approval/search", new JsonObject(), TestContext.Current.CancellationToken);
        var (data, from, _) = Data(found["events"]!.AsArray()[^1]!);
        Assert.Equal(("revisor", "127.0.0.0/24"), ((string?)data["client"], from));
        Assert.DoesNotContain("2026-44", found.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal("Klage 2026-44", platform.Services.GetRequiredService<Sealer>().Open((string)data["sealedPurpose"]!, SealedFor.Purpose));
    }

    private static (JsonNode Data, string? From, string? Why) Data(JsonNode entry)
    {
        var data = JsonNode.Parse((string)entry["data"]!)!;
        return (data, (string?)data["from"], (string?)data["role"]);
    }

    private static Task<JsonNode> Verify(Platform platform) =>
        platform.Client.Must("revisor", HttpMethod.Get, "/v1/journals/registration/verification", null, TestContext.Current.CancellationToken);

    internal static Task<JsonNode> Activate(Platform platform, string cpr, string reason = "") =>
        platform.Client.Must("epj-hovedstaden", HttpMethod.Post, "/v1/maskings", new JsonObject
        {
            ["idempotencyKey"] = Guid.NewGuid().ToString("N"),
            ["patientCpr"] = cpr,
            ["trigger"] = "TRIGGER_HARASSMENT",
            ["behaviourOn"] = "2025-01-15",
            ["reason"] = reason,
            ["activator"] = new JsonObject { ["personId"] = "hw-1001", ["role"] = "health-worker", ["unitSorId"] = "1000111000016001" },
        }, TestContext.Current.CancellationToken);
}
