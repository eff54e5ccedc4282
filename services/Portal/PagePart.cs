using System.Text.Encodings.Web;
using Sloring.Contracts;
using Sloring.Hosting;

namespace Sloring.Portal;

/// <summary>Parts that htmx fetches into an open page.</summary>
internal static class PagePart
{
    /// <summary>The handler of a page that tells what has happened since: it runs by itself, so it must never take the page away from somebody who writes.</summary>
    public const string News = "News";

    /// <summary>The session is over: a page that somebody waits for is loaded anew, by way of signing in; one that looked for news by itself says so.</summary>
    public static async Task SessionEnded(HttpContext http)
    {
        var response = http.Response;
        response.StatusCode = RejectionWriter.HttpStatus(Rejections.SessionEnded);
        if (http.Request.Query["handler"] != News)
        {
            response.Headers["HX-Refresh"] = "true";
            return;
        }
        System.Globalization.CultureInfo.CurrentUICulture = Language.Of(http);
        response.ContentType = "text/html; charset=utf-8";
        await response.WriteAsync(
            $"""<div class="alert alert-warning"><div class="alert-body"><p class="alert-text">{HtmlEncoder.Default.Encode(Rejections.SessionEnded.Text())}</p></div></div>""", http.RequestAborted);
    }
}
