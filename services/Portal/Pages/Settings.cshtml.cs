using Microsoft.AspNetCore.Mvc;
using Sloring.Contracts.Approval.V1;
using Sloring.Hosting;

namespace Sloring.Portal.Pages;

/// <summary>How the organisation approves (rules A1, A2, A7, A8), and who has changed what. The region changes it; hospital management reads it.</summary>
public sealed class SettingsModel([FromKeyedServices("approval")] ApprovalService.ApprovalServiceClient approval) : PortalPage
{
    [BindProperty]
    public Choices Choices { get; set; } = new();

    public Practice Practice { get; private set; } = new();

    public bool MayChange => User.HasRole(Roles.Region);

    public async Task OnGetAsync(CancellationToken cancel)
    {
        Practice = await approval.GetPracticeAsync(new GetPracticeRequest(), cancellationToken: cancel);
        if (Refused is null)
            Choices = Choices.Of(Practice);
    }

    public Task<IActionResult> OnPostAsync(CancellationToken cancel) => Do(
        () => approval.ChangePracticeAsync(Choices.Request(), cancellationToken: cancel).ResponseAsync,
        () => RedirectToPage(),
        async () =>
        {
            await OnGetAsync(cancel);
            // What was written stays; sent once more, it is made from what is shown now.
            Choices.Version = Practice.Version;
            ModelState.Clear();
            return Page();
        });
}

/// <summary>The form of the settings; what is left empty is as configured.</summary>
public sealed class Choices
{
    public int Version { get; set; }

    public string? ApprovalLevel { get; set; }

    public bool? MayDecideOwn { get; set; }

    /// <summary>Days off are chosen, perhaps none.</summary>
    public bool ChooseDaysOff { get; set; }

    /// <summary>MM-dd, blanks or commas between.</summary>
    public string? DaysOff { get; set; }

    public int? DecisionWorkingDays { get; set; }

    public int? ExpiryNoticeDays { get; set; }

    public static Choices Of(Practice practice)
    {
        var chosen = practice.Chosen;
        return new Choices
        {
            Version = practice.Version,
            ApprovalLevel = chosen.HasApprovalLevel ? chosen.ApprovalLevel : null,
            MayDecideOwn = chosen.HasMayDecideOwn ? chosen.MayDecideOwn : null,
            ChooseDaysOff = chosen.ExtraNonWorkingDays is not null,
            DaysOff = string.Join(' ', chosen.ExtraNonWorkingDays?.Days ?? []),
            DecisionWorkingDays = chosen.HasDecisionWorkingDays ? chosen.DecisionWorkingDays : null,
            ExpiryNoticeDays = chosen.HasExpiryNoticeDays ? chosen.ExpiryNoticeDays : null,
        };
    }

    public ChangePracticeRequest Request()
    {
        var chosen = new PracticeChoice();
        if (!string.IsNullOrEmpty(ApprovalLevel))
            chosen.ApprovalLevel = ApprovalLevel;
        if (MayDecideOwn is { } own)
            chosen.MayDecideOwn = own;
        if (ChooseDaysOff)
            chosen.ExtraNonWorkingDays = new DaysOff { Days = { (DaysOff ?? "").Split([' ', ',', ';', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries) } };
        if (DecisionWorkingDays is { } decision)
            chosen.DecisionWorkingDays = decision;
        if (ExpiryNoticeDays is { } notice)
            chosen.ExpiryNoticeDays = notice;
        return new ChangePracticeRequest { Version = Version, Chosen = chosen };
    }
}
