using Microsoft.AspNetCore.Mvc;
using Sloring.Contracts.Approval.V1;
using Sloring.Hosting;

namespace Sloring.Portal.Pages;

/// <summary>One complaint: what it is, and what is done about it (rule C3). Leaders of the case's level read it.</summary>
public sealed class ComplaintModel([FromKeyedServices("approval")] ApprovalService.ApprovalServiceClient approval) : PortalPage
{
    [BindProperty(SupportsGet = true)]
    public string Id { get; set; } = "";

    public Complaint Complaint { get; private set; } = new();

    /// <summary>The answer of a form that was refused.</summary>
    public string Written { get; private set; } = "";

    /// <summary>Its outcome.</summary>
    public ComplaintOutcome Outcome { get; private set; }

    public bool MayTreat => User.HasRole(Roles.HospitalManagement) || User.HasRole(Roles.Region);

    public async Task OnGetAsync(CancellationToken cancel) =>
        Complaint = await approval.GetComplaintAsync(new GetComplaintRequest { ComplaintId = Id }, cancellationToken: cancel);

    public Task<IActionResult> OnPostTreatAsync(Treatment treatment, CancellationToken cancel) =>
        Send(() => approval.TreatComplaintAsync(new TreatComplaintRequest { ComplaintId = Id, Treatment = treatment }, cancellationToken: cancel).ResponseAsync, cancel);

    public Task<IActionResult> OnPostAnswerAsync(string? answer, ComplaintOutcome outcome, CancellationToken cancel)
    {
        (Written, Outcome) = (answer ?? "", outcome);
        return Send(
            () => approval.AnswerComplaintAsync(new AnswerComplaintRequest { ComplaintId = Id, Answer = Written, Outcome = outcome }, cancellationToken: cancel).ResponseAsync, cancel);
    }

    private Task<IActionResult> Send(Func<Task> call, CancellationToken cancel) => Do(call, () => RedirectToPage(new { Id }), async () =>
    {
        await OnGetAsync(cancel);
        return Page();
    });
}
