using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using Xunit;

namespace Sloring.Tests.Flow;

/// <summary>kill -9 at any instant under load: nothing accepted is lost, no event is lost or applied twice, every journal verifies.</summary>
public sealed class KillTests
{
    private const int Kills = 20;
    private const int Callers = 4;

    [Fact]
    public async Task KilledTwentyTimesUnderLoad_NothingAcceptedIsLost_NothingHappensTwice()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var cancel = TestContext.Current.CancellationToken;
        await using var platform = new ChildPlatform();
        platform.Start();
        await platform.Ready();

        var accepted = new ConcurrentDictionary<string, (string Masking, string Cpr)>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var load = Enumerable.Range(0, Callers).Select(_ => Load(platform, accepted, stop.Token)).ToArray();
        for (var kill = 0; kill < Kills; kill++)
        {
            var before = accepted.Count;
            // Under load for certain, then at a random instant of it.
            await Eventually.True(() => Task.FromResult(accepted.Count > before + 5), "activations are accepted", TimeSpan.FromSeconds(60));
            var goal = accepted.Count + random.Next(15);
            await Eventually.True(() => Task.FromResult(accepted.Count >= goal), "more activations are accepted", TimeSpan.FromSeconds(60));
            await platform.Kill();
            platform.Start();
            await platform.Ready();
        }
        await stop.CancelAsync();
        await Task.WhenAll(load);

        Assert.True(accepted.Count >= Kills * 5, $"only {accepted.Count} activations in the whole run");
        await Eventually.True(async () => await CasesOpen(platform) >= accepted.Count, "every accepted activation has its case (A1)", TimeSpan.FromSeconds(60));

        // M3: every accepted activation is in force, once.
        var listed = await All(platform, "epj-hovedstaden", "/v1/maskings?page_size=500", "maskings");
        foreach (var (key, (masking, _)) in accepted)
            Assert.True(listed.Count(m => (string?)m["maskingId"] == masking && (string?)m["state"] == "MASKING_STATE_IN_FORCE") == 1, $"{key} is not in force exactly once");
        // M9: a call that was never answered may have been accepted; nothing was accepted twice.
        Assert.Equal(listed.Count, listed.Select(m => (string)m["patientCpr"]!).Distinct().Count());
        // A1: exactly one case a masking, one notice to its leaders.
        var cases = await All(platform, "leder", "/v1/cases?page_size=500", "cases");
        Assert.Equal(listed.Select(m => (string)m["maskingId"]!).Order(), cases.Select(c => (string)c["caseId"]!).Order());
        var notices = await All(platform, "leder", "/v1/notices?page_size=500", "notices");
        Assert.Equal(listed.Count, notices.Count(n => (string?)n["kind"] == "leader-told"));
        // M6: exactly one expiry deadline a masking.
        await Eventually.True(async () => (await All(platform, "drift", "/v1/deadlines?page_size=500", "deadlines")).Count(d => (string?)d["kind"] == "expiry") == listed.Count,
            "one expiry deadline a masking");
        // E1: every one is masked now.
        foreach (var (_, cpr) in accepted.Values.TakeLast(20))
        {
            var instructions = await platform.Client.Must("borgervisning", HttpMethod.Post, "/v1/masking-instructions", new JsonObject { ["patientCpr"] = cpr }, cancel);
            Assert.Equal("29190623", (string?)instructions["organisations"]![0]!["cvr"]);
        }
        // O3: the chains are whole.
        foreach (var service in (string[])["registration", "approval", "scheduler", "pseudonym", "effectuation"])
            Assert.True((bool?)(await platform.Client.Must("revisor", HttpMethod.Get, $"/v1/journals/{service}/verification", null, cancel))["intact"], service);
    }

    private static async Task Load(ChildPlatform platform, ConcurrentDictionary<string, (string, string)> accepted, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var (key, cpr) = ("kill-" + Guid.NewGuid().ToString("N")[..20], People.NextCpr());
            // The same activation until it is answered, as an EPJ adapter does.
            while (!stop.IsCancellationRequested)
            {
                try
                {
                    var (status, answer) = await platform.Client.Send("epj-hovedstaden", HttpMethod.Post, "/v1/maskings", Activation(key, cpr), stop);
                    if (status == HttpStatusCode.OK)
                    {
                        accepted[key] = ((string)answer["maskingId"]!, cpr);
                        break;
                    }
                    Assert.True((int)status >= 500, $"{(int)status} {answer["code"]}");
                }
                catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
                {
                    // Killed in the middle of it: tried again with the same key.
                }
            }
        }
    }

    private static JsonObject Activation(string key, string cpr) => new()
    {
        ["idempotencyKey"] = key,
        ["patientCpr"] = cpr,
        ["trigger"] = "TRIGGER_VIOLENCE",
        ["behaviourOn"] = "2025-01-15",
        ["reason"] = "Slog ud efter personalet.",
        ["activator"] = new JsonObject { ["personId"] = "hw-1001", ["role"] = "health-worker", ["unitSorId"] = "1000111000016001" },
    };

    private static async Task<int> CasesOpen(ChildPlatform platform) => (await All(platform, "leder", "/v1/cases?page_size=500", "cases")).Count;

    private static async Task<List<JsonNode>> All(ChildPlatform platform, string client, string path, string field)
    {
        var (all, token) = (new List<JsonNode>(), "");
        do
        {
            var page = await platform.Client.Must(client, HttpMethod.Get, path + (token.Length > 0 ? "&page_token=" + token : ""), null, CancellationToken.None);
            all.AddRange(page[field]?.AsArray().Select(node => node!) ?? []);
            token = (string?)page["nextPageToken"] ?? "";
        }
        while (token.Length > 0);
        return all;
    }
}
