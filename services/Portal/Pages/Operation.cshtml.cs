using Grpc.Core;
using Sloring.Contracts.Effectuation.V1;
using Sloring.Contracts.Scheduler.V1;

namespace Sloring.Portal.Pages;

/// <summary>How the platform is doing. A service that is away is shown as such, beside those that answer.</summary>
public sealed class OperationModel(
    [FromKeyedServices("effectuation")] EffectuationService.EffectuationServiceClient effectuation,
    [FromKeyedServices("scheduler")] SchedulerService.SchedulerServiceClient scheduler) : PortalPage
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Null while it is away.</summary>
    public EffectuationStatus? Effectuation { get; private set; }

    /// <summary>Null while it is away.</summary>
    public SchedulerStatus? Scheduler { get; private set; }

    public async Task OnGetAsync(CancellationToken cancel)
    {
        var deadline = DateTime.UtcNow + Patience;
        var (status, deadlines) = (effectuation.GetEffectuationStatusAsync(new GetEffectuationStatusRequest(), deadline: deadline, cancellationToken: cancel).ResponseAsync,
            scheduler.GetSchedulerStatusAsync(new GetSchedulerStatusRequest(), deadline: deadline, cancellationToken: cancel).ResponseAsync);
        (Effectuation, Scheduler) = (await OrAway(status), await OrAway(deadlines));
    }

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
