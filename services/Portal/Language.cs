using System.Globalization;
using Microsoft.AspNetCore.Mvc.Filters;

namespace Sloring.Portal;

/// <summary>Danish unless the reader has switched to English.</summary>
internal static class Language
{
    private const string Cookie = "sloring-language";
    private static readonly CultureInfo Danish = new("da");
    private static readonly CultureInfo English = new("en");

    public static CultureInfo Of(HttpContext http) => http.Request.Cookies[Cookie] == English.Name ? English : Danish;

    /// <summary>Remembers the choice and goes back to where it was made.</summary>
    public static IResult Switch(HttpContext http, string code, string? back)
    {
        http.Response.Cookies.Append(Cookie, code == English.Name ? English.Name : Danish.Name, new CookieOptions
        {
            HttpOnly = true,
            IsEssential = true,
            MaxAge = TimeSpan.FromDays(365),
            SameSite = SameSiteMode.Lax,
            Secure = http.Request.IsHttps,
        });
        return Results.LocalRedirect(IsLocal(back) ? back! : "/");
    }

    private static bool IsLocal(string? path) => path is ['/'] or ['/', not ('/' or '\\'), ..] && !path.Any(char.IsControl);
}

/// <summary>Shows a page, and what it refuses, in the reader's language; the services that share the process stay without one.</summary>
internal sealed class InTheirLanguage : IAsyncResourceFilter
{
    public async Task OnResourceExecutionAsync(ResourceExecutingContext context, ResourceExecutionDelegate next)
    {
        CultureInfo.CurrentUICulture = Language.Of(context.HttpContext);
        await next();
    }
}
