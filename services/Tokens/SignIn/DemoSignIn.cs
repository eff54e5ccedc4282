using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.Extensions.Primitives;
using Sloring.Hosting;

namespace Sloring.Tokens;

/// <summary>The sign-in page of the demo: whoever sees it chooses who to be. It works without scripts and with the keyboard only.</summary>
internal sealed class DemoSignIn(People people, Browser browser, Sealer sealer, TimeProvider clock)
{
    private static readonly TimeSpan PageLife = TimeSpan.FromMinutes(30);

    public Task Show(HttpContext http, AuthorizeRequest request, IReadOnlyDictionary<string, StringValues> fields)
    {
        var language = Pages.Language(fields.TryGetValue("ui_locales", out var locales) ? locales.ToString() : "");
        var danish = language == Pages.Danish;
        var page = sealer.Seal(new SignInPage(browser.Mark(http), request, clock.GetUtcNow() + PageLife));
        var (other, otherName) = danish ? (Pages.English, "In English") : (Pages.Danish, "På dansk");
        var switched = TokensModule.AuthorizePath + new QueryBuilder(fields.Where(field => field.Key != "ui_locales").Append(new("ui_locales", other)));
        var (title, note) = danish
            ? ("Log på", "Demo: vælg, hvem du vil være. Der er ingen adgangskoder, og alle personer er opdigtede.")
            : ("Sign in", "Demo: choose who to be. There are no passwords, and all people are invented.");
        return Pages.Write(http, StatusCodes.Status200OK, language, title,
            $"""
            <p><a href="{Pages.Text(switched)}" lang="{other}" hreflang="{other}">{otherName}</a></p>
            <p class="note">{note}</p>
            <form method="post" action="{TokensModule.SignInPath}">
            <input type="hidden" name="page" value="{Pages.Text(page)}">
            <ul>{string.Concat(people.Personas.Select(persona => Choice(persona, danish)))}
            </ul>
            </form>
            """, $"'self' {PolicySource.Of(request.RedirectUri)}");
    }

    private static string Choice(ClientOptions persona, bool danish)
    {
        var roles = string.Join(", ", persona.Roles.Select(role => danish ? RoleNames.GetValueOrDefault(role, role) : role));
        return $"\n<li><button name=\"persona\" value=\"{Pages.Text(persona.Id)}\">{Pages.Text(persona.Name.Length > 0 ? persona.Name : persona.Id)}<span>{Pages.Text(roles)}</span></button></li>";
    }

    /// <summary>Roles in Danish.</summary>
    private static readonly Dictionary<string, string> RoleNames = new()
    {
        [Roles.HealthWorker] = "sundhedsmedarbejder",
        [Roles.Leader] = "leder",
        [Roles.HospitalManagement] = "hospitalsledelse",
        [Roles.Region] = "region",
        [Roles.National] = "nationalt niveau",
        [Roles.CaseWorker] = "sagsbehandler",
        [Roles.Auditor] = "revisor",
        [Roles.Operator] = "drift",
        [Roles.Citizen] = "borger",
        [Roles.CitizenRepresentative] = "borger med fuldmagt",
    };
}
