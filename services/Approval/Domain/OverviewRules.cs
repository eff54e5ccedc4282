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

/// <summary>The figures of a row; null is suppressed (the median also where nothing was decided).</summary>
public sealed record OverviewFigures(int? Activations, int? Upheld, int? Lifted, int? Renewed, int? Overdue, double? MedianHours);

/// <summary>The overview of use: aggregated (rule O1), small cells suppressed (rule O2).</summary>
public static class OverviewRules
{
    /// <summary>
    /// Fewer makes no sense: a row that is there has an activation, so "under 2" would say "1". Larger cells may be asked for.
    /// </summary>
    public const int SmallestSmallestCell = 3;

    /// <summary>Counts cases by key, in the order of month, organisation, level and trigger (rule O1).</summary>
    public static IReadOnlyList<(OverviewKey Key, OverviewFigures Figures)> Aggregate(IEnumerable<OverviewFact> facts, DateTimeOffset now) =>
        [.. facts.GroupBy(fact => fact.Key)
            .OrderBy(group => group.Key.Month, StringComparer.Ordinal).ThenBy(group => group.Key.Cvr, StringComparer.Ordinal)
            .ThenBy(group => group.Key.LevelUnitSorId, StringComparer.Ordinal).ThenBy(group => group.Key.Trigger, StringComparer.Ordinal)
            .Select(group => (group.Key, new OverviewFigures(
                group.Count(),
                group.Count(fact => fact.DecidedAs == CaseState.Upheld),
                group.Count(fact => fact.DecidedAs == CaseState.Lifted),
                group.Sum(fact => fact.Renewals),
                group.Count(fact => WasOverdue(fact, now)),
                Median([.. group.Where(fact => fact.DecidedAt is not null).Select(fact => (fact.DecidedAt!.Value - fact.ActivatedAt).TotalHours)]))))];

    /// <summary>
    /// Suppresses every count under <paramref name="smallest"/>, zero too, and what would give a suppressed count away (rule O2).
    /// A row stands for itself: no totals are shown, and it looks the same whatever period is asked for, so that neither sums nor
    /// two questions compared tell more. What is known within a row: upheld + lifted ≤ activations, and only the upheld are renewed.
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

    private static double? Median(double[] hours)
    {
        if (hours.Length == 0)
            return null;
        Array.Sort(hours);
        var middle = hours.Length / 2;
        var median = hours.Length % 2 == 1 ? hours[middle] : (hours[middle - 1] + hours[middle]) / 2;
        return Math.Round(median, 1);
    }
}
