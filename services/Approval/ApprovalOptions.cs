using Microsoft.Extensions.Options;
using Sloring.Approval.Domain;
using Sloring.Contracts;

namespace Sloring.Approval;

/// <summary>What an organisation may choose; what it leaves out is as in the defaults.</summary>
public class PracticeOptions
{
    /// <summary>"department", "hospital" or "region" (rule A1).</summary>
    public string? ApprovalLevel { get; set; }

    /// <summary>People may decide on their own activation (rule A7).</summary>
    public bool? MayDecideOwn { get; set; }

    /// <summary>Days off, as "MM-dd", beside weekends and public holidays (rule A2): for example 06-05, 12-24, 12-31.</summary>
    public string[]? ExtraNonWorkingDays { get; set; }

    /// <summary>Counts under this are suppressed in the overview (rule O2).</summary>
    public int? SmallestCell { get; set; }

    /// <summary>Working days until a decision is due (rule A2).</summary>
    public int? DecisionWorkingDays { get; set; }

    /// <summary>Days before the end at which the expiry notice is sent (rule A8).</summary>
    public int? ExpiryNoticeDays { get; set; }
}

/// <summary>Section <c>Approval</c>: defaults for all, and for single organisations. What a region chooses by ChangePractice ranks above it.</summary>
public sealed class ApprovalOptions : PracticeOptions
{
    /// <summary>By CVR number.</summary>
    public Dictionary<string, PracticeOptions> Organisations { get; } = [];
}

/// <summary>Checks the options at start; each message says what to set.</summary>
internal sealed class ApprovalOptionsCheck : IValidateOptions<ApprovalOptions>
{
    public ValidateOptionsResult Validate(string? name, ApprovalOptions options)
    {
        var wrong = Check("Approval", options)
            .Concat(options.Organisations.SelectMany(pair => Check($"Approval:Organisations:{pair.Key}", pair.Value)))
            .Concat(options.Organisations.Keys.Where(cvr => !CvrNumber.TryParse(cvr, out _))
                .Select(cvr => $"Approval:Organisations:{cvr} is not a CVR number: name the section by 8 digits with a right check digit."))
            .ToList();
        return wrong.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong);
    }

    private static IEnumerable<string> Check(string section, PracticeOptions chosen)
    {
        if (chosen.ApprovalLevel is not null && !Levels.All.Contains(chosen.ApprovalLevel))
            yield return $"Set {section}:ApprovalLevel to {string.Join(", ", Levels.All)}.";
        if (chosen.ExtraNonWorkingDays?.Any(day => WorkingDays.Parse(day) is null) == true)
            yield return $"Set {section}:ExtraNonWorkingDays to days of the form MM-dd, for example 06-05.";
        if (chosen.SmallestCell is < OverviewRules.SmallestSmallestCell or > 1_000)
            yield return $"Set {section}:SmallestCell to a number from {OverviewRules.SmallestSmallestCell} to 1000.";
        if (chosen.DecisionWorkingDays is { } decision && !PracticeRules.IsDecisionWorkingDays(decision))
            yield return $"Set {section}:DecisionWorkingDays to a number from 1 to 30.";
        if (chosen.ExpiryNoticeDays is { } notice && !PracticeRules.IsExpiryNoticeDays(notice))
            yield return $"Set {section}:ExpiryNoticeDays to a number from 1 to 89.";
    }
}
