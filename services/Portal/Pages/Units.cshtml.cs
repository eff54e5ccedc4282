using Microsoft.AspNetCore.Mvc;
using Sloring.Contracts.Registration.V1;
using Sloring.Hosting;

namespace Sloring.Portal.Pages;

/// <summary>Department masking from nomination to removal, with the grounds (rules D1 to D4).</summary>
public sealed class UnitsModel([FromKeyedServices("registration")] RegistrationService.RegistrationServiceClient registration, Organisations organisations) : PortalPage
{
    private const int PageSize = 25;
    private (string Form, string Unit, string Text)? _draft;

    [BindProperty(SupportsGet = true)]
    public bool InForce { get; set; }

    /// <summary>The page token.</summary>
    [BindProperty(SupportsGet = true)]
    public string? After { get; set; }

    [BindProperty]
    public Nomination Nomination { get; set; } = new();

    public IReadOnlyList<Unit> Units { get; private set; } = [];

    public string Next { get; private set; } = "";

    public bool MayNominate => User.HasRole(Roles.HospitalManagement);

    public bool MayReview(Unit unit) => User.HasRole(Roles.Region) && unit.State == UnitState.Nominated;

    public bool MayConfirm(Unit unit) => User.HasRole(Roles.National) && unit.State == UnitState.Recommended;

    public bool MayRemove(Unit unit) => unit.State is UnitState.InForce or UnitState.Nominated or UnitState.Recommended or UnitState.Returned;

    public string NameOf(string sorId) => organisations.Find(sorId)?.Name ?? sorId;

    /// <summary>What was written in a form that was refused.</summary>
    public string Written(string form, string unit) => _draft is { } draft && draft.Form == form && draft.Unit == unit ? draft.Text : "";

    public async Task OnGetAsync(CancellationToken cancel)
    {
        if (Nomination.IdempotencyKey.Length == 0)
            Nomination.IdempotencyKey = NewIdempotencyKey();
        var found = await registration.ListUnitsAsync(new ListUnitsRequest { InForceOnly = InForce, PageSize = PageSize, PageToken = After ?? "" }, cancellationToken: cancel);
        (Units, Next) = (found.Units, found.NextPageToken);
    }

    public Task<IActionResult> OnPostNominateAsync(CancellationToken cancel) =>
        Send(null, () => registration.NominateUnitAsync(Nomination.Request(), cancellationToken: cancel).ResponseAsync, cancel);

    public Task<IActionResult> OnPostReviewAsync(string unit, Review review, string? reason, CancellationToken cancel) => Send(
        ("Review", unit, reason ?? ""),
        () => registration.ReviewUnitAsync(new ReviewUnitRequest { UnitMaskingId = unit, Review = review, Reason = reason ?? "" }, cancellationToken: cancel).ResponseAsync, cancel);

    public Task<IActionResult> OnPostConfirmAsync(string unit, CancellationToken cancel) =>
        Send(null, () => registration.ConfirmUnitAsync(new ConfirmUnitRequest { UnitMaskingId = unit }, cancellationToken: cancel).ResponseAsync, cancel);

    public Task<IActionResult> OnPostRemoveAsync(string unit, string? reason, CancellationToken cancel) => Send(
        ("Remove", unit, reason ?? ""),
        () => registration.RemoveUnitAsync(new RemoveUnitRequest { UnitMaskingId = unit, Reason = reason ?? "" }, cancellationToken: cancel).ResponseAsync, cancel);

    private Task<IActionResult> Send((string, string, string)? draft, Func<Task> call, CancellationToken cancel) => Do(call, () => RedirectToPage(), async () =>
    {
        _draft = draft;
        await OnGetAsync(cancel);
        return Page();
    });
}

/// <summary>The nomination form.</summary>
public sealed class Nomination
{
    /// <summary>Made with the form: sent twice, it nominates once.</summary>
    public string IdempotencyKey { get; set; } = "";

    public string? SorId { get; set; }

    public string? Shak { get; set; }

    public int ReportedIncidents { get; set; }

    public string? WorkplaceAssessment { get; set; }

    public string? Severity { get; set; }

    public string? WhyNotIndividual { get; set; }

    public NominateUnitRequest Request() => new()
    {
        IdempotencyKey = IdempotencyKey ?? "",
        SorId = SorId?.Trim() ?? "",
        Shak = Shak?.Trim() ?? "",
        Grounds = new UnitGrounds
        {
            ReportedIncidents = ReportedIncidents,
            WorkplaceAssessment = WorkplaceAssessment ?? "",
            Severity = Severity ?? "",
            WhyNotIndividual = WhyNotIndividual ?? "",
        },
    };
}
