using System.Globalization;
using Grpc.Core;
using Microsoft.AspNetCore.Mvc;
using Sloring.Contracts;
using Sloring.Contracts.Edge;
using Sloring.Contracts.Effectuation.V1;
using Sloring.Contracts.Operation.V1;
using Sloring.Contracts.Scheduler.V1;
using Sloring.Hosting;

namespace Sloring.Portal.Pages;

/// <summary>How the platform is doing. A service that is away is shown as such, beside those that answer.</summary>
public sealed class OperationModel(
    IServiceProvider services,
    [FromKeyedServices("effectuation")] EffectuationService.EffectuationServiceClient effectuation,
    [FromKeyedServices("scheduler")] SchedulerService.SchedulerServiceClient scheduler) : PortalPage
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>A thousand messages take a few seconds, of a broker that is busy many.</summary>
    private static readonly TimeSpan ReplayPatience = TimeSpan.FromMinutes(1);

    /// <summary>Every service, and how it is doing; null while it is away.</summary>
    public IReadOnlyList<(string Service, ServiceStatus? Status)> Services { get; private set; } = [];

    /// <summary>Null while it is away.</summary>
    public EffectuationStatus? Effectuation { get; private set; }

    /// <summary>Null while it is away.</summary>
    public SchedulerStatus? Scheduler { get; private set; }

    /// <summary>How many messages the replay before this page has put into a queue again.</summary>
    [BindProperty(SupportsGet = true)]
    public int? Replayed { get; set; }

    /// <summary>Which queue that was.</summary>
    [BindProperty(SupportsGet = true)]
    public string? Queue { get; set; }

    /// <summary>What a replay has done; null where there was none.</summary>
    public string? Done => Replayed is { } replayed && EdgeNames.Queues.Any(queue => queue.Queue == Queue)
        ? Show.Filled(Wording.OpReplayed, replayed.ToString(CultureInfo.InvariantCulture), Queue!) : null;

    public IEnumerable<(string Service, Replica Replica)> Replicas => Of(status => status.Replicas);

    public IEnumerable<(string Service, RelayLag Relay)> Relays => Of(status => status.Relays);

    public IEnumerable<(string Service, Sloring.Contracts.Operation.V1.EdgeQueue Queue)> Queues => Of(status => status.Edge?.Queues ?? []);

    public IEnumerable<(string Service, DeadLetter Letter)> Letters => Of(status => status.DeadLetters.Newest).OrderByDescending(pair => pair.Row.At);

    /// <summary>How many there are of them, those that are not shown too.</summary>
    public long LetterCount => Services.Sum(pair => pair.Status?.DeadLetters.Count ?? 0);

    /// <summary>Whether a service that answers finds the broker in that state.</summary>
    public bool BrokerIs(BrokerState state) => Services.Any(pair => pair.Status?.Edge?.Broker == state);

    public async Task OnGetAsync(CancellationToken cancel)
    {
        var deadline = DateTime.UtcNow + Patience;
        var asked = ServiceNames.WithJournal.Select(service =>
            (Service: service, Status: Operation(service).GetServiceStatusAsync(new GetServiceStatusRequest { Service = service }, deadline: deadline, cancellationToken: cancel).ResponseAsync)).ToList();
        var (status, deadlines) = (effectuation.GetEffectuationStatusAsync(new GetEffectuationStatusRequest(), deadline: deadline, cancellationToken: cancel).ResponseAsync,
            scheduler.GetSchedulerStatusAsync(new GetSchedulerStatusRequest(), deadline: deadline, cancellationToken: cancel).ResponseAsync);
        var answers = new List<(string, ServiceStatus?)>();
        foreach (var (service, answer) in asked)
            answers.Add((service, await OrAway(answer)));
        (Services, Effectuation, Scheduler) = (answers, await OrAway(status), await OrAway(deadlines));
    }

    public Task<IActionResult> OnPostReplayAsync(string? service, string? queue, CancellationToken cancel)
    {
        var replayed = 0;
        return Do(
            async () => replayed = (await Operation(service).ReplayErrorsAsync(
                new ReplayErrorsRequest { Service = service, Queue = queue ?? "" }, deadline: DateTime.UtcNow + ReplayPatience, cancellationToken: cancel)).Replayed,
            () => RedirectToPage(new { replayed, queue }),
            async () =>
            {
                await OnGetAsync(cancel);
                return Page();
            });
    }

    private OperationService.OperationServiceClient Operation(string? service) =>
        ServiceNames.WithJournal.Contains(service) ? services.GetRequiredKeyedService<OperationService.OperationServiceClient>(service) : throw new RejectedException(Rejections.CodeUnknown.For("service"));

    private IEnumerable<(string Service, T Row)> Of<T>(Func<ServiceStatus, IEnumerable<T>> rows) =>
        Services.Where(pair => pair.Status is not null).SelectMany(pair => rows(pair.Status!).Select(row => (pair.Service, row)));

    private static async Task<T?> OrAway<T>(Task<T> answer) where T : class
    {
        try
        {
            return await answer;
        }
        catch (RpcException e) when (e.StatusCode is Grpc.Core.StatusCode.Unavailable or Grpc.Core.StatusCode.DeadlineExceeded)
        {
            return null;
        }
    }
}
