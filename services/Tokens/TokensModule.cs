using Microsoft.Extensions.Options;
using Sloring.Hosting;

namespace Sloring.Tokens;

/// <summary>The token service: who may be who on this platform. No database; clients are settings, secrets are in the secret store.</summary>
public static class TokensModule
{
    internal const string TokenPath = "/connect/token";

    public static void AddTokens(this WebApplicationBuilder builder)
    {
        builder.Services.AddOptions<TokenServiceOptions>().BindConfiguration("Tokens").ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<TokenServiceOptions>, TokenServiceOptionsCheck>();
        builder.Services.AddSingleton<Clients>();
        builder.Services.AddSingleton<TokenSigner>();
        builder.Services.AddSingleton<IssueToken>();
    }

    public static void MapTokens(this WebApplication app)
    {
        // Made here and not at the first request: a missing secret or a bad key stops the start.
        var issue = app.Services.GetRequiredService<IssueToken>();
        app.Map(TokenPath, issue.Handle).AllowAnonymous();
        Discovery.Map(app, app.Services.GetRequiredService<IOptions<TokenOptions>>().Value.Issuer, app.Services.GetRequiredService<TokenSigner>().Jwks);
    }
}
