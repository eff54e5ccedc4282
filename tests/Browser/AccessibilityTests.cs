using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using Sloring.Portal;
using Xunit;

namespace Sloring.Tests.Browser;

/// <summary>Every page of a role, in both languages, as axe-core sees it, at the width of a desk and of a small telephone.</summary>
public sealed class AccessibilityTests(PortalFixture portal)
{
    private const int Telephone = 320;
    private static readonly string[] Languages = ["da", "en"];
    private static readonly string Peers = Path.Combine(Repository.Root, "tests", "Browser", "js");

    [Theory]
    [MemberData(nameof(PageMatrixTests.Personas), MemberType = typeof(PageMatrixTests))]
    public async Task AxeFindsNothingSerious_AndNothingLiesBesideThePage(string persona, string role)
    {
        var page = await portal.SignIn(persona);
        var pages = PageAccess.Pages.Where(entry => entry.Path is not ("/Case" or "/Complaint") && (entry.Roles is null || entry.Roles.Contains(role)))
            .Select(entry => entry.Path == "/Index" ? "/" : entry.Path.ToLowerInvariant());
        await Check(page, persona, [.. pages]);
    }

    [Theory]
    [InlineData("sygeplejerske", "case")]
    [InlineData("leder", "case", "complaint")]
    [InlineData("hospitalsledelse", "complaint")]
    [InlineData("region", "complaint")]
    public async Task APageOfOne_WithAllThatItCanShow(string persona, params string[] pages)
    {
        var (_, id) = await Views.Activated(portal.Platform, string.Concat(Enumerable.Repeat("Truede-med-at-slå-hele-personalet-på-afsnittet-", 10)));
        foreach (var text in (string[])["Hvem så det?", "Hvornår?"])
            await portal.Platform.Client.Must("leder", HttpMethod.Post, $"/v1/cases/{id}/questions", new JsonObject { ["text"] = text }, TestContext.Current.CancellationToken);
        await portal.Platform.Client.Must("sygeplejerske", HttpMethod.Post, $"/v1/cases/{id}/questions/1/answer", new JsonObject { ["text"] = "To kolleger." }, TestContext.Current.CancellationToken);
        var complaint = await Views.Complained(portal.Platform, id);
        await portal.Platform.Client.Must("region", HttpMethod.Post, $"/v1/complaints/{complaint}/treatment", new JsonObject { ["treatment"] = "TREATMENT_TAKE_UP" }, TestContext.Current.CancellationToken);
        var page = await portal.SignIn(persona);

        await Check(page, persona, [.. pages.Select(path => $"/{path}/{(path == "case" ? id : complaint)}")]);
    }

    [Fact]
    public async Task AFormWhoseSessionHasEnded_AndTheNewsOfACase()
    {
        var (_, id) = await Views.Activated(portal.Platform);
        var news = await portal.SignIn("leder", at: $"/case/{id}");
        var form = await portal.SignIn("leder", at: $"/case/{id}");
        await form.Locator("#ask-text").FillAsync(string.Concat(Enumerable.Repeat("Hvem-så-det-og-hvornår-", 20)) + " ?");
        await portal.Platform.Client.Must("leder-2", HttpMethod.Post, $"/v1/cases/{id}/decision", new JsonObject { ["decision"] = "DECISION_UPHOLD" }, TestContext.Current.CancellationToken);
        await news.EvaluateAsync("() => window.dispatchEvent(new Event('focus'))");
        await Assertions.Expect(news.Locator("#case-news")).ToContainTextAsync("Opretholdt");
        await LookAt(news, "news of a case");

        await form.Context.ClearCookiesAsync();
        await form.Locator("#send-question").ClickAsync();
        await Assertions.Expect(form.Locator("[role=alert]")).ToContainTextAsync("SLR-702");
        await LookAt(form, "a form that was kept");
    }

    private async Task Check(IPage page, string persona, IReadOnlyList<string> paths)
    {
        foreach (var language in Languages)
        {
            await page.GotoAsync($"{portal.Address}/language/{language}");
            foreach (var path in paths)
            {
                var answer = await page.GotoAsync(portal.Address + path);
                Assert.Equal(200, answer!.Status);
                await LookAt(page, $"{persona} {path} {language}");
            }
        }
    }

    private static async Task LookAt(IPage page, string what)
    {
        await ForeignProgram.Install(Peers);
        await page.SetViewportSizeAsync(1280, 900);
        // Beside the page's own policy: it is the test that loads axe, not the page.
        await page.EvaluateAsync(await File.ReadAllTextAsync(Path.Combine(Peers, "node_modules", "axe-core", "axe.min.js"), TestContext.Current.CancellationToken));
        var found = await page.EvaluateAsync<JsonElement>(
            "async () => (await axe.run()).violations.filter(v => v.impact === 'serious' || v.impact === 'critical').map(v => v.id + ': ' + v.nodes.map(n => n.html).join(' | '))");
        Assert.True(found.GetArrayLength() == 0, $"{what}: {found}");

        await page.SetViewportSizeAsync(Telephone, 900);
        var beside = await page.EvaluateAsync<int>("() => document.documentElement.scrollWidth - document.documentElement.clientWidth");
        Assert.True(beside <= 0, $"{what}: {beside} px beside the page at {Telephone} px");
    }
}
