using Sloring.Portal;
using Xunit;

namespace Sloring.Tests.Browser;

/// <summary>Every page for every role: it opens for those whom the table names, and is refused to others, with a numbered page.</summary>
public sealed class PageMatrixTests(PortalFixture portal)
{
    /// <summary>A persona for each role, and what the role is called in tokens.</summary>
    public static TheoryData<string, string> Personas => new()
    {
        { "sygeplejerske", Hosting.Roles.HealthWorker },
        { "leder", Hosting.Roles.Leader },
        { "hospitalsledelse", Hosting.Roles.HospitalManagement },
        { "region", Hosting.Roles.Region },
        { "national", Hosting.Roles.National },
        { "sagsbehandler", Hosting.Roles.CaseWorker },
        { "revisor", Hosting.Roles.Auditor },
        { "drift", Hosting.Roles.Operator },
        { "borger", Hosting.Roles.Citizen },
        { "fuldmagtshaver", Hosting.Roles.CitizenRepresentative },
    };

    [Theory]
    [MemberData(nameof(Personas))]
    public async Task EveryPage_OpensForItsRoles_AndIsRefusedToOthers(string persona, string role)
    {
        var page = await portal.SignIn(persona);

        foreach (var entry in PageAccess.Pages)
        {
            var ofOne = entry.Path is "/Case" or "/Complaint";
            var path = ofOne ? $"{entry.Path.ToLowerInvariant()}/{Guid.NewGuid()}" : entry.Path == "/Index" ? "/" : entry.Path.ToLowerInvariant();
            var answer = await page.GotoAsync(portal.Address + path);
            var allowed = entry.Roles is null || entry.Roles.Contains(role);
            // A case or complaint that is not there is said to be not there, to those who may ask.
            var expected = !allowed ? 403 : ofOne ? 404 : 200;
            Assert.True(expected == answer!.Status, $"{persona} at {path}: {answer.Status}, not {expected}");
            var text = await page.Locator("main").InnerTextAsync();
            Assert.Equal(!allowed, text.Contains("SLR-902", StringComparison.Ordinal));
        }
    }

    [Theory]
    [MemberData(nameof(Personas))]
    public async Task TheMenu_HoldsJustThePagesThatOpen(string persona, string role)
    {
        var page = await portal.SignIn(persona);

        var shown = await page.Locator("nav a").EvaluateAllAsync<string[]>("links => links.map(link => link.getAttribute('href'))");

        Assert.Equal(PageAccess.Pages.Where(entry => entry.Title is not null && entry.Roles!.Contains(role)).Select(entry => entry.Path.ToLowerInvariant()), shown);
    }
}
