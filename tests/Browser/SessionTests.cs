using Microsoft.Playwright;
using Xunit;

namespace Sloring.Tests.Browser;

/// <summary>Forms that are sent twice, or when the session they were filled in under is over. The clock of a platform of their own is moved.</summary>
public sealed class SessionTests(PortalFixture portal)
{
    private const string Words = "Truede med at slå.\n<b>To</b> gange.";

    [Fact]
    public async Task TheTokenExpiresMidForm_AndNobodyNotices()
    {
        await using var platform = await Platform.Start();
        var cpr = People.NextCpr();
        var page = await portal.SignIn("sygeplejerske", at: "/activate", of: platform);
        await Fill(page, cpr);

        platform.Clock.Advance(TimeSpan.FromMinutes(20));
        await page.GetByRole(AriaRole.Button, new() { Name = "Aktivér nu" }).ClickAsync();

        await Assertions.Expect(page.Locator("[role=status]")).ToContainTextAsync("Sløringen er i kraft til");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TheSessionExpiresMidForm_AndAfterSigningInAgain_TheFormIsSentAsItWasWritten(bool script)
    {
        await using var platform = await Platform.Start();
        var cpr = People.NextCpr();
        var page = await portal.SignIn("sygeplejerske", at: "/activate", script: script, of: platform);
        await Fill(page, cpr);

        platform.Clock.Advance(TimeSpan.FromHours(9));
        await page.GetByRole(AriaRole.Button, new() { Name = "Aktivér nu" }).ClickAsync();
        await Assertions.Expect(page.Locator("[role=alert]")).ToContainTextAsync("SLR-702");
        await Assertions.Expect(page.Locator("main")).ToContainTextAsync("<b>To</b> gange.");
        await Assertions.Expect(page.Locator("nav")).ToHaveCountAsync(0);
        Assert.False(await Views.IsMasked(platform, cpr), "nothing was saved");
        if (script)
            await PortalFixture.Picture(page, "session-ended");

        // Too early: still signed out.
        await page.GetByRole(AriaRole.Button, new() { Name = "Send igen" }).ClickAsync();
        await Assertions.Expect(page.Locator("[role=alert]")).ToContainTextAsync("SLR-702");
        await SignInBeside(page, "sygeplejerske", platform);
        await page.GetByRole(AriaRole.Button, new() { Name = "Send igen" }).ClickAsync();

        var item = page.Locator("article", new() { HasText = cpr });
        await Assertions.Expect(page.Locator("[role=status]")).ToContainTextAsync("Sløringen er i kraft til");
        await Assertions.Expect(item).ToHaveCountAsync(1);
        await item.GetByRole(AriaRole.Link).ClickAsync();
        await Eventually.True(async () =>
        {
            await page.ReloadAsync();
            return (await page.Locator("main").InnerTextAsync()).ReplaceLineEndings("\n").Contains(Words, StringComparison.Ordinal);
        }, "the case has the reason, word for word");
    }

    [Fact]
    public async Task SignedOutElsewhere_AndSomebodyElseSignsIn_TheFormIsSentInNobodysNameUnasked()
    {
        var (cpr, id) = await Views.Activated(portal.Platform);
        var page = await portal.SignIn("leder", at: $"/case/{id}");
        await page.GetByLabel("Ophæve", new() { Exact = true }).CheckAsync();
        await page.Locator("#decision-reason").FillAsync("Forkert patient.");
        var elsewhere = await page.Context.NewPageAsync();
        await elsewhere.GotoAsync(portal.Address);
        await elsewhere.GetByRole(AriaRole.Button, new() { Name = "Log ud" }).ClickAsync();
        await elsewhere.Locator("button[name=persona]").First.WaitForAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Gem afgørelsen" }).ClickAsync();
        await Assertions.Expect(page.Locator("[role=alert]")).ToContainTextAsync("SLR-702");
        await SignInBeside(page, "leder-2", portal.Platform);
        await page.GetByRole(AriaRole.Button, new() { Name = "Send igen" }).ClickAsync();

        await Assertions.Expect(page.Locator("[role=alert]")).ToContainTextAsync("SLR-703");
        await Assertions.Expect(page.Locator("main")).ToContainTextAsync("Forkert patient.");
        Assert.True(await Views.IsMasked(portal.Platform, cpr), "not before the one who has signed in says so");
        await page.GetByRole(AriaRole.Button, new() { Name = "Send igen" }).ClickAsync();
        await Assertions.Expect(page.Locator("main")).ToContainTextAsync("Ophævet");
        await Assertions.Expect(page.Locator("main")).ToContainTextAsync("ld-2002");
    }

    [Fact]
    public async Task ACaseOpenWhenTheSessionEnds_SaysSo_AndAFilterAsksToSignIn()
    {
        await using var platform = await Platform.Start();
        var (_, id) = await Views.Activated(platform);
        var page = await portal.SignIn("leder", at: $"/case/{id}", of: platform);
        await page.Locator("#decision-reason").FillAsync("Min vurdering.");
        var list = await page.Context.NewPageAsync();
        await list.GotoAsync(platform.HttpAddress + "/cases");

        platform.Clock.Advance(TimeSpan.FromHours(9));
        await page.EvaluateAsync("() => window.dispatchEvent(new Event('focus'))");
        await Assertions.Expect(page.Locator("[aria-live=polite]")).ToContainTextAsync("SLR-702");
        await Assertions.Expect(page.Locator("#decision-reason")).ToHaveValueAsync("Min vurdering.");
        try
        {
            await list.Locator("#overdue").ClickAsync(new() { Timeout = 3_000 });
        }
        catch (TimeoutException)
        {
            // The list's live count has asked to sign in before anybody pressed anything.
        }
        await list.Locator("button[name=persona][value=leder]").ClickAsync();
        await list.WaitForURLAsync(url => url.StartsWith(platform.HttpAddress + "/cases", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("same-origin", 401)]
    [InlineData("same-site", 302)]
    [InlineData("cross-site", 302)]
    [InlineData(null, 302)]
    public async Task WhatAnotherSiteMadeUp_IsNotShownAsSomebodysOwnWords(string? from, int status)
    {
        var page = await portal.NewPage();

        var answer = await page.Context.APIRequest.PostAsync(portal.Address + "/activate?handler=%22%3E%3Cscript%3E", new APIRequestContextOptions
        {
            Headers = from is null ? [] : new Dictionary<string, string> { ["Sec-Fetch-Site"] = from },
            Form = page.Context.APIRequest.CreateFormData().Set("Reason", "Made up elsewhere.").Set("\"><script>", "\"><script>"),
            MaxRedirects = 0,
        });

        Assert.Equal(status, answer.Status);
        Assert.Contains("no-store", answer.Headers["cache-control"]);
        var text = await answer.TextAsync();
        Assert.Equal(status == 401, text.Contains("Made up elsewhere.", StringComparison.Ordinal));
        Assert.DoesNotContain("\"><script>", text);
        Assert.Contains("default-src 'none'", answer.Headers["content-security-policy"]);
    }

    [Fact]
    public async Task TheBackButtonAfterAPost_ShowsTheForm_AndSendsNothing()
    {
        var cpr = People.NextCpr();
        var page = await portal.SignIn("sygeplejerske", at: "/activate");
        await Fill(page, cpr);
        await page.GetByRole(AriaRole.Button, new() { Name = "Aktivér nu" }).ClickAsync();
        await Assertions.Expect(page.Locator("[role=status]")).ToContainTextAsync("Sløringen er i kraft til");

        await page.GoBackAsync();
        await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync("Aktivér sløring");
        await page.GoForwardAsync();
        await page.ReloadAsync();

        await Assertions.Expect(page.Locator("article", new() { HasText = cpr })).ToHaveCountAsync(1);
    }

    [Fact]
    public async Task TheBackButtonAfterADecision_ShowsTheCaseAsItIsNow()
    {
        var (_, id) = await Views.Activated(portal.Platform);
        var page = await portal.SignIn("leder", at: "/cases");
        await page.GotoAsync($"{portal.Address}/case/{id}");
        await page.GetByLabel("Opretholde", new() { Exact = true }).CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Gem afgørelsen" }).ClickAsync();
        await Assertions.Expect(page.Locator("main")).ToContainTextAsync("Opretholdt");

        await page.GoBackAsync();
        await page.GoForwardAsync();

        await Assertions.Expect(page.Locator("main")).ToContainTextAsync("Opretholdt");
        await Assertions.Expect(page.Locator("#decision-reason")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task ADoubleClick_AsksOnce_AndDecidesWithoutAMessage()
    {
        var (_, id) = await Views.Activated(portal.Platform);
        var page = await portal.SignIn("leder", at: $"/case/{id}");
        await page.Locator("#ask-text").FillAsync("Hvem så det?");
        await page.GetByRole(AriaRole.Button, new() { Name = "Send spørgsmål" }).DblClickAsync();
        await Assertions.Expect(page.Locator("article")).ToHaveCountAsync(1);

        await page.GetByLabel("Opretholde", new() { Exact = true }).CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Gem afgørelsen" }).DblClickAsync();

        await Assertions.Expect(page.Locator("main")).ToContainTextAsync("Opretholdt");
        await Assertions.Expect(page.Locator("[role=alert]")).ToHaveCountAsync(0);
        await page.ReloadAsync();
        await Assertions.Expect(page.Locator("article")).ToHaveCountAsync(1);
    }

    private static async Task Fill(IPage page, string cpr)
    {
        await page.Locator("#PatientCpr").FillAsync(cpr);
        await page.GetByLabel("Trusler", new() { Exact = true }).CheckAsync();
        await page.Locator("#BehaviourOn").FillAsync("2025-01-15");
        await page.Locator("#Reason").FillAsync(Words);
    }

    /// <summary>By the link of the page that has kept the form, in a window of its own.</summary>
    private static async Task SignInBeside(IPage page, string persona, Platform platform)
    {
        var beside = await page.Context.RunAndWaitForPageAsync(() => page.GetByRole(AriaRole.Link, new() { Name = "Log ind i et nyt vindue" }).ClickAsync());
        await beside.Locator($"button[name=persona][value='{persona}']").ClickAsync();
        await beside.WaitForURLAsync(platform.HttpAddress + "/");
        await beside.CloseAsync();
    }
}
