using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Mvc;
using Sloring.Contracts;
using Sloring.Contracts.Approval.V1;
using Sloring.Hosting;
using OverviewAnswer = Sloring.Contracts.Approval.V1.Overview;

namespace Sloring.Portal.Pages;

/// <summary>The running overview of use, to compare practice by (rules O1, O2).</summary>
public sealed class OverviewModel(
    [FromKeyedServices("approval")] ApprovalService.ApprovalServiceClient approval, Organisations organisations, TimeProvider clock) : PortalPage
{
    private const int MonthsShown = 12;
    private OverviewAnswer _overview = new();

    /// <summary>First month, yyyy-MM.</summary>
    [BindProperty(SupportsGet = true)]
    public string? From { get; set; }

    /// <summary>Last month, yyyy-MM.</summary>
    [BindProperty(SupportsGet = true)]
    public string? To { get; set; }

    public IReadOnlyList<OverviewRow> Rows => _overview.Rows;

    public string Smallest => _overview.SmallestCell.ToString(CultureInfo.InvariantCulture);

    public IReadOnlyList<string> Columns { get; } =
    [
        Wording.Month, Wording.Level, Wording.Trigger, Wording.Activations, Wording.Upheld, Wording.Lifted, Wording.Renewed, Wording.LateOrOverdue, Wording.MedianHours,
    ];

    /// <summary>The cells of a row; null where suppressed.</summary>
    public IEnumerable<string?> Cells(OverviewRow row) =>
    [
        row.Month,
        organisations.Find(row.LevelUnitSorId)?.Name ?? row.LevelUnitSorId,
        Show.Trigger(row.Trigger),
        Number(row.HasActivations, row.Activations), Number(row.HasUpheld, row.Upheld), Number(row.HasLifted, row.Lifted), Number(row.HasRenewed, row.Renewed),
        Number(row.HasOverdue, row.Overdue),
        row.HasMedianHoursToDecision ? row.MedianHoursToDecision.ToString("F1", CultureInfo.InvariantCulture) : null,
    ];

    /// <summary>The months, as JSON.</summary>
    public string Months => JsonSerializer.Serialize(ByMonth.Select(month => month.Key));

    /// <summary>Named series over the months, as JSON.</summary>
    public string Series(params (string Name, Func<OverviewRow, int> Of)[] series) =>
        JsonSerializer.Serialize(series.Select(s => new { name = s.Name, values = ByMonth.Select(month => month.Sum(s.Of)) }));

    public string Series(string name, Func<OverviewRow, int> of) => Series((name, of));

    private IEnumerable<IGrouping<string, OverviewRow>> ByMonth => Rows.GroupBy(row => row.Month).OrderBy(month => month.Key, StringComparer.Ordinal);

    public Task<IActionResult> OnGetAsync(CancellationToken cancel) => Read(Page, cancel);

    /// <summary>The same rows as a file; a suppressed cell is empty.</summary>
    public Task<IActionResult> OnGetCsvAsync(CancellationToken cancel) => Read(
        () =>
        {
            var lines = Rows.Select(row => Cells(row)).Prepend(Columns).Select(cells => string.Join(';', cells.Select(Quoted)));
            // With a byte order mark: spreadsheets else take the Danish letters for something else.
            return File([.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes(string.Join("\r\n", lines) + "\r\n")], "text/csv; charset=utf-8", $"sloring-{From}-{To}.csv");
        },
        cancel);

    private Task<IActionResult> Read(Func<IActionResult> then, CancellationToken cancel)
    {
        var today = DanishTime.DayOf(clock.GetUtcNow());
        To ??= today.ToString("yyyy-MM", CultureInfo.InvariantCulture);
        From ??= today.AddMonths(1 - MonthsShown).ToString("yyyy-MM", CultureInfo.InvariantCulture);
        return Do(
            async () => _overview = await approval.GetOverviewAsync(new GetOverviewRequest { FromMonth = From, ToMonth = To }, cancellationToken: cancel),
            then, () => Task.FromResult<IActionResult>(Page()));
    }

    private static string? Number(bool shown, int number) => shown ? number.ToString(CultureInfo.InvariantCulture) : null;

    private static string Quoted(string? cell) => $"\"{(cell ?? "").Replace("\"", "\"\"")}\"";
}
