using System.Globalization;
using Sloring.Contracts.Approval.V1;

namespace Sloring.Approval.Domain;

/// <summary>What the overview knows of one case: no patient, no person.</summary>
public sealed record OverviewFact(
    OverviewKey Key, DateTimeOffset ActivatedAt, DateTimeOffset DecisionDue, DateTimeOffset EndsAt, CaseState? DecidedAs,
    DateTimeOffset? DecidedAt, DateTimeOffset? ClosedAt, int Renewals);

/// <summary>What a row is about.</summary>
/// <param name="Month">Month of the activation in Denmark, yyyy-MM.</param>
/// <param name="Cvr">The organisation.</param>
/// <param name="LevelUnitSorId">The level that decides; empty where none is known.</param>
/// <param name="Trigger">The trigger's word.</param>
public sealed record OverviewKey(string Month, string Cvr, string LevelUnitSorId, string Trigger);

/// <summary>What is counted for a row. Two tallies of a row added are the tally of all their cases, so that those of cases that are erased can be kept.</summary>
/// <param name="Activations">Cases.</param>
/// <param name="Upheld">Of them upheld.</param>
/// <param name="Lifted">Of them lifted.</param>
/// <param name="Renewed">Renewals of them.</param>
/// <param name="Overdue">Of them decided late, or closed undecided after the deadline.</param>
/// <param name="DecidedWithin">How many were decided within how many tenths of an hour.</param>
public sealed record OverviewTally(int Activations, int Upheld, int Lifted, int Renewed, int Overdue, IReadOnlyList<(int Tenths, int Decisions)> DecidedWithin);

/// <summary>The figures of a row; null is suppressed (the median also where nothing was decided).</summary>
public sealed record OverviewFigures(int? Activations, int? Upheld, int? Lifted, int? Renewed, int? Overdue, double? MedianHours);

/// <summary>The overview of use: aggregated (rule O1), small cells suppressed (rule O2).</summary>
public static class OverviewRules
{
    /// <summary>
    /// Fewer makes no sense: a row that is there has an activation, so "under 2" would say "1". Larger cells may be asked for.
    /// </summary>
    public const int SmallestSmallestCell = 3;

    /// <summary>The month of a day as a row names it, yyyy-MM.</summary>
    public static string MonthOf(DateOnly day) => day.ToString("yyyy-MM", CultureInfo.InvariantCulture);

    /// <summary>Counts cases by key (rule O1).</summary>
    public static IEnumerable<(OverviewKey Key, OverviewTally Tally)> Count(IEnumerable<OverviewFact> facts, DateTimeOffset now) =>
        facts.GroupBy(fact => fact.Key).Select(group => (group.Key, new OverviewTally(
            group.Count(),
            group.Count(fact => fact.DecidedAs == CaseState.Upheld),
            group.Count(fact => fact.DecidedAs == CaseState.Lifted),
            group.Sum(fact => fact.Renewals),
            group.Count(fact => WasOverdue(fact, now)),
            [.. group.Where(fact => fact.DecidedAt is not null).Select(fact => (Tenths(fact.DecidedAt!.Value - fact.ActivatedAt), 1))])));

    /// <summary>The figures of each row, in the order of month, organisation, level and trigger (rule O1).</summary>
    public static IReadOnlyList<(OverviewKey Key, OverviewFigures Figures)> Aggregate(IEnumerable<(OverviewKey Key, OverviewTally Tally)> counted) =>
        [.. counted.GroupBy(part => part.Key, part => part.Tally)
            .OrderBy(group => group.Key.Month, StringComparer.Ordinal).ThenBy(group => group.Key.Cvr, StringComparer.Ordinal)
            .ThenBy(group => group.Key.LevelUnitSorId, StringComparer.Ordinal).ThenBy(group => group.Key.Trigger, StringComparer.Ordinal)
            .Select(group => (group.Key, Figures(Sum([.. group]))))];

    /// <summary>
    /// Suppresses every count under <paramref name="smallest"/>, zero too, and what would give a suppressed count away (rule O2).
    /// A row stands for itself: no totals are shown, and it looks the same whatever period is asked for, so that neither sums nor
    /// two questions compared tell more. What is known within a row: upheld + lifted ≤ activations, and only what was upheld is renewed.
    /// </summary>
    public static OverviewFigures Suppress(OverviewFigures row, int smallest)
    {
        if (row.Activations < smallest)
            return new OverviewFigures(null, null, null, null, null, null);
        var (upheld, lifted) = (Cell(row.Upheld, smallest), Cell(row.Lifted, smallest));
        if (lifted is null && upheld == row.Activations)
            upheld = null; // all upheld: "none lifted" would follow
        else if (upheld is null && lifted >= row.Activations - 1)
            lifted = null; // none upheld, or, where renewals show, exactly one
        return row with
        {
            Upheld = upheld,
            Lifted = lifted,
            Renewed = Cell(row.Renewed, smallest),
            Overdue = Cell(row.Overdue, smallest),
            MedianHours = row.Upheld + row.Lifted < smallest ? null : row.MedianHours,
        };
    }

    /// <summary>Decided late, or still (or until it was closed) undecided past the deadline (rule A3).</summary>
    private static bool WasOverdue(OverviewFact fact, DateTimeOffset now)
    {
        var undecidedUntil = fact.DecidedAt ?? fact.ClosedAt ?? (fact.EndsAt < now ? fact.EndsAt : now);
        return undecidedUntil >= fact.DecisionDue;
    }

    private static int? Cell(int? count, int smallest) => count < smallest ? null : count;

    private static OverviewTally Sum(IReadOnlyList<OverviewTally> tallies) => new(
        tallies.Sum(tally => tally.Activations),
        tallies.Sum(tally => tally.Upheld),
        tallies.Sum(tally => tally.Lifted),
        tallies.Sum(tally => tally.Renewed),
        tallies.Sum(tally => tally.Overdue),
        [.. tallies.SelectMany(tally => tally.DecidedWithin).GroupBy(within => within.Tenths).OrderBy(same => same.Key).Select(same => (same.Key, same.Sum(within => within.Decisions)))]);

    private static OverviewFigures Figures(OverviewTally tally) => new(tally.Activations, tally.Upheld, tally.Lifted, tally.Renewed, tally.Overdue, Median(tally.DecidedWithin));

    /// <summary>As fine as the median is shown, and no finer: a time is kept when its case is erased.</summary>
    private static int Tenths(TimeSpan time) => (int)Math.Round(time.TotalHours * 10);

    private static double? Median(IReadOnlyList<(int Tenths, int Decisions)> within)
    {
        var decisions = within.Sum(same => same.Decisions);
        if (decisions == 0)
            return null;
        return Math.Round((At((decisions - 1) / 2) + At(decisions / 2)) / 20.0, 1);

        int At(int index) => within.First(same => (index -= same.Decisions) < 0).Tenths;
    }
}
