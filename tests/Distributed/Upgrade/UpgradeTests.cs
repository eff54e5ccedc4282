using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Sloring.Cluster;
using Sloring.Tests.Distributed.Faults;
using Xunit;

namespace Sloring.Tests.Distributed.Upgrade;

/// <summary>
/// The services of the version before, each replaced by this version's under load, as Kubernetes does it with deploy/k8s: the migration over a database that is in use, a new replica
/// that is ready, then the old one told to end. Callers reach them by addresses as a Service's are. No request fails, and nothing is wrong afterwards.
/// </summary>
[Trait("stage", "faults")]
public sealed class UpgradeTests
{
    /// <summary>deploy/k8s/base/common.yaml: preStop, and what is left of terminationGracePeriodSeconds.</summary>
    private static readonly TimeSpan PreStop = TimeSpan.FromSeconds(5), Grace = TimeSpan.FromSeconds(85);

    /// <summary>How long a cluster may take until no node sends a connection any more to a pod that is to end: most of preStop, which is there for it.</summary>
    private static readonly TimeSpan StillSentTo = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(90);
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    /// <summary>A "no" that is right whenever systems act on each other's maskings, upgrade or not: it is over, it is decided, its reason has not come to the approval yet.</summary>
    private static readonly string[] RightAnswers = ["SLR-112", "SLR-204", "SLR-206"];

    /// <summary>A leader of the load knows the masking before the approval may know its case; it asks again.</summary>
    private const string NotThereYet = "SLR-201";

    /// <summary>What a caller has when a connection is broken off: of grpc-js, of fetch.</summary>
    private static readonly string[] BrokenOff = ["UNAVAILABLE", "UND_ERR_SOCKET", "ECONNRESET", "ECONNREFUSED", "EPIPE"];

    private readonly string _folder = Directory.CreateTempSubdirectory("sloring-upgrade-").FullName;
    private readonly int _offset = RunningCluster.FreeOffset(hundreds: 3);
    private readonly ConcurrentQueue<string> _failures = [];
    private readonly ConcurrentQueue<double> _cuts = [];
    private readonly List<string> _replaced = [];
    private readonly Dictionary<(string AppId, bool Grpc), ServiceAddress> _services = [];
    private LocalCluster _cluster = null!;
    private Load _load = null!;

    [Fact]
    public async Task EveryServiceReplacedUnderLoad_NoRequestFails_NothingIsWrong()
    {
        var clock = Stopwatch.StartNew();
        var before = await VersionBefore.Built(LoadedRun.Say, Cancel);
        var built = clock.Elapsed;
        var (history, firstPatient, good) = (Path.Combine(_folder, "history.jsonl"), Random.Shared.Next(50_000), false);
        try
        {
            var port = 5260 + _offset;
            foreach (var service in (string[])["tokens", "registration", "approval", "effectuation", "portal"])
            {
                _services[(service, false)] = new ServiceAddress(port++);
                _services[(service, true)] = new ServiceAddress(port++);
            }
            var options = new LocalClusterOptions
            {
                Root = Repository.Root,
                ServicesRoot = before.Root,
                Folder = _folder,
                Offset = _offset,
                ServiceEnvironment = new Dictionary<string, string?>
                {
                    ["DOTNET_TieredPGO"] = "0",
                    ["Token__Issuer"] = At("tokens", grpc: false),
                    // Fetched from every replica of the token service, many times.
                    ["Tokens__LifetimeSeconds"] = "30",
                    // deploy/k8s/base/sloring.env
                    ["Listen__DrainSeconds"] = "5",
                },
                SidecarEnvironment = new Dictionary<string, string?> { ["DOTNET_TieredPGO"] = "0" },
                Died = program => _failures.Enqueue($"{program.Name} ended by itself with code {program.Process?.ExitCode}:\n{program.Process?.LastLines(20)}"),
            };
            // The first of all have nobody before them: whoever calls them comes again until they listen.
            foreach (var process in LocalCluster.Describe(options).Processes)
                SendTo(process);
            await using var cluster = _cluster = await LocalCluster.Start(options, Cancel);
            LoadedRun.Say($"the cluster is up after {clock.Elapsed.TotalSeconds:F0} s, in {_folder}");

            var views = Enumerable.Range(1, 4).ToDictionary(n => $"view-{n}", _ => At("effectuation", true));
            var callers = new LoadAddresses(At("tokens", false), At("approval", false), [.. Enumerable.Repeat(At("registration", true), 4)], views) { Patience = 6 };
            await using var load = _load = await Load.Start(cluster, history, firstPatient, callers);
            await load.Do("begin", new { rate = 0.3, lists = 5 });
            await using var source = await WatchingSource.Start(At("registration", true), At("tokens", false), cluster.Secrets["client/kilde-hovedstaden"]);
            await using var leader = await PortalVisitor.Start(At("portal", false));
            LoadedRun.Say($"the probe before the upgrade: {await load.Do("probe")}");

            var next = cluster.Beside(Repository.Root, "next");
            await Replace(cluster.Processes, next, cutsOff: !before.Drains);
            LoadedRun.Say($"the probe after the upgrade: {await load.Do("probe")}");
            // This version's replicas too, by others of the same: what they do when they are told to end.
            var again = cluster.Beside(Repository.Root, "again", ports: 200);
            await Replace(next, again, cutsOff: false);
            LoadedRun.Say($"the probe after the restart: {await load.Do("probe")}");
            LoadedRun.Say($"the load ends: {await load.Do("stop", new { limit = 30_000 })}");
            var pages = await leader.Stop();
            var run = new LoadedRun(cluster, load, _folder, history, firstPatient);
            await run.Settled(Cancel);
            await load.Do("pictures", new { replicas = again.Where(process => process.AppId == "effectuation").ToDictionary(process => process.Name, process => process.GrpcAddress) }, TimeSpan.FromMinutes(2));
            var verdict = await run.Check(Cancel);
            var lines = run.History;
            await source.Stop();
            var stalest = source.Stalest;

            var (failed, cutOff) = (lines.Where(line => Failed(line) && !WasCutOff(line)).ToList(), lines.Count(line => Failed(line) && WasCutOff(line)));
            var report = new StringBuilder().AppendLine(CultureInfo.InvariantCulture, $"The rolling upgrade, {clock.Elapsed.TotalSeconds:F0} s, of them {built.TotalSeconds:F0} s to build the version before")
                .AppendLine(before.Commit.Length == 0 ? "from this version's own build: THE VERSION BEFORE IS NOT IN THIS CLONE'S HISTORY" : $"from {before.Commit}").AppendLine();
            LoadedRun.Operations(report, lines);
            report.AppendLine().AppendJoin('\n', _replaced).AppendLine().AppendLine()
                .AppendLine(CultureInfo.InvariantCulture, $"portal pages {pages}; the data source's picture was never older than {stalest.TotalSeconds:F1} s, and came to {source.Position}")
                .AppendLine(CultureInfo.InvariantCulture, $"reads that had to mask {verdict.ReadsBound}, that had to show {verdict.ReadsFree}; deadlines fired {verdict.DeadlinesFired}")
                .AppendLine(CultureInfo.InvariantCulture, $"asked for before the approval had the case {lines.Count(line => line is { Tries: > 1, Why: NotThereYet })}")
                .AppendLine(CultureInfo.InvariantCulture, $"cut off by a process of the version before in the moment of its end {cutOff}")
                .AppendLine(CultureInfo.InvariantCulture, $"failed requests {failed.Count}");
            foreach (var line in failed.Take(40))
                report.AppendLine(CultureInfo.InvariantCulture, $"  {DateTimeOffset.UnixEpoch.AddMilliseconds(line.Start):HH:mm:ss.fff} {line.Kind} {line.Via}{line.Replica}: {line.Outcome} {line.Code} after {line.Tries} tries, {line.Why}");
            var violations = verdict.Violations.Concat(_failures.Concat(leader.Failures).Select(text => new Violation("h", text)))
                .Concat(lines.Where(line => line.Kind == "error").Select(line => new Violation("h", $"the load itself failed: {line.Text}")))
                .Concat(stalest > TimeSpan.FromSeconds(10) ? [new Violation("h", $"the data source's picture was {stalest.TotalSeconds:F1} s old")] : [])
                .Concat(TooLittle(lines, verdict, pages).Select(text => new Violation("h", text))).ToList();
            LoadedRun.Violations(report, violations);
            LoadedRun.Write("upgrade.txt", report);
            await KeptScan.Check(cluster);
            good = failed.Count == 0 && violations.Count == 0;
            Assert.True(good, $"{report}\nLogs and history are kept in {_folder}");
        }
        finally
        {
            foreach (var service in _services.Values)
                await service.DisposeAsync();
            if (good)
                Directory.Delete(_folder, recursive: true);
            else
                LoadedRun.Say($"logs and history are kept in {_folder}");
        }
    }

    /// <summary>Service by service, replica by replica. A replica that ends is not waited for before the next is started, but none ends before its successor is ready.</summary>
    /// <param name="those">Which.</param>
    /// <param name="successors">By which, in the same order.</param>
    /// <param name="cutsOff">Whether those end without draining.</param>
    private async Task Replace(IReadOnlyList<ClusterProcess> those, IReadOnlyList<ClusterProcess> successors, bool cutsOff)
    {
        var ending = new List<Task>();
        var migrated = new HashSet<string>();
        foreach (var (old, successor) in those.Zip(successors))
        {
            var clock = Stopwatch.StartNew();
            await _load.Mark($"replace {old.Name}", "begin", down: false);
            if (migrated.Add(old.AppId))
                await _cluster.Migrate(successor, Cancel);
            await successor.Sidecar.Start();
            await successor.Start();
            await successor.Ready(ReadyLimit, Cancel);
            SendTo(successor);
            var ready = clock.Elapsed;
            LoadedRun.Say($"{successor.Name} is ready after {ready.TotalSeconds:F1} s, {old.Name} is told to end");
            ending.Add(End(old, ready, cutsOff));
        }
        await Task.WhenAll(ending);
    }

    /// <summary>As a pod that is deleted: nobody is sent to it any more, its sidecar and, after preStop, its service get SIGTERM, and SIGKILL when the grace is over.</summary>
    private async Task End(ClusterProcess process, TimeSpan ready, bool cutsOff)
    {
        var sidecar = process.Sidecar.Stop(PreStop + Grace);
        await Task.Delay(StillSentTo, Cancel);
        foreach (var (service, address) in _services.Where(service => service.Key.AppId == process.AppId))
            address.Remove(service.Grpc ? process.GrpcAddress : process.HttpAddress);
        await Task.Delay(PreStop - StillSentTo, Cancel);
        var clock = Stopwatch.StartNew();
        if (cutsOff)
            _cuts.Enqueue(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
        await process.Stop(Grace);
        var took = clock.Elapsed;
        await sidecar;
        if (process.Process!.ExitCode != 0 || process.Sidecar.Process!.ExitCode != 0)
            _failures.Enqueue($"{process.Name} ended with {process.Process.ExitCode} after {took.TotalSeconds:F1} s, its sidecar with {process.Sidecar.Process!.ExitCode}:\n{process.Process.LastLines(20)}");
        await _load.Mark($"replace {process.Name}", "whole", down: false);
        lock (_replaced)
            _replaced.Add(string.Create(CultureInfo.InvariantCulture, $"{process.Name,-16} its successor ready in {ready.TotalSeconds,5:F1} s, ended within {took.TotalSeconds,4:F1} s of SIGTERM"));
    }

    private void SendTo(ClusterProcess process)
    {
        foreach (var (service, address) in _services.Where(service => service.Key.AppId == process.AppId))
            address.Add(service.Grpc ? process.GrpcAddress : process.HttpAddress);
    }

    private string At(string service, bool grpc) => _services[(service, grpc)].Address;

    /// <summary>Whatever had no answer at its first try, or one that is no answer to what was asked.</summary>
    private static bool Failed(HistoryLine line) => line.Kind is not ("fault" or "error")
        && ((line.Tries > 1 && line.Why != NotThereYet) || line.Outcome is not ("accepted" or "refused") || (line.Outcome == "refused" && !RightAnswers.Contains(line.Code)));

    /// <summary>Whether it met the end of a process of a version that knows no better; that is mended since, and tried by the second replacing.</summary>
    private bool WasCutOff(HistoryLine line) =>
        BrokenOff.Any(start => (line.Why ?? line.Code ?? "").StartsWith(start, StringComparison.Ordinal)) && _cuts.Any(cut => line.Start < cut + 1_000 && line.End > cut - 50 && line.Start > cut - 5_000);

    /// <summary>A run in which little happened has shown little.</summary>
    private static IEnumerable<string> TooLittle(List<HistoryLine> lines, Verdict verdict, int pages)
    {
        foreach (var (kind, least) in (ReadOnlySpan<(string, int)>)[("activate", 60), ("read", 200), ("update", 15), ("list", 100), ("token", 15), ("lift", 5), ("end", 5)])
        {
            if (lines.Count(line => line.Kind == kind && line.IsAccepted) is var done && done < least)
                return [$"only {done} of '{kind}' were accepted"];
        }
        return pages < 50 ? [$"only {pages} pages of the portal"] : verdict.ReadsBound < 50 || verdict.ReadsFree < 50 ? [$"only {verdict.ReadsBound} reads had to mask and {verdict.ReadsFree} had to show"] : [];
    }

    /// <summary>A leader who has signed in once and looks at the work list again and again.</summary>
    private sealed class PortalVisitor(FormBrowser browser, string page) : IAsyncDisposable
    {
        private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);
        private readonly CancellationTokenSource _stop = new();
        private Task<int> _visiting = Task.FromResult(0);

        public ConcurrentQueue<string> Failures { get; } = [];

        public static async Task<PortalVisitor> Start(string portal)
        {
            var visitor = new PortalVisitor(new FormBrowser(), portal + "/cases");
            await visitor.Begin();
            return visitor;
        }

        /// <summary>Gives how many pages were seen.</summary>
        public async Task<int> Stop()
        {
            await _stop.CancelAsync();
            return await _visiting;
        }

        public async ValueTask DisposeAsync()
        {
            await Stop();
            browser.Dispose();
            _stop.Dispose();
        }

        private async Task Begin()
        {
            await browser.SignIn("leder", page);
            _visiting = Task.Run(async () =>
            {
                var pages = 0;
                for (; !_stop.IsCancellationRequested; await Task.Delay(Pause))
                {
                    try
                    {
                        await browser.Open(page);
                        pages++;
                        if (!browser.Html.Contains("<h1>Arbejdsliste</h1>", StringComparison.Ordinal))
                            Failures.Enqueue($"{DateTimeOffset.UtcNow:HH:mm:ss.fff} the portal showed another page: {browser.Address.AbsolutePath}");
                    }
                    catch (Exception e) when (e is HttpRequestException or InvalidOperationException or TaskCanceledException)
                    {
                        Failures.Enqueue($"{DateTimeOffset.UtcNow:HH:mm:ss.fff} the portal did not answer: {e.Message.ReplaceLineEndings(" ")[..Math.Min(300, e.Message.Length)]} {e.InnerException?.GetType().Name}");
                    }
                }
                return pages;
            });
        }
    }
}
