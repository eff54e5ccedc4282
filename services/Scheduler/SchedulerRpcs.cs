using Grpc.Core;
using Microsoft.AspNetCore.Authorization;
using Sloring.Contracts.Scheduler.V1;
using Sloring.Hosting;

namespace Sloring.Scheduler;

/// <summary>Scheduler's gRPC entry points.</summary>
public sealed class SchedulerRpcs(ListDeadlines list, GetSchedulerStatus status) : SchedulerService.SchedulerServiceBase
{
    [Authorize(Operations.ListDeadlines)]
    public override Task<ListDeadlinesResponse> ListDeadlines(ListDeadlinesRequest request, ServerCallContext context) =>
        list.Handle(request, context.Caller(), context.CancellationToken);

    [Authorize(Operations.GetSchedulerStatus)]
    public override Task<SchedulerStatus> GetSchedulerStatus(GetSchedulerStatusRequest request, ServerCallContext context) =>
        status.Handle(context.CancellationToken);
}
