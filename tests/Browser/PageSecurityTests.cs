using System.Net;
using Microsoft.Playwright;
using Xunit;

namespace Sloring.Tests.Browser;

public sealed class PageSecurityTests(PortalFixture portal)
{
    /// <summary>What a first page may weigh beside the design system, which the browser keeps.</summary>
    private const int MostBytes = 100_000;

    [Fact]
    public async Task APage_MayLoadFromHereOnly_AndNothingInline()
    {
        var page = await portal.NewPage();
        var violations = new List<string>();
        page.Console += (_, message) => violations.Add(message.Text);
        await page.GotoAsync(portal.Address + "/cases");
        await page.Locator("button[name=persona][value=leder]").ClickAsync();
        await page.WaitForURLAsync(portal.Address + "/cases");

        var answer = await page.ReloadAsync();

        var policy = (await answer!.AllHeadersAsync())["content-security-policy"];
        Assert.Contains("default-src 'none'", policy);
        Assert.Contains("frame-ancestors 'none'", policy);
        Assert.DoesNotContain("unsafe", policy);
        Assert.DoesNotContain(violations, text => text.Contains("Content Security Policy", StringComparison.OrdinalIgnoreCase));
        Assert.Contains("no-store", (await answer.AllHeadersAsync())["cache-control"]);
    }

    [Fact]
    public async Task AFailure_IsANumberOnAPage_AndSaysNothingElse()
    {
        await using var platform = await Platform.Start();
        var page = await portal.SignIn("leder", at: "/cases", of: platform);
        await TestDatabase.Execute(platform.Folder, "approval", "ALTER TABLE cases RENAME TO gone_cases");

        var answer = await page.ReloadAsync();

        Disclosure.Tells("SLR-908", await answer!.TextAsync(), platform);
    }

    [Fact]
    public async Task TheSession_IsOutOfReachOfScriptsAndOtherSites()
    {
        var page = await portal.SignIn("leder");

        var cookies = await page.Context.CookiesAsync();

        Assert.Contains(cookies, cookie => cookie.Name.StartsWith("sloring-portal", StringComparison.Ordinal));
        Assert.All(cookies, cookie => Assert.True(cookie.HttpOnly, cookie.Name));
        Assert.All(cookies, cookie => Assert.True(cookie.SameSite is SameSiteAttribute.Lax or SameSiteAttribute.Strict, cookie.Name));
        Assert.Equal("", await page.EvaluateAsync<string>("() => document.cookie"));
    }

    [Fact]
    public async Task AFormWithoutTheSessionsToken_IsRefused_AndChangesNothing()
    {
        var page = await portal.SignIn("sygeplejerske", at: "/activate");
        var cpr = People.NextCpr();

        var answer = await page.Context.APIRequest.PostAsync(portal.Address + "/activate", new APIRequestContextOptions
        {
            Form = page.Context.APIRequest.CreateFormData()
                .Set("IdempotencyKey", "portal-forged-1").Set("PatientCpr", cpr).Set("Trigger", "Violence").Set("BehaviourOn", "2025-01-15"),
        });

        Assert.Equal((int)HttpStatusCode.Conflict, answer.Status);
        Assert.Contains("SLR-701", await answer.TextAsync());
        Assert.False(await Views.IsMasked(portal.Platform, cpr));
    }

    [Fact]
    public async Task SwitchingLanguage_SendsNobodyElsewhere()
    {
        var page = await portal.NewPage();

        foreach (var back in (string[])["https://example.org/", "//example.org/", "/\\example.org", "example.org"])
        {
            var answer = await page.Context.APIRequest.GetAsync(
                $"{portal.Address}/language/en?back={Uri.EscapeDataString(back)}", new APIRequestContextOptions { MaxRedirects = 0 });
            Assert.Equal("/", answer.Headers["location"]);
        }
    }

    [Fact]
    public async Task TheFirstPage_IsLight()
    {
        var page = await portal.SignIn("leder", at: "/cases");
        await page.WaitForLoadStateAsync(LoadState.Load);

        var bytes = await page.EvaluateAsync<int>(
            """
            () => performance.getEntriesByType("navigation")[0].transferSize
              + performance.getEntriesByType("resource").filter(r => !r.name.includes("/dkfds/") && !r.name.includes("/counts")).reduce((sum, r) => sum + r.encodedBodySize, 0)
            """);

        Assert.InRange(bytes, 1, MostBytes);
    }

    [Fact]
    public async Task ASessionThatIsGone_AsksToSignInAgain_AndGoesOnWhereItWas()
    {
        var page = await portal.SignIn("leder", at: "/cases");

        await page.Context.ClearCookiesAsync();
        await page.ReloadAsync();
        await page.Locator("button[name=persona][value=leder]").ClickAsync();

        await page.WaitForURLAsync(portal.Address + "/cases");
    }
}
