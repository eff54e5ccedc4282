using System.Globalization;
using System.Security.Claims;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Sloring.Contracts;

namespace Sloring.Portal;

/// <summary>
/// A form whose session had ended when it was sent: shown with all that it held, so that nothing written is lost. The browser keeps it; nothing is kept here.
/// </summary>
/// <param name="Why">Why it was not taken.</param>
/// <param name="Action">Where it is sent again.</param>
/// <param name="Fields">What it held.</param>
/// <param name="SignedIn">Whether it can be sent now.</param>
public sealed record HeldForm(Rejection Why, string Action, IReadOnlyList<KeyValuePair<string, string>> Fields, bool SignedIn)
{
    private const string View = "/Pages/Shared/Held.cshtml";
    private const string SessionsToken = "__RequestVerificationToken";

    /// <summary>What a person has written: keys and choices have no blanks.</summary>
    public IEnumerable<string> Written => Fields.Select(sent => sent.Value).Where(value => value.Trim().Contains(' '));

    /// <summary>
    /// The form that a page of this site has sent; null for any other request: what another site has made up is not shown as somebody's own words.
    /// </summary>
    internal static HeldForm? Of(HttpContext http, Rejection why)
    {
        var request = http.Request;
        if (!HttpMethods.IsPost(request.Method) || !request.HasFormContentType || request.Headers["Sec-Fetch-Site"] != "same-origin" || PageOf(http) is null)
            return null;
        var signedIn = why.Kind != RejectionKind.Unauthenticated;
        // The same person's token holds in the next session too, and then the form goes through at once.
        var fields = request.Form.Where(field => !signedIn || field.Key != SessionsToken).SelectMany(field => field.Value, (field, value) => KeyValuePair.Create(field.Key, value ?? ""));
        return new HeldForm(why, request.PathBase + request.Path + request.QueryString, [.. fields], signedIn);
    }

    internal ViewResult Show() => Refusal.Show(View, this, Why);

    /// <summary>Answers where no page has been reached.</summary>
    internal Task Write(HttpContext http)
    {
        http.User = new ClaimsPrincipal(new ClaimsIdentity());
        CultureInfo.CurrentUICulture = Language.Of(http);
        http.RequestServices.GetRequiredService<PageHeaders>().Set(http.Response.Headers);
        return Show().ExecuteResultAsync(new ActionContext(http, http.GetRouteData(), PageOf(http)!));
    }

    private static PageActionDescriptor? PageOf(HttpContext http) => http.GetEndpoint()?.Metadata.GetMetadata<PageActionDescriptor>();
}
