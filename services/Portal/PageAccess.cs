using System.Security.Claims;
using Microsoft.AspNetCore.Mvc.ApplicationModels;
using Microsoft.AspNetCore.Mvc.Filters;
using Microsoft.AspNetCore.Mvc.Infrastructure;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Sloring.Contracts;
using static Sloring.Hosting.Roles;

namespace Sloring.Portal;

/// <summary>A page, and who may open it.</summary>
/// <param name="Path">Of the page's file, below Pages.</param>
/// <param name="Roles">Roles of <see cref="Hosting.Roles"/>; null: whoever has signed in.</param>
/// <param name="Title">In the menu, in the reader's language; null: reached from another page.</param>
public sealed record PageEntry(string Path, IReadOnlySet<string>? Roles, Func<string>? Title = null);

/// <summary>
/// The one table of pages, the embedded host's test bench among them. What a page may do is decided by the services that it calls; this table keeps people from pages that would only refuse them. A page
/// that is not in it cannot be opened.
/// </summary>
public static class PageAccess
{
    public static IReadOnlyList<PageEntry> Pages { get; } =
    [
        new("/Index", null),
        new("/Activate", Any(HealthWorker, Leader), () => Wording.Activate),
        new("/Maskings", Any(HealthWorker, Leader), () => Wording.Maskings),
        new("/Cases", Any(Leader, HospitalManagement, Region), () => Wording.Cases),
        new("/Case", Any(HealthWorker, Leader)),
        new("/Notices", Any(HealthWorker, Leader), () => Wording.Notices),
        new("/Units", Any(HospitalManagement, Region, National), () => Wording.Units),
        new("/Complaints", Any(HospitalManagement, Region), () => Wording.Complaints),
        new("/Complaint", Any(Leader, HospitalManagement, Region)),
        new("/Overview", Any(HospitalManagement, Region, National), () => Wording.Overview),
        new("/Settings", Any(HospitalManagement, Region), () => Wording.Settings),
        new("/Resolve", Any(CaseWorker), () => Wording.Resolve),
        new("/Audit", Any(Auditor), () => Wording.Audit),
        new("/Log", Any(Citizen, CitizenRepresentative), () => Wording.Log),
        new("/Operation", Any(Operator), () => Wording.Operation),
        new("/Bench", Any(Operator), () => Wording.Bench),
    ];

    /// <summary>Whether a person may open a page.</summary>
    public static bool MayOpen(this ClaimsPrincipal person, PageEntry page) => page.Roles is null || page.Roles.Any(person.HasRole);

    /// <summary>A person's menu: pages that this host has.</summary>
    public static IEnumerable<PageEntry> Menu(this ClaimsPrincipal person, PagesHere here) => Pages.Where(page => page.Title is not null && person.MayOpen(page) && here.Has(page));

    /// <summary>Every page wants a session.</summary>
    internal static void AddPageAccess(this PageConventionCollection conventions) => conventions.AuthorizeFolder("/", SignIn.Policy);

    private static HashSet<string> Any(params string[] roles) => [.. roles];
}

/// <summary>The pages that this host can open.</summary>
public sealed class PagesHere(IActionDescriptorCollectionProvider actions)
{
    private readonly Lazy<HashSet<string>> _paths = new(() => [.. actions.ActionDescriptors.Items.OfType<PageActionDescriptor>().Select(page => page.ViewEnginePath)]);

    public bool Has(PageEntry page) => _paths.Value.Contains(page.Path);
}

/// <summary>Refuses a page that the table does not give the signed-in person.</summary>
internal sealed class OnlyTheirPages : IAuthorizationFilter
{
    public void OnAuthorization(AuthorizationFilterContext context)
    {
        if (context.ActionDescriptor is not PageActionDescriptor page)
            return;
        var entry = PageAccess.Pages.SingleOrDefault(entry => entry.Path == page.ViewEnginePath);
        if (entry is null || !context.HttpContext.User.MayOpen(entry))
            context.Result = Refusal.Show(Rejections.NotAllowed);
    }
}
