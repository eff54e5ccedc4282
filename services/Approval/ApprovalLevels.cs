using Sloring.Approval.Domain;
using Sloring.Contracts;
using Sloring.Hosting;

namespace Sloring.Approval;

/// <summary>Looks up, in the organisation register, the units that <see cref="Levels"/> chooses from.</summary>
public sealed class ApprovalLevels(Organisations organisations)
{
    /// <summary>The unit whose leaders decide (rule A1); null where the register knows no unit of the organisation.</summary>
    public string? Deciding(CvrNumber cvr, string? unitSorId, string level) => Levels.Deciding(Chain(cvr, unitSorId), level)?.SorId;

    /// <summary>The unit above (rule A3); null where there is none.</summary>
    public string? Above(CvrNumber cvr, string? unitSorId) => Levels.Above(Chain(cvr, unitSorId), unitSorId)?.SorId;

    /// <summary>
    /// The unit and what stands above it, never beyond the organisation: leaders of another organisation must not see its cases.
    /// A unit that is unknown, or another organisation's, gives the organisation's top unit.
    /// </summary>
    private List<LevelUnit> Chain(CvrNumber cvr, string? unitSorId)
    {
        var start = organisations.Find(unitSorId) is { } unit && unit.Cvr == cvr ? unit : organisations.Top(cvr);
        return start is null
            ? []
            : [.. organisations.SelfAndAbove(start).TakeWhile(above => above.Cvr == cvr).Select(above => new LevelUnit(above.SorId, above.Level))];
    }
}
