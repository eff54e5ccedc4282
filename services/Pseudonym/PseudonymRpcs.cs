using Grpc.Core;
using Microsoft.AspNetCore.Authorization;
using Sloring.Contracts.Pseudonym.V1;
using Sloring.Hosting;

namespace Sloring.Pseudonym;

/// <summary>The rpcs, each handed to its use case.</summary>
public sealed class PseudonymRpcs(GetCurrentSalt getCurrentSalt, Compute compute, Resolve resolve, RotateSalt rotateSalt)
    : PseudonymService.PseudonymServiceBase
{
    [Authorize(Operations.GetCurrentSalt)]
    public override Task<Salt> GetCurrentSalt(GetCurrentSaltRequest request, ServerCallContext context) =>
        getCurrentSalt.Handle(request, context.Caller(), context.CancellationToken);

    [Authorize(Operations.ComputePseudonyms)]
    public override Task<ComputeResponse> Compute(ComputeRequest request, ServerCallContext context) =>
        compute.Handle(request, context.Caller(), context.CancellationToken);

    [Authorize(Operations.ResolvePseudonym)]
    public override Task<ResolveResponse> Resolve(ResolveRequest request, ServerCallContext context) =>
        resolve.Handle(request, context.Caller(), context.CancellationToken);

    [Authorize(Operations.RotateSalt)]
    public override Task<Salt> RotateSalt(RotateSaltRequest request, ServerCallContext context) =>
        rotateSalt.Handle(request, context.Caller(), context.CancellationToken);
}
