using Microsoft.AspNetCore.Mvc.Filters;

namespace Sloring.Portal;

/// <summary>What a browser may do with a page: load from here, send forms here, nothing else, and nothing inline.</summary>
internal sealed class PageHeaders : IResultFilter
{
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    public void OnResultExecuting(ResultExecutingContext context)
    {
        var headers = context.HttpContext.Response.Headers;
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        // Forms of the same origin name where they come from; no other site learns an address.
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
    }

    public void OnResultExecuted(ResultExecutedContext context)
    {
    }
}
