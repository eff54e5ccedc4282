using Google.Protobuf;
using Microsoft.AspNetCore.Mvc;
using Sloring.Contracts;
using Sloring.Hosting;
using Sloring.Portal;

namespace Sloring.Embedded.Pages;

/// <summary>Makes synthetic data, sends any request as anybody, moves the demo clock. Embedded host with demo sign-in only.</summary>
public sealed class BenchModel(BenchCalls calls, Organisations register, DemoClock clock) : PortalPage
{
    private const string FirstOperation = "POST /v1/mask-entries";

    /// <summary>Of the set that is shown.</summary>
    [BindProperty(SupportsGet = true)]
    public int Seed { get; set; } = 1;

    /// <summary>Patients of the set.</summary>
    [BindProperty(SupportsGet = true)]
    public int Size { get; set; } = 5;

    /// <summary>Id of the operation that is built.</summary>
    [BindProperty(SupportsGet = true)]
    public string Operation { get; set; } = FirstOperation;

    /// <summary>Who sends it.</summary>
    [BindProperty]
    public string? Sender { get; set; }

    [BindProperty]
    public string? Address { get; set; }

    [BindProperty]
    public string? Body { get; set; }

    /// <summary>How far the clock is moved.</summary>
    [BindProperty]
    public double Hours { get; set; }

    public DataSet Set { get; private set; } = new([], [], []);

    public IReadOnlyList<BenchOperation> Operations { get; private set; } = [];

    public IEnumerable<Tokens.ClientOptions> Senders => calls.Senders;

    public DateTimeOffset Now => clock.GetUtcNow();

    /// <summary>Null until something has been sent.</summary>
    public BenchAnswer? Answer { get; private set; }

    public Task<IActionResult> OnGetAsync(CancellationToken cancel) => Shown(cancel);

    /// <summary>Takes a patient's entries into a request.</summary>
    public Task<IActionResult> OnPostUseAsync(int patient, CancellationToken cancel)
    {
        Operation = FirstOperation;
        var set = Made();
        if (patient >= 0 && patient < set.Logs.Count)
            Body = new JsonFormatter(JsonFormatter.Settings.Default.WithIndentation()).Format(set.Logs[patient]);
        return Shown(cancel);
    }

    public async Task<IActionResult> OnPostSendAsync(CancellationToken cancel)
    {
        var page = await Shown(cancel);
        return await Do(async () => Answer = await calls.Send(Sender ?? "", Operation, Address?.Trim() ?? "", Body ?? "", cancel), () => page, () => Task.FromResult(page));
    }

    /// <summary>Moves the clock; sessions that are over by then end.</summary>
    public Task<IActionResult> OnPostClockAsync(CancellationToken cancel) => Do(
        () =>
        {
            clock.Advance(Hours is > 0 and < 1e6 ? TimeSpan.FromHours(Hours) : TimeSpan.Zero);
            return Task.CompletedTask;
        },
        () => RedirectToPage(new { Seed, Size }), () => Shown(cancel));

    private DataSet Made() => DataSet.Of(Seed, Size = Math.Clamp(Size, 1, DataSet.MostPeople), register);

    private async Task<IActionResult> Shown(CancellationToken cancel)
    {
        Set = Made();
        Operations = await calls.Operations(cancel);
        if (Operations.FirstOrDefault(one => one.Id == Operation) is not { } operation)
            throw new RejectedException(Rejections.NotHere);
        var allowed = Hosting.Operations.Allowed.GetValueOrDefault(operation.Operation);
        // A client of no organisation first: it may send anybody's.
        Sender ??= Senders.OrderBy(client => client.Cvr is not null).FirstOrDefault(client => allowed is not null && client.Roles.Any(allowed.Contains))?.Id;
        Address ??= operation.Path;
        Body ??= await calls.Template(operation, Set.Logs[0].PatientCpr, cancel);
        return Page();
    }
}
