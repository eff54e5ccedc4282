using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.Extensions.Options;
using Sloring.Contracts;
using Sloring.Contracts.Effectuation.V1;
using Sloring.Contracts.Pseudonym.V1;
using Sloring.Contracts.Tokens.V1;
using Sloring.Hosting;

namespace Sloring.Tokens;

/// <summary>The token service: who may be who on this platform, clients and people who sign in. No database; clients are settings, secrets are in the secret store, and the little that changes is in one file.</summary>
public static class TokensModule
{
    public const string Name = "tokens";

    internal const string TokenPath = "/connect/token";
    internal const string AuthorizePath = "/connect/authorize";
    internal const string SignInPath = "/connect/sign-in";
    internal const string LogoutPath = "/connect/logout";
    internal const string SignOutPath = "/connect/sign-out";

    public static void AddTokens(this WebApplicationBuilder builder)
    {
        builder.Services.AddOptions<TokenServiceOptions>().BindConfiguration("Tokens").ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<TokenServiceOptions>, TokenServiceOptionsCheck>();
        builder.Services.AddSingleton<Clients>();
        builder.Services.AddSingleton<TokenState>();
        builder.Services.AddHealthChecks().AddCheck<TokenStateCheck>("token-state", tags: ["ready"]);
        builder.Services.AddSingleton<TokenSigner>();
        builder.Services.AddSingleton<AssertionMemory>();
        builder.Services.AddSingleton<Assertions>();
        builder.Services.AddSingleton<IdentityProviders>();
        builder.AddServiceClient<EffectuationService.EffectuationServiceClient>(from: Name, to: "effectuation");
        builder.AddServiceClient<PseudonymService.PseudonymServiceClient>(from: Name, to: "pseudonym");
        builder.Services.AddSingleton<ExchangeToken>();
        builder.Services.AddSingleton<People>();
        builder.Services.AddSingleton<PersonTokens>();
        builder.Services.AddSingleton<Browser>();
        builder.Services.AddSingleton<DemoSignIn>();
        builder.Services.AddSingleton<Authorize>();
        builder.Services.AddSingleton<SignOut>();
        if (builder.Configuration["Tokens:SignIn"] == SignInWays.OpenId)
        {
            builder.Services.AddSingleton<ProviderSignIn>();
            builder.Services.AddSingleton<IConfigureOptions<OpenIdConnectOptions>>(provider => provider.GetRequiredService<ProviderSignIn>());
            builder.Services.AddAuthentication().AddOpenIdConnect(ProviderSignIn.Scheme, _ => { });
        }
        builder.Services.AddSingleton<IssueToken>();
        builder.Services.AddSingleton<IdentityAssertions>();
        builder.Services.AddSingleton<Bst2Idws>();
        builder.Services.AddSingleton<Administration>();
        builder.Services.AddSingleton<TokenRpcs>();
        builder.Services.AddHostedService<RotateOnSchedule>();
        builder.Services.AddSingleton<IFigures, KeyFigures>();
    }

    public static void MapTokens(this WebApplication app)
    {
        // Made here and not at the first request: a missing secret or a bad key stops the start.
        var issue = app.Services.GetRequiredService<IssueToken>();
        // Both count for themselves, once they know who asks.
        app.Map(TokenPath, issue.Handle).AllowAnonymous().DisableRateLimiting();
        var options = app.Services.GetRequiredService<IOptions<TokenServiceOptions>>().Value;
        Discovery.Map(
            app, app.Services.GetRequiredService<IOptions<TokenOptions>>().Value.Issuer, options, app.Services.GetRequiredService<TokenSigner>(), app.Services.GetRequiredService<TokenState>());
        if (options.SignIn != SignInWays.None)
            MapSignIn(app, options.SignIn);
        if (options.WsTrust is { Certificate.Length: > 0 } trust)
            app.MapPost(trust.Path, app.Services.GetRequiredService<Bst2Idws>().Handle).AllowAnonymous().DisableRateLimiting();
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

    private static void MapSignIn(WebApplication app, string way)
    {
        string[] byLinkOrForm = [HttpMethods.Get, HttpMethods.Post];
        app.MapMethods(AuthorizePath, byLinkOrForm, http => http.Get<Authorize>().Handle(http)).AllowAnonymous();
        if (way == SignInWays.Demo)
        {
            app.MapPost(SignInPath, http => http.Get<Authorize>().SignIn(http)).AllowAnonymous();
        }
        else
        {
            // A missing secret stops the start.
            app.Services.GetRequiredService<IOptionsMonitor<OpenIdConnectOptions>>().Get(ProviderSignIn.Scheme);
            // The handler answers before routing's turn; an address that is not mapped would not get that far.
            app.MapGet(ProviderSignIn.CallbackPath, http => Pages.Write(http, Rejections.SignInPageStale)).AllowAnonymous().WithMetadata(new AnsweredAtSignIn());
        }
        app.MapMethods(LogoutPath, byLinkOrForm, http => http.Get<SignOut>().Handle(http)).AllowAnonymous();
        app.MapPost(SignOutPath, http => http.Get<SignOut>().Confirmed(http)).AllowAnonymous();
    }
}
