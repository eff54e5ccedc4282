using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Unicode;
using Sloring.Contracts;

namespace Sloring.Tokens;

/// <summary>The few pages that the token service shows: HTML and one style, no script, nothing from elsewhere.</summary>
internal static class Pages
{
    public const string Danish = "da";
    public const string English = "en";

    private const string Style = """
        :root{color-scheme:light}
        body{margin:0;background:#fff;color:#1a1a1a;font:1.125rem/1.5 system-ui,sans-serif}
        main{max-width:40rem;margin:0 auto;padding:1.5rem 1rem}
        h1{font-size:1.75rem;line-height:1.25;margin:1rem 0}
        ul{list-style:none;margin:0;padding:0}
        li{margin:0 0 .5rem}
        button{display:block;width:100%;box-sizing:border-box;padding:.75rem 1rem;border:1px solid #454545;border-radius:.25rem;background:#fff;color:#1a1a1a;font:inherit;text-align:left;cursor:pointer}
        button:hover{background:#e8eef7}
        button span{display:block;color:#454545;font-size:1rem}
        a{color:#00437a}
        a:focus-visible,button:focus-visible{outline:3px solid #00437a;outline-offset:2px}
        .note{border-left:.25rem solid #8a5a00;background:#fff6e0;padding:.5rem 1rem}
        """;

    private static readonly HtmlEncoder Html = HtmlEncoder.Create(UnicodeRanges.BasicLatin, UnicodeRanges.Latin1Supplement);
    private static readonly string StyleHash = "'sha256-" + Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style))) + "'";

    /// <summary>The language that <c>ui_locales</c> asks for first of those that there are; Danish where it asks for none.</summary>
    public static string Language(string locales) =>
        locales.Split(' ').Select(locale => locale.Split('-')[0].ToLowerInvariant()).FirstOrDefault(language => language is Danish or English) ?? Danish;

    /// <summary>A text as it may stand in a page.</summary>
    public static string Text(string text) => Html.Encode(text);

    /// <summary>Answers with a page.</summary>
    /// <param name="http">The request.</param>
    /// <param name="status">HTTP status.</param>
    /// <param name="language">Of the title and the body.</param>
    /// <param name="title">Its title and heading.</param>
    /// <param name="body">HTML.</param>
    /// <param name="formTargets">Where its form goes, and where the answer sends on to.</param>
    public static Task Write(HttpContext http, int status, string language, string title, string body, string formTargets = "'none'")
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "text/html; charset=utf-8";
        http.Response.Headers.ContentSecurityPolicy = $"default-src 'none'; style-src {StyleHash}; form-action {formTargets}; base-uri 'none'; frame-ancestors 'none'";
        return http.Response.WriteAsync(
            $"<!doctype html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
            + $"<title>{Text(title)}</title>\n<style>{Style}</style>\n</head>\n<body>\n<main>\n<h1>{Text(title)}</h1>\n{body}\n</main>\n</body>\n</html>\n", http.RequestAborted);
    }

    /// <summary>A numbered "no", in both languages.</summary>
    public static Task Write(HttpContext http, Rejection rejection)
    {
        var field = rejection.Field is { } name ? $" (<code>{Text(name)}</code>)" : "";
        return Write(http, rejection.Kind switch
        {
            RejectionKind.Forbidden => StatusCodes.Status403Forbidden,
            RejectionKind.TooMuch => StatusCodes.Status413PayloadTooLarge,
            RejectionKind.Unavailable => StatusCodes.Status503ServiceUnavailable,
            _ => StatusCodes.Status400BadRequest,
        }, Danish, "Det kan ikke lade sig gøre", $"<p>{Text(rejection.Da)}</p>\n<p lang=\"en\">{Text(rejection.En)}</p>\n<p>{rejection.Code}{field}</p>");
    }
}
