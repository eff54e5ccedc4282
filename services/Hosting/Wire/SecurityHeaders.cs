using Microsoft.AspNetCore.Builder;

namespace Sloring.Hosting;

/// <summary>How a content security policy names an address.</summary>
public static class PolicySource
{
    /// <summary>Its origin. The policy knows no IPv6 address: of [::1] only the scheme can be said.</summary>
    public static string Of(string uri) => new Uri(uri) is { HostNameType: UriHostNameType.IPv6 } six ? six.Scheme + ":" : new Uri(uri).GetLeftPart(UriPartial.Authority);
}

/// <summary>What every HTTP answer says to whoever keeps or shows it. Nothing here is a page, and nothing may be kept unless its handler says so. gRPC has no use for them.</summary>
internal static class SecurityHeaders
{
    private const string NothingMayLoad = "default-src 'none'; frame-ancestors 'none'";

    public static void UseSecurityHeaders(this WebApplication app) => app.Use((http, next) =>
    {
        if (http.Request.ContentType?.StartsWith("application/grpc", StringComparison.Ordinal) != true)
        {
            var headers = http.Response.Headers;
            headers.XContentTypeOptions = "nosniff";
            headers.CacheControl = "no-store";
            headers.ContentSecurityPolicy = NothingMayLoad;
            headers.XFrameOptions = "DENY";
            headers["Referrer-Policy"] = "no-referrer";
            if (http.Request.IsHttps)
                headers.StrictTransportSecurity = "max-age=31536000";
        }
        return next(http);
    });
}
