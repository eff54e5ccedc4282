using Microsoft.AspNetCore.Mvc;
using Sloring.Contracts.Approval.V1;

namespace Sloring.Portal.Pages;

/// <summary>Complaints against maskings (rule C3): the list, and the form that registers one.</summary>
public sealed class ComplaintsModel([FromKeyedServices("approval")] ApprovalService.ApprovalServiceClient approval) : PortalPage
{
    private const int PageSize = 50;

    /// <summary>The case that the work list has sent somebody here with.</summary>
    [BindProperty(SupportsGet = true)]
    public string? About { get; set; }

    /// <summary>The page token.</summary>
    [BindProperty(SupportsGet = true)]
    public string? After { get; set; }

    [BindProperty]
    public NewComplaint Complaint { get; set; } = new();

    public IReadOnlyList<ComplaintSummary> Complaints { get; private set; } = [];

    public string Next { get; private set; } = "";

    public async Task OnGetAsync(CancellationToken cancel)
    {
        if (string.IsNullOrEmpty(Complaint.ComplaintId))
            Complaint.ComplaintId = Guid.NewGuid().ToString("D");
        Complaint.CaseId ??= About;
        var found = await approval.ListComplaintsAsync(new ListComplaintsRequest { PageSize = PageSize, PageToken = After ?? "" }, cancellationToken: cancel);
        (Complaints, Next) = (found.Complaints, found.NextPageToken);
    }

    public Task<IActionResult> OnPostAsync(CancellationToken cancel) => Do(
        () => approval.RegisterComplaintAsync(Complaint.Request(), cancellationToken: cancel).ResponseAsync,
        () => RedirectToPage("/Complaint", new { id = Complaint.ComplaintId }),
        async () =>
        {
            await OnGetAsync(cancel);
            return Page();
        });
}

/// <summary>The form that registers a complaint.</summary>
public sealed class NewComplaint
{
    /// <summary>Made with the form: sent twice, it registers once.</summary>
    public string? ComplaintId { get; set; }

    public string? CaseId { get; set; }

    public string? ReceivedOn { get; set; }

    public Complainant Complainant { get; set; }

    public string? Text { get; set; }

    public RegisterComplaintRequest Request() => new()
    {
        ComplaintId = ComplaintId ?? "",
        CaseId = CaseId?.Trim() ?? "",
        ReceivedOn = ReceivedOn ?? "",
        Complainant = Complainant,
        Text = Text ?? "",
    };
}
