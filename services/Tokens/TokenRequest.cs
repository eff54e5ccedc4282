using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Sloring.Contracts;

namespace Sloring.Tokens;

/// <summary>A token request as it came, with the client's credentials from the header or the form (RFC 6749, 2.3.1, 4.1.3, 4.4.2 and 6; RFC 7636, 4.5; RFC 7521, 4.2; RFC 8693, 2.1).</summary>
internal sealed record TokenRequest(string GrantType, string Scope, string ClientId, string ClientSecret)
{
    private const int LargestBody = 32 * 1024;
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public string Assertion { get; private init; } = "";

    public string SubjectToken { get; private init; } = "";

    public string SubjectTokenType { get; private init; } = "";

    public string RequestedTokenType { get; private init; } = "";

    public string Audience { get; private init; } = "";

    /// <summary>Which of the relations in the citizen's token is meant; this platform's own field.</summary>
    public string OnBehalfOf { get; private init; } = "";

    public string Code { get; private init; } = "";

    public string RedirectUri { get; private init; } = "";

    public string CodeVerifier { get; private init; } = "";

    public string RefreshToken { get; private init; } = "";

    public bool HasActor { get; private init; }

    public bool HasResource { get; private init; }

    /// <summary>Reads a request of whatever quality.</summary>
    /// <exception cref="RejectedException">SLR-603, SLR-907; SLR-601 where the credentials cannot even be read.</exception>
    public static async Task<TokenRequest> Read(HttpContext http)
    {
        var form = await ReadForm(http);
        var (id, secret) = Credentials(http.Request.Headers.Authorization, Field(form, "client_id"), Field(form, "client_secret"));
        var (assertion, type) = (Field(form, "client_assertion"), Field(form, "client_assertion_type"));
        if (assertion.Length > 0 != type.Length > 0 || type is not ("" or ClientMethods.AssertionType))
            throw new RejectedException(Rejections.TokenRequestInvalid.For("client_assertion_type"));
        if (assertion.Length > 0 && (secret.Length > 0 || !string.IsNullOrEmpty(http.Request.Headers.Authorization)))
            throw new RejectedException(Rejections.TokenRequestInvalid.For("client_assertion"));
        return new TokenRequest(Field(form, "grant_type"), Field(form, "scope"), id, secret)
        {
            Assertion = assertion,
            SubjectToken = Field(form, "subject_token"),
            SubjectTokenType = Field(form, "subject_token_type"),
            RequestedTokenType = Field(form, "requested_token_type"),
            // Several audiences are allowed by RFC 8693 and refused here: a token is encrypted for one.
            Audience = form["audience"] is { Count: <= 1 } one ? one.ToString() : throw new RejectedException(Rejections.TargetInvalid.For("audience")),
            OnBehalfOf = Field(form, "on_behalf_of"),
            Code = Field(form, "code"),
            RedirectUri = Field(form, "redirect_uri"),
            CodeVerifier = Field(form, "code_verifier"),
            RefreshToken = Field(form, "refresh_token"),
            HasActor = form.ContainsKey("actor_token") || form.ContainsKey("actor_token_type"),
            HasResource = form.ContainsKey("resource"),
        };
    }

    /// <summary>Reads a form, of OAuth's one kind and no larger than any of its is.</summary>
    /// <exception cref="RejectedException">SLR-603, SLR-907.</exception>
    internal static async Task<IFormCollection> ReadForm(HttpContext http)
    {
        // Multipart has a form too, but OAuth knows only this one.
        if (!MediaTypeHeaderValue.TryParse(http.Request.ContentType, out var type)
            || !string.Equals(type.MediaType, "application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase))
            throw new RejectedException(Rejections.TokenRequestInvalid);
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = LargestBody;
        try
        {
            return await http.Request.ReadFormAsync(http.RequestAborted);
        }
        catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            throw new RejectedException(Rejections.TooLarge);
        }
        catch (Exception e) when (e is InvalidDataException or BadHttpRequestException)
        {
            throw new RejectedException(Rejections.TokenRequestInvalid);
        }
    }

    /// <summary>A field that may occur once; an empty one counts as left out (RFC 6749, 3.2).</summary>
    private static string Field(IFormCollection form, string name) => form[name] is { Count: <= 1 } one
        ? one.ToString()
        : throw new RejectedException(Rejections.TokenRequestInvalid.For(name));

    private static (string Id, string Secret) Credentials(string? authorization, string id, string secret)
    {
        if (string.IsNullOrEmpty(authorization))
            return (id, secret);
        var basic = Basic(authorization) ?? throw new RejectedException(Rejections.ClientInvalid);
        // Two ways of authenticating at once, or two different names, are an error of the request, whatever the secrets are.
        if (secret.Length > 0 || (id.Length > 0 && id != basic.Id))
            throw new RejectedException(Rejections.TokenRequestInvalid.For("client_id"));
        return basic;
    }

    private static (string Id, string Secret)? Basic(string authorization)
    {
        if (!AuthenticationHeaderValue.TryParse(authorization, out var header)
            || !string.Equals(header.Scheme, "Basic", StringComparison.OrdinalIgnoreCase))
            return null;
        try
        {
            var pair = StrictUtf8.GetString(Convert.FromBase64String(header.Parameter ?? "")).Split(':', 2);
            return pair.Length == 2 ? (WebUtility.UrlDecode(pair[0]), WebUtility.UrlDecode(pair[1])) : null;
        }
        catch (Exception e) when (e is FormatException or DecoderFallbackException)
        {
            return null;
        }
    }
}
