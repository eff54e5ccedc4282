using Microsoft.AspNetCore.Mvc.Filters;
using Microsoft.Extensions.Options;
using Sloring.Hosting;

namespace Sloring.Portal;

/// <summary>
/// What a browser may do with a page: load from here, send forms here, nothing else, and nothing inline. Where a form's answer leads on to counts as where it is sent: signing out
/// ends at the token service, and a form of a session that is over begins there.
/// </summary>
internal sealed class PageHeaders(IOptions<TokenOptions> token) : IResultFilter
{
    private readonly string _contentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self' "
        + $"{PolicySource.Of(token.Value.Issuer)}; base-uri 'none'; frame-ancestors 'none'";

    public void OnResultExecuting(ResultExecutingContext context) => Set(context.HttpContext.Response.Headers);

    public void Set(IHeaderDictionary headers)
    {
        headers.ContentSecurityPolicy = _contentSecurityPolicy;
        // Forms of the same origin name where they come from; no other site learns an address.
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
    }

    public void OnResultExecuted(ResultExecutedContext context)
    {
    }
}
