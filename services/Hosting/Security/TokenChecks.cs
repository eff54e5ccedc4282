using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;
using Sloring.Contracts;

namespace Sloring.Hosting;

/// <summary>Whose tokens are trusted.</summary>
public sealed class TokenOptions
{
    /// <summary>Issuer, as in the token and the discovery document.</summary>
    public string Issuer { get; set; } = "";

    /// <summary>Audience that a token must name.</summary>
    public string Audience { get; set; } = "sloring";

    /// <summary>Address of the token service; its discovery document is read from here. Empty: the issuer.</summary>
    public string Address { get; set; } = "";
}

/// <summary>Every endpoint checks the token: issuer, audience, signature, algorithm, time. What names no operation is denied.</summary>
internal static class TokenChecks
{
    public static void AddTokenChecks(this IServiceCollection services)
    {
        services.AddAuthentication(JwtBearerDefaults.AuthenticationScheme).AddJwtBearer();
        services.AddOptions<JwtBearerOptions>(JwtBearerDefaults.AuthenticationScheme)
            .Configure<IOptions<TokenOptions>, TimeProvider>((bearer, options, clock) =>
            {
                var token = options.Value;
                var address = token.Address.Length > 0 ? token.Address : token.Issuer;
                bearer.TokenHandlers.Clear();
                bearer.TokenHandlers.Add(new RememberedTokens(clock));
                bearer.MapInboundClaims = false;
                bearer.SaveToken = false;
                bearer.MetadataAddress = address.TrimEnd('/') + "/.well-known/openid-configuration";
                // Signing keys come over TLS, or from this machine.
                bearer.RequireHttpsMetadata = !new Uri(address).IsLoopback;
                bearer.TokenValidationParameters = new TokenValidationParameters
                {
                    ValidIssuer = token.Issuer,
                    ValidAudience = token.Audience,
                    ValidAlgorithms = [SecurityAlgorithms.EcdsaSha256],
                    ValidTypes = ["at+jwt"],
                    NameClaimType = "sub",
                    RoleClaimType = "roles",
                    RequireExpirationTime = true,
                    RequireSignedTokens = true,
                    // The platform's clock, not the machine's: both sides of a token live on the same one.
                    LifetimeValidator = (from, to, _, _) => to is not null
                        && clock.GetUtcNow() < new DateTimeOffset(DateTime.SpecifyKind(to.Value, DateTimeKind.Utc)).AddSeconds(5)
                        && (from is null || clock.GetUtcNow() > new DateTimeOffset(DateTime.SpecifyKind(from.Value, DateTimeKind.Utc)).AddSeconds(-30)),
                };
                bearer.Events = new JwtBearerEvents
                {
                    OnChallenge = context =>
                    {
                        context.HandleResponse();
                        context.Response.Headers.WWWAuthenticate = "Bearer";
                        return RejectionWriter.Write(context.HttpContext, Rejections.TokenMissing);
                    },
                    OnForbidden = context => RejectionWriter.Write(context.HttpContext, Rejections.NotAllowed),
                };
            });
        var authorization = services.AddAuthorizationBuilder()
            .SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().RequireAssertion(_ => false).Build());
        foreach (var (operation, roles) in Operations.Allowed)
            authorization.AddPolicy(operation, policy => policy.RequireAuthenticatedUser()
                .RequireAssertion(context => context.User.FindAll("roles").Any(claim => roles.Contains(claim.Value))));
    }
}
