using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Sloring.Cluster;
using Xunit;

namespace Sloring.Tests.Distributed.Faults;

/// <summary>
/// The platform as several processes with the real servers, under a steady load of foreign systems, and one fault after another. What the systems did and
/// saw is then held against what the services keep: nothing accepted is lost or done twice, and no name shows that must not.
/// The delays are how long a fault lasts or the load is let run; no condition is waited for by one.
/// </summary>
[Trait("stage", "faults")]
public sealed class FaultTests
{
    private const int PortOffset = 200;
    private static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Breath = TimeSpan.FromSeconds(2);
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    /// <summary>Eighteen processes start, some many times, on two cores: compiling twice costs more than it brings in so short a life.</summary>
    private static readonly Dictionary<string, string?> Cheap = new() { ["DOTNET_TieredPGO"] = "0" };

    private readonly List<FaultLine> _faults = [];
    private readonly ConcurrentQueue<string> _died = [];
    private readonly List<string> _hits = [];
    private readonly string _folder = Directory.CreateTempSubdirectory("sloring-faults-").FullName;
    private LocalCluster _cluster = null!;
    private Load _load = null!;

    [Fact]
    public async Task FaultAfterFaultUnderLoad_NothingIsLostOrDoneTwice_NoNameShowsThatMustNot()
    {
        var clock = Stopwatch.StartNew();
        var history = Path.Combine(_folder, "history.jsonl");
        var firstPatient = Random.Shared.Next(50_000);
        var report = new StringBuilder();
        var good = false;
        try
        {
            await DebianPackages.EnsureFaketime(LoadedRun.Say, Cancel);
            await using var cluster = _cluster = await LocalCluster.Start(new LocalClusterOptions
            {
                Root = Repository.Root,
                Folder = _folder,
                Offset = PortOffset,
                // It keeps nothing that could be lost, and the load is of systems.
                LeftOut = ["portal"],
                // Short lives, so that tokens and salt are fetched in every fault.
                ServiceEnvironment = new Dictionary<string, string?>(Cheap) { ["Tokens__LifetimeSeconds"] = "30", ["Effectuation__SaltRefreshSeconds"] = "5" },
                SidecarEnvironment = Cheap,
                ReadyLimit = TimeSpan.FromSeconds(180),
                Died = program => _died.Enqueue($"{program.Name} ended by itself with code {program.Process?.ExitCode}:\n{program.Process?.LastLines(20)}"),
            }, Cancel);
            LoadedRun.Say($"the cluster is up after {clock.Elapsed.TotalSeconds:F0} s, in {_folder}");
            await using var load = _load = await Load.Start(cluster, history, firstPatient);
            await load.Do("begin", new { rate = 0.3 });
            LoadedRun.Say($"the probe before any fault: {await load.Do("probe")}");

            await Faults();

            LoadedRun.Say($"the load ends: {await load.Do("stop", new { limit = 30_000 })}");
            var run = new LoadedRun(cluster, load, _folder, history, firstPatient);
            await run.Settled(Cancel);
            await load.Do("pictures", limit: TimeSpan.FromMinutes(2));
            var verdict = await run.Check(Cancel);
            var lines = run.History;
            var violations = verdict.Violations.Concat(_died.Select(text => new Violation("h", text)))
                .Concat(lines.Where(line => line.Kind == "error").Select(line => new Violation("h", $"the load itself failed: {line.Text}")))
                .Concat(TooLittle(lines, verdict).Select(text => new Violation("h", text)))
                .Concat(_faults.Where(fault => fault.Failed is not null).Select(fault => new Violation("h", $"after '{fault.Name}' the platform did not work again: {fault.Failed}"))).ToList();
            Report(report, lines, verdict, violations, clock.Elapsed);
            LoadedRun.Write("faults.txt", report);
            await KeptScan.Check(cluster);
            good = violations.Count == 0;
            Assert.True(good, $"{report}\nLogs and history are kept in {_folder}");
        }
        finally
        {
            if (good)
                Directory.Delete(_folder, recursive: true);
            else
                LoadedRun.Say($"logs and history are kept in {_folder}");
        }
    }

    private async Task Faults()
    {
        foreach (var process in _cluster.Processes)
        {
            await Fault($"kill {process.Name}", async () =>
            {
                await process.Kill();
                await Task.Delay(Breath, Cancel);
                await process.Start();
                await process.Ready(ReadyLimit, Cancel);
            });
        }
        foreach (var name in (string[])["registration-1", "approval"])
        {
            await Fault($"kill {name}'s sidecar", async () =>
            {
                await _cluster.SidecarOf(name).Kill();
                await Task.Delay(Breath, Cancel);
                await _cluster.SidecarOf(name).Start();
                await _cluster[name].Ready(ReadyLimit, Cancel);
            });
        }
        await Fault("kill RabbitMQ", async () =>
        {
            await _cluster.RabbitMq.Kill();
            await Task.Delay(Breath, Cancel);
            await _cluster.RabbitMq.Restart(Cancel);
        });
        await Fault("kill PostgreSQL", async () =>
        {
            await _cluster.Postgres.Kill();
            // Beyond the bound: meanwhile every picture grows too old to be answered from.
            await Task.Delay(TimeSpan.FromSeconds(13), Cancel);
            await _cluster.Postgres.Restart(Cancel);
        });
        await Pause("registration-1", 30, async () =>
        {
            // The other replica carries all of it, also what the one that stands still had taken its turn to tell.
            await Task.Delay(TimeSpan.FromSeconds(13), Cancel);
            LoadedRun.Say($"the probe while registration-1 stands still: {await _load.Do("probe", limit: TimeSpan.FromSeconds(17))}");
        });
        await Pause("tokens", 20, () => Task.CompletedTask);
        await Fault("1 % of events dropped", () => WithSidecarFaults("""{"drop":1}""", TimeSpan.FromSeconds(30), "is dropped"), down: false);
        await Fault("events doubled and reordered", () => WithSidecarFaults("""{"duplicate":20,"reorder":20}""", TimeSpan.FromSeconds(20), "is sent twice", "is sent late"), down: false);
        await ClockAhead("scheduler-2");
        await ClockAhead("registration-2");
    }

    /// <summary>Another wall clock for one process; its monotonic clock is left alone, as a machine whose NTP went wrong has it.</summary>
    private Task ClockAhead(string name) => Fault($"{name}'s clock 5 min ahead", async () =>
    {
        var process = _cluster[name];
        // Without the last, the library's waits return at once again and again, and the process hardly starts.
        await Again(process, new() { ["LD_PRELOAD"] = DebianPackages.Faketime, ["FAKETIME"] = "+300s", ["DONT_FAKE_MONOTONIC"] = "1", ["FAKETIME_FORCE_MONOTONIC_FIX"] = "0" });
        using var http = new HttpClient();
        using var answer = await http.GetAsync(new Uri(process.HttpAddress + "/health/live"), Cancel);
        Assert.True(answer.Headers.Date > DateTimeOffset.UtcNow.AddMinutes(4), $"{name} does not see the clock that it is given: {answer.Headers.Date:O}");
        await Task.Delay(TimeSpan.FromSeconds(12), Cancel);
        LoadedRun.Say($"the probe with {name}'s clock ahead: {await _load.Do("probe")}");
        await Again(process, new() { ["LD_PRELOAD"] = null, ["FAKETIME"] = null, ["DONT_FAKE_MONOTONIC"] = null, ["FAKETIME_FORCE_MONOTONIC_FIX"] = null });
    });

    /// <summary>Stops a process where it stands, with its connections open, and lets it go on.</summary>
    private Task Pause(string name, int seconds, Func<Task> meanwhile) => Fault($"pause {name} for {seconds} s", async () =>
    {
        _cluster[name].Pause();
        try
        {
            await Task.WhenAll(Task.Delay(TimeSpan.FromSeconds(seconds), Cancel), meanwhile());
        }
        finally
        {
            _cluster[name].Continue();
        }
    });

    private static async Task Again(ClusterProcess process, Dictionary<string, string?> environment)
    {
        await process.Kill();
        await process.Start(environment);
        await process.Ready(ReadyLimit, Cancel);
    }

    /// <summary>For a time, and until each kind has hit an event: a fault that hit none would show nothing.</summary>
    private async Task WithSidecarFaults(string faults, TimeSpan time, params string[] kinds)
    {
        foreach (var process in _cluster.Processes)
            await File.WriteAllTextAsync(process.SidecarFaultsFile, faults, Cancel);
        await Task.Delay(time, Cancel);
        foreach (var kind in kinds)
        {
            await Eventually.True(() => Task.FromResult(Hit(kind) > 0), $"an event {kind}", TimeSpan.FromMinutes(1));
            _hits.Add($"{kind[3..]} {Hit(kind)}");
        }
        foreach (var process in _cluster.Processes)
            File.Delete(process.SidecarFaultsFile);
    }

    private int Hit(string kind) => ClusterState.Logs(_folder).Count(line => line.Text.Contains("fault: a message", StringComparison.Ordinal) && line.Text.Contains(kind, StringComparison.Ordinal));

    /// <summary>Does harm and repairs it; then everything must work again within the probe's limits, and has a moment before the next.</summary>
    private async Task Fault(string name, Func<Task> fault, bool down = true)
    {
        var (clock, repaired, failed) = (Stopwatch.StartNew(), TimeSpan.Zero, (string?)null);
        await _load.Mark(name, "begin", down);
        try
        {
            await fault();
            repaired = clock.Elapsed;
            await _load.Mark(name, "repaired", down);
            await _load.Do("probe");
        }
        catch (Exception e) when (e is InvalidOperationException or ClusterException or TimeoutException or IOException)
        {
            failed = e.Message;
        }
        await _load.Mark(name, "whole", down);
        _faults.Add(new FaultLine(name, repaired, clock.Elapsed - repaired, failed));
        LoadedRun.Say($"{name}: {repaired.TotalSeconds:F1} s, then whole again in {(clock.Elapsed - repaired).TotalSeconds:F1} s {failed}");
        await Task.Delay(Breath, Cancel);
    }

    private void Report(StringBuilder report, List<HistoryLine> history, Verdict verdict, List<Violation> violations, TimeSpan took)
    {
        report.AppendLine(CultureInfo.InvariantCulture, $"The fault stage, {took.TotalSeconds:F0} s").AppendLine();
        LoadedRun.Operations(report, history);
        report.AppendLine().AppendLine("fault                                until repaired  until whole again");
        foreach (var fault in _faults)
            report.AppendLine(CultureInfo.InvariantCulture, $"{fault.Name,-36} {fault.Repaired.TotalSeconds,12:F1} s {fault.Whole.TotalSeconds,16:F1} s {fault.Failed}");
        report.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"reads that had to mask {verdict.ReadsBound}, that had to show {verdict.ReadsFree}; deadlines fired {verdict.DeadlinesFired}, of them {verdict.FiredAhead} by a clock that was ahead");
        report.AppendLine(CultureInfo.InvariantCulture, $"longest exposure {verdict.LongestExposureMs / 1000:F2} s after an acknowledgement ({verdict.Exposed} reads); the bound is 10 s");
        report.AppendLine("events that were " + string.Join(", ", _hits));
        LoadedRun.Violations(report, violations);
    }

    /// <summary>A run in which little happened has shown little. A tenth of what an ordinary one has.</summary>
    private static IEnumerable<string> TooLittle(List<HistoryLine> lines, Verdict verdict)
    {
        if (lines.Count(line => line.Kind == "activate" && line.IsAccepted) is var activations and < 100)
            yield return $"only {activations} activations were accepted";
        if (verdict.ReadsBound < 100 || verdict.ReadsFree < 100)
            yield return $"only {verdict.ReadsBound} reads had to mask and {verdict.ReadsFree} had to show";
        if (verdict.DeadlinesFired < 30)
            yield return $"only {verdict.DeadlinesFired} deadlines fired";
    }

    private sealed record FaultLine(string Name, TimeSpan Repaired, TimeSpan Whole, string? Failed);
}
