using System.Text.Json.Nodes;
using Sloring.Hosting;
using Spectre.Console;

namespace Sloring.Embedded;

/// <summary><c>./run verify</c>: recomputes every service's hash chain, compares it with kept checkpoints, and prints one verdict.</summary>
public static class Verify
{
    private const int Most = 5_000;
    private const int Listed = 5;

    internal static async Task<int> Run(string[] args, FileInfo? checkpoints, CancellationToken cancel)
    {
        if (await IsMissing(checkpoints))
            return 1;
        using var platform = await Running.Find(args, cancel);
        return platform is null ? 1 : await Print(_ => platform, checkpoints, cancel) ? 0 : 1;
    }

    /// <summary>Whether a file of checkpoints is named that is not there; says so.</summary>
    public static async Task<bool> IsMissing(FileInfo? checkpoints)
    {
        if (checkpoints is not { Exists: false })
            return false;
        await Console.Error.WriteLineAsync($"{checkpoints.FullName} does not exist. The command checkpoints makes it.");
        return true;
    }

    /// <summary>Verifies all journals and prints the table and the verdict; true when all are intact.</summary>
    /// <param name="at">Where a service is asked.</param>
    /// <param name="checkpoints">Kept outside by <see cref="KeepCheckpoints"/>; null for none.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<bool> Print(Func<string, PlatformClient> at, FileInfo? checkpoints, CancellationToken cancel)
    {
        var kept = checkpoints is null ? [] : await KeepCheckpoints.Read(checkpoints, cancel);
        var table = new Table().RoundedBorder().AddColumns("Journal", "Entries", "Checkpoints", "Last checkpoint", "Verdict");
        // A checkpoint of no service at all is nobody's but a forger's.
        var intact = kept.All(checkpoint => ServiceNames.WithJournal.Contains(checkpoint.Service));
        foreach (var service in ServiceNames.WithJournal)
        {
            var own = kept.Where(checkpoint => checkpoint.Service == service).Select(checkpoint => checkpoint.Signed).ToList();
            JsonNode verdict;
            var (whole, found) = (true, new HashSet<(string Fault, string Position)>());
            do
            {
                var page = own.Take(Most).ToList();
                own.RemoveRange(0, page.Count);
                var body = new JsonObject { ["checkpoints"] = new JsonArray([.. page.Select(signed => JsonValue.Create(signed))]) };
                verdict = await at(service).Must("revisor", HttpMethod.Post, $"/v1/journals/{service}/verification", body, cancel);
                whole &= (bool?)verdict["intact"] ?? false;
                found.UnionWith(Findings(verdict));
            }
            while (own.Count > 0);
            intact &= whole;
            table.AddRow(
                service,
                ((string?)verdict["entries"] ?? "0") + ((string?)verdict["erasedTo"] is { } erased ? $", after {erased} erased" : ""),
                $"{(int?)verdict["checkpoints"] ?? 0}",
                (string?)verdict["lastCheckpoint"] is { } made ? made[..16].Replace('T', ' ') : "none",
                whole ? "[green]intact[/]" : $"[red]{Told(found)}[/]");
        }
        AnsiConsole.Write(table);
        AnsiConsole.MarkupLine(intact ? "[green]All journals are intact.[/]" : "[red]A journal has been altered.[/]");
        if (checkpoints is null)
            AnsiConsole.MarkupLine("Nothing was compared with checkpoints kept outside: whether an end was cut off does not show. [bold]./run checkpoints FILE[/] keeps them, [bold]./run verify --checkpoints FILE[/] compares.");
        return intact;
    }

    private static IEnumerable<(string Fault, string Position)> Findings(JsonNode verdict) =>
        (verdict["findings"]?.AsArray() ?? []).Select(finding => ((string?)finding!["fault"] ?? "", (string?)finding["position"] ?? "0"));

    private static string Told(IEnumerable<(string Fault, string Position)> found) => string.Join("; ", found.GroupBy(one => one.Fault).Select(same =>
    {
        var positions = string.Join(", ", same.Take(Listed).Select(one => one.Position)) + (same.Count() > Listed ? $" and {same.Count() - Listed} more" : "");
        return same.Key switch
        {
            "JOURNAL_FAULT_TRUNCATED" => $"cut off at {positions}",
            "JOURNAL_FAULT_REWRITTEN" => $"written anew at or before {positions}",
            "JOURNAL_FAULT_CHECKPOINT_FORGED" => "a forged checkpoint" + (positions == "0" ? "" : $" at {positions}"),
            "JOURNAL_FAULT_START_FORGED" => $"a forged start at {positions}",
            _ => $"altered at {positions}",
        };
    }));
}
