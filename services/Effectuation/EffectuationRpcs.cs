using Grpc.Core;
using Microsoft.AspNetCore.Authorization;
using Sloring.Contracts.Effectuation.V1;
using Sloring.Hosting;

namespace Sloring.Effectuation;

/// <summary>The gRPC entry points.</summary>
public sealed class EffectuationRpcs(MaskEntries maskEntries, GetMaskingInstructions getMaskingInstructions, GetEffectuationStatus getStatus)
    : EffectuationService.EffectuationServiceBase
{
    [Authorize(Operations.MaskEntries)]
    public override Task<MaskEntriesResponse> MaskEntries(MaskEntriesRequest request, ServerCallContext context) =>
        maskEntries.Handle(request, context.Caller(), context.CancellationToken);

    [Authorize(Operations.MaskEntries)]
    public override Task MaskEntryStream(
        IAsyncStreamReader<MaskEntriesRequest> requestStream, IServerStreamWriter<MaskEntriesResponse> responseStream, ServerCallContext context) =>
        maskEntries.Handle(requestStream, responseStream, context.Caller(), context.CancellationToken);

    [Authorize(Operations.GetMaskingInstructions)]
    public override Task<MaskingInstructions> GetMaskingInstructions(GetMaskingInstructionsRequest request, ServerCallContext context) =>
        getMaskingInstructions.Handle(request, context.Caller(), context.CancellationToken);

    [Authorize(Operations.GetEffectuationStatus)]
    public override Task<EffectuationStatus> GetEffectuationStatus(GetEffectuationStatusRequest request, ServerCallContext context) =>
        Task.FromResult(getStatus.Handle());
}
