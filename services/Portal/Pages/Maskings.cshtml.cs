using Microsoft.AspNetCore.Mvc;
using Sloring.Contracts.Registration.V1;

namespace Sloring.Portal.Pages;

/// <summary>What the person has activated, and reasons that are still to be written (rule M5).</summary>
public sealed class MaskingsModel([FromKeyedServices("registration")] RegistrationService.RegistrationServiceClient registration) : PortalPage
{
    private const int PageSize = 25;

    [BindProperty(SupportsGet = true)]
    public bool ReasonMissing { get; set; }

    /// <summary>The page token.</summary>
    [BindProperty(SupportsGet = true)]
    public string? After { get; set; }

    /// <summary>The masking that has just been activated.</summary>
    [BindProperty(SupportsGet = true)]
    public string? Activated { get; set; }

    public IReadOnlyList<Masking> Maskings { get; private set; } = [];

    public string Next { get; private set; } = "";


    public string? Written { get; private set; }

    public string? Reason { get; private set; }

    public async Task OnGetAsync(CancellationToken cancel)
    {
        var found = await registration.ListMaskingsAsync(
            new ListMaskingsRequest { MineOnly = true, ReasonMissingOnly = ReasonMissing, PageSize = PageSize, PageToken = After ?? "" }, cancellationToken: cancel);
        (Maskings, Next) = (found.Maskings, found.NextPageToken);
    }

    public Task<IActionResult> OnPostReasonAsync(string maskingId, string? reason, CancellationToken cancel) => Do(
        () => registration.AddReasonAsync(new AddReasonRequest { MaskingId = maskingId, Reason = reason ?? "" }, cancellationToken: cancel).ResponseAsync,
        () => RedirectToPage(new { ReasonMissing = ReasonMissing ? "true" : null }),
        async () =>
        {
            (Written, Reason) = (maskingId, reason);
            await OnGetAsync(cancel);
            return Page();
        });
}
