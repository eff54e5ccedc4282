using Sloring.Contracts.Pseudonym.V1;
using Sloring.Hosting;

namespace Sloring.Pseudonym;

/// <summary>The salts, the national pseudonym, and access requests. Publishes <c>salt.announced.v1</c> and <c>salt.rotated.v1</c>; listens to nothing.</summary>
public static class PseudonymModule
{
    public static void AddPseudonym(this WebApplicationBuilder builder)
    {
        builder.AddService<PseudonymDb>("pseudonym");
        builder.Services.AddOptions<PseudonymOptions>().BindConfiguration("Pseudonym")
            .Validate(o => o.RotationDays is >= 0 and <= 3_650, "Set Pseudonym:RotationDays to 1 to 3650, or to 0 where only an operator rotates.")
            .Validate(o => o.AnnounceDays >= 0 && (o.RotationDays == 0 || o.AnnounceDays < o.RotationDays), "Set Pseudonym:AnnounceDays to 0 or more, and to less than Pseudonym:RotationDays.")
            .Validate(o => o.LagDays is >= 1 and <= 365, "Set Pseudonym:LagDays to 1 to 365.")
            .ValidateOnStart();
        builder.Erases<PseudonymDb, EraseSalts>();
        builder.Services.AddSingleton<Salts>();
        builder.Services.AddHostedService<AnnounceSalts>();
        builder.Services.AddSingleton<IFigures, SaltFigures>();
        builder.Services.AddSingleton<GetCurrentSalt>();
        builder.Services.AddSingleton<Compute>();
        builder.Services.AddSingleton<Resolve>();
        builder.Services.AddSingleton<RotateSalt>();
        builder.Services.AddSingleton<PseudonymRpcs>();
    }

    public static void MapPseudonym(this WebApplication app)
    {
        app.MapGrpcService<PseudonymRpcs>();
        app.MapJson<GetCurrentSaltRequest, Salt>("GET", "/v1/salt", Operations.GetCurrentSalt, "The salt in use",
            (http, request, caller, cancel) => http.Get<GetCurrentSalt>().Handle(request, caller, cancel));
        app.MapJson<ComputeRequest, ComputeResponse>("POST", "/v1/pseudonyms/compute", Operations.ComputePseudonyms, "Computes pseudonyms towards one patient",
            (http, request, caller, cancel) => http.Get<Compute>().Handle(request, caller, cancel));
        app.MapJson<ResolveRequest, ResolveResponse>("POST", "/v1/pseudonyms/resolve", Operations.ResolvePseudonym, "Resolves a pseudonym among candidates",
            (http, request, caller, cancel) => http.Get<Resolve>().Handle(request, caller, cancel));
        app.MapJson<RotateSaltRequest, Salt>("POST", "/v1/salt/rotation", Operations.RotateSalt, "Makes a new salt, in use from now",
            (http, request, caller, cancel) => http.Get<RotateSalt>().Handle(request, caller, cancel));

        app.MapSoap("/idsas-salt/20230601/salt", "idsas-salt-20230601", soap => soap.Namespace20230601,
            new SoapOperation(nameof(GetCurrentSalt), Roles.DataSource, SystemOnly: true, (call, cancel) => call.Http.Get<GetCurrentSalt>().Handle(call, cancel)));
    }
}
