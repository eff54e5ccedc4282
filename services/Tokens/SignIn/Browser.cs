using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using Sloring.Contracts;
using Sloring.Hosting;

namespace Sloring.Tokens;

/// <summary>What is kept in the browser: the session, and a random value that a form must have been made for. Both cookies are of no use to scripts and to other sites.</summary>
internal sealed class Browser(Sealer sealer, IOptions<TokenOptions> token, TimeProvider clock)
{
    private const int RandomBytes = 32;

    /// <summary>Over TLS the name itself says that only this host has set it, for all of it.</summary>
    private readonly bool _tls = token.Value.Issuer.StartsWith("https:", StringComparison.Ordinal);

    public Session? Session(HttpContext http) =>
        http.Request.Cookies.TryGetValue(Name("session"), out var text) ? sealer.Open<Session>(text, clock.GetUtcNow()) : null;

    public void Keep(HttpContext http, Session session) => http.Response.Cookies.Append(Name("session"), sealer.Seal(session), Options());

    public void Forget(HttpContext http) => http.Response.Cookies.Delete(Name("session"), Options());

    /// <summary>What stands for this browser in a form that is sent to it. One value for all its tabs.</summary>
    public string Mark(HttpContext http)
    {
        if (http.Request.Cookies.TryGetValue(Name("form"), out var value) && value.Length == Base64Url.GetEncodedLength(RandomBytes))
            return HashOf(value);
        value = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(RandomBytes));
        http.Response.Cookies.Append(Name("form"), value, Options());
        return HashOf(value);
    }

    /// <summary>What a form was made for, which this browser was sent and nobody else.</summary>
    /// <exception cref="RejectedException">SLR-627.</exception>
    public T Opened<T>(HttpContext http, string form, Func<T, string> mark) where T : class, ISealed =>
        sealer.Open<T>(form, clock.GetUtcNow()) is { } page && http.Request.Cookies.TryGetValue(Name("form"), out var value)
        && CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(HashOf(value)), Encoding.ASCII.GetBytes(mark(page)))
            ? page
            : throw new RejectedException(Rejections.SignInPageStale);

    private static string HashOf(string value) => Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(value)));

    private string Name(string what) => (_tls ? "__Host-" : "") + "sloring-" + what;

    /// <summary>Until the browser is closed. Lax: an app elsewhere sends people here by a link, and no form of another site comes with it.</summary>
    private CookieOptions Options() => new() { HttpOnly = true, Secure = _tls, SameSite = SameSiteMode.Lax, Path = _tls ? "/" : "/connect", IsEssential = true };
}
