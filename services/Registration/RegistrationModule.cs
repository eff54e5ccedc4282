using Microsoft.Extensions.Options;
using Sloring.Contracts.Edge;
using Sloring.Contracts.Events;
using Sloring.Contracts.Registration.V1;
using Sloring.Hosting;

namespace Sloring.Registration;

/// <summary>The table of contents of Registration: every use case, event, rpc and route, a line each.</summary>
public static class RegistrationModule
{
    public static void AddRegistration(this WebApplicationBuilder builder)
    {
        builder.AddService<RegistrationDb>("registration");
        builder.Services.AddOptions<RegistrationOptions>().BindConfiguration("Registration").ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<RegistrationOptions>, RegistrationOptionsCheck>();

        builder.Services.AddSingleton<Activate>();
        builder.Services.AddSingleton<AddReason>();
        builder.Services.AddSingleton<End>();
        builder.Services.AddSingleton<Renew>();
        builder.Services.AddSingleton<ListMaskings>();
        builder.Services.AddSingleton<NominateUnit>();
        builder.Services.AddSingleton<ReviewUnit>();
        builder.Services.AddSingleton<ConfirmUnit>();
        builder.Services.AddSingleton<RemoveUnit>();
        builder.Services.AddSingleton<ListUnits>();
        builder.Services.AddSingleton<WatchMaskings>();
        builder.Services.AddSingleton<TakeOverOrganisation>();
        builder.Services.AddSingleton<CreateBlurring>();
        builder.Services.AddSingleton<OrgBlurrings>();

        builder.Services.AddSingleton<Repeats>();
        builder.Services.AddSingleton<DepartmentMaskings>();
        builder.Services.AddSingleton<MaskingFeed>();

        builder.On<RegistrationDb, ApprovalDecided, OnApprovalDecided>(from: "approval");
        builder.On<RegistrationDb, DeadlineReached, OnDeadlineReached>(from: "scheduler");

        builder.Erases<RegistrationDb, EraseMaskings>();
        builder.Erases<RegistrationDb, EraseUnits>();

        builder.OnEdge<ActivateMasking, OnActivateMasking>(EdgeNames.ActivateMasking, Operations.Activate);
        builder.OnEdge<Contracts.Edge.AddReason, OnAddReason>(EdgeNames.AddReason, Operations.AddReason);
        builder.OnEdge<EndMasking, OnEndMasking>(EdgeNames.EndMasking, Operations.End);
        builder.TellEdge<RegistrationDb, TellMaskingDecisions>();
    }

    public static void MapRegistration(this WebApplication app)
    {
        app.MapGrpcService<RegistrationRpcs>();
        app.MapJson<ActivateRequest, ActivateResponse>("POST", "/v1/maskings", Operations.Activate,
            "Starts a masking", (http, request, caller, cancel) => http.Get<Activate>().Handle(request, caller, cancel));
        app.MapJson<AddReasonRequest, AddReasonResponse>("POST", "/v1/maskings/{masking_id}/reason", Operations.AddReason,
            "Writes the reason of a masking", (http, request, caller, cancel) => http.Get<AddReason>().Handle(request, caller, cancel));
        app.MapJson<EndRequest, EndResponse>("POST", "/v1/maskings/{masking_id}/end", Operations.End,
            "Ends a masking before its time", (http, request, caller, cancel) => http.Get<End>().Handle(request, caller, cancel));
        app.MapJson<ListMaskingsRequest, ListMaskingsResponse>("GET", "/v1/maskings", Operations.ListMaskings,
            "Lists the organisation's maskings", (http, request, caller, cancel) => http.Get<ListMaskings>().Handle(request, caller, cancel));
        app.MapJson<ListMaskingsRequest, ListMaskingsResponse>("POST", "/v1/maskings/search", Operations.ListMaskings,
            "Lists the organisation's maskings of one patient", (http, request, caller, cancel) => http.Get<ListMaskings>().Handle(request, caller, cancel));
        app.MapJson<NominateUnitRequest, UnitResponse>("POST", "/v1/units", Operations.NominateUnit,
            "Nominates a unit for department masking", (http, request, caller, cancel) => http.Get<NominateUnit>().Handle(request, caller, cancel));
        app.MapJson<ReviewUnitRequest, UnitResponse>("POST", "/v1/units/{unit_masking_id}/review", Operations.ReviewUnit,
            "The region's review of a nomination", (http, request, caller, cancel) => http.Get<ReviewUnit>().Handle(request, caller, cancel));
        app.MapJson<ConfirmUnitRequest, UnitResponse>("POST", "/v1/units/{unit_masking_id}/confirmation", Operations.ConfirmUnit,
            "Puts a department masking in force", (http, request, caller, cancel) => http.Get<ConfirmUnit>().Handle(request, caller, cancel));
        app.MapJson<RemoveUnitRequest, UnitResponse>("POST", "/v1/units/{unit_masking_id}/removal", Operations.RemoveUnit,
            "Ends a department masking", (http, request, caller, cancel) => http.Get<RemoveUnit>().Handle(request, caller, cancel));
        app.MapJson<ListUnitsRequest, ListUnitsResponse>("GET", "/v1/units", Operations.ListUnits,
            "Lists department maskings", (http, request, caller, cancel) => http.Get<ListUnits>().Handle(request, caller, cancel));
        app.MapJson<TakeOverOrganisationRequest, TakeOverOrganisationResponse>("POST", "/v1/organisations/{replaced_cvr}/takeover", Operations.TakeOverOrganisation,
            "Takes over another organisation's maskings", (http, request, caller, cancel) => http.Get<TakeOverOrganisation>().Handle(request, caller, cancel));

        var create = new SoapOperation(CreateBlurring.Name, Roles.HealthWorker, SystemOnly: false, (call, cancel) => call.Http.Get<CreateBlurring>().Handle(call, cancel));
        app.MapSoap("/idsas-registration/20230601/registration", "idsas-registration-20230601", soap => soap.Namespace20230601, create);
        app.MapSoap("/idsas-registration/20240124/registration", "idsas-registration-20240124", soap => soap.Namespace20240124,
            create,
            new SoapOperation(OrgBlurrings.CreateName, Roles.National, SystemOnly: false, (call, cancel) => call.Http.Get<OrgBlurrings>().Create(call, cancel)),
            new SoapOperation(OrgBlurrings.RemoveName, Roles.National, SystemOnly: false, (call, cancel) => call.Http.Get<OrgBlurrings>().Remove(call, cancel)));
    }
}
