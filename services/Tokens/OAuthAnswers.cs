using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Sloring.Contracts;

namespace Sloring.Tokens;

/// <summary>A token for the client that asked.</summary>
internal sealed record TokenAnswer(
    [property: JsonPropertyName("access_token")] string AccessToken,
    [property: JsonPropertyName("token_type")] string TokenType,
    [property: JsonPropertyName("expires_in")] int ExpiresIn,
    [property: JsonPropertyName("scope")] string? Scope,
    [property: JsonPropertyName("issued_token_type")] string? IssuedTokenType = null)
{
    /// <summary>Of a person who has signed in.</summary>
    [JsonPropertyName("id_token")]
    public string? IdToken { get; init; }

    [JsonPropertyName("refresh_token")]
    public string? RefreshToken { get; init; }
}

/// <summary>How the token endpoint answers: OAuth's own bodies and words (RFC 6749, 5.1 and 5.2), with the rejection's number beside them.</summary>
internal static class OAuthAnswers
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Rejection → OAuth's word and HTTP status.</summary>
    private static readonly Dictionary<string, (string Error, int Status)> Words = new()
    {
        [Rejections.ClientInvalid.Code] = ("invalid_client", StatusCodes.Status401Unauthorized),
        [Rejections.GrantUnsupported.Code] = ("unsupported_grant_type", StatusCodes.Status400BadRequest),
        [Rejections.TokenRequestInvalid.Code] = ("invalid_request", StatusCodes.Status400BadRequest),
        [Rejections.ScopeInvalid.Code] = ("invalid_scope", StatusCodes.Status400BadRequest),
        [Rejections.TooLarge.Code] = ("invalid_request", StatusCodes.Status413PayloadTooLarge),
        [Rejections.AssertionClaimsInvalid.Code] = ("invalid_client", StatusCodes.Status401Unauthorized),
        [Rejections.AssertionForOther.Code] = ("invalid_client", StatusCodes.Status401Unauthorized),
        [Rejections.AssertionNotNow.Code] = ("invalid_client", StatusCodes.Status401Unauthorized),
        [Rejections.AssertionUsed.Code] = ("invalid_client", StatusCodes.Status401Unauthorized),
        [Rejections.TooManyAssertions.Code] = ("temporarily_unavailable", StatusCodes.Status429TooManyRequests),
        [Rejections.TooManyRequests.Code] = ("temporarily_unavailable", StatusCodes.Status429TooManyRequests),
        [Rejections.ClientRevoked.Code] = ("unauthorized_client", StatusCodes.Status400BadRequest),
        [Rejections.ExchangeNotAllowed.Code] = ("unauthorized_client", StatusCodes.Status400BadRequest),
        [Rejections.TargetInvalid.Code] = ("invalid_target", StatusCodes.Status400BadRequest),
        [Rejections.SubjectTokenInvalid.Code] = ("invalid_request", StatusCodes.Status400BadRequest),
        [Rejections.SubjectWithoutCpr.Code] = ("invalid_request", StatusCodes.Status400BadRequest),
        [Rejections.RelationNotAsserted.Code] = ("invalid_request", StatusCodes.Status400BadRequest),
        [Rejections.GrantInvalid.Code] = ("invalid_grant", StatusCodes.Status400BadRequest),
        [Rejections.GrantNotForClient.Code] = ("unauthorized_client", StatusCodes.Status400BadRequest),
        [Rejections.Busy.Code] = ("temporarily_unavailable", StatusCodes.Status503ServiceUnavailable),
        [Rejections.InstructionsUnavailable.Code] = ("temporarily_unavailable", StatusCodes.Status503ServiceUnavailable),
    };

    public static Task Write(HttpContext http, TokenAnswer answer) => Write(http, StatusCodes.Status200OK, answer);

    public static Task Write(HttpContext http, Rejection rejection)
    {
        var (error, status) = Words[rejection.Code];
        if (status is StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable && http.Response.Headers.RetryAfter.Count == 0)
            http.Response.Headers.RetryAfter = "1";
        if (status == StatusCodes.Status401Unauthorized)
            http.Response.Headers.WWWAuthenticate = "Basic realm=\"sloring\", charset=\"UTF-8\"";
        if (!HttpMethods.IsPost(http.Request.Method))
            (status, http.Response.Headers.Allow) = (StatusCodes.Status405MethodNotAllowed, HttpMethods.Post);
        return Write(http, status, new { error, error_description = rejection.En, code = rejection.Code, da = rejection.Da, field = rejection.Field });
    }

    private static Task Write<T>(HttpContext http, int status, T body)
    {
        http.Response.StatusCode = status;
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers.Pragma = "no-cache";
        return http.Response.WriteAsJsonAsync(body, Json, "application/json", http.RequestAborted);
    }
}
