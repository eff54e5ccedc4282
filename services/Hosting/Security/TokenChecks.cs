using System.Security.Claims;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
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

    /// <summary>
    /// Where the token service is reached from here, for example by its name within a cluster: its discovery document, and all that this names under the issuer, is read there.
    /// Empty: the issuer.
    /// </summary>
    public string Address { get; set; } = "";

    /// <summary>How often keys and revoked clients are fetched: a revocation is heard of within so many seconds.</summary>
    public int RefreshSeconds { get; set; } = 5;

    /// <summary>Where an address of the token service's is reached from here; the token service names them as outside systems know them.</summary>
    public string Reached(string address)
    {
        var issuer = Issuer.TrimEnd('/');
        return Address.Length > 0 && (address == issuer || address.StartsWith(issuer + "/", StringComparison.Ordinal)) ? Address.TrimEnd('/') + address[issuer.Length..] : address;
    }
}

/// <summary>
/// Every endpoint checks the token: issuer, audience, signature, algorithm, time, whether its client has been revoked, and the certificate that it is bound
/// to (RFC 8705). What names no operation is denied.
/// </summary>
internal static class TokenChecks
{
    private static readonly object Why = new();

    public static void AddTokenChecks(this IServiceCollection services)
    {
        services.AddSingleton<TokenTrust>();
        services.AddSingleton(provider => new Revocations(provider.GetRequiredService<TokenTrust>()));
        services.AddHostedService<TokenTrust.Following>();
        services.AddAuthentication(JwtBearerDefaults.AuthenticationScheme).AddJwtBearer();
        services.AddOptions<JwtBearerOptions>(JwtBearerDefaults.AuthenticationScheme)
            .Configure<IOptions<TokenOptions>, TokenTrust, TimeProvider>((bearer, options, trust, clock) =>
            {
                var token = options.Value;
                bearer.TokenHandlers.Clear();
                bearer.TokenHandlers.Add(new RememberedTokens(clock, trust));
                bearer.MapInboundClaims = false;
                bearer.SaveToken = false;
                bearer.ConfigurationManager = trust;
                bearer.TokenValidationParameters = new TokenValidationParameters
                {
                    ValidIssuer = token.Issuer,
                    ValidAudience = token.Audience,
                    ValidAlgorithms = [SecurityAlgorithms.EcdsaSha256],
                    ValidTypes = ["at+jwt"],
                    IssuerSigningKeyResolverUsingConfiguration = (_, _, keyId, _, configuration) => trust.KeysOf(keyId, configuration),
                    TryAllIssuerSigningKeys = false,
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
                    OnTokenValidated = context =>
                    {
                        var refused = IsRevoked(context.Principal!, trust) ? Rejections.TokenRevoked
                            : IsBoundElsewhere(context.Principal!, context.HttpContext) ? Rejections.TokenBoundElsewhere
                            : null;
                        if (refused is not null)
                        {
                            context.HttpContext.Items[Why] = refused;
                            context.Fail(refused.Code);
                        }
                        return Task.CompletedTask;
                    },
                    OnChallenge = context =>
                    {
                        context.HandleResponse();
                        context.Response.Headers.WWWAuthenticate = "Bearer";
                        return RejectionWriter.Write(context.HttpContext, context.HttpContext.Items[Why] as Rejection ?? Rejections.TokenMissing);
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

    private static bool IsRevoked(ClaimsPrincipal user, TokenTrust trust) =>
        user.FindFirstValue("client_id") is { } client && trust.IsRevoked(client, user.FindFirstValue("person"), Instant(user, "iat") ?? DateTimeOffset.MinValue);

    /// <summary>RFC 8705, 3: a token that was fetched with a certificate is good with that certificate only.</summary>
    private static bool IsBoundElsewhere(ClaimsPrincipal user, HttpContext http)
    {
        if (user.FindFirstValue("cnf") is not { } confirmation)
            return false;
        using var json = JsonDocument.Parse(confirmation);
        // A binding of another kind is one that cannot be checked here.
        return !json.RootElement.TryGetProperty("x5t#S256", out var bound) || bound.GetString() is not { } thumbprint
            || http.Connection.ClientCertificate is not { } certificate
            || !CryptographicOperations.FixedTimeEquals(SHA256.HashData(certificate.RawData), Base64UrlEncoder.DecodeBytes(thumbprint));
    }

    /// <summary>A claim that holds seconds since 1970.</summary>
    internal static DateTimeOffset? Instant(ClaimsPrincipal user, string claim) =>
        long.TryParse(user.FindFirstValue(claim), out var seconds) ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;
}
