using Microsoft.AspNetCore.Mvc;
using Sloring.Contracts.Registration.V1;

namespace Sloring.Portal.Pages;

/// <summary>A health worker or leader starts a masking (rules M2 to M5).</summary>
public sealed class ActivateModel([FromKeyedServices("registration")] RegistrationService.RegistrationServiceClient registration) : PortalPage
{
    /// <summary>Made with the form: sent twice, it activates once (rule M9).</summary>
    [BindProperty]
    public string IdempotencyKey { get; set; } = "";

    [BindProperty]
    public string? PatientCpr { get; set; }

    [BindProperty]
    public Trigger Trigger { get; set; }

    [BindProperty]
    public string? BehaviourOn { get; set; }

    [BindProperty]
    public string? Reason { get; set; }

    public void OnGet() => IdempotencyKey = NewIdempotencyKey();

    public Task<IActionResult> OnPostAsync(CancellationToken cancel)
    {
        var activated = new ActivateResponse();
        return Do(
            async () => activated = await registration.ActivateAsync(
                new ActivateRequest
                {
                    IdempotencyKey = IdempotencyKey ?? "",
                    PatientCpr = PatientCpr?.Trim() ?? "",
                    Trigger = Trigger,
                    BehaviourOn = BehaviourOn ?? "",
                    Reason = Reason ?? "",
                },
                cancellationToken: cancel),
            () => RedirectToPage("/Maskings", new { activated = activated.MaskingId }),
            () => Task.FromResult<IActionResult>(Page()));
    }
}
