using System.Net;
using System.Security.Claims;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;
using Sloring.Contracts;
using Sloring.Hosting;

namespace Sloring.Tokens;

/// <summary>What a provider says of somebody who has signed in there.</summary>
/// <param name="Id">The organisation's id of the person.</param>
/// <param name="Name">What people call them.</param>
/// <param name="Roles">Roles in the provider's words.</param>
/// <param name="Cvr">Their organisation.</param>
/// <param name="UnitSorId">SOR id of their unit.</param>
internal sealed record ProviderPerson(string Id, string Name, IReadOnlyList<string> Roles, string? Cvr, string? UnitSorId)
{
    /// <summary>Their authorisation id as a health professional.</summary>
    public string? AuthorisationId { get; init; }

    /// <summary>A citizen's own CPR number.</summary>
    public string? Cpr { get; init; }

    /// <summary>CPR numbers of those whom a citizen acts for.</summary>
    public IReadOnlyList<string> ActsFor { get; init; } = [];
}

/// <summary>
/// People sign in at an OpenID provider: the framework's handler talks to it, and what comes back is a session of this token service. What would be kept in a
/// data protection key ring is sealed instead, so that any replica takes the answer.
/// </summary>
internal sealed class ProviderSignIn(
    Browser browser, People people, Sealer sealer, SecretStore secrets, IOptions<TokenOptions> token, IOptions<TokenServiceOptions> options, TimeProvider clock)
    : IConfigureNamedOptions<OpenIdConnectOptions>
{
    public const string Scheme = "openid-provider";
    public const string SecretName = "openid-provider";
    public const string CallbackPath = "/connect/signed-in";

    private const string PageItem = "page";
    private static readonly TimeSpan PageLife = TimeSpan.FromMinutes(30);

    /// <summary>Sends the browser to the provider.</summary>
    public Task Challenge(HttpContext http, AuthorizeRequest request, string locales)
    {
        var properties = new OpenIdConnectChallengeProperties { RedirectUri = "/", Prompt = request.Anew ? "login" : null, MaxAge = request.NoOlder };
        properties.Items[PageItem] = sealer.Seal(new SignInPage(browser.Mark(http), request, clock.GetUtcNow() + PageLife));
        if (locales.Length > 0)
            properties.SetParameter(OpenIdConnectParameterNames.UiLocales, locales);
        return http.ChallengeAsync(Scheme, properties);
    }

    public void Configure(string? name, OpenIdConnectOptions handler)
    {
        if (name == Scheme)
            Configure(handler);
    }

    public void Configure(OpenIdConnectOptions handler)
    {
        var provider = options.Value.OpenIdProvider;
        var address = token.Value.Issuer.TrimEnd('/');
        var tls = address.StartsWith("https:", StringComparison.Ordinal);
        (handler.Authority, handler.ClientId, handler.CallbackPath) = (provider.Authority, provider.ClientId, CallbackPath);
        handler.ClientSecret = secrets.Find(SecretName) ?? throw new InvalidOperationException($"Tokens:SignIn is openid. Add the secret '{SecretName}': the client secret that the provider has given.");
        handler.RequireHttpsMetadata = !new Uri(provider.Authority).IsLoopback;
        handler.ResponseType = OpenIdConnectResponseType.Code;
        handler.ResponseMode = OpenIdConnectResponseMode.Query;
        (handler.UsePkce, handler.SaveTokens, handler.GetClaimsFromUserInfoEndpoint, handler.MapInboundClaims) = (true, false, false, false);
        handler.Scope.Clear();
        foreach (var scope in provider.Scopes.Split(' ', StringSplitOptions.RemoveEmptyEntries).Prepend("openid").Distinct())
            handler.Scope.Add(scope);
        // With its public keys only: a token "signed" with the client's secret has nowhere to go.
        handler.TokenValidationParameters.ValidAlgorithms = [SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSsaPssSha256];
        handler.StateDataFormat = new SealedFormat<AuthenticationProperties>(sealer, "provider-state", PropertiesSerializer.Default);
        handler.StringDataFormat = new SealedFormat<string>(sealer, "provider-nonce", new Texts());
        foreach (var (cookie, called) in (ReadOnlySpan<(CookieBuilder, string)>)[(handler.CorrelationCookie, "correlation."), (handler.NonceCookie, "nonce.")])
        {
            cookie.Name = (tls ? "__Host-" : "") + "sloring-" + called;
            cookie.Path = tls ? "/" : CallbackPath;
            (cookie.HttpOnly, cookie.SameSite) = (true, SameSiteMode.Lax);
            cookie.SecurePolicy = tls ? CookieSecurePolicy.Always : CookieSecurePolicy.None;
        }
        handler.Events = new OpenIdConnectEvents
        {
            OnRedirectToIdentityProvider = context =>
            {
                // The address that the provider has registered, whatever name this request came by.
                context.ProtocolMessage.RedirectUri = address + CallbackPath;
                context.ProtocolMessage.UiLocales = context.Properties.GetParameter<string>(OpenIdConnectParameterNames.UiLocales);
                return Task.CompletedTask;
            },
            OnTokenValidated = context =>
            {
                // The framework's handler takes one that the token endpoint gave without a signature; one that is there it has checked.
                if (context.SecurityToken is not { RawSignature.Length: > 0 })
                    context.Fail("The ID token is not signed.");
                return Task.CompletedTask;
            },
            OnTicketReceived = context =>
            {
                context.HandleResponse();
                return Authorize.Shown(context.HttpContext, () =>
                {
                    var page = browser.Opened<SignInPage>(context.HttpContext, context.Properties!.Items[PageItem] ?? "", page => page.Browser);
                    context.HttpContext.Get<Authorize>().Answer(context.HttpContext, page.Request, RecordPerson(context.Principal!, context.HttpContext.Connection.RemoteIpAddress));
                    return Task.CompletedTask;
                });
            },
            OnRemoteFailure = context =>
            {
                context.HandleResponse();
                return Pages.Write(context.HttpContext, Rejections.ProviderFailed);
            },
        };
    }

    private Session RecordPerson(ClaimsPrincipal user, IPAddress? from)
    {
        var provider = options.Value.OpenIdProvider;
        var id = Claim(provider.PersonClaim);
        if (id is null || !TokenServiceOptionsCheck.IsPersonId(id))
            throw new RejectedException(Rejections.ProviderPersonInvalid.For(provider.PersonClaim));
        var (cvr, unit) = (Claim(provider.CvrClaim), Claim(provider.UnitClaim));
        if (cvr is not null && !CvrNumber.TryParse(cvr, out _))
            throw new RejectedException(Rejections.ProviderPersonInvalid.For(provider.CvrClaim));
        if (unit is not null && (cvr is null || !SorId.IsValid(unit)))
            throw new RejectedException(Rejections.ProviderPersonInvalid.For(provider.UnitClaim));
        var authorisation = Claim(provider.AuthorisationClaim);
        if (authorisation is not null && !AuthorisationId.IsValid(authorisation))
            throw new RejectedException(Rejections.ProviderPersonInvalid.For(provider.AuthorisationClaim));
        // Only what has a meaning here is kept: a provider may send hundreds of groups.
        var roles = user.FindAll(provider.RolesClaim).Select(claim => claim.Value).Where(value => provider.Roles.Any(known => known.Value == value)).Distinct().ToArray();
        if (roles.Length == 0)
            throw new RejectedException(Rejections.PersonWithoutRole.For(provider.RolesClaim));
        return people.Begin(RevocationList.Person(id), new ProviderPerson(id, Claim(provider.NameClaim) ?? id, roles, cvr, unit)
        {
            AuthorisationId = authorisation,
            Cpr = Gives(Roles.Citizen) ? CprNumber.TryParse(Claim(provider.CprClaim), out var cpr) ? cpr.Digits : throw new RejectedException(Rejections.ProviderPersonInvalid.For(provider.CprClaim)) : null,
            ActsFor = Gives(Roles.CitizenRepresentative) ? [.. user.FindAll(provider.OnBehalfOfClaim).Select(claim => Relation.Of(claim.Value)).OfType<Relation>().Select(relation => relation.Person.Digits).Distinct()] : [],
        }, from);

        bool Gives(string role) => provider.Roles.Any(known => known.Role == role && roles.Contains(known.Value));

        string? Claim(string type) => type.Length > 0 && user.FindFirstValue(type) is { Length: > 0 } value ? value : null;
    }

    private sealed class SealedFormat<T>(Sealer sealer, string purpose, IDataSerializer<T> serializer) : ISecureDataFormat<T>
    {
        public string Protect(T data) => Protect(data, null);

        public string Protect(T data, string? what) => sealer.Seal(Convert.ToBase64String(serializer.Serialize(data)), $"{purpose} {what}");

        public T? Unprotect(string? protectedText) => Unprotect(protectedText, null);

        public T? Unprotect(string? protectedText, string? what)
        {
            try
            {
                return serializer.Deserialize(Convert.FromBase64String(sealer.Open(protectedText ?? "", $"{purpose} {what}")));
            }
            catch (Exception e) when (e is CryptographicException or FormatException)
            {
                return default;
            }
        }
    }

    private sealed class Texts : IDataSerializer<string>
    {
        public byte[] Serialize(string model) => System.Text.Encoding.UTF8.GetBytes(model);

        public string? Deserialize(byte[] data) => System.Text.Encoding.UTF8.GetString(data);
    }
}
