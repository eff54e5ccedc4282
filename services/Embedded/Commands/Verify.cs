using Spectre.Console;

namespace Sloring.Embedded;

/// <summary><c>./run verify</c>: recomputes every service's hash chain and prints one verdict.</summary>
internal static class Verify
{
    internal static readonly string[] Services = ["registration", "approval", "scheduler", "pseudonym", "effectuation"];

    public static async Task<int> Run(string[] args, CancellationToken cancel)
    {
        using var platform = await Running.Find(args, cancel);
        return platform is null ? 1 : await Print(platform, cancel) ? 0 : 1;
    }

    internal static async Task<bool> Print(PlatformClient platform, CancellationToken cancel)
    {
        var table = new Table().RoundedBorder().AddColumns("Journal", "Entries", "Verdict");
        var intact = true;
        foreach (var service in Services)
        {
            var verdict = await platform.Must("revisor", HttpMethod.Get, $"/v1/journals/{service}/verification", null, cancel);
            var whole = (bool?)verdict["intact"] ?? false;
            intact &= whole;
            table.AddRow(service, (string?)verdict["entries"] ?? "0", whole ? "[green]intact[/]" : $"[red]altered at {verdict["firstBadPosition"]}[/]");
        }
        AnsiConsole.Write(table);
        AnsiConsole.MarkupLine(intact ? "[green]All journals are intact.[/]" : "[red]A journal has been altered.[/]");
        return intact;
    }
}
