using System.Globalization;
using Microsoft.Extensions.Primitives;
using Sloring.Contracts;

namespace Sloring.Tokens;

/// <summary>What an app asks for when it sends somebody to sign in (OpenID Connect Core, 3.1.2.1; RFC 7636).</summary>
/// <param name="ClientId">The app.</param>
/// <param name="RedirectUri">Where the answer goes.</param>
/// <param name="State">The app's own, handed back.</param>
/// <param name="Nonce">The app's own, put into the ID token.</param>
/// <param name="Challenge">SHA-256 of the verifier that only the app has.</param>
internal sealed record AuthorizeRequest(string ClientId, string RedirectUri, string? State, string? Nonce, string Challenge)
{
    /// <summary>Characters. Apps keep in it, sealed, which of their pages was asked for; the answer's address holds it beside the code.</summary>
    private const int LongestState = 2_048;

    private const int LongestNonce = 1_024;

    /// <summary>Show no page.</summary>
    public bool Silent { get; private init; }

    /// <summary>Sign in again, whoever has.</summary>
    public bool Anew { get; private init; }

    /// <summary>Sign in again if that is longer ago.</summary>
    public TimeSpan? NoOlder { get; private init; }

    /// <summary>Reads the rest of a request of which the client and the address are known to be good.</summary>
    /// <returns>The request, or OAuth's word and the number of what is wrong.</returns>
    public static (AuthorizeRequest? Request, string Error, Rejection? Wrong) Read(IReadOnlyDictionary<string, StringValues> fields)
    {
        foreach (var (name, values) in fields)
        {
            if (values.Count > 1)
                return Invalid(name);
        }
        if (Field("request").Length > 0)
            return (null, "request_not_supported", Rejections.AuthorizationRequestInvalid.For("request"));
        if (Field("request_uri").Length > 0)
            return (null, "request_uri_not_supported", Rejections.AuthorizationRequestInvalid.For("request_uri"));
        if (Field("response_type") is var type && type != "code")
            return type.Length == 0 ? Invalid("response_type") : (null, "unsupported_response_type", Rejections.AuthorizationRequestInvalid.For("response_type"));
        if (Field("response_mode") is not ("" or "query"))
            return Invalid("response_mode");
        if (!Field("scope").Split(' ').Contains("openid"))
            return (null, "invalid_scope", Rejections.AuthorizationRequestInvalid.For("scope"));
        var (challenge, state, nonce) = (Field("code_challenge"), Field("state"), Field("nonce"));
        if (Field("code_challenge_method") != "S256" || !Pkce.IsChallenge(challenge))
            return (null, "invalid_request", Rejections.PkceRequired);
        if (state.Length > LongestState)
            return Invalid("state");
        if (nonce.Length > LongestNonce)
            return Invalid("nonce");
        var prompt = Field("prompt");
        if (prompt is not ("" or "none" or "login"))
            return Invalid("prompt");
        TimeSpan? noOlder = null;
        if (Field("max_age") is { Length: > 0 } age)
        {
            if (!uint.TryParse(age, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
                return Invalid("max_age");
            noOlder = TimeSpan.FromSeconds(seconds);
        }
        return (new AuthorizeRequest(Field("client_id"), Field("redirect_uri"), NullIfEmpty(state), NullIfEmpty(nonce), challenge)
        {
            Silent = prompt == "none",
            Anew = prompt == "login",
            NoOlder = noOlder,
        }, "", null);

        string Field(string name) => fields.TryGetValue(name, out var value) ? value.ToString() : "";

        static string? NullIfEmpty(string text) => text.Length > 0 ? text : null;

        static (AuthorizeRequest?, string, Rejection?) Invalid(string field) => (null, "invalid_request", Rejections.AuthorizationRequestInvalid.For(field));
    }
}
