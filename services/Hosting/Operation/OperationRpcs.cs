using Grpc.Core;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Sloring.Contracts;
using Sloring.Contracts.Operation.V1;

namespace Sloring.Hosting;

/// <summary>An operator's calls about the services in this process.</summary>
internal sealed class OperationRpcs(IEnumerable<IGetServiceStatus> services, ReplayErrors replay) : OperationService.OperationServiceBase
{
    [Authorize(Operations.GetServiceStatus)]
    public override Task<ServiceStatus> GetServiceStatus(GetServiceStatusRequest request, ServerCallContext context) => Status(request, context.CancellationToken);

    [Authorize(Operations.ReplayErrors)]
    public override Task<ReplayErrorsResponse> ReplayErrors(ReplayErrorsRequest request, ServerCallContext context) =>
        replay.Handle(request, context.Caller(), context.CancellationToken);

    public Task<ServiceStatus> Status(GetServiceStatusRequest request, CancellationToken cancel) =>
        (services.SingleOrDefault(one => one.Service == request.Service) ?? throw new RejectedException(Rejections.CodeUnknown.For("service"))).Handle(cancel);
}

internal static class OperationRoutes
{
    public static void MapOperation(this WebApplication app)
    {
        app.MapGrpcService<OperationRpcs>();
        app.MapJson<GetServiceStatusRequest, ServiceStatus>("GET", "/v1/services/{service}/status", Operations.GetServiceStatus,
            "How a service is doing", (http, request, _, cancel) => http.Get<OperationRpcs>().Status(request, cancel));
        app.MapJson<ReplayErrorsRequest, ReplayErrorsResponse>("POST", "/v1/services/{service}/replay", Operations.ReplayErrors,
            "Has refused messages of a queue at the edge done again", (http, request, caller, cancel) => http.Get<ReplayErrors>().Handle(request, caller, cancel));
    }
}
