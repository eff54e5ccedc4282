using Microsoft.EntityFrameworkCore;
using Sloring.Approval.Domain;
using Sloring.Contracts;

namespace Sloring.Approval;

/// <summary>What the overview counts of cases that are erased: no case, no patient, no person (rule O2). The figures that are too small are suppressed where it is shown.</summary>
public sealed class OverviewCount
{
    public required string Month { get; init; }

    public required string Cvr { get; init; }

    public required string LevelUnitSorId { get; init; }

    public required string Trigger { get; init; }

    public int Activations { get; set; }

    public int Upheld { get; set; }

    public int Lifted { get; set; }

    public int Renewed { get; set; }

    public int Overdue { get; set; }
}

/// <summary>How many erased cases of a row of the overview were decided within how long: the median comes from these.</summary>
public sealed class OverviewDecisionTime
{
    public required string Month { get; init; }

    public required string Cvr { get; init; }

    public required string LevelUnitSorId { get; init; }

    public required string Trigger { get; init; }

    /// <summary>From activation to decision, in tenths of an hour.</summary>
    public required int Tenths { get; init; }

    public int Decisions { get; set; }
}

internal static class OverviewCounts
{
    /// <summary>What the overview knows of cases.</summary>
    public static async Task<List<OverviewFact>> Facts(this IQueryable<ApprovalCase> cases, CancellationToken cancel) =>
        (await cases.Select(c => new { c.Cvr, c.LevelUnitSorId, c.Trigger, c.ActivatedAt, c.DecisionDue, c.EndsAt, c.DecidedAs, c.DecidedAt, c.ClosedAt, c.Renewals }).ToListAsync(cancel))
            .ConvertAll(c => new OverviewFact(
                new OverviewKey(OverviewRules.MonthOf(DanishTime.DayOf(c.ActivatedAt)), c.Cvr, c.LevelUnitSorId ?? "", c.Trigger),
                c.ActivatedAt, c.DecisionDue, c.EndsAt, c.DecidedAs, c.DecidedAt, c.ClosedAt, c.Renewals));

    /// <summary>Adds what is counted of cases that are erased.</summary>
    public static async Task Add(this ApprovalDb db, OverviewKey key, OverviewTally tally, CancellationToken cancel)
    {
        var count = await db.OverviewCounts.FindAsync([key.Month, key.Cvr, key.LevelUnitSorId, key.Trigger], cancel)
            ?? db.OverviewCounts.Add(new OverviewCount { Month = key.Month, Cvr = key.Cvr, LevelUnitSorId = key.LevelUnitSorId, Trigger = key.Trigger }).Entity;
        count.Activations += tally.Activations;
        count.Upheld += tally.Upheld;
        count.Lifted += tally.Lifted;
        count.Renewed += tally.Renewed;
        count.Overdue += tally.Overdue;
        foreach (var (tenths, decisions) in tally.DecidedWithin)
        {
            var time = await db.OverviewDecisionTimes.FindAsync([key.Month, key.Cvr, key.LevelUnitSorId, key.Trigger, tenths], cancel)
                ?? db.OverviewDecisionTimes.Add(new OverviewDecisionTime
                {
                    Month = key.Month,
                    Cvr = key.Cvr,
                    LevelUnitSorId = key.LevelUnitSorId,
                    Trigger = key.Trigger,
                    Tenths = tenths,
                }).Entity;
            time.Decisions += decisions;
        }
    }

    /// <summary>What is counted of erased cases of some months, both included.</summary>
    /// <param name="db">The tables.</param>
    /// <param name="first">yyyy-MM</param>
    /// <param name="last">yyyy-MM</param>
    /// <param name="cvr">Only of this organisation; null for all.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<List<(OverviewKey Key, OverviewTally Tally)>> Erased(this ApprovalDb db, string first, string last, string? cvr, CancellationToken cancel)
    {
        var counts = await db.OverviewCounts.AsNoTracking()
            .Where(c => c.Month.CompareTo(first) >= 0 && c.Month.CompareTo(last) <= 0 && (cvr == null || c.Cvr == cvr)).ToListAsync(cancel);
        var times = (await db.OverviewDecisionTimes.AsNoTracking()
            .Where(t => t.Month.CompareTo(first) >= 0 && t.Month.CompareTo(last) <= 0 && (cvr == null || t.Cvr == cvr)).ToListAsync(cancel))
            .ToLookup(time => new OverviewKey(time.Month, time.Cvr, time.LevelUnitSorId, time.Trigger), time => (time.Tenths, time.Decisions));
        return counts.ConvertAll(c =>
        {
            var key = new OverviewKey(c.Month, c.Cvr, c.LevelUnitSorId, c.Trigger);
            return (key, new OverviewTally(c.Activations, c.Upheld, c.Lifted, c.Renewed, c.Overdue, [.. times[key]]));
        });
    }
}
