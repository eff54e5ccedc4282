using Microsoft.Extensions.Options;
using Sloring.Contracts.Effectuation.V1;
using Sloring.Contracts.Pseudonym.V1;
using Sloring.Contracts.Tokens.V1;
using Sloring.Hosting;

namespace Sloring.Tokens;

/// <summary>The token service: who may be who on this platform. No database; clients are settings, secrets are in the secret store, and the little that changes is in one file.</summary>
public static class TokensModule
{
    public const string Name = "tokens";

    internal const string TokenPath = "/connect/token";

    public static void AddTokens(this WebApplicationBuilder builder)
    {
        builder.Services.AddOptions<TokenServiceOptions>().BindConfiguration("Tokens").ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<TokenServiceOptions>, TokenServiceOptionsCheck>();
        builder.Services.AddSingleton<Clients>();
        builder.Services.AddSingleton<TokenState>();
        builder.Services.AddSingleton<TokenSigner>();
        builder.Services.AddSingleton<AssertionMemory>();
        builder.Services.AddSingleton<Assertions>();
        builder.Services.AddSingleton<IdentityProviders>();
        builder.AddServiceClient<EffectuationService.EffectuationServiceClient>(from: Name, to: "effectuation");
        builder.AddServiceClient<PseudonymService.PseudonymServiceClient>(from: Name, to: "pseudonym");
        builder.Services.AddSingleton<ExchangeToken>();
        builder.Services.AddSingleton<IssueToken>();
        builder.Services.AddSingleton<IdentityAssertions>();
        builder.Services.AddSingleton<Bst2Idws>();
        builder.Services.AddSingleton<Administration>();
        builder.Services.AddSingleton<TokenRpcs>();
        builder.Services.AddHostedService<RotateOnSchedule>();
    }

    public static void MapTokens(this WebApplication app)
    {
        // Made here and not at the first request: a missing secret or a bad key stops the start.
        var issue = app.Services.GetRequiredService<IssueToken>();
        app.Map(TokenPath, issue.Handle).AllowAnonymous();
        Discovery.Map(
            app, app.Services.GetRequiredService<IOptions<TokenOptions>>().Value.Issuer, app.Services.GetRequiredService<IOptions<TokenServiceOptions>>().Value,
            app.Services.GetRequiredService<TokenSigner>(), app.Services.GetRequiredService<TokenState>());
        if (app.Services.GetRequiredService<IOptions<TokenServiceOptions>>().Value.WsTrust is { Certificate.Length: > 0 } trust)
            app.MapPost(trust.Path, app.Services.GetRequiredService<Bst2Idws>().Handle).AllowAnonymous();
        app.MapGrpcService<TokenRpcs>();
        app.MapJson<RevokeClientRequest, ClientStatus>("POST", "/v1/clients/{client_id}/revocation", Operations.RevokeClient,
            "Revokes a client", (http, request, caller, cancel) => http.Get<Administration>().Revoke(request, caller, cancel));
        app.MapJson<RestoreClientRequest, ClientStatus>("POST", "/v1/clients/{client_id}/restoration", Operations.RestoreClient,
            "Takes a client's revocation back", (http, request, caller, cancel) => http.Get<Administration>().Restore(request, caller, cancel));
        app.MapJson<RotateSigningKeyRequest, SigningKeys>("POST", "/v1/signing-keys/rotation", Operations.RotateSigningKey,
            "Makes the next signing key", (http, _, caller, cancel) => http.Get<Administration>().Rotate(caller, cancel));
        app.MapJson<ListSigningKeysRequest, SigningKeys>("GET", "/v1/signing-keys", Operations.ListSigningKeys,
            "The signing keys that are listed", (http, _, _, _) => Task.FromResult(http.Get<Administration>().List()));
    }
}
