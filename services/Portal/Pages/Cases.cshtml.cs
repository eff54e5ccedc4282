using Microsoft.AspNetCore.Mvc;
using Sloring.Contracts.Approval.V1;

namespace Sloring.Portal.Pages;

/// <summary>The work list, most urgent first (rules A1 to A3). Only a page of it is ever read.</summary>
public sealed class CasesModel([FromKeyedServices("approval")] ApprovalService.ApprovalServiceClient approval) : PortalPage
{
    private const int PageSize = 50;

    [BindProperty(SupportsGet = true)]
    public CaseState State { get; set; } = CaseState.Open;

    [BindProperty(SupportsGet = true)]
    public bool Overdue { get; set; }

    /// <summary>The page token.</summary>
    [BindProperty(SupportsGet = true)]
    public string? After { get; set; }

    public IReadOnlyList<CaseSummary> Cases { get; private set; } = [];

    public string Next { get; private set; } = "";

    /// <summary>Hospital management and region register complaints against what they see here.</summary>
    public bool MayComplain => User.HasRole(Hosting.Roles.HospitalManagement) || User.HasRole(Hosting.Roles.Region);

    public async Task OnGetAsync(CancellationToken cancel)
    {
        var found = await approval.ListCasesAsync(
            new ListCasesRequest { State = State, OverdueOnly = Overdue, PageSize = PageSize, PageToken = After ?? "" }, cancellationToken: cancel);
        (Cases, Next) = (found.Cases, found.NextPageToken);
    }
}
