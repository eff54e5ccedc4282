using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Sloring.Contracts;

namespace Sloring.Tokens;

/// <summary>A token request as it came, with the client's credentials from the header or the form (RFC 6749, 2.3.1 and 4.4.2).</summary>
internal sealed record TokenRequest(string GrantType, string Scope, string ClientId, string ClientSecret)
{
    private const int LargestBody = 16 * 1024;
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads a request of whatever quality.</summary>
    /// <exception cref="RejectedException">SLR-603, SLR-907; SLR-601 where the credentials cannot even be read.</exception>
    public static async Task<TokenRequest> Read(HttpContext http)
    {
        var form = await ReadForm(http);
        var (id, secret) = Credentials(http.Request.Headers.Authorization, Field(form, "client_id"), Field(form, "client_secret"));
        return new TokenRequest(Field(form, "grant_type"), Field(form, "scope"), id, secret);
    }

    private static async Task<IFormCollection> ReadForm(HttpContext http)
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
