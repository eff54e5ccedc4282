using System.Text.Json;
using Sloring.Portal;
using Xunit;

namespace Sloring.Tests.Browser;

/// <summary>Every page of a role, in both languages, as axe-core sees it, at the width of a desk and of a small telephone.</summary>
public sealed class AccessibilityTests(PortalFixture portal)
{
    private const int Telephone = 320;
    private static readonly string Peers = Path.Combine(Repository.Root, "tests", "Browser", "js");

    [Theory]
    [MemberData(nameof(PageMatrixTests.Personas), MemberType = typeof(PageMatrixTests))]
    public async Task AxeFindsNothingSerious_AndNothingLiesBesideThePage(string persona, string role)
    {
        await ForeignProgram.Install(Peers);
        var axe = await File.ReadAllTextAsync(Path.Combine(Peers, "node_modules", "axe-core", "axe.min.js"), TestContext.Current.CancellationToken);
        var page = await portal.SignIn(persona);

        foreach (var language in (string[])["da", "en"])
        {
            await page.GotoAsync($"{portal.Address}/language/{language}");
            foreach (var entry in PageAccess.Pages.Where(entry => entry.Path is not ("/Case" or "/Complaint") && (entry.Roles is null || entry.Roles.Contains(role))))
            {
                await page.SetViewportSizeAsync(1280, 900);
                await page.GotoAsync(portal.Address + (entry.Path == "/Index" ? "/" : entry.Path.ToLowerInvariant()));
                // Beside the page's own policy: it is the test that loads axe, not the page.
                await page.EvaluateAsync(axe);
                var found = await page.EvaluateAsync<JsonElement>(
                    "async () => (await axe.run()).violations.filter(v => v.impact === 'serious' || v.impact === 'critical').map(v => v.id + ': ' + v.nodes.map(n => n.html).join(' | '))");
                Assert.True(found.GetArrayLength() == 0, $"{persona} {entry.Path} {language}: {found}");

                await page.SetViewportSizeAsync(Telephone, 900);
                var beside = await page.EvaluateAsync<int>("() => document.documentElement.scrollWidth - document.documentElement.clientWidth");
                Assert.True(beside <= 0, $"{persona} {entry.Path} {language}: {beside} px beside the page at {Telephone} px");
            }
        }
    }
}
