using System.Text.Json.Nodes;
using Sloring.Hosting;
using Spectre.Console;

namespace Sloring.Embedded;

/// <summary><c>./run verify</c>: recomputes every service's hash chain, compares it with kept checkpoints, and prints one verdict.</summary>
public static class Verify
{
    private const int Most = 5_000;

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
        var table = new Table().RoundedBorder().AddColumns("Journal", "Entries", "Checkpoints", "Verdict");
        // A checkpoint of no service at all is nobody's but a forger's.
        var intact = kept.All(checkpoint => ServiceNames.WithJournal.Contains(checkpoint.Service));
        foreach (var service in ServiceNames.WithJournal)
        {
            var own = kept.Where(checkpoint => checkpoint.Service == service).Select(checkpoint => checkpoint.Signed).ToList();
            JsonNode verdict;
            do
            {
                var page = own.Take(Most).ToList();
                own.RemoveRange(0, page.Count);
                var body = new JsonObject { ["checkpoints"] = new JsonArray([.. page.Select(signed => JsonValue.Create(signed))]) };
                verdict = await at(service).Must("revisor", HttpMethod.Post, $"/v1/journals/{service}/verification", body, cancel);
            }
            while (own.Count > 0 && (bool?)verdict["intact"] == true);
            var whole = (bool?)verdict["intact"] ?? false;
            intact &= whole;
            table.AddRow(service, ((string?)verdict["entries"] ?? "0") + ((string?)verdict["erasedTo"] is { } erased ? $", after {erased} erased" : ""), $"{(int?)verdict["checkpoints"] ?? 0}", whole ? "[green]intact[/]" : $"[red]{Fault(verdict)}[/]");
        }
        AnsiConsole.Write(table);
        AnsiConsole.MarkupLine(intact ? "[green]All journals are intact.[/]" : "[red]A journal has been altered.[/]");
        return intact;
    }

    private static string Fault(JsonNode verdict) => (string?)verdict["fault"] switch
    {
        "JOURNAL_FAULT_TRUNCATED" => $"cut off at {verdict["firstBadPosition"]}",
        "JOURNAL_FAULT_REWRITTEN" => $"written anew at or before {verdict["firstBadPosition"]}",
        "JOURNAL_FAULT_CHECKPOINT_FORGED" => "a forged checkpoint",
        "JOURNAL_FAULT_START_FORGED" => $"a forged start at {verdict["firstBadPosition"]}",
        _ => $"altered at {verdict["firstBadPosition"]}",
    };
}
