using Sloring.Contracts.Edge;
using Sloring.Contracts.Effectuation.V1;
using Sloring.Contracts.Events;
using Sloring.Contracts.Pseudonym.V1;
using Sloring.Contracts.Registration.V1;
using Sloring.Hosting;

namespace Sloring.Effectuation;

/// <summary>Table of contents of effectuation: the replacing itself, before data leaves for a citizen view.</summary>
public static class EffectuationModule
{
    public const string Name = "effectuation";

    public static void AddEffectuation(this WebApplicationBuilder builder)
    {
        builder.AddService<EffectuationDb>(Name);
        builder.Services.AddOptions<EffectuationOptions>().BindConfiguration("Effectuation")
            .Validate(o => o.StalenessBoundSeconds is >= 2 and <= 60, "Set Effectuation:StalenessBoundSeconds to 2 to 60.")
            .Validate(o => Uri.TryCreate(o.ExplanationLink, UriKind.Absolute, out _), "Set Effectuation:ExplanationLink to the address of the explanation for citizens.")
            .Validate(o => o.SaltRefreshSeconds is >= 1 and <= 86_400, "Set Effectuation:SaltRefreshSeconds to 1 to 86400.")
            .ValidateOnStart();

        builder.AddServiceClient<RegistrationService.RegistrationServiceClient>(from: Name, to: "registration");
        builder.AddServiceClient<PseudonymService.PseudonymServiceClient>(from: Name, to: "pseudonym");
        builder.Services.AddSingleton<WatchPicture>();
        builder.Services.AddHostedService(services => services.GetRequiredService<WatchPicture>());
        builder.TellsPicture<EffectuationDb>(services => services.GetRequiredService<WatchPicture>().Held);
        builder.Services.AddSingleton<CurrentSalt>();
        builder.Services.AddHostedService(services => services.GetRequiredService<CurrentSalt>());
        builder.On<EffectuationDb, SaltAnnounced, OnSaltAnnounced>(from: "pseudonym");
        builder.On<EffectuationDb, SaltRotated, OnSaltRotated>(from: "pseudonym");

        builder.OnEdge<RawUpdate, OnDataSourceUpdate>(EdgeNames.DataSourceUpdate, Operations.MaskEntries, OnDataSourceUpdate.Read);

        builder.Services.AddSingleton<MaskEntries>();
        builder.Services.AddSingleton<GetMaskingInstructions>();
        builder.Services.AddSingleton<GetEffectuationStatus>();
        builder.Services.AddSingleton<NationalLookup>();
        builder.Services.AddSingleton<EffectuationRpcs>();
        builder.Services.AddSingleton<IFigures, PictureFigures>();
        builder.Services.AddHealthChecks().AddCheck<FreshnessCheck>("picture", tags: ["ready"]);
    }

    public static void MapEffectuation(this WebApplication app)
    {
        app.MapGrpcService<EffectuationRpcs>();
        app.MapJson<MaskEntriesRequest, MaskEntriesResponse>("POST", "/v1/mask-entries", Operations.MaskEntries,
            "Masks the entries of one patient", (http, request, caller, cancel) => http.Get<MaskEntries>().Handle(request, caller, cancel));
        app.MapJson<GetMaskingInstructionsRequest, MaskingInstructions>("POST", "/v1/masking-instructions", Operations.GetMaskingInstructions,
            "What is masked for one citizen, now", (http, request, caller, cancel) => http.Get<GetMaskingInstructions>().Handle(request, caller, cancel));
        app.MapJson<GetEffectuationStatusRequest, EffectuationStatus>("GET", "/v1/effectuation", Operations.GetEffectuationStatus,
            "How fresh this replica's picture is", (http, _, _, _) => Task.FromResult(http.Get<GetEffectuationStatus>().Handle()));

        // By default the token service alone may look up, which is a system: the national service's own default.
        app.MapSoap("/idsas-lookup/20240124/lookup", "idsas-lookup-20240124", soap => soap.Namespace20240124,
            new SoapOperation(NationalLookup.OrganisationsName, Roles.TokenService, SystemOnly: true, (call, cancel) => call.Http.Get<NationalLookup>().Organisations(call, cancel)),
            new SoapOperation(NationalLookup.UnitsName, Roles.TokenService, SystemOnly: true, (call, _) => call.Http.Get<NationalLookup>().Units(call)));
    }
}
