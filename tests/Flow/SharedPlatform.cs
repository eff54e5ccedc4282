using System.Net;
using System.Text.Json.Nodes;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Sloring.Contracts.Effectuation.V1;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Flow;

/// <summary>One platform for all tests of a class, with the words the tests are written in. Each test brings patients of its own.</summary>
public sealed class SharedPlatform : IAsyncLifetime
{
    public const string RegionH = "29190623";
    public const string RegionM = "29190925";
    public const string SectionA = "1000111000016001";
    public const string MedicalM = "2000111000016002";

    private int _key;

    public Platform Platform { get; private set; } = null!;

    public ValueTask InitializeAsync() => Start(_ => { });

    /// <summary>Starts with more settings, and with something replaced.</summary>
    public async ValueTask Start(Action<IServiceCollection> replace, params string[] settings) =>
        Platform = await Platform.StartWith(replace, null, ["--Tokens:LifetimeSeconds=3600", .. settings]);

    public async Task Restart() => Platform = await Platform.Restart();

    public ValueTask DisposeAsync() => Platform.DisposeAsync();

    public DateTimeOffset Now => Platform.Clock.GetUtcNow();

    /// <summary>A whole activation by an EPJ adapter of Region Hovedstaden, for a nurse of section A.</summary>
    public JsonObject Activation(string cpr, string? reason = "Slog ud efter personalet.", string person = "hw-1001", string unit = SectionA, string? key = null) => new()
    {
        ["idempotencyKey"] = key ?? $"flow-{Environment.ProcessId}-{Interlocked.Increment(ref _key)}",
        ["patientCpr"] = cpr,
        ["trigger"] = "TRIGGER_VIOLENCE",
        ["behaviourOn"] = "2025-01-15",
        ["reason"] = reason ?? "",
        ["activator"] = new JsonObject { ["personId"] = person, ["role"] = "health-worker", ["unitSorId"] = unit },
    };

    /// <summary>Activates in Region Hovedstaden and waits until the view masks and the leader has the case.</summary>
    public async Task<JsonNode> Activated(string cpr, string? reason = "Slog ud efter personalet.")
    {
        var answer = await Must("epj-hovedstaden", "/v1/maskings", Activation(cpr, reason));
        await Seen(cpr, RegionH, masked: true);
        await CaseThere("leder", (string)answer["maskingId"]!);
        return answer;
    }

    /// <summary>Activates in Region Midtjylland and waits likewise.</summary>
    public async Task<JsonNode> ActivatedInM(string cpr, string trigger = "TRIGGER_THREATS")
    {
        var activation = Activation(cpr, person: "hw-2001", unit: MedicalM);
        activation["trigger"] = trigger;
        var answer = await Must("epj-midtjylland", "/v1/maskings", activation);
        await Seen(cpr, RegionM, masked: true);
        await CaseThere("leder-vest", (string)answer["maskingId"]!);
        return answer;
    }

    public Task CaseThere(string leader, string id) =>
        Eventually.True(async () => (await Send(leader, HttpMethod.Get, $"/v1/cases/{id}", null)).Status == HttpStatusCode.OK, "the leader has the case (A1)");

    public Task<JsonNode> Must(string client, string path, JsonNode? body) => Platform.Client.Must(client, HttpMethod.Post, path, body, CancellationToken.None);

    public Task<JsonNode> Get(string client, string path) => Platform.Client.Must(client, HttpMethod.Get, path, null, CancellationToken.None);

    public Task<(HttpStatusCode Status, JsonNode Body)> Send(string client, HttpMethod method, string path, JsonNode? body) =>
        Platform.Client.Send(client, method, path, body, CancellationToken.None);

    /// <summary>The call is refused with this number, in both languages.</summary>
    public async Task Refused(string code, string client, string path, JsonNode? body)
    {
        var (status, answer) = await Send(client, HttpMethod.Post, path, body);
        Assert.Equal(code, (string?)answer["code"]);
        Assert.True((int)status >= 400, $"{(int)status}");
        Assert.NotEmpty((string?)answer["da"] ?? "");
        Assert.NotEmpty((string?)answer["en"] ?? "");
    }

    public Task<JsonNode> Decide(string leader, string id, string decision, string reason = "") =>
        Must(leader, $"/v1/cases/{id}/decision", new JsonObject { ["decision"] = $"DECISION_{decision}", ["reason"] = reason });

    public Task<JsonNode> Case(string reader, string id) => Get(reader, $"/v1/cases/{id}");

    public async Task<string?> CaseState(string reader, string id) => (string?)(await Case(reader, id))["summary"]!["state"];

    public async Task<List<string>> Notices(string persona, string about)
    {
        var notices = (await Get(persona, "/v1/notices?page_size=500"))["notices"]?.AsArray() ?? [];
        return [.. notices.Where(n => (string?)n!["caseId"] == about).Select(n => (string)n!["kind"]!)];
    }

    public Task MoveTo(DateTimeOffset instant) => Platform.Client.MoveClock(instant, CancellationToken.None);

    /// <summary>An entry of a data source, as the national log has them.</summary>
    public static JsonObject Entry(string? cvr, string? sorId = null, string name = "Mette Holm Testesen") => new()
    {
        ["id"] = "e-1",
        ["source"] = "EPJ",
        ["cvr"] = cvr ?? "",
        ["sorId"] = sorId ?? "",
        ["occurredAt"] = "2019-05-04T10:00:00+02:00",
        ["activity"] = "Opslag i journal",
        ["staff"] = new JsonArray(new JsonObject
        {
            ["role"] = "user",
            ["name"] = name,
            ["cpr"] = "6101701234",
            ["authorisationId"] = "6QF17",
            ["userId"] = "mho",
            ["email"] = "mho@hospital.example",
            ["professionCode"] = "5166",
        }),
    };

    /// <summary>What the citizen-facing view shows.</summary>
    public Task<JsonNode> View(string cpr, params JsonObject[] entries) =>
        Must("borgervisning", "/v1/mask-entries", new JsonObject { ["patientCpr"] = cpr, ["entries"] = new JsonArray([.. entries.Select(e => e.DeepClone())]) });

    public async Task<JsonNode> ViewOne(string cpr, string? cvr, string? sorId = null, string name = "Mette Holm Testesen") =>
        (await View(cpr, Entry(cvr, sorId, name)))["entries"]![0]!["staff"]![0]!;

    public async Task<bool> IsMasked(string cpr, string? cvr, string? sorId = null) => Masked(await ViewOne(cpr, cvr, sorId ?? UnitOf(cvr)));

    public static bool Masked(JsonNode staff) => (bool?)staff["masked"] == true;

    public Task Seen(string cpr, string cvr, bool masked) =>
        Eventually.True(async () => await IsMasked(cpr, cvr) == masked, masked ? "the view masks" : "the view shows names");

    /// <summary>Effectuation has all that Registration has committed: what it shows now is no race with the feed.</summary>
    public async Task CaughtUp()
    {
        var head = Platform.Services.GetServices<IServiceJournal>().Single(j => j.Service == "registration").Tail.Head;
        await Eventually.True(async () => long.Parse((string?)(await Get("drift", "/v1/effectuation"))["position"] ?? "0", null) >= head, "effectuation has caught up");
    }

    /// <summary>Everything that an auditor finds of a patient in a service's journal.</summary>
    public async Task<List<JsonNode>> Journal(string service, string cpr) =>
        [.. ((await Must("revisor", $"/v1/journals/{service}/search", new JsonObject { ["patientCpr"] = cpr, ["pageSize"] = 500 }))["events"]?.AsArray() ?? []).Select(e => e!)];

    public static string UnitOf(string? cvr) => cvr == RegionM ? MedicalM : SectionA;

    public EffectuationService.EffectuationServiceClient Effectuation => new(Platform.Channel);

    public Task<Metadata> As(string client) => Platform.As(client);

    public static JsonObject Reason(string text) => new() { ["reason"] = text };
}
