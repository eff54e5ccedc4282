using System.Globalization;
using Sloring.Contracts;

namespace Sloring.Approval.Domain;

/// <summary>What an organisation has chosen of its practice; null is as configured.</summary>
/// <param name="ApprovalLevel">Rule A1.</param>
/// <param name="MayDecideOwn">Rule A7.</param>
/// <param name="ExtraNonWorkingDays">"MM-dd" in order, a blank between; empty for none (rule A2).</param>
/// <param name="DecisionWorkingDays">Rule A2.</param>
/// <param name="ExpiryNoticeDays">Rules A8, A9.</param>
public sealed record PracticeChoice(string? ApprovalLevel, bool? MayDecideOwn, string? ExtraNonWorkingDays, int? DecisionWorkingDays, int? ExpiryNoticeDays)
{
    /// <summary>Nothing chosen.</summary>
    public static PracticeChoice None { get; } = new(null, null, null, null, null);
}

/// <summary>A setting before and after a change; null is as configured.</summary>
public sealed record PracticeDifference(string Setting, string? From, string? To);

/// <summary>What may be chosen of a practice, by configuration and by the region (rules A1, A2, A7, A8).</summary>
public static class PracticeRules
{
    /// <summary>So many beside the holidays leave working days in every month; a year without any would never reach a deadline.</summary>
    public const int MostDaysOff = 30;

    public static bool IsDecisionWorkingDays(int days) => days is >= 1 and <= 30;

    public static bool IsExpiryNoticeDays(int days) => days is >= 1 and <= 89;

    /// <summary>A choice, or why it cannot be one.</summary>
    public static Decided<PracticeChoice> Choose(string? level, bool? mayDecideOwn, IReadOnlyList<string>? daysOff, int? decisionWorkingDays, int? expiryNoticeDays)
    {
        if (level is not null && !Levels.All.Contains(level))
            return Rejections.PracticeLevelUnknown.For("approval_level");
        if (daysOff is not null && (daysOff.Count > MostDaysOff || daysOff.Distinct().Count() < daysOff.Count || daysOff.Any(day => WorkingDays.Parse(day) is null)))
            return Rejections.PracticeDaysOffInvalid.For("extra_non_working_days");
        if (decisionWorkingDays is { } decision && !IsDecisionWorkingDays(decision))
            return Rejections.PracticeDecisionDaysInvalid.For("decision_working_days");
        if (expiryNoticeDays is { } notice && !IsExpiryNoticeDays(notice))
            return Rejections.PracticeNoticeDaysInvalid.For("expiry_notice_days");
        return new PracticeChoice(level, mayDecideOwn, daysOff is null ? null : string.Join(' ', daysOff.Order(StringComparer.Ordinal)), decisionWorkingDays, expiryNoticeDays);
    }

    /// <summary>What a change changes.</summary>
    public static IReadOnlyList<PracticeDifference> Differences(PracticeChoice before, PracticeChoice after) =>
        [.. new PracticeDifference[]
        {
            new("approval-level", before.ApprovalLevel, after.ApprovalLevel),
            new("may-decide-own", Text(before.MayDecideOwn), Text(after.MayDecideOwn)),
            new("extra-non-working-days", before.ExtraNonWorkingDays, after.ExtraNonWorkingDays),
            new("decision-working-days", Text(before.DecisionWorkingDays), Text(after.DecisionWorkingDays)),
            new("expiry-notice-days", Text(before.ExpiryNoticeDays), Text(after.ExpiryNoticeDays)),
        }.Where(difference => difference.From != difference.To)];

    private static string? Text(int? number) => number?.ToString(CultureInfo.InvariantCulture);

    private static string? Text(bool? yes) => yes switch { true => "true", false => "false", null => null };
}
