using Sloring.Contracts;
using Sloring.Contracts.Events;
using Sloring.Contracts.Registration.V1;

namespace Sloring.Registration.Domain;

/// <summary>A step that people take with a nomination.</summary>
public enum UnitStep
{
    Recommend,
    Return,
    Refuse,
    Confirm,
    Remove,
}

/// <summary>What a rule decided about a unit.</summary>
/// <param name="Unit">The department masking afterwards.</param>
/// <param name="Event">What is told.</param>
public sealed record UnitDecision(DepartmentMasking Unit, UnitChanged Event);

/// <summary>The rules of department masking.</summary>
public static class UnitRules
{
    private const int LongestReference = 200;

    /// <summary>State × step → state (rule D2); what is not here is not possible. Only confirmation puts a unit in force (rule D3).</summary>
    public static IReadOnlyDictionary<(UnitState, UnitStep), UnitState> Steps { get; } = new Dictionary<(UnitState, UnitStep), UnitState>
    {
        [(UnitState.Nominated, UnitStep.Recommend)] = UnitState.Recommended,
        [(UnitState.Nominated, UnitStep.Return)] = UnitState.Returned,
        [(UnitState.Nominated, UnitStep.Refuse)] = UnitState.Refused,
        [(UnitState.Recommended, UnitStep.Confirm)] = UnitState.InForce,
        [(UnitState.InForce, UnitStep.Remove)] = UnitState.Removed,
    };

    /// <summary>States in which a unit cannot be nominated again.</summary>
    public static IReadOnlyList<UnitState> Open { get; } = [UnitState.Nominated, UnitState.Recommended, UnitState.InForce];

    /// <summary>The words of the states in events.</summary>
    public static IReadOnlyDictionary<UnitState, string> StateWords { get; } = new Dictionary<UnitState, string>
    {
        [UnitState.Nominated] = "nominated",
        [UnitState.Recommended] = "recommended",
        [UnitState.Returned] = "returned",
        [UnitState.Refused] = "refused",
        [UnitState.InForce] = "in-force",
        [UnitState.Removed] = "removed",
    };

    /// <summary>A unit is named by a SOR id or by a SHAK code, never both (rule D1).</summary>
    public static Rejection? NameOfUnit(string sorId, string shak) => (sorId.Length, shak.Length) switch
    {
        (0, 0) or ( > 0, > 0) => Rejections.UnitUnknown.For("sor_id"),
        ( > 0, 0) => SorId.IsValid(sorId) ? null : Rejections.SorInvalid.For("sor_id"),
        _ => ShakCode.IsValid(shak) ? null : Rejections.ShakInvalid.For("shak"),
    };

    /// <summary>All four grounds are required (rule D2).</summary>
    public static Decided<UnitGrounds> Grounds(UnitGrounds? grounds)
    {
        if (grounds is null || grounds.ReportedIncidents < 1)
            return Rejections.GroundsIncomplete.For("grounds.reported_incidents");
        return new UnitGrounds
        {
            ReportedIncidents = grounds.ReportedIncidents,
            WorkplaceAssessment = Texts.Required(
                grounds.WorkplaceAssessment, Rejections.GroundsIncomplete, "grounds.workplace_assessment", LongestReference),
            Severity = Texts.Required(grounds.Severity, Rejections.GroundsIncomplete, "grounds.severity"),
            WhyNotIndividual = Texts.Required(grounds.WhyNotIndividual, Rejections.GroundsIncomplete, "grounds.why_not_individual"),
        };
    }

    /// <summary>The smallest possible unit of one's own organisation, once (rule D2).</summary>
    public static Decided<RegisterUnit> Nominable(RegisterUnit? unit, CvrNumber cvr)
    {
        if (unit is null)
            return Rejections.UnitUnknown;
        if (unit.Cvr != cvr)
            return Rejections.UnitOfOther;
        if (unit.IsTop)
            return Rejections.UnitTooLarge;
        return unit;
    }

    /// <summary>A nomination by a hospital's management (rule D2).</summary>
    public static Decided<UnitDecision> Nominate(DepartmentMasking nomination, bool alreadyOpen, string by, DateTimeOffset at) => alreadyOpen
        ? Rejections.UnitAlreadyNominated
        : new UnitDecision(nomination, Changed(nomination, by, at, nomination.SealedGrounds));

    /// <summary>The step of a review (rule D2); a return or a refusal says why.</summary>
    public static Decided<UnitStep> StepOf(Review review, bool hasReason) => review switch
    {
        Review.Recommended => UnitStep.Recommend,
        Review.Returned or Review.Refused when !hasReason => Rejections.ReviewReasonMissing.For("reason"),
        Review.Returned => UnitStep.Return,
        Review.Refused => UnitStep.Refuse,
        _ => Rejections.CodeUnknown.For("review"),
    };

    /// <summary>Takes a step. A confirmed unit is in force at once and gets a review date (rule D3).</summary>
    public static Decided<UnitDecision> Take(
        DepartmentMasking unit, UnitStep step, string by, string? sealedReason, DateTimeOffset at, int reviewAfterDays)
    {
        if (!Steps.TryGetValue((unit.State, step), out var state))
            return Rejections.UnitStateWrong;
        var next = unit with { State = state };
        if (state == UnitState.InForce)
            next = next with { InForceFrom = MaskingDates.RoundDown(at), ReviewOn = DanishTime.DayOf(at).AddDays(reviewAfterDays) };
        if (!Open.Contains(state))
            next = next with { ClosedAt = MaskingDates.RoundDown(at) };
        return new UnitDecision(next, Changed(next, by, at, sealedReason));
    }

    /// <summary>A department masking of an organisation that another has replaced is the other's (decision 37); its state stays.</summary>
    public static UnitDecision TakeOver(DepartmentMasking unit, CvrNumber cvr, string by, DateTimeOffset at)
    {
        var next = unit with { Cvr = cvr };
        return new UnitDecision(next, Changed(next, by, at, null));
    }

    private static UnitChanged Changed(DepartmentMasking unit, string by, DateTimeOffset at, string? sealedReason) => new()
    {
        UnitMaskingId = unit.UnitMaskingId.ToString("D"),
        Cvr = unit.Cvr.ToString(),
        SorId = unit.SorId,
        Shak = unit.Shak,
        State = StateWords[unit.State],
        ChangedBy = by,
        ChangedAt = MaskingDates.RoundDown(at),
        SealedReason = sealedReason,
    };
}
