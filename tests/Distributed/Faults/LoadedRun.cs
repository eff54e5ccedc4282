using System.Diagnostics;
using System.Globalization;
using System.Text;
using Sloring.Cluster;

namespace Sloring.Tests.Distributed.Faults;

/// <summary>A cluster under load, and what its services keep held against what the foreign systems saw: the load's history, of patients from the first of the run on.</summary>
internal sealed class LoadedRun(LocalCluster cluster, Load load, string folder, string history, int firstPatient)
{
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(2), SettledWithin = TimeSpan.FromSeconds(35);

    public List<HistoryLine> History => HistoryLine.Read(history);

    /// <summary>Events on their way arrive: until nothing is wrong any more, or the limit is reached.</summary>
    public async Task Settled(CancellationToken cancel)
    {
        var clock = Stopwatch.StartNew();
        while ((await Check(cancel)).Violations.Count > 0 && clock.Elapsed < SettledWithin)
            await Task.Delay(Again, cancel);
    }

    public async Task<Verdict> Check(CancellationToken cancel)
    {
        await load.Do("flush");
        var lines = History;
        return HistoryChecker.Check(await ClusterState.Read(cluster, lines, cancel) with
        {
            Logs = ClusterState.Logs(folder),
            CprNumbers = Enumerable.Range(0, lines.Max(line => line.Patient) + 1).Select(n => HistoryLine.CprOf(firstPatient, n)).ToHashSet(),
        });
    }

    /// <summary>What was done, and how it was answered.</summary>
    public static void Operations(StringBuilder report, IReadOnlyList<HistoryLine> history)
    {
        report.AppendLine("operation    accepted  refused  unanswered  tried again");
        foreach (var kind in history.Where(line => line.Kind is not ("fault" or "error")).GroupBy(line => line.Kind).OrderBy(group => group.Key, StringComparer.Ordinal))
            report.AppendLine(CultureInfo.InvariantCulture,
                $"{kind.Key,-12} {kind.Count(l => l.IsAccepted),8} {kind.Count(l => l.Outcome == "refused"),8} {kind.Count(l => l.Outcome == "unanswered"),11} {kind.Count(l => l.Tries > 1),12}");
        report.AppendLine().AppendLine("refusals     " + Counted(history.Where(line => line.Outcome == "refused").Select(line => $"{line.Kind} {line.Code}")));
        report.AppendLine("tried again  " + Counted(history.Where(line => line.Tries > 1).Select(line => line.Why)));
    }

    public static void Violations(StringBuilder report, IReadOnlyList<Violation> violations)
    {
        report.AppendLine(CultureInfo.InvariantCulture, $"violations {violations.Count}");
        foreach (var violation in violations.Take(60))
            report.AppendLine(CultureInfo.InvariantCulture, $"  ({violation.Rule}) {violation.Evidence}");
    }

    /// <summary>To the screen, and to a file among the results.</summary>
    public static void Write(string name, StringBuilder report)
    {
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(Repository.Root, ".build", "results")).FullName, name), report.ToString());
        Console.WriteLine(report);
    }

    public static void Say(string line) => Console.WriteLine($"{DateTimeOffset.UtcNow:HH:mm:ss} {line}");

    private static string Counted(IEnumerable<string?> all) =>
        string.Join(", ", all.GroupBy(text => text ?? "?").OrderByDescending(group => group.Count()).Select(group => $"{group.Key} × {group.Count()}"));
}
