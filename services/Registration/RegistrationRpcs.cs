using Grpc.Core;
using Microsoft.AspNetCore.Authorization;
using Sloring.Contracts.Registration.V1;
using Sloring.Hosting;

namespace Sloring.Registration;

/// <summary>The gRPC face: each rpc is its operation and its use case.</summary>
public sealed class RegistrationRpcs(
    Activate activate, AddReason addReason, End end, Renew renew, ListMaskings listMaskings,
    NominateUnit nominateUnit, ReviewUnit reviewUnit, ConfirmUnit confirmUnit, RemoveUnit removeUnit, ListUnits listUnits,
    WatchMaskings watchMaskings, TakeOverOrganisation takeOverOrganisation) : RegistrationService.RegistrationServiceBase
{
    [Authorize(Operations.Activate)]
    public override Task<ActivateResponse> Activate(ActivateRequest request, ServerCallContext context) =>
        activate.Handle(request, context.Caller(), context.CancellationToken);

    [Authorize(Operations.AddReason)]
    public override Task<AddReasonResponse> AddReason(AddReasonRequest request, ServerCallContext context) =>
        addReason.Handle(request, context.Caller(), context.CancellationToken);

    [Authorize(Operations.End)]
    public override Task<EndResponse> End(EndRequest request, ServerCallContext context) =>
        end.Handle(request, context.Caller(), context.CancellationToken);

    [Authorize(Operations.RenewMasking)]
    public override Task<RenewResponse> Renew(RenewRequest request, ServerCallContext context) =>
        renew.Handle(request, context.Caller(), context.CancellationToken);

    [Authorize(Operations.ListMaskings)]
    public override Task<ListMaskingsResponse> ListMaskings(ListMaskingsRequest request, ServerCallContext context) =>
        listMaskings.Handle(request, context.Caller(), context.CancellationToken);

    [Authorize(Operations.NominateUnit)]
    public override Task<UnitResponse> NominateUnit(NominateUnitRequest request, ServerCallContext context) =>
        nominateUnit.Handle(request, context.Caller(), context.CancellationToken);

    [Authorize(Operations.ReviewUnit)]
    public override Task<UnitResponse> ReviewUnit(ReviewUnitRequest request, ServerCallContext context) =>
        reviewUnit.Handle(request, context.Caller(), context.CancellationToken);

    [Authorize(Operations.ConfirmUnit)]
    public override Task<UnitResponse> ConfirmUnit(ConfirmUnitRequest request, ServerCallContext context) =>
        confirmUnit.Handle(request, context.Caller(), context.CancellationToken);

    [Authorize(Operations.RemoveUnit)]
    public override Task<UnitResponse> RemoveUnit(RemoveUnitRequest request, ServerCallContext context) =>
        removeUnit.Handle(request, context.Caller(), context.CancellationToken);

    [Authorize(Operations.ListUnits)]
    public override Task<ListUnitsResponse> ListUnits(ListUnitsRequest request, ServerCallContext context) =>
        listUnits.Handle(request, context.Caller(), context.CancellationToken);

    [Authorize(Operations.WatchMaskings)]
    public override Task WatchMaskings(
        WatchMaskingsRequest request, IServerStreamWriter<WatchMaskingsResponse> responseStream, ServerCallContext context) =>
        watchMaskings.Handle(request, context.Caller(), responseStream, context.CancellationToken);

    [Authorize(Operations.TakeOverOrganisation)]
    public override Task<TakeOverOrganisationResponse> TakeOverOrganisation(TakeOverOrganisationRequest request, ServerCallContext context) =>
        takeOverOrganisation.Handle(request, context.Caller(), context.CancellationToken);
}
