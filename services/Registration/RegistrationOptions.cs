using Microsoft.Extensions.Options;
using Sloring.Registration.Domain;

namespace Sloring.Registration;

/// <summary>Settings <c>Registration:</c>. The defaults are the national guideline.</summary>
public sealed class RegistrationOptions
{
    /// <summary>Longest that the national wire allows: two years (rule M10).</summary>
    public const int WireLimitDays = 731;

    /// <summary>Days of a masking and of a renewal (rules M6, A9).</summary>
    public int PeriodDays { get; set; } = 90;

    /// <summary>Days after which no requested end may lie (rule M10).</summary>
    public int LongestDays { get; set; } = 90;

    /// <summary>Dated rules (rule M8); none given: the guideline's.</summary>
    public IList<DatedRuleOption> DatedRules { get; } = [];

    /// <summary>Masking a unit covers the units below it (rule D4).</summary>
    public bool UnitChildrenCovered { get; set; } = true;

    /// <summary>Days after which a department masking's need is reviewed (rule D3).</summary>
    public int UnitReviewAfterDays { get; set; } = 365;

    /// <summary>The settings as the rules take them.</summary>
    public MaskingDates Dates => new(PeriodDays, LongestDays, DatedRules.Count == 0
        ? MaskingDates.Guideline.Rules
        : [.. DatedRules.Select(rule => new DatedRule(rule.InForceFrom, rule.BehaviourFrom))]);
}

/// <summary>One dated rule (rule M8).</summary>
public sealed class DatedRuleOption
{
    /// <summary>First day, yyyy-MM-dd, on which a masking may be in force.</summary>
    public DateOnly InForceFrom { get; set; }

    /// <summary>First day, yyyy-MM-dd, whose behaviour can be the ground.</summary>
    public DateOnly BehaviourFrom { get; set; }
}

internal sealed class RegistrationOptionsCheck : IValidateOptions<RegistrationOptions>
{
    public ValidateOptionsResult Validate(string? name, RegistrationOptions options)
    {
        List<string> wrong = [];
        if (options.LongestDays is < 1 or > RegistrationOptions.WireLimitDays)
            wrong.Add($"Registration:LongestDays must be 1 to {RegistrationOptions.WireLimitDays}; 90 is the guideline.");
        if (options.PeriodDays < 1 || options.PeriodDays > options.LongestDays)
            wrong.Add("Registration:PeriodDays must be 1 to Registration:LongestDays; 90 is the guideline.");
        if (options.UnitReviewAfterDays < 1)
            wrong.Add("Registration:UnitReviewAfterDays must be at least 1; 365 is a year.");
        if (options.DatedRules.Any(rule => rule.InForceFrom == default || rule.BehaviourFrom == default || rule.BehaviourFrom > rule.InForceFrom))
            wrong.Add("Registration:DatedRules: each needs InForceFrom and BehaviourFrom (yyyy-MM-dd), the second not after the first.");
        return wrong.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong);
    }
}
