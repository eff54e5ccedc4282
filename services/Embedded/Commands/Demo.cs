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
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly PlatformClient _platform;
    private readonly CancellationToken _cancel;
    private readonly string _samples = Path.Combine(AppContext.BaseDirectory, "samples");
    private readonly string _run = Guid.NewGuid().ToString("N")[..12];
    private int _wrong;

    private Demo(PlatformClient platform, CancellationToken cancel) => (_platform, _cancel) = (platform, cancel);

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
        await Until("the platform is ready", async () => await _platform.IsReady(_cancel));
        var log = await Sample("log-entries.json");
        await EndWhatAnEarlierRunLeft((string)log["patientCpr"]!);

        Title("1. Before: what the patient sees in the log");
        var before = await Mask(log);
        Show(before);
        Check("every name shows", Staff(before).All(s => !Masked(s)));

        Title("2. A health worker is threatened: the EPJ activates a masking (M1–M3)");
        var activation = await Sample("activation.json");
        var now = await _platform.Now(_cancel);
        activation["idempotencyKey"] = "demo-" + _run;
        activation["behaviourOn"] = Day(now);
        var clock = Stopwatch.StartNew();
        var activated = await Must(Epj, HttpMethod.Post, "/v1/maskings", activation);
        var maskingId = (string)activated["maskingId"]!;
        var endsAt = (DateTimeOffset)activated["endsAt"]!;
        await Until("the view masks", async () => Staff(await Mask(log), RegionH).All(Masked));
        var masked = await Mask(log);
        Screen.Line($"In force at once: masked everywhere {clock.ElapsedMilliseconds} ms after the EPJ sent it. Ends by itself {Day(endsAt)}.");
        Show(masked);
        Check("Region Hovedstaden's staff appear under pseudonyms with their profession (E3)",
            Staff(masked, RegionH).All(s => Masked(s) && s["name"] is null && s["pseudonym"] is not null && s["profession"] is not null));
        Check("their identifiers are gone (E2)", Staff(masked, RegionH).All(s => s["authorisationId"] is null && s["userId"] is null && s["email"] is null));
        Check("other organisations' names still show (M1)", Staff(masked).Except(Staff(masked, RegionH)).All(s => !Masked(s)));
        Check("one person has one pseudonym towards this patient",
            Staff(masked, RegionH).Select(s => (string)s["pseudonym"]!).Distinct().Count() == Staff(before, RegionH).Select(s => (string)s["name"]!).Distinct().Count());
        Check("free text is untouched, and a name in it is reported (E2)", masked["findings"]?.AsArray().Any(f => (string?)f!["kind"] == "FINDING_KIND_NAME_IN_TEXT") == true);
        var repeat = await Must(Epj, HttpMethod.Post, "/v1/maskings", activation);
        Check("the same activation again changes nothing (M9)", (string?)repeat["maskingId"] == maskingId && (string?)repeat["position"] == (string?)activated["position"]);

        Title("3. The leader is told, and the reason is missing (A1, M5)");
        await Until("the leader's level is told", async () => (await Notices(Leader, maskingId)).Contains("leader-told"));
        var theCase = await Case(maskingId);
        Check("the case is at the hospital's level, awaiting a decision", (string?)theCase["summary"]!["state"] == "CASE_STATE_OPEN" && (bool?)theCase["summary"]!["reasonMissing"] == true);
        await MustRefuse("SLR-204", "it cannot be upheld without a reason", Leader, $"/v1/cases/{maskingId}/decision", new JsonObject { ["decision"] = "DECISION_UPHOLD" });
        var due = (DateTimeOffset)theCase["summary"]!["decisionDue"]!;
        await MoveTo(now.AddDays(4), "four days later");
        await Until("the activator is reminded of the reason", async () => (await Notices("sygeplejerske", maskingId)).Contains("reason-missing"));
        await Must(Epj, HttpMethod.Post, $"/v1/maskings/{maskingId}/reason", new JsonObject { ["reason"] = "Patienten truede personalet med vold i venteværelset." });
        await Until("the case has its reason", async () => ((string?)(await Case(maskingId))["reason"])?.StartsWith("Patienten truede", StringComparison.Ordinal) == true);

        Title("4. Reminders as the 7 working days run out (A2, A3), then the decision (A5)");
        await MoveTo(due.AddHours(-1), "the last hour");
        await Until("the level was reminded twice", async () => (await Notices(Leader, maskingId)).Count(kind => kind == "decision-reminder") == 2);
        await Must(Leader, HttpMethod.Post, $"/v1/cases/{maskingId}/decision", new JsonObject { ["decision"] = "DECISION_UPHOLD", ["reason"] = "Konkret og alvorlig trussel." });
        Check("upheld: the names stay masked", Staff(await Mask(log), RegionH).All(Masked));

        Title("5. The expiry notice, 10 days before the end (A8), and the end after 90 days (M6)");
        await MoveTo(endsAt.AddDays(-10).AddHours(2), "ten days before the end");
        await Until("the leader gets the expiry notice", async () => (await Notices(Leader, maskingId)).Contains("expiry-notice"));
        Check("still masked", Staff(await Mask(log), RegionH).All(Masked));
        await MoveTo(endsAt.AddSeconds(-30), "half a minute before the end");
        Check("still masked", Staff(await Mask(log), RegionH).All(Masked));
        await MoveTo(endsAt.AddSeconds(1), "one second after the end");
        await Until("names show again, also in history", async () => Staff(await Mask(log)).All(s => !Masked(s)));

        Title("6. A second masking, lifted by the leader (A5)");
        activation["idempotencyKey"] = "demo-2-" + _run;
        activation["behaviourOn"] = Day(await _platform.Now(_cancel));
        activation["reason"] = "Patienten kom med tilråb.";
        var second = (string)(await Must(Epj, HttpMethod.Post, "/v1/maskings", activation))["maskingId"]!;
        await Until("the view masks", async () => Staff(await Mask(log), RegionH).All(Masked));
        await Until("the case is open", async () => (await _platform.Send(Leader, HttpMethod.Get, $"/v1/cases/{second}", null, _cancel)).Status == System.Net.HttpStatusCode.OK);
        await MustRefuse("SLR-207", "lifting takes a reason", Leader, $"/v1/cases/{second}/decision", new JsonObject { ["decision"] = "DECISION_LIFT" });
        clock.Restart();
        await Must(Leader, HttpMethod.Post, $"/v1/cases/{second}/decision", new JsonObject { ["decision"] = "DECISION_LIFT", ["reason"] = "Ikke chikane i retningslinjens forstand." });
        await Until("names show again at once", async () => Staff(await Mask(log)).All(s => !Masked(s)));
        Screen.Line($"Names show {clock.ElapsedMilliseconds} ms after the leader lifted.");
        await Until("the activator is told", async () => (await Notices("sygeplejerske", second)).Contains("lifted"));

        Title("7. The audit trail (O3)");
        Check("every journal's hash chain is intact", await Verify.Print(_platform, _cancel));

        AnsiConsole.WriteLine();
        AnsiConsole.MarkupLine(_wrong == 0 ? "[green bold]All as the rules say.[/]" : $"[red bold]{_wrong} not as the rules say.[/]");
        return _wrong == 0 ? 0 : 1;
    }

    private async Task EndWhatAnEarlierRunLeft(string patient)
    {
        var listed = await Must(Epj, HttpMethod.Get, "/v1/maskings?in_force_only=true&page_size=500", null);
        foreach (var masking in listed["maskings"]?.AsArray().Where(m => (string?)m!["patientCpr"] == patient) ?? [])
            await Must(Leader, HttpMethod.Post, $"/v1/maskings/{masking!["maskingId"]}/end", new JsonObject { ["reason"] = "Demoen begynder forfra." });
        await Until("nothing is masked", async () => Staff(await Mask(await Sample("log-entries.json"))).All(s => !Masked(s)));
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
        Check($"{what} ({code}: {answer["en"]})", (int)status >= 400 && (string?)answer["code"] == code);
    }

    private async Task MoveTo(DateTimeOffset to, string words)
    {
        await _platform.MoveClock(to, _cancel);
        Screen.Line($"[blue]⏩ {words}: {to:yyyy-MM-dd HH:mm} UTC[/]");
    }

    private async Task Until(string what, Func<Task<bool>> condition)
    {
        var clock = Stopwatch.StartNew();
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await condition())
        {
            if (clock.Elapsed > Patience)
            {
                Check(what, false);
                return;
            }
            await tick.WaitForNextTickAsync(_cancel);
        }
        Check(what, true);
    }

    private void Check(string what, bool right)
    {
        AnsiConsole.MarkupLine($"{(right ? "[green]✓[/]" : "[red]✗[/]")} {what.EscapeMarkup()}");
        _wrong += right ? 0 : 1;
    }

    private static void Title(string text)
    {
        AnsiConsole.WriteLine();
        AnsiConsole.MarkupLine($"[bold]{text.EscapeMarkup()}[/]");
    }

    private static IEnumerable<JsonNode> Staff(JsonNode log, string? cvr = null) => log["entries"]!.AsArray()
        .Where(entry => cvr is null || (string?)entry!["cvr"] == cvr).SelectMany(entry => entry!["staff"]!.AsArray()).Select(staff => staff!);

    private static bool Masked(JsonNode staff) => (bool?)staff["masked"] == true;

    private static string Day(DateTimeOffset instant) => Contracts.DanishTime.DayOf(instant).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);

    private static void Show(JsonNode log)
    {
        var table = new Table().RoundedBorder().AddColumn("Entry").AddColumn(new TableColumn("By").NoWrap());
        foreach (var entry in log["entries"]!.AsArray())
        {
            var people = entry!["staff"]!.AsArray().Select(s => Masked(s!)
                ? $"[yellow]{(string?)s!["pseudonym"]}[/]\n({((string?)s["profession"])?.ToLowerInvariant()})"
                : ((string?)s!["name"] ?? "").EscapeMarkup());
            table.AddRow($"{entry["source"]}: {entry["activity"]}, {entry["organisationName"]}".EscapeMarkup(), string.Join('\n', people));
        }
        AnsiConsole.Write(table);
    }
}
