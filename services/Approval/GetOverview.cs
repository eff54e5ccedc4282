using System.Globalization;
using Sloring.Approval.Domain;
using Sloring.Contracts;
using Sloring.Contracts.Approval.V1;
using Sloring.Hosting;

namespace Sloring.Approval;

/// <summary>Aggregated use of the caller's organisation, or of all for the national level (rules O1, O2).</summary>
public sealed class GetOverview(Store<ApprovalDb> store, Practices practices, TimeProvider clock)
{
    private const int LongestMonths = 60;

    public async Task<Overview> Handle(GetOverviewRequest request, Caller caller, CancellationToken cancel)
    {
        var (first, last) = (Month(request.FromMonth, "from_month"), Month(request.ToMonth, "to_month"));
        if (last < first || last > first.AddMonths(LongestMonths))
            throw new RejectedException(Rejections.OverviewPeriodInvalid.For("to_month"));
        var (from, until) = (DanishTime.StartOf(first), DanishTime.StartOf(last.AddMonths(1)));
        var cvr = caller.Is(Roles.National) ? null : caller.RequireCvr().ToString();
        var (facts, erased) = await store.Read(
            async db => (
                await db.Cases.Where(c => c.ActivatedAt >= from && c.ActivatedAt < until && (cvr == null || c.Cvr == cvr)).Facts(cancel),
                await db.Erased(OverviewRules.MonthOf(first), OverviewRules.MonthOf(last), cvr, cancel)),
            cancel);
        var rows = OverviewRules.Aggregate([.. OverviewRules.Count(facts, clock.GetUtcNow()), .. erased]);
        return new Overview
        {
            Rows = { rows.Select(row => Show(row.Key, OverviewRules.Suppress(row.Figures, practices.Configured(row.Key.Cvr).SmallestCell))) },
            SmallestCell = rows.Select(row => row.Key.Cvr).Append(cvr ?? "").Distinct().Max(organisation => practices.Configured(organisation).SmallestCell),
        };
    }

    private static OverviewRow Show(OverviewKey key, OverviewFigures figures)
    {
        var row = new OverviewRow { Month = key.Month, Cvr = key.Cvr, LevelUnitSorId = key.LevelUnitSorId, Trigger = key.Trigger };
        if (figures.Activations is { } activations)
            row.Activations = activations;
        if (figures.Upheld is { } upheld)
            row.Upheld = upheld;
        if (figures.Lifted is { } lifted)
            row.Lifted = lifted;
        if (figures.Renewed is { } renewed)
            row.Renewed = renewed;
        if (figures.Overdue is { } overdue)
            row.Overdue = overdue;
        if (figures.MedianHours is { } median)
            row.MedianHoursToDecision = median;
        return row;
    }

    /// <summary>Years outside 2000 to 2999 are slips of the pen, and their neighbours would leave the calendar.</summary>
    private static DateOnly Month(string text, string field) =>
        DateOnly.TryParseExact(text, "yyyy-MM", CultureInfo.InvariantCulture, DateTimeStyles.None, out var month) && month.Year is >= 2000 and <= 2999
            ? month
            : throw new RejectedException(Rejections.OverviewPeriodInvalid.For(field));
}
