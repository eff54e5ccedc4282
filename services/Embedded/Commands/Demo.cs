using System.Diagnostics;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace Sloring.Embedded;

/// <summary>
/// <c>./run demo</c>: the main job on the sample files. Every step is checked against the rules; the exit code is not 0 when one is not as they say.
/// </summary>
internal sealed class Demo
{
    private const string Epj = "epj-hovedstaden";
    private const string View = "borgervisning";
    private const string Leader = "leder";
    private const string RegionH = "29190623";

    private readonly PlatformClient _platform;
    private readonly CancellationToken _cancel;
    private readonly Stage _stage;
    private readonly string _samples = Path.Combine(AppContext.BaseDirectory, "samples");
    private readonly string _run = Guid.NewGuid().ToString("N")[..12];

    private Demo(PlatformClient platform, CancellationToken cancel) => (_platform, _cancel, _stage) = (platform, cancel, new Stage(cancel));

    public static async Task<int> Run(string[] args, CancellationToken cancel)
    {
        var running = Running.Client(args);
        if (await running.IsReady(cancel))
        {
            Screen.Line($"Using the platform that is running at {Serve.Listen(args).Http}.");
            using (running)
                return await new Demo(running, cancel).Play();
        }
        running.Dispose();
        // Its own data, made anew: the demo moves the clock months ahead, and the newcomer's own data should not follow.
        var folder = Path.Combine(EmbeddedHost.Settings(args)["Data:Folder"]!, "demo");
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
        string[] own = [.. args, $"--Data:Folder={folder}", "--Logging:LogLevel:Default=Error"];
        await using var app = EmbeddedHost.Build(own);
        try
        {
            await app.StartAsync(cancel);
        }
        catch (IOException)
        {
            await Console.Error.WriteLineAsync($"Something else uses {Serve.Listen(args).Http} or {Serve.Listen(args).Grpc}. "
                + "Stop it, or give other addresses: ./run demo --Listen:Http=http://127.0.0.1:6080 --Listen:Grpc=http://127.0.0.1:6081");
            return 1;
        }
        Screen.Line($"Started a platform for the demo at {Serve.Listen(args).Http}, data in {folder}.");
        using var started = Running.Client(own);
        var result = await new Demo(started, cancel).Play();
        await app.StopAsync(cancel);
        return result;
    }

    private async Task<int> Play()
    {
        await _stage.Until("the platform is ready", async () => await _platform.IsReady(_cancel));
        var log = await Sample("log-entries.json");
        await EndWhatAnEarlierRunLeft((string)log["patientCpr"]!);

        _stage.Title("1. Before: what the patient sees in the log");
        var before = await Mask(log);
        Stage.Show(before);
        _stage.Check("every name shows", Stage.Staff(before).All(s => !Stage.Masked(s)));

        _stage.Title("2. A health worker is threatened: the EPJ activates a masking (M1–M3)");
        var activation = await Sample("activation.json");
        var now = await _platform.Now(_cancel);
        activation["idempotencyKey"] = "demo-" + _run;
        activation["behaviourOn"] = Stage.Day(now);
        var clock = Stopwatch.StartNew();
        var activated = await Must(Epj, HttpMethod.Post, "/v1/maskings", activation);
        var maskingId = (string)activated["maskingId"]!;
        var endsAt = (DateTimeOffset)activated["endsAt"]!;
        await _stage.Until("the view masks", async () => Stage.Staff(await Mask(log), RegionH).All(Stage.Masked));
        var masked = await Mask(log);
        Screen.Line($"In force at once: masked everywhere {clock.ElapsedMilliseconds} ms after the EPJ sent it. Ends by itself {Stage.Day(endsAt)}.");
        Stage.Show(masked);
        _stage.Check("Region Hovedstaden's staff appear under pseudonyms with their profession (E3)",
            Stage.Staff(masked, RegionH).All(s => Stage.Masked(s) && s["name"] is null && s["pseudonym"] is not null && s["profession"] is not null));
        _stage.Check("their identifiers are gone (E2)", Stage.Staff(masked, RegionH).All(s => s["authorisationId"] is null && s["userId"] is null && s["email"] is null));
        _stage.Check("other organisations' names still show (M1)", Stage.Staff(masked).Except(Stage.Staff(masked, RegionH)).All(s => !Stage.Masked(s)));
        _stage.Check("one person has one pseudonym towards this patient",
            Stage.Staff(masked, RegionH).Select(s => (string)s["pseudonym"]!).Distinct().Count() == Stage.Staff(before, RegionH).Select(s => (string)s["name"]!).Distinct().Count());
        _stage.Check("free text is untouched, and a name in it is reported (E2)", masked["findings"]?.AsArray().Any(f => (string?)f!["kind"] == "FINDING_KIND_NAME_IN_TEXT") == true);
        var repeat = await Must(Epj, HttpMethod.Post, "/v1/maskings", activation);
        _stage.Check("the same activation again changes nothing (M9)", (string?)repeat["maskingId"] == maskingId && (string?)repeat["position"] == (string?)activated["position"]);

        _stage.Title("3. The leader is told, and the reason is missing (A1, M5)");
        await _stage.Until("the leader's level is told", async () => (await Notices(Leader, maskingId)).Contains("leader-told"));
        var theCase = await Case(maskingId);
        _stage.Check("the case is at the hospital's level, awaiting a decision", (string?)theCase["summary"]!["state"] == "CASE_STATE_OPEN" && (bool?)theCase["summary"]!["reasonMissing"] == true);
        await MustRefuse("SLR-204", "it cannot be upheld without a reason", Leader, $"/v1/cases/{maskingId}/decision", new JsonObject { ["decision"] = "DECISION_UPHOLD" });
        var due = (DateTimeOffset)theCase["summary"]!["decisionDue"]!;
        await MoveTo(now.AddDays(4), "four days later");
        await _stage.Until("the activator is reminded of the reason", async () => (await Notices("sygeplejerske", maskingId)).Contains("reason-missing"));
        await Must(Epj, HttpMethod.Post, $"/v1/maskings/{maskingId}/reason", new JsonObject { ["reason"] = "Patienten truede personalet med vold i venteværelset." });
        await _stage.Until("the case has its reason", async () => ((string?)(await Case(maskingId))["reason"])?.StartsWith("Patienten truede", StringComparison.Ordinal) == true);

        _stage.Title("4. Reminders as the 7 working days run out (A2, A3), then the decision (A5)");
        await MoveTo(due.AddHours(-1), "the last hour");
        await _stage.Until("the level was reminded twice", async () => (await Notices(Leader, maskingId)).Count(kind => kind == "decision-reminder") == 2);
        await Must(Leader, HttpMethod.Post, $"/v1/cases/{maskingId}/decision", new JsonObject { ["decision"] = "DECISION_UPHOLD", ["reason"] = "Konkret og alvorlig trussel." });
        _stage.Check("upheld: the names stay masked", Stage.Staff(await Mask(log), RegionH).All(Stage.Masked));

        _stage.Title("5. The expiry notice, 10 days before the end (A8), and the end after 90 days (M6)");
        await MoveTo(endsAt.AddDays(-10).AddHours(2), "ten days before the end");
        await _stage.Until("the leader gets the expiry notice", async () => (await Notices(Leader, maskingId)).Contains("expiry-notice"));
        _stage.Check("still masked", Stage.Staff(await Mask(log), RegionH).All(Stage.Masked));
        await MoveTo(endsAt.AddSeconds(-30), "half a minute before the end");
        _stage.Check("still masked", Stage.Staff(await Mask(log), RegionH).All(Stage.Masked));
        await MoveTo(endsAt.AddSeconds(1), "one second after the end");
        await _stage.Until("names show again, also in history", async () => Stage.Staff(await Mask(log)).All(s => !Stage.Masked(s)));

        _stage.Title("6. A second masking, lifted by the leader (A5)");
        activation["idempotencyKey"] = "demo-2-" + _run;
        activation["behaviourOn"] = Stage.Day(await _platform.Now(_cancel));
        activation["reason"] = "Patienten kom med tilråb.";
        var second = (string)(await Must(Epj, HttpMethod.Post, "/v1/maskings", activation))["maskingId"]!;
        await _stage.Until("the view masks", async () => Stage.Staff(await Mask(log), RegionH).All(Stage.Masked));
        await _stage.Until("the case is open", async () => (await _platform.Send(Leader, HttpMethod.Get, $"/v1/cases/{second}", null, _cancel)).Status == System.Net.HttpStatusCode.OK);
        await MustRefuse("SLR-207", "lifting takes a reason", Leader, $"/v1/cases/{second}/decision", new JsonObject { ["decision"] = "DECISION_LIFT" });
        clock.Restart();
        await Must(Leader, HttpMethod.Post, $"/v1/cases/{second}/decision", new JsonObject { ["decision"] = "DECISION_LIFT", ["reason"] = "Ikke chikane i retningslinjens forstand." });
        await _stage.Until("names show again at once", async () => Stage.Staff(await Mask(log)).All(s => !Stage.Masked(s)));
        Screen.Line($"Names show {clock.ElapsedMilliseconds} ms after the leader lifted.");
        await _stage.Until("the activator is told", async () => (await Notices("sygeplejerske", second)).Contains("lifted"));

        _stage.Title("7. The audit trail (O3)");
        _stage.Check("every journal's hash chain is intact", await Verify.Print(_ => _platform, null, _cancel));

        return _stage.Close();
    }

    private async Task EndWhatAnEarlierRunLeft(string patient)
    {
        var listed = await Must(Epj, HttpMethod.Get, "/v1/maskings?in_force_only=true&page_size=500", null);
        foreach (var masking in listed["maskings"]?.AsArray().Where(m => (string?)m!["patientCpr"] == patient) ?? [])
            await Must(Leader, HttpMethod.Post, $"/v1/maskings/{masking!["maskingId"]}/end", new JsonObject { ["reason"] = "Demoen begynder forfra." });
        await _stage.Until("nothing is masked", async () => Stage.Staff(await Mask(await Sample("log-entries.json"))).All(s => !Stage.Masked(s)));
    }

    private async Task<JsonNode> Sample(string name) => JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(_samples, name), _cancel))!;

    private Task<JsonNode> Must(string client, HttpMethod method, string path, JsonNode? body) => _platform.Must(client, method, path, body, _cancel);

    private Task<JsonNode> Mask(JsonNode log) => Must(View, HttpMethod.Post, "/v1/mask-entries", log.DeepClone());

    private Task<JsonNode> Case(string id) => Must(Leader, HttpMethod.Get, $"/v1/cases/{id}", null);

    private async Task<List<string>> Notices(string persona, string about) =>
        (await Must(persona, HttpMethod.Get, "/v1/notices?page_size=500", null))["notices"]?.AsArray()
            .Where(n => (string?)n!["caseId"] == about).Select(n => (string)n!["kind"]!).ToList() ?? [];

    private async Task MustRefuse(string code, string what, string client, string path, JsonNode body)
    {
        var (status, answer) = await _platform.Send(client, HttpMethod.Post, path, body, _cancel);
        _stage.Check($"{what} ({code}: {answer["en"]})", (int)status >= 400 && (string?)answer["code"] == code);
    }

    private async Task MoveTo(DateTimeOffset to, string words)
    {
        await _platform.MoveClock(to, _cancel);
        Screen.Line($"[blue]⏩ {words}: {to:yyyy-MM-dd HH:mm} UTC[/]");
    }
}
