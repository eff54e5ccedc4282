using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Options;
using Sloring.Contracts;
using Sloring.Hosting;

namespace Sloring.Tokens;

/// <summary>
/// /connect/logout: an app sends somebody to sign out (OpenID Connect RP-Initiated Logout). An ID token of the session that the browser has ends it at once;
/// without one a page asks, since any site can send a browser here.
/// </summary>
internal sealed class SignOut(
    Clients clients, People people, Browser browser, TokenSigner signer, Sealer sealer, IOptions<TokenOptions> token, IOptions<TokenServiceOptions> options, TimeProvider clock)
{
    private static readonly TimeSpan PageLife = TimeSpan.FromMinutes(30);

    public Task Handle(HttpContext http) => Authorize.Shown(http, async () =>
    {
        var fields = await Authorize.Fields(http);
        var (hinted, sessionId) = await Hint(Field("id_token_hint") ?? "");
        if (hinted is not null && Field("client_id") is { } named && named != hinted)
            throw new RejectedException(Rejections.AuthorizationRequestInvalid.For("client_id"));
        var target = Target(hinted ?? Field("client_id"), Field("post_logout_redirect_uri"), Field("state"));
        var language = Pages.Language(Field("ui_locales") ?? "");
        var session = browser.Session(http);
        if (session is null || session.Id == sessionId)
            await Finish(http, sessionId ?? session?.Id, target, language);
        else
            await Ask(http, new SignOutPage(browser.Mark(http), session.Id, target, language, clock.GetUtcNow() + PageLife));

        string? Field(string name) => Authorize.Once(fields, name, Rejections.AuthorizationRequestInvalid.For(name));
    });

    /// <summary>The form of the page comes back.</summary>
    public Task Confirmed(HttpContext http) => Authorize.Shown(http, async () =>
    {
        var form = await TokenRequest.ReadForm(http);
        var page = browser.Opened<SignOutPage>(http, form["page"].ToString(), page => page.Browser);
        await Finish(http, page.SessionId, page.Target, page.Language);
    });

    /// <summary>The client and the session of an ID token that was made here, expired or not. One of a key that is listed no longer is as good as none.</summary>
    private async Task<(string? Client, string? SessionId)> Hint(string hint)
    {
        if (hint.Length == 0 || await SignedJwt.Verify(hint, VerificationKey.Set(signer.Jwks())) is not { } claims || SignedJwt.Text(claims, "iss") != token.Value.Issuer)
            return default;
        // An access token has no sid, and an audience that is no client.
        return SignedJwt.Texts(claims, "aud") is [var client] && SignedJwt.Text(claims, "sid") is { } session && clients.Find(client) is { RedirectUris.Count: > 0 } ? (client, session) : default;
    }

    private string? Target(string? clientId, string? given, string? appState)
    {
        if (given is null)
            return null;
        if (clientId is null || clients.Find(clientId) is not { } client || !client.PostLogoutRedirectUris.Any(registered => RedirectUris.Matches(registered, given)))
            throw new RejectedException(Rejections.RedirectUriUnknown.For("post_logout_redirect_uri"));
        return appState is null ? given : QueryHelpers.AddQueryString(given, "state", appState);
    }

    private async Task Finish(HttpContext http, string? sessionId, string? target, string language)
    {
        if (sessionId is not null)
            await people.End(sessionId, clock.GetUtcNow().AddHours(options.Value.SessionHours), http.RequestAborted);
        browser.Forget(http);
        if (target is not null)
        {
            http.Response.StatusCode = StatusCodes.Status303SeeOther;
            http.Response.Headers.Location = target;
            return;
        }
        var (title, text) = language == Pages.Danish ? ("Du er logget ud", "Luk browseren, hvis andre bruger computeren.") : ("You have signed out", "Close the browser if others use this computer.");
        await Pages.Write(http, StatusCodes.Status200OK, language, title, $"<p>{text}</p>");
    }

    private Task Ask(HttpContext http, SignOutPage page)
    {
        var (title, text, button) = page.Language == Pages.Danish
            ? ("Log ud?", "En app har sendt dig hertil for at logge ud.", "Log ud")
            : ("Sign out?", "An app has sent you here to sign out.", "Sign out");
        var targets = page.Target is null ? "'self'" : $"'self' {PolicySource.Of(page.Target)}";
        return Pages.Write(http, StatusCodes.Status200OK, page.Language, title,
            $"<p>{text}</p>\n<form method=\"post\" action=\"{TokensModule.SignOutPath}\">\n<input type=\"hidden\" name=\"page\" value=\"{Pages.Text(sealer.Seal(page))}\">\n<button>{button}</button>\n</form>", targets);
    }
}
