using Microsoft.AspNetCore.Mvc;
using Sloring.Contracts.Pseudonym.V1;

namespace Sloring.Portal.Pages;

/// <summary>Who is behind a pseudonym (rule C2). Names and CPR number travel in the form only; the answer is shown, never kept.</summary>
public sealed class ResolveModel([FromKeyedServices("pseudonym")] PseudonymService.PseudonymServiceClient pseudonym) : PortalPage
{
    [BindProperty]
    public string? PatientCpr { get; set; }

    [BindProperty]
    public string? Pseudonym { get; set; }

    [BindProperty]
    public string? From { get; set; }

    [BindProperty]
    public string? To { get; set; }

    [BindProperty]
    public string? Purpose { get; set; }

    /// <summary>Names, one a line.</summary>
    [BindProperty]
    public string? Candidates { get; set; }

    /// <summary>Null until something has been looked up.</summary>
    public ResolveResponse? Answer { get; private set; }

    public void OnGet()
    {
    }

    public Task<IActionResult> OnPostAsync(CancellationToken cancel) => Do(
        async () => Answer = await pseudonym.ResolveAsync(
            new ResolveRequest
            {
                PatientCpr = PatientCpr?.Trim() ?? "",
                Pseudonym = Pseudonym?.Trim() ?? "",
                From = From ?? "",
                To = To ?? "",
                Purpose = Purpose ?? "",
                Candidates = { (Candidates ?? "").Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) },
            },
            cancellationToken: cancel),
        Page, () => Task.FromResult<IActionResult>(Page()));
}
