using Microsoft.AspNetCore.Mvc;
using Sloring.Contracts.Approval.V1;

namespace Sloring.Portal.Pages;

/// <summary>Notices to the person and the person's level: told, reminders, overdue, expiry, lifted, questions and answers.</summary>
public sealed class NoticesModel([FromKeyedServices("approval")] ApprovalService.ApprovalServiceClient approval) : PortalPage
{
    private const int PageSize = 50;

    /// <summary>The page token.</summary>
    [BindProperty(SupportsGet = true)]
    public string? After { get; set; }

    public IReadOnlyList<Notice> Notices { get; private set; } = [];

    public string Next { get; private set; } = "";

    public async Task OnGetAsync(CancellationToken cancel)
    {
        var found = await approval.ListNoticesAsync(new ListNoticesRequest { PageSize = PageSize, PageToken = After ?? "" }, cancellationToken: cancel);
        (Notices, Next) = (found.Notices, found.NextPageToken);
    }
}
