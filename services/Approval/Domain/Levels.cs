namespace Sloring.Approval.Domain;

/// <summary>A unit of an organisation and its management level.</summary>
/// <param name="SorId">SOR id.</param>
/// <param name="Level">"department", "hospital", "region", or a word for something smaller.</param>
public sealed record LevelUnit(string SorId, string Level);

/// <summary>Which unit's leaders decide, over the chain from the activator's unit up to the organisation's top, nearest first.</summary>
public static class Levels
{
    /// <summary>The levels that an organisation may choose, lowest first (rule A1).</summary>
    public static IReadOnlyList<string> All { get; } = ["department", "hospital", "region"];

    /// <summary>
    /// The nearest unit of the chosen level or, where the chain skips that level, the next higher one; the top where none is as high
    /// (rule A1). Null only for an empty chain: the register knows nothing of the organisation.
    /// </summary>
    public static LevelUnit? Deciding(IReadOnlyList<LevelUnit> chain, string level) =>
        chain.FirstOrDefault(unit => Rank(unit.Level) >= Rank(level)) ?? (chain.Count == 0 ? null : chain[^1]);

    /// <summary>The level above, to which an overdue case is escalated (rule A3); null at the top.</summary>
    public static LevelUnit? Above(IReadOnlyList<LevelUnit> chain, string? sorId)
    {
        var below = chain.FirstOrDefault(unit => unit.SorId == sorId);
        return below is null ? null : chain.SkipWhile(unit => unit.SorId != sorId).FirstOrDefault(unit => Rank(unit.Level) > Rank(below.Level));
    }

    private static int Rank(string level)
    {
        for (var rank = 0; rank < All.Count; rank++)
        {
            if (All[rank] == level)
                return rank;
        }
        return -1;
    }
}
