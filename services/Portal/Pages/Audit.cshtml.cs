using Microsoft.AspNetCore.Mvc;
using Sloring.Contracts.Journal.V1;
using Sloring.Hosting;

namespace Sloring.Portal.Pages;

/// <summary>The audit trail for auditors: search and verify (rule O3). What is searched for stands in the form, never in an address.</summary>
public sealed class AuditModel(IServiceProvider services) : PortalPage
{
    private const int PageSize = 50;

    /// <summary>The services that keep a journal.</summary>
    public static IReadOnlyList<string> Services => ServiceNames.WithJournal;

    [BindProperty]
    public string Service { get; set; } = ServiceNames.WithJournal[0];

    [BindProperty]
    public string? PatientCpr { get; set; }

    [BindProperty]
    public string? Actor { get; set; }

    [BindProperty]
    public string? TypePrefix { get; set; }

    [BindProperty]
    public string? Purpose { get; set; }

    /// <summary>What was found, newest first; null where nothing was searched for.</summary>
    public IReadOnlyList<JournalEvent>? Entries { get; private set; }

    public string Next { get; private set; } = "";

    public IReadOnlyList<(string Service, VerifyJournalResponse Verdict)> Verdicts { get; private set; } = [];

    public bool Intact => Verdicts.All(verdict => verdict.Verdict.Intact);

    public void OnGet()
    {
    }

    public Task<IActionResult> OnPostSearchAsync(string? after, CancellationToken cancel) => Do(
        async () =>
        {
            var found = await Journal(Services.Contains(Service) ? Service : Services[0]).SearchJournalAsync(
                new SearchJournalRequest
                {
                    Service = Service,
                    PatientCpr = PatientCpr?.Trim() ?? "",
                    Actor = Actor?.Trim() ?? "",
                    TypePrefix = TypePrefix?.Trim() ?? "",
                    Purpose = Purpose ?? "",
                    PageSize = PageSize,
                    PageToken = after ?? "",
                },
                cancellationToken: cancel);
            (Entries, Next) = (found.Events, found.NextPageToken);
        },
        Page, () => Task.FromResult<IActionResult>(Page()));

    public Task<IActionResult> OnPostVerifyAsync(CancellationToken cancel) => Do(
        async () => Verdicts = [.. (await Task.WhenAll(Services.Select(async service =>
            (service, await Journal(service).VerifyJournalAsync(new VerifyJournalRequest { Service = service }, cancellationToken: cancel)))))],
        Page, () => Task.FromResult<IActionResult>(Page()));

    private JournalService.JournalServiceClient Journal(string service) => services.GetRequiredKeyedService<JournalService.JournalServiceClient>(service);
}
