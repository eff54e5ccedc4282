using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Sloring.Contracts.Edge;
using Sloring.Embedded;
using Spectre.Console;

namespace Sloring.Cluster.Commands;

/// <summary>
/// <c>./run cluster demo</c>: the main job over AMQP, against every effectuation replica. Every step is checked against the rules; the exit
/// code is not 0 when one is not as they say. No clock is moved here: the job's months are played by ./run demo.
/// </summary>
internal sealed class Demo : IAsyncDisposable
{
    private const string Epj = "epj-hovedstaden", Source = "kilde-hovedstaden", RegionSystem = "region-hovedstaden", OtherEpj = "epj-midtjylland";
    private const string View = "borgervisning", Leader = "leder", RegionH = "29190623";

    private readonly LocalCluster _cluster;
    private readonly CancellationToken _cancel;
    private readonly Stage _stage;
    private readonly string _run = Guid.NewGuid().ToString("N")[..12];
    private readonly Dictionary<string, PlatformClient> _clients;
    private readonly string _samples;
    private readonly int _port;

    private Demo(LocalCluster cluster, LocalClusterOptions options, CancellationToken cancel)
    {
        (_cluster, _cancel, _stage) = (cluster, cancel, new Stage(cancel));
        _samples = Path.Combine(options.Root, "samples");
        _port = LocalCluster.RabbitMqPort + options.Offset;
        _clients = cluster.Processes.ToDictionary(process => process.Name, process => new PlatformClient(process.HttpAddress, cluster.Secrets.File, cluster["tokens"].HttpAddress));
    }

    public static async Task<int> Run(LocalClusterOptions options, CancellationToken cancel)
    {
        try
        {
            var known = LocalCluster.Describe(options);
            if (await known["tokens"].IsReady(cancel))
            {
                Screen.Line($"Using the cluster that is running.");
                await using var there = new Demo(known, options, cancel);
                return await there.Play();
            }
            var clock = Stopwatch.StartNew();
            await using var cluster = await Serve.Start(options, cancel);
            Screen.Line($"{cluster.Processes.Count} processes are ready ({clock.Elapsed.TotalSeconds:F1} s); data and logs in {options.Folder}.");
            await using var demo = new Demo(cluster, options, cancel);
            return await demo.Play();
        }
        catch (Exception e) when (e is ClusterException or InvalidOperationException or HttpRequestException or TimeoutException or RabbitMQClientException)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 1;
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            return 1;
        }
    }

    private async Task<int> Play()
    {
        await using var epj = await Connect(Epj);
        await using var source = await Connect(Source);
        await using var region = await Connect(RegionSystem);
        var toSource = await source.Listen(_cancel, (EdgeNames.MaskingDecisions, $"{RegionH}.{Source}"), (EdgeNames.MaskedUpdates, $"{RegionH}.{Source}"));
        var toRegion = await region.Listen(_cancel, (EdgeNames.Notifications, $"{RegionH}.#"));
        var log = await Sample("log-entries.json");
        var patient = (string)log["patientCpr"]!;
        await EndWhatAnEarlierRunLeft(epj, patient);

        _stage.Title("1. Before: what the patient sees in the log");
        var before = await Mask(Replicas[0], log);
        Stage.Show(before);
        foreach (var replica in Replicas)
            _stage.Check($"every name shows ({replica})", Stage.Staff(await Mask(replica, log)).All(s => !Stage.Masked(s)));

        _stage.Title("2. A health worker is threatened: the EPJ activates a masking over AMQP (M1–M3)");
        var activation = Activation(patient, "demo-" + _run, null);
        var clock = Stopwatch.StartNew();
        var accepted = await epj.Ask(EdgeNames.ActivateMasking.Exchange, EdgeNames.ActivateMasking.RoutingKey, activation, _cancel);
        Screen.Line($"Accepted {clock.ElapsedMilliseconds} ms after the EPJ sent it.");
        _stage.Check($"it is in force{Why(accepted)}", Accepted(accepted));
        if (!Accepted(accepted))
            return _stage.Close();
        var maskingId = (string)accepted["maskingId"]!;
        await EveryReplica("masks", log, masked: true);
        Screen.Line($"Masked by {Replicas.Count} replicas {clock.ElapsedMilliseconds} ms after the EPJ sent it.");
        var masked = await Mask(Replicas[^1], log);
        Stage.Show(masked);
        _stage.Check("Region Hovedstaden's staff appear under pseudonyms with their profession (E3)",
            Stage.Staff(masked, RegionH).All(s => s["name"] is null && s["pseudonym"] is not null && s["profession"] is not null));
        _stage.Check("other organisations' names still show (M1)", Stage.Staff(masked).Except(Stage.Staff(masked, RegionH)).All(s => !Stage.Masked(s)));
        var pseudonyms = await Task.WhenAll(Replicas.Select(async replica => string.Join(',', Stage.Staff(await Mask(replica, log), RegionH).Select(s => (string)s["pseudonym"]!))));
        _stage.Check("every replica gives the same pseudonyms", pseudonyms.Distinct().Count() == 1);
        var repeat = await epj.Ask(EdgeNames.ActivateMasking.Exchange, EdgeNames.ActivateMasking.RoutingKey, activation, _cancel);
        _stage.Check("the same activation again changes nothing (M9)", (string?)repeat["maskingId"] == maskingId && (long?)repeat["position"] == (long?)accepted["position"]);

        _stage.Title("3. What is not right is refused, and blocks nothing");
        var wrong = Activation("3002901234", "demo-wrong-" + _run, null);
        var refusal = await epj.Ask(EdgeNames.ActivateMasking.Exchange, EdgeNames.ActivateMasking.RoutingKey, wrong, _cancel);
        _stage.Check($"a CPR number that nobody has{Why(refusal)}", !Accepted(refusal) && ((string?)refusal["rejection"]?["code"])?.StartsWith("SLR-", StringComparison.Ordinal) == true);
        await using (var other = await Connect(OtherEpj))
        {
            _stage.Check("nobody can send in another's name", await other.IsRefused(channel => channel.BasicPublishAsync(EdgeNames.ActivateMasking.Exchange,
                EdgeNames.ActivateMasking.RoutingKey, mandatory: true, new BasicProperties { UserId = Epj }, Encoding.UTF8.GetBytes(activation.ToJsonString()), _cancel).AsTask(), _cancel));
            var foreign = await other.Ask(EdgeNames.EndMasking.Exchange, EdgeNames.EndMasking.RoutingKey, Ending(maskingId), _cancel);
            _stage.Check($"nobody can end another organisation's masking{Why(foreign)}", !Accepted(foreign));
            _stage.Check("an EPJ adapter reads nothing", await other.IsRefused(channel => channel.BasicConsumeAsync(EdgeNames.ActivateMasking.Queue, autoAck: true,
                new RabbitMQ.Client.Events.AsyncEventingBasicConsumer(channel), _cancel), _cancel));
        }
        await EveryReplica("still masks", log, masked: true);

        _stage.Title("4. Who must know is told: the data source, and the region's system (E6, A1)");
        await _stage.Until("the data source hears that a masking started", () => Heard(toSource, m => Decision(m) && m["endsAt"] is not null));
        await _stage.Until("the region's system is asked to tell the leader", () => Heard(toRegion, m => Notice(m, maskingId, "leader-told")));
        foreach (var scheduler in _cluster.Replicas("scheduler"))
            await _stage.Until($"{scheduler.Name} knows of the deadlines", async () => long.Parse((string?)(await Must(scheduler.Name, "drift", HttpMethod.Get, "/v1/scheduler", null))["pending"] ?? "0", System.Globalization.CultureInfo.InvariantCulture) > 0);
        _stage.Check("no notification says who the patient is", toRegion.All(m => !m.ToJsonString().Contains(patient, StringComparison.Ordinal)));

        _stage.Title("5. The reason over AMQP (M5), and the leader's decision over HTTP (A5)");
        await _stage.Until("the case is open", async () => (await Send("approval", Leader, HttpMethod.Get, $"/v1/cases/{maskingId}", null)).Status == System.Net.HttpStatusCode.OK);
        var decision = new JsonObject { ["decision"] = "DECISION_UPHOLD", ["reason"] = "Konkret og alvorlig trussel." };
        var (status, tooEarly) = await Send("approval", Leader, HttpMethod.Post, $"/v1/cases/{maskingId}/decision", new JsonObject { ["decision"] = "DECISION_UPHOLD" });
        _stage.Check($"it cannot be upheld without a reason ({tooEarly["code"]})", (int)status >= 400 && (string?)tooEarly["code"] == "SLR-204");
        var reasoned = await epj.Ask(EdgeNames.AddReason.Exchange, EdgeNames.AddReason.RoutingKey,
            new JsonObject { ["maskingId"] = maskingId, ["reason"] = "Patienten truede personalet med vold i venteværelset." }, _cancel);
        _stage.Check($"the reason is accepted{Why(reasoned)}", Accepted(reasoned));
        await _stage.Until("the case has its reason", async () =>
            ((string?)(await Must("approval", Leader, HttpMethod.Get, $"/v1/cases/{maskingId}", null))["reason"])?.StartsWith("Patienten truede", StringComparison.Ordinal) == true);
        await Must("approval", Leader, HttpMethod.Post, $"/v1/cases/{maskingId}/decision", decision);
        await EveryReplica("masks after the leader upheld it", log, masked: true);

        _stage.Title("6. A data source sends its entries and gets them back masked (E5)");
        var update = Update(log, "demo-" + _run);
        await source.Send(EdgeNames.DataSourceUpdate.Exchange, EdgeNames.DataSourceUpdate.RoutingKey, update, _cancel);
        await _stage.Until("the masked update comes back", () => Heard(toSource, m => (string?)m["updateId"] == "demo-" + _run));
        if (toSource.FirstOrDefault(m => (string?)m["updateId"] == "demo-" + _run) is { } answer)
        {
            var staff = answer["entries"]!.AsArray().SelectMany(p => Stage.Staff(p!)).ToList();
            _stage.Check("every name in it is masked", staff.Count > 0 && staff.All(s => Stage.Masked(s) && s["name"] is null));
            _stage.Check("with the pseudonyms that the citizen's view shows",
                staff.Select(s => (string)s["pseudonym"]!).ToHashSet().IsSubsetOf(Stage.Staff(masked, RegionH).Select(s => (string)s["pseudonym"]!)));
        }

        _stage.Title("7. The masking is ended over AMQP; a second one is lifted over HTTP");
        var ended = await epj.Ask(EdgeNames.EndMasking.Exchange, EdgeNames.EndMasking.RoutingKey, Ending(maskingId), _cancel);
        _stage.Check($"the end is accepted{Why(ended)}", Accepted(ended));
        await EveryReplica("shows names again", log, masked: false);
        await _stage.Until("the data source hears that it ended", () => Heard(toSource, m => Decision(m) && m["endsAt"] is null));

        var second = await epj.Ask(EdgeNames.ActivateMasking.Exchange, EdgeNames.ActivateMasking.RoutingKey,
            Activation(patient, "demo-2-" + _run, "Patienten kom med tilråb."), _cancel);
        var secondId = (string?)second["maskingId"];
        _stage.Check($"a second masking is in force{Why(second)}", secondId is not null);
        await EveryReplica("masks", log, masked: true);
        await _stage.Until("the case is open", async () => (await Send("approval", Leader, HttpMethod.Get, $"/v1/cases/{secondId}", null)).Status == System.Net.HttpStatusCode.OK);
        clock.Restart();
        await Must("approval", Leader, HttpMethod.Post, $"/v1/cases/{secondId}/decision", new JsonObject { ["decision"] = "DECISION_LIFT", ["reason"] = "Ikke en trussel." });
        await EveryReplica("shows names again", log, masked: false);
        Screen.Line($"Names show {clock.ElapsedMilliseconds} ms after the leader lifted.");
        await _stage.Until("the region's system is asked to tell the activator", () => Heard(toRegion, m => Notice(m, secondId!, "lifted")));

        _stage.Title("8. The audit trail (O3)");
        var table = new Table().RoundedBorder().AddColumns("Journal", "Entries", "Verdict");
        foreach (var process in _cluster.Processes.Where(process => process.AppId != "tokens"))
        {
            var verdict = await Must(process.Name, "revisor", HttpMethod.Get, $"/v1/journals/{process.AppId}/verification", null);
            var whole = (bool?)verdict["intact"] ?? false;
            table.AddRow(process.Name, (string?)verdict["entries"] ?? "0", whole ? "[green]intact[/]" : $"[red]altered at {verdict["firstBadPosition"]}[/]");
            _stage.Check($"the journal's hash chain is intact as {process.Name} reads it", whole);
        }
        AnsiConsole.Write(table);
        return _stage.Close();
    }

    private List<string> Replicas => [.. _cluster.Replicas("effectuation").Select(process => process.Name)];

    private Task<Broker> Connect(string user) => Broker.Connect(_port, user, _cluster.Secrets["client/" + user], _cancel);

    private async Task EndWhatAnEarlierRunLeft(Broker epj, string patient)
    {
        var listed = await Must("registration-1", Epj, HttpMethod.Get, "/v1/maskings?in_force_only=true&page_size=500", null);
        foreach (var masking in listed["maskings"]?.AsArray().Where(m => (string?)m!["patientCpr"] == patient) ?? [])
            await epj.Ask(EdgeNames.EndMasking.Exchange, EdgeNames.EndMasking.RoutingKey, Ending((string)masking!["maskingId"]!), _cancel);
        await EveryReplica("masks nothing yet", await Sample("log-entries.json"), masked: false);
    }

    private async Task EveryReplica(string what, JsonNode log, bool masked)
    {
        foreach (var replica in Replicas)
            await _stage.Until($"{what} ({replica})", async () => Stage.Staff(await Mask(replica, log), RegionH).All(s => Stage.Masked(s) == masked));
    }

    private static JsonObject Activation(string patient, string key, string? reason)
    {
        var message = new JsonObject
        {
            ["idempotencyKey"] = key,
            ["patientCpr"] = patient,
            ["trigger"] = "threats",
            ["behaviourOn"] = Stage.Day(DateTimeOffset.UtcNow),
            ["activator"] = new JsonObject { ["personId"] = "hw-1001", ["role"] = "health-worker", ["unitSorId"] = "1000111000016001" },
        };
        if (reason is not null)
            message["reason"] = reason;
        return message;
    }

    private static JsonObject Ending(string maskingId) => new()
    {
        ["maskingId"] = maskingId,
        ["reason"] = "Grundlaget er bortfaldet.",
        ["activator"] = new JsonObject { ["personId"] = "ld-2001", ["role"] = "leader", ["unitSorId"] = "1000021000016006" },
    };

    private static JsonObject Update(JsonNode log, string id) => new()
    {
        ["updateId"] = id,
        ["entries"] = new JsonArray(new JsonObject
        {
            ["patientCpr"] = (string)log["patientCpr"]!,
            ["entries"] = new JsonArray([.. log["entries"]!.AsArray().Where(entry => (string?)entry!["cvr"] == RegionH).Select(entry => entry!.DeepClone())]),
        }),
    };

    private static bool Accepted(JsonNode answer) => (bool?)answer["accepted"] == true;

    private static string Why(JsonNode answer) => answer["rejection"] is { } no ? $" ({no["code"]}: {no["en"]})" : "";

    private static bool Decision(JsonNode message) => message["patientKey"] is not null && (string?)message["cvr"] == RegionH;

    private static bool Notice(JsonNode message, string caseId, string kind) => (string?)message["caseId"] == caseId && (string?)message["kind"] == kind;

    private static Task<bool> Heard(ConcurrentQueue<JsonNode> heard, Func<JsonNode, bool> what) => Task.FromResult(heard.Any(what));

    private async Task<JsonNode> Sample(string name) => JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(_samples, name), _cancel))!;

    private Task<JsonNode> Mask(string replica, JsonNode log) => Must(replica, View, HttpMethod.Post, "/v1/mask-entries", log.DeepClone());

    private Task<JsonNode> Must(string process, string client, HttpMethod method, string path, JsonNode? body) => _clients[process].Must(client, method, path, body, _cancel);

    private Task<(System.Net.HttpStatusCode Status, JsonNode Body)> Send(string process, string client, HttpMethod method, string path, JsonNode? body) =>
        _clients[process].Send(client, method, path, body, _cancel);

    public ValueTask DisposeAsync()
    {
        foreach (var client in _clients.Values)
            client.Dispose();
        return ValueTask.CompletedTask;
    }
}
