using Microsoft.Playwright;
using Xunit;

namespace Sloring.Tests.Browser;

public sealed class LeaderTests(PortalFixture portal)
{
    [Fact]
    public async Task Lift_ShowsNamesAgain_AndTheActivatorIsTold()
    {
        var (cpr, id) = await Activated();
        var leader = await portal.SignIn("leder", at: $"/case/{id}");
        Assert.Contains("Slog ud efter personalet.", await leader.Locator("main").InnerTextAsync());

        await PortalFixture.Picture(leader, "case");
        await leader.GetByLabel("Ophæve", new() { Exact = true }).CheckAsync();
        await leader.Locator("#decision-reason").FillAsync("Forkert patient.");
        await leader.GetByRole(AriaRole.Button, new() { Name = "Gem afgørelsen" }).ClickAsync();

        await Assertions.Expect(leader.Locator("main")).ToContainTextAsync("Ophævet");
        await Eventually.True(async () => !await IsMasked(cpr), "the citizen sees names again (A5)");
        var nurse = await portal.SignIn("sygeplejerske", at: "/notices");
        await Eventually.True(async () =>
        {
            await nurse.ReloadAsync();
            return await nurse.Locator($"a[href='/case/{id}']", new() { HasText = "Sløringen er ophævet" }).CountAsync() == 1;
        }, "the activator is told (A5)");
    }

    [Fact]
    public async Task LiftWithoutAReason_IsRefusedWithANumber_AndWhatWasChosenStays()
    {
        var (_, id) = await Activated();
        var leader = await portal.SignIn("leder", at: $"/case/{id}");

        await leader.GetByLabel("Ophæve", new() { Exact = true }).CheckAsync();
        await leader.GetByRole(AriaRole.Button, new() { Name = "Gem afgørelsen" }).ClickAsync();

        await Assertions.Expect(leader.Locator("[role=alert]")).ToContainTextAsync("SLR-2");
        await Assertions.Expect(leader.GetByLabel("Ophæve", new() { Exact = true })).ToBeCheckedAsync();
        await Assertions.Expect(leader.Locator("#refused")).ToBeFocusedAsync();
    }

    [Fact]
    public async Task TwoLeadersAtOnce_TheSecondIsTold_AndNothingIsLost()
    {
        var (cpr, id) = await Activated();
        var first = await portal.SignIn("leder", at: $"/case/{id}");
        var second = await portal.SignIn("leder-2", at: $"/case/{id}");

        await first.GetByLabel("Opretholde", new() { Exact = true }).CheckAsync();
        await first.GetByRole(AriaRole.Button, new() { Name = "Gem afgørelsen" }).ClickAsync();
        await Assertions.Expect(first.Locator("main")).ToContainTextAsync("Opretholdt");
        await second.GetByLabel("Opretholde", new() { Exact = true }).CheckAsync();
        await second.Locator("#decision-reason").FillAsync("Også min vurdering.");
        await second.GetByRole(AriaRole.Button, new() { Name = "Gem afgørelsen" }).ClickAsync();

        await Assertions.Expect(second.Locator("[role=alert]")).ToContainTextAsync("SLR-2");
        await Assertions.Expect(second.Locator("main")).ToContainTextAsync("Opretholdt");
        await Assertions.Expect(second.Locator("main")).ToContainTextAsync("Også min vurdering.");
        Assert.True(await IsMasked(cpr));
    }

    [Fact]
    public async Task WhoHasTheCaseOpen_IsToldThatAnotherHasDecided_AndKeepsWhatTheyHaveWritten()
    {
        var (_, id) = await Activated();
        var second = await portal.SignIn("leder-2", at: "/cases");
        await second.Clock.InstallAsync();
        await second.GotoAsync($"{portal.Address}/case/{id}");
        await second.GetByLabel("Ophæve", new() { Exact = true }).CheckAsync();
        await second.Locator("#decision-reason").FillAsync("Min vurdering.");
        await second.Clock.FastForwardAsync(16_000);
        await second.EvaluateAsync("() => new Promise(done => requestAnimationFrame(done))");
        await Assertions.Expect(second.Locator("#case-news")).ToBeEmptyAsync();

        var first = await portal.SignIn("leder", at: $"/case/{id}");
        await first.GetByLabel("Opretholde", new() { Exact = true }).CheckAsync();
        await first.GetByRole(AriaRole.Button, new() { Name = "Gem afgørelsen" }).ClickAsync();
        await Assertions.Expect(first.Locator("main")).ToContainTextAsync("Opretholdt");
        await second.Clock.FastForwardAsync(16_000);

        await Assertions.Expect(second.Locator("[aria-live=polite] #case-news")).ToContainTextAsync("En anden har afgjort sagen, mens du havde den åben: Opretholdt");
        await Assertions.Expect(second.GetByRole(AriaRole.Button, new() { Name = "Gem afgørelsen" })).ToBeDisabledAsync();
        await Assertions.Expect(second.GetByRole(AriaRole.Button, new() { Name = "Send spørgsmål" })).ToBeEnabledAsync();
        await Assertions.Expect(second.Locator("#decision-reason")).ToHaveValueAsync("Min vurdering.");
        await PortalFixture.Picture(second, "case-decided-meanwhile");

        await portal.Platform.Client.Must("leder", HttpMethod.Post, $"/v1/maskings/{id}/end", new System.Text.Json.Nodes.JsonObject { ["reason"] = "Forkert patient." }, TestContext.Current.CancellationToken);
        await Eventually.True(async () =>
        {
            // Coming back to the window looks at once.
            await second.EvaluateAsync("() => window.dispatchEvent(new Event('focus'))");
            return await second.GetByRole(AriaRole.Button, new() { Name = "Send spørgsmål" }).IsDisabledAsync();
        }, "a case that is over takes no questions");
        await second.GetByRole(AriaRole.Link, new() { Name = "Se sagen, som den er nu" }).ClickAsync();
        await Assertions.Expect(second.Locator("main form")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task TheWorkList_LinksToCasesForThoseWhoMayOpenThem()
    {
        await Activated();
        var leader = await portal.SignIn("leder", at: "/cases");
        var manager = await portal.SignIn("hospitalsledelse", at: "/cases");

        Assert.NotEqual(0, await leader.Locator("#list a[href^='/case/']").CountAsync());
        Assert.NotEqual(0, await manager.Locator("#list tbody tr").CountAsync());
        Assert.Equal(0, await manager.Locator("a[href^='/case/']").CountAsync());
    }

    [Fact]
    public async Task AReasonFullOfHtml_StaysText()
    {
        const string Hostile = "<script>document.title='hijacked'</script><img src=x onerror=\"document.title='hijacked'\"> & \"citat\"";
        var (_, id) = await Activated(Hostile);

        var leader = await portal.SignIn("leder", at: $"/case/{id}");

        Assert.Contains(Hostile, await leader.Locator("main").InnerTextAsync());
        Assert.Equal(0, await leader.Locator("main script, main img").CountAsync());
        Assert.DoesNotContain("hijacked", await leader.TitleAsync());
    }

    [Fact]
    public async Task AskAndAnswer_AreKeptInTheCase()
    {
        var (_, id) = await Activated();
        var leader = await portal.SignIn("leder", at: $"/case/{id}");
        await leader.Locator("#ask-text").FillAsync("Hvem så det?");
        await leader.GetByRole(AriaRole.Button, new() { Name = "Send spørgsmål" }).ClickAsync();
        await Assertions.Expect(leader.Locator("main")).ToContainTextAsync("Hvem så det?");

        var nurse = await portal.SignIn("sygeplejerske", at: $"/case/{id}");
        await nurse.Locator("#answer-1").FillAsync("To kolleger.");
        await nurse.GetByRole(AriaRole.Button, new() { Name = "Send svar" }).ClickAsync();

        await Assertions.Expect(nurse.Locator("main")).ToContainTextAsync("To kolleger.");
        await leader.ReloadAsync();
        await Assertions.Expect(leader.Locator("main")).ToContainTextAsync("To kolleger.");
    }

    [Fact]
    public async Task TheCountOfOpenCases_FollowsWithoutAReload()
    {
        await Activated();
        var leader = await portal.SignIn("leder", at: "/cases");
        var count = leader.Locator("#counts strong").First;
        await Assertions.Expect(count).ToHaveTextAsync(new System.Text.RegularExpressions.Regex("^[0-9]+$"));
        await PortalFixture.Picture(leader, "cases");
        await leader.EvaluateAsync("() => window.notReloaded = true");
        var before = int.Parse(await count.InnerTextAsync(), System.Globalization.CultureInfo.InvariantCulture);

        await Activated();

        await Eventually.True(async () => int.Parse(await count.InnerTextAsync(), System.Globalization.CultureInfo.InvariantCulture) > before, "the count follows");
        Assert.True(await leader.EvaluateAsync<bool>("() => window.notReloaded === true"));
    }

    [Fact]
    public async Task TheCountOfOpenCases_IsThere_HoweverLateItsScriptComes()
    {
        await Activated();
        var page = await portal.NewPage();
        await page.RouteAsync("**/hx-sse.min.js", async route =>
        {
            await page.WaitForFunctionAsync("() => window.htmx && new Promise(later => setTimeout(() => setTimeout(() => later(true))))");
            await route.ContinueAsync();
        });

        await portal.SignIn(page, "leder", at: "/cases");

        await Assertions.Expect(page.Locator("#counts strong").First).ToHaveTextAsync(new System.Text.RegularExpressions.Regex("^[0-9]+$"));
    }

    [Fact]
    public async Task ACountThatIsRefused_SaysWhy_AndComesOnceItMay()
    {
        await using var platform = await Platform.Start(null, "--Limits:WatchesPerClient=1");
        var first = await portal.SignIn("leder", at: "/cases", of: platform);
        await Assertions.Expect(first.Locator("#counts strong").First).ToHaveTextAsync("0");
        var second = await portal.SignIn("leder", at: "/cases", of: platform);
        await Assertions.Expect(second.Locator("#counts")).ToContainTextAsync("SLR-933");

        await first.CloseAsync();

        await Assertions.Expect(second.Locator("#counts strong").First).ToHaveTextAsync("0");
    }

    [Fact]
    public async Task AListThatIsRefused_SaysWhy()
    {
        await using var platform = await Platform.Start();
        var leader = await portal.SignIn("leder", at: "/cases", of: platform);
        await TestDatabase.Execute(platform.Folder, "approval", "ALTER TABLE cases RENAME TO gone_cases");

        await leader.Locator("#overdue").CheckAsync();

        await Assertions.Expect(leader.Locator("main [role=alert]")).ToContainTextAsync("SLR-908");
    }

    private Task<(string Cpr, string Id)> Activated(string reason = "Slog ud efter personalet.") => Views.Activated(portal.Platform, reason);

    private Task<bool> IsMasked(string cpr) => Views.IsMasked(portal.Platform, cpr);
}
