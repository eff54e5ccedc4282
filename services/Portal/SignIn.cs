using System.Globalization;
using System.Net;
using System.Security.Claims;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;
using Sloring.Contracts;
using Sloring.Hosting;

namespace Sloring.Portal;

/// <summary>
/// OpenID Connect against the token service: code flow with PKCE. The session is a sealed cookie that holds the person's tokens; nothing is kept on the server, so
/// any replica serves anybody. The access token lives for minutes and is renewed while the session lasts.
/// </summary>
internal static class SignIn
{
    public const string Policy = "signed-in";

    private const string Session = "portal-session";
    private const string OpenId = "portal-sign-in";
    private const string CallbackPath = "/signin-oidc";
    private const string SignedOutPath = "/signout-callback-oidc";
    private const string AccessToken = "access_token";
    private const string RefreshToken = "refresh_token";
    private const string ExpiresAt = "expires_at";

    /// <summary>Renewed so long before it expires: a request that begins with it must be able to end with it.</summary>
    private static readonly TimeSpan RenewBefore = TimeSpan.FromSeconds(60);

    /// <summary>So long is the token service waited for while the token at hand is still good.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public static void AddSignIn(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<PortalOptions>().BindConfiguration("Portal")
            .Validate(
                o => o.LogSources.All(source => source.IsUsable),
                "Set each Portal:LogSources:<n>:Name, and Portal:LogSources:<n>:Address to an https:// address without a query: a CPR number and names may go without TLS on this machine only.")
            .ValidateOnStart();
        services.AddAuthentication().AddCookie(Session).AddOpenIdConnect(OpenId, _ => { });
        services.AddOptions<CookieAuthenticationOptions>(Session).Configure<IOptions<TokenOptions>>((cookie, token) =>
        {
            // Over TLS the name itself says that only this host has set it.
            cookie.Cookie.Name = (token.Value.Issuer.StartsWith("https:", StringComparison.Ordinal) ? "__Host-" : "") + "sloring-portal";
            cookie.Cookie.SameSite = SameSiteMode.Lax;
            cookie.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
            cookie.SlidingExpiration = false;
            cookie.Events.OnValidatePrincipal = Validate;
            cookie.Events.OnRedirectToLogin = AskToSignIn;
        });
        services.AddOptions<OpenIdConnectOptions>(OpenId).Configure<IOptions<TokenOptions>, IOptions<PortalOptions>, SecretStore, Sealer, TimeProvider>((openId, token, portal, secrets, sealer, clock) =>
        {
            var address = token.Value.Reached(token.Value.Issuer);
            openId.Authority = token.Value.Issuer;
            openId.MetadataAddress = address.TrimEnd('/') + "/.well-known/openid-configuration";
            openId.RequireHttpsMetadata = false;
            openId.BackchannelHttpHandler = new WithinReach(token.Value) { InnerHandler = Outgoing.To(address) };
            openId.BackchannelTimeout = TimeSpan.FromSeconds(10);
            openId.ClientId = portal.Value.ClientId;
            openId.ClientSecret = secrets.Text("client/" + portal.Value.ClientId);
            openId.SignInScheme = Session;
            openId.ResponseType = OpenIdConnectResponseType.Code;
            // The answer comes as a link is followed: the cookies that belong to it may then be as strict as Lax, and need no TLS on loopback.
            openId.ResponseMode = OpenIdConnectResponseMode.Query;
            openId.UsePkce = true;
            openId.SaveTokens = true;
            openId.MapInboundClaims = false;
            openId.Scope.Clear();
            openId.Scope.Add("openid");
            openId.CallbackPath = CallbackPath;
            openId.SignedOutCallbackPath = SignedOutPath;
            openId.SignedOutRedirectUri = "/";
            openId.StateDataFormat = new SignInState(sealer);
            foreach (var cookie in (ReadOnlySpan<CookieBuilder>)[openId.CorrelationCookie, openId.NonceCookie])
                (cookie.SameSite, cookie.SecurePolicy) = (SameSiteMode.Lax, CookieSecurePolicy.SameAsRequest);
            openId.TokenValidationParameters = new TokenValidationParameters
            {
                ValidIssuer = token.Value.Issuer,
                ValidAudience = portal.Value.ClientId,
                ValidAlgorithms = [SecurityAlgorithms.EcdsaSha256],
                NameClaimType = "name",
                RoleClaimType = "roles",
                LifetimeValidator = (_, to, _, _) => to is not null && clock.GetUtcNow() < new DateTimeOffset(DateTime.SpecifyKind(to.Value, DateTimeKind.Utc)),
            };
            openId.Events.OnRedirectToIdentityProvider = context =>
            {
                context.ProtocolMessage.UiLocales = Language.Of(context.HttpContext).Name;
                return Task.CompletedTask;
            };
            openId.Events.OnTokenValidated = context =>
            {
                // The framework's handler takes one that the token endpoint gave without a signature; one that is there it has checked.
                if (context.SecurityToken is not { RawSignature.Length: > 0 })
                    context.Fail("The ID token is not signed.");
                return Task.CompletedTask;
            };
            openId.Events.OnRemoteFailure = context =>
            {
                // A sign-in begun yesterday, or the back button after it: begin anew instead of explaining.
                context.HandleResponse();
                context.Response.Redirect("/");
                return Task.CompletedTask;
            };
        });
        services.AddAuthorizationBuilder().AddPolicy(Policy, new AuthorizationPolicyBuilder(Session).RequireAuthenticatedUser().Build());
    }

    public static void MapSignIn(this WebApplication app)
    {
        // The sign-in handler answers these two before any endpoint does; what names no endpoint is refused earlier still.
        foreach (var path in (ReadOnlySpan<string>)[CallbackPath, SignedOutPath])
            app.MapGet(path, () => Results.Redirect("/")).AllowAnonymous().WithMetadata(new AnsweredAtSignIn());
        app.MapPost("/sign-out", SignOut).RequireAuthorization(Policy);
    }

    /// <summary>The access token of the request's person; null where nobody has signed in.</summary>
    public static string? TokenOf(HttpContext http) => http.Items[typeof(SignIn)] as string;

    /// <summary>Sends to the sign-in page and back.</summary>
    public static Microsoft.AspNetCore.Mvc.ChallengeResult Anew() => new(Session);

    /// <summary>Whether the signed-in person has a role of <see cref="Roles"/>.</summary>
    public static bool HasRole(this ClaimsPrincipal person, string role) => person.HasClaim("roles", role);

    private static async Task<IResult> SignOut(HttpContext http, Microsoft.AspNetCore.Antiforgery.IAntiforgery forms)
    {
        await forms.ValidateRequestAsync(http);
        return Results.SignOut(new AuthenticationProperties { RedirectUri = "/" }, [Session, OpenId]);
    }

    /// <summary>Sends to the sign-in page and back; but keeps what somebody has written, and a page that has fetched a part of itself.</summary>
    private static async Task AskToSignIn(RedirectContext<CookieAuthenticationOptions> context)
    {
        var http = context.HttpContext;
        if (HeldForm.Of(http, Rejections.SessionEnded) is { } held)
            await held.Write(http);
        else if (http.Request.Headers.ContainsKey("HX-Request"))
            await PagePart.SessionEnded(http);
        else if (http.Request.Headers.Accept.ToString().Contains("text/event-stream", StringComparison.Ordinal))
            http.Response.StatusCode = StatusCodes.Status401Unauthorized;
        else
            await http.ChallengeAsync(OpenId, context.Properties);
    }

    private static async Task Validate(CookieValidatePrincipalContext context)
    {
        if (await IsRevoked(context))
            context.RejectPrincipal();
        else
            await RenewToken(context);
    }

    /// <summary>
    /// Whether the person, or the portal, has been revoked since the token was given: not every page asks a service with the person's own token. Before it is known who is,
    /// nobody is let in.
    /// </summary>
    private static async Task<bool> IsRevoked(CookieValidatePrincipalContext context)
    {
        var (revocations, gone) = (context.HttpContext.Get<Revocations>(), context.HttpContext.RequestAborted);
        try
        {
            await revocations.Known(gone).WaitAsync(Patience, gone);
        }
        catch (TimeoutException)
        {
            return true;
        }
        return context.Properties.GetTokenValue(AccessToken) is not { } token
            || revocations.Refuse(context.HttpContext.Get<IOptions<PortalOptions>>().Value.ClientId, context.Principal!.FindFirstValue("person"), new JsonWebToken(token).IssuedAt);
    }

    private static async Task RenewToken(CookieValidatePrincipalContext context)
    {
        var clock = context.HttpContext.Get<TimeProvider>();
        var now = clock.GetUtcNow();
        if (!DateTimeOffset.TryParse(context.Properties.GetTokenValue(ExpiresAt), CultureInfo.InvariantCulture, out var expiresAt))
            context.RejectPrincipal();
        else if (now + RenewBefore >= expiresAt && !await Renewed(context, now, isGood: now < expiresAt) && now >= expiresAt)
            context.RejectPrincipal();
        if (context.Principal is not null)
            context.HttpContext.Items[typeof(SignIn)] = context.Properties.GetTokenValue(AccessToken);
    }

    /// <summary>True where there is a new token; false where the token service is away. A session that it has ended is rejected.</summary>
    private static async Task<bool> Renewed(CookieValidatePrincipalContext context, DateTimeOffset now, bool isGood)
    {
        var openId = context.HttpContext.Get<IOptionsMonitor<OpenIdConnectOptions>>().Get(OpenId);
        var gone = context.HttpContext.RequestAborted;
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(gone);
        if (isGood)
            limited.CancelAfter(Patience);
        try
        {
            var configuration = await openId.ConfigurationManager!.GetConfigurationAsync(limited.Token);
            using var form = new FormUrlEncodedContent(new Dictionary<string, string>
            {
                ["grant_type"] = "refresh_token",
                ["refresh_token"] = context.Properties.GetTokenValue(RefreshToken) ?? "",
                ["client_id"] = openId.ClientId!,
                ["client_secret"] = openId.ClientSecret!,
            });
            using var response = await openId.Backchannel.PostAsync(configuration.TokenEndpoint, form, limited.Token);
            // What OAuth says no with (RFC 6749, 5.2). Anything else says nothing of the session: too many requests, a gateway that finds nobody.
            if (response.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.Unauthorized)
            {
                context.RejectPrincipal();
                return true;
            }
            response.EnsureSuccessStatusCode();
            var answer = (await response.Content.ReadFromJsonAsync<TokenAnswer>(limited.Token))!;
            context.Properties.UpdateTokenValue(AccessToken, answer.AccessToken);
            if (answer.RefreshToken is not null)
                context.Properties.UpdateTokenValue(RefreshToken, answer.RefreshToken);
            context.Properties.UpdateTokenValue(ExpiresAt, now.AddSeconds(answer.ExpiresIn).ToString("o", CultureInfo.InvariantCulture));
            context.ShouldRenew = true;
            return true;
        }
        catch (Exception e) when (e is HttpRequestException or InvalidOperationException or JsonException || (e is OperationCanceledException && !gone.IsCancellationRequested))
        {
            // The token service is away for a moment: the token at hand serves until it expires.
            return false;
        }
    }

    private sealed record TokenAnswer(
        [property: JsonPropertyName("access_token")] string AccessToken, [property: JsonPropertyName("expires_in")] int ExpiresIn,
        [property: JsonPropertyName("refresh_token")] string? RefreshToken);
}

/// <summary>Settings under <c>Portal</c>.</summary>
public sealed class PortalOptions
{
    /// <summary>The portal's own id at the token service; its secret is <c>client/&lt;id&gt;</c> in the secret store.</summary>
    public string ClientId { get; set; } = PortalModule.Name;

    /// <summary>Who is asked for citizens' logs.</summary>
    public IList<LogSourceOptions> LogSources { get; } = [];
}

/// <summary>Takes what is asked of the token service, under the name that browsers know, to where it is reached from here.</summary>
internal sealed class WithinReach(TokenOptions token) : DelegatingHandler
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.RequestUri = new Uri(token.Reached(request.RequestUri!.AbsoluteUri));
        return base.SendAsync(request, cancellationToken);
    }
}
