using Sloring.Approval.Domain;
using Sloring.Hosting;

namespace Sloring.Approval;

/// <summary>What a caller is to a case of the caller's own organisation.</summary>
internal static class CaseAccess
{
    /// <summary>
    /// A leader of the unit that decides, or of the one it was escalated to (rules A1, A3). Where the register knows no unit of the
    /// organisation, every leader of it: somebody must be able to decide.
    /// </summary>
    public static bool LeadsLevelOf(this Caller caller, ApprovalCase @case) =>
        caller.Is(Roles.Leader)
        && (@case.LevelUnitSorId is null || (caller.UnitSorId is { } unit && (unit == @case.LevelUnitSorId || unit == @case.EscalatedUnitSorId)));

    /// <summary>The level, and the activator, who is asked questions (rule A6).</summary>
    public static bool MaySee(this Caller caller, ApprovalCase @case) => caller.LeadsLevelOf(@case) || caller.PersonIds.Contains(@case.ActivatedBy);

    /// <summary>What <see cref="GetCase"/> would not refuse: the operation's roles, and what the caller is to this case.</summary>
    public static bool MayRead(this Caller caller, ApprovalCase @case) => Operations.Allowed[Operations.GetCase].Any(caller.Is) && caller.MaySee(@case);

    /// <summary>The caller as a rule sees it.</summary>
    public static Decider DeciderOf(this Caller caller, ApprovalCase @case, Practice practice) =>
        new(caller.RequirePerson(), caller.LeadsLevelOf(@case), practice.MayDecideOwn) { AlsoKnownAs = caller.AlsoKnownAs };
}
