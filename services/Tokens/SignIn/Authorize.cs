using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;
using Sloring.Contracts;
using Sloring.Hosting;

namespace Sloring.Tokens;

/// <summary>
/// /connect/authorize: an app sends somebody to sign in, and gets a code (RFC 6749, 4.1, with PKCE; OpenID Connect Core, 3.1). Until the client and the
/// address are known to be good a "no" is a page here; then it goes back to the app.
/// </summary>
internal sealed class Authorize(
    Clients clients, People people, Browser browser, DemoSignIn page, Sealer sealer, TokenState state, IOptions<TokenOptions> token, IOptions<TokenServiceOptions> options, TimeProvider clock)
{
    /// <summary>Of a code. It is redeemed by a program, at once.</summary>
    private static readonly TimeSpan CodeLife = TimeSpan.FromSeconds(60);

    public Task Handle(HttpContext http) => Shown(http, async () =>
    {
        var fields = await Fields(http);
        var client = Once(fields, "client_id", Rejections.SignInClientUnknown) is { } id && clients.Find(id) is { RedirectUris.Count: > 0 } known
            ? known
            : throw new RejectedException(Rejections.SignInClientUnknown);
        var address = Once(fields, "redirect_uri", Rejections.RedirectUriUnknown) is { } given && client.RedirectUris.Any(registered => RedirectUris.Matches(registered, given))
            ? given
            : throw new RejectedException(Rejections.RedirectUriUnknown);
        var appState = fields.TryGetValue("state", out var stated) && stated.Count == 1 ? stated.ToString() : null;
        var (request, error, wrong) = AuthorizeRequest.Read(fields);
        if (state.Now().IsRevoked(client.Id))
            (error, wrong) = ("unauthorized_client", Rejections.ClientRevoked);
        if (request is null || wrong is not null)
        {
            Refuse(http, address, appState, error, wrong!);
            return;
        }
        if (!request.Anew && browser.Session(http) is { } session && !(clock.GetUtcNow() - session.SignedInAt > request.NoOlder) && people.Of(session, session.SignedInAt) is not null)
            Send(http, request, session);
        else if (request.Silent)
            Refuse(http, address, appState, "login_required", Rejections.LoginRequired);
        else if (options.Value.SignIn == SignInWays.OpenId)
            await http.Get<ProviderSignIn>().Challenge(http, request, fields.TryGetValue("ui_locales", out var locales) ? locales.ToString() : "");
        else
            await page.Show(http, request, fields);
    });

    /// <summary>The form of the sign-in page comes back.</summary>
    public Task SignIn(HttpContext http) => Shown(http, async () =>
    {
        var form = await TokenRequest.ReadForm(http);
        var chosen = browser.Opened<SignInPage>(http, form["page"].ToString(), page => page.Browser);
        Answer(http, chosen.Request, people.Begin(form["persona"].ToString(), given: null, http.Connection.RemoteIpAddress));
    });

    /// <summary>Parameters of the address or of the form (OpenID Connect Core, 3.1.2.1); an empty one counts as left out.</summary>
    internal static async Task<IReadOnlyDictionary<string, StringValues>> Fields(HttpContext http)
    {
        IEnumerable<KeyValuePair<string, StringValues>> fields = HttpMethods.IsPost(http.Request.Method) ? await TokenRequest.ReadForm(http) : http.Request.Query;
        return fields.Where(field => field.Value.Count > 1 || field.Value.ToString().Length > 0).ToDictionary(field => field.Key, field => field.Value, StringComparer.Ordinal);
    }

    internal static string? Once(IReadOnlyDictionary<string, StringValues> fields, string name, Rejection wrong) => !fields.TryGetValue(name, out var value)
        ? null
        : value.Count == 1 ? value.ToString() : throw new RejectedException(wrong);

    /// <summary>What goes wrong here somebody sees: it is a page.</summary>
    internal static async Task Shown(HttpContext http, Func<Task> handle)
    {
        try
        {
            await handle();
        }
        catch (RejectedException rejected)
        {
            await Pages.Write(http, rejected.Rejection);
        }
    }

    /// <summary>Somebody has signed in: the browser keeps the session, and the app gets its code.</summary>
    internal void Answer(HttpContext http, AuthorizeRequest request, Session session)
    {
        browser.Keep(http, session);
        Send(http, request, session);
    }

    private void Send(HttpContext http, AuthorizeRequest request, Session session)
    {
        var now = clock.GetUtcNow();
        var code = sealer.Seal(new AuthorizationCode(Guid.NewGuid().ToString("N"), request with { State = null }, session, now, now + CodeLife));
        Send(http, request.RedirectUri, new() { ["code"] = code, ["state"] = request.State, ["iss"] = token.Value.Issuer });
    }

    private void Refuse(HttpContext http, string address, string? appState, string error, Rejection wrong) => Send(http, address, new()
    {
        ["error"] = error,
        ["error_description"] = $"{wrong.Code} {wrong.En}{(wrong.Field is { } field ? $" ({field})" : "")}",
        ["state"] = appState,
        ["iss"] = token.Value.Issuer,
    });

    /// <summary>See other: whatever was sent here in a form is not sent on.</summary>
    private static void Send(HttpContext http, string address, Dictionary<string, string?> answer)
    {
        http.Response.StatusCode = StatusCodes.Status303SeeOther;
        http.Response.Headers.Location = QueryHelpers.AddQueryString(address, answer);
    }
}
