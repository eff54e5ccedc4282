using Microsoft.Playwright;
using Xunit;

namespace Sloring.Tests.Browser;

public sealed class HealthWorkerTests(PortalFixture portal)
{
    [Fact]
    public async Task Activate_IsInForceAtOnce_AndTheReasonFollowsLater()
    {
        var cpr = People.NextCpr();
        var page = await portal.SignIn("sygeplejerske", at: "/activate");

        await Fill(page, cpr);
        await page.GetByRole(AriaRole.Button, new() { Name = "Aktivér nu" }).ClickAsync();

        await Assertions.Expect(page.Locator("[role=status]")).ToContainTextAsync("Sløringen er i kraft til");
        Assert.DoesNotContain(cpr, page.Url);
        await Eventually.True(() => Views.IsMasked(portal.Platform, cpr), "the citizen's view is masked (M3)");

        var item = page.Locator("article", new() { HasText = cpr });
        await Assertions.Expect(item).ToContainTextAsync("Begrundelse mangler");
        await item.Locator("textarea").FillAsync("Truede med at slå.");
        await item.GetByRole(AriaRole.Button, new() { Name = "Gem begrundelse" }).ClickAsync();
        await Assertions.Expect(page.Locator("article", new() { HasText = cpr })).Not.ToContainTextAsync("Begrundelse mangler");
    }

    [Fact]
    public async Task ADoubleClick_IsOneMasking_AlsoWithoutTheScriptThatSendsOnce()
    {
        var cpr = People.NextCpr();
        var page = await portal.SignIn("sygeplejerske", at: "/activate", script: false);
        await Fill(page, cpr);
        await page.GetByRole(AriaRole.Button, new() { Name = "Aktivér nu" }).DblClickAsync();
        await page.WaitForURLAsync(url => url.Contains("/maskings", StringComparison.OrdinalIgnoreCase));

        await Assertions.Expect(page.Locator("article", new() { HasText = cpr })).ToHaveCountAsync(1);
    }

    [Fact]
    public async Task WhatIsWrong_IsSaidAtTheForm_AndWhatWasWrittenStays()
    {
        var page = await portal.SignIn("sygeplejerske", at: "/activate");

        await Fill(page, "3002901234");
        await page.Locator("#Reason").FillAsync("Truede med at slå.");
        await page.GetByRole(AriaRole.Button, new() { Name = "Aktivér nu" }).ClickAsync();

        await Assertions.Expect(page.Locator("[role=alert]")).ToContainTextAsync("SLR-910");
        await Assertions.Expect(page.Locator("#Reason")).ToHaveValueAsync("Truede med at slå.");
        await Assertions.Expect(page.Locator("#PatientCpr")).ToHaveAttributeAsync("aria-invalid", "true");
        Assert.DoesNotContain("3002901234", page.Url);
    }

    [Fact]
    public async Task ByKeyboardAlone_AMaskingIsActivated()
    {
        var cpr = People.NextCpr();
        var page = await portal.SignIn("sygeplejerske", at: "/activate");

        await page.Locator("#PatientCpr").FocusAsync();
        await page.Keyboard.TypeAsync(cpr);
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("Space");
        await page.Keyboard.PressAsync("Tab");
        await page.Locator("#BehaviourOn:focus").FillAsync("2025-01-15");
        await page.Locator("#Reason").FocusAsync();
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("Enter");

        await Assertions.Expect(page.Locator("[role=status]")).ToContainTextAsync("Sløringen er i kraft til");
    }

    private static async Task Fill(IPage page, string cpr)
    {
        await page.Locator("#PatientCpr").FillAsync(cpr);
        await page.GetByLabel("Vold", new() { Exact = true }).CheckAsync();
        await page.Locator("#BehaviourOn").FillAsync("2025-01-15");
    }
}
