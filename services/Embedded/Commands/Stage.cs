using System.Diagnostics;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace Sloring.Embedded;

/// <summary>What a demo is played on: titles, checked steps, and the patient's log as a table.</summary>
public sealed class Stage(CancellationToken cancel)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private int _wrong;

    /// <summary>The last line and the exit code.</summary>
    public int Close()
    {
        AnsiConsole.WriteLine();
        AnsiConsole.MarkupLine(_wrong == 0 ? "[green bold]All as the rules say.[/]" : $"[red bold]{_wrong} not as the rules say.[/]");
        return _wrong == 0 ? 0 : 1;
    }

    /// <summary>Waits, with a limit, and checks that it came true.</summary>
    public async Task Until(string what, Func<Task<bool>> condition)
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
            await tick.WaitForNextTickAsync(cancel);
        }
        Check(what, true);
    }

    public void Check(string what, bool right)
    {
        AnsiConsole.MarkupLine($"{(right ? "[green]✓[/]" : "[red]✗[/]")} {what.EscapeMarkup()}");
        _wrong += right ? 0 : 1;
    }

    public void Title(string text)
    {
        AnsiConsole.WriteLine();
        AnsiConsole.MarkupLine($"[bold]{text.EscapeMarkup()}[/]");
    }

    /// <summary>The staff of a log's entries.</summary>
    public static IEnumerable<JsonNode> Staff(JsonNode log, string? cvr = null) => log["entries"]!.AsArray()
        .Where(entry => cvr is null || (string?)entry!["cvr"] == cvr).SelectMany(entry => entry!["staff"]!.AsArray()).Select(staff => staff!);

    public static bool Masked(JsonNode staff) => (bool?)staff["masked"] == true;

    public static string Day(DateTimeOffset instant) => Contracts.DanishTime.DayOf(instant).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);

    public static void Show(JsonNode log)
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
