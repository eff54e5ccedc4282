using System.Globalization;
using Microsoft.Playwright;
using Sloring.Contracts;
using Xunit;

namespace Sloring.Tests.Browser;

/// <summary>A complaint from the work list to its answer (rule C3).</summary>
public sealed class ComplaintTests(PortalFixture portal)
{
    private const string Words = "Jeg truede ingen, siger <b>patienten</b>.";

    [Fact]
    public async Task FromTheWorkListToTheAnswer_TheMaskingStays_UntilALeaderLifts()
    {
        var (cpr, id) = await Views.Activated(portal.Platform);
        var leader = await portal.SignIn("leder", at: $"/case/{id}");
        await leader.GetByLabel("Opretholde", new() { Exact = true }).CheckAsync();
        await leader.GetByRole(AriaRole.Button, new() { Name = "Gem afgørelsen" }).ClickAsync();
        await Assertions.Expect(leader.Locator("main")).ToContainTextAsync("Opretholdt");
        var manager = await portal.SignIn("hospitalsledelse", at: $"/cases?state={Contracts.Approval.V1.CaseState.Upheld}");
        await Listed(manager, id);
        await manager.Locator($"a[href$='?about={id}']").ClickAsync();

        await Register(manager);

        await Assertions.Expect(manager.Locator("main")).ToContainTextAsync(Words);
        await manager.GetByRole(AriaRole.Button, new() { Name = "Tag under behandling" }).ClickAsync();
        await manager.GetByLabel("En leder har ophævet sløringen").CheckAsync();
        await manager.Locator("#answer").FillAsync("Du får ret.");
        await PortalFixture.Picture(manager, "complaint");
        await manager.GetByRole(AriaRole.Button, new() { Name = "Send svar" }).ClickAsync();
        await Assertions.Expect(manager.Locator("[role=alert]")).ToContainTextAsync("SLR-227");
        await Assertions.Expect(manager.Locator("#answer")).ToHaveValueAsync("Du får ret.");
        await Assertions.Expect(manager.GetByLabel("En leder har ophævet sløringen")).ToBeCheckedAsync();
        Assert.True(await Views.IsMasked(portal.Platform, cpr), "a complaint changes nothing by itself (C3)");

        await leader.GotoAsync($"{portal.Address}/notices");
        await leader.Locator($"a[href='/case/{id}']", new() { HasText = "En klage over sløringen er registreret" }).ClickAsync();
        await leader.GetByRole(AriaRole.Link, new() { Name = "Klage," }).ClickAsync();
        await Assertions.Expect(leader.Locator("main")).ToContainTextAsync(Words);
        Assert.Equal(0, await leader.Locator("main form").CountAsync());
        await leader.GoBackAsync();
        await leader.Locator("#lift-reason").FillAsync("Klagen er rigtig.");
        await leader.GetByRole(AriaRole.Button, new() { Name = "Ophæv efter klage" }).ClickAsync();
        await Assertions.Expect(leader.Locator("main")).ToContainTextAsync("Ophævet");
        await manager.GetByRole(AriaRole.Button, new() { Name = "Send svar" }).ClickAsync();

        await Assertions.Expect(manager.Locator("main")).ToContainTextAsync("Besvaret");
        await Assertions.Expect(manager.Locator("main")).ToContainTextAsync("Du får ret.");
        await Eventually.True(async () => !await Views.IsMasked(portal.Platform, cpr), "the citizen sees names again (A5)");
        await manager.GotoAsync($"{portal.Address}/complaints");
        await PortalFixture.Picture(manager, "complaints");
        await Assertions.Expect(manager.Locator("main")).ToContainTextAsync("En leder har ophævet sløringen");
    }

    [Fact]
    public async Task TwoAtOnce_TheSecondIsTold_AndWhatWasWrittenIsNotLost()
    {
        var (_, id) = await Views.Activated(portal.Platform);
        var manager = await portal.SignIn("hospitalsledelse", at: $"/complaints?about={id}");
        await Register(manager);
        var region = await portal.SignIn("region", at: new Uri(manager.Url).AbsolutePath);
        await manager.GetByRole(AriaRole.Button, new() { Name = "Tag under behandling" }).ClickAsync();
        await Assertions.Expect(manager.Locator("#answer")).ToBeVisibleAsync();
        await region.GetByRole(AriaRole.Button, new() { Name = "Tag under behandling" }).ClickAsync();
        await Assertions.Expect(region.Locator("[role=alert]")).ToContainTextAsync("SLR-222");
        await Assertions.Expect(region.Locator("main")).ToContainTextAsync("hm-3001");

        foreach (var (page, text) in new[] { (manager, "Nej, personalet har ret."), (region, "Et andet svar.") })
        {
            await page.GetByLabel("Ikke medhold").CheckAsync();
            await page.Locator("#answer").FillAsync(text);
        }
        await manager.GetByRole(AriaRole.Button, new() { Name = "Send svar" }).ClickAsync();
        await Assertions.Expect(manager.Locator("main")).ToContainTextAsync("Besvaret");
        await region.GetByRole(AriaRole.Button, new() { Name = "Send svar" }).ClickAsync();

        await Assertions.Expect(region.Locator("[role=alert]")).ToContainTextAsync("SLR-224");
        await Assertions.Expect(region.Locator("main")).ToContainTextAsync("Nej, personalet har ret.");
        await Assertions.Expect(region.Locator("main")).ToContainTextAsync("Et andet svar.");
    }

    [Fact]
    public async Task WhatIsWrong_IsSaidAtTheForm_AndADoubleClickRegistersOnce()
    {
        var (_, id) = await Views.Activated(portal.Platform);
        var region = await portal.SignIn("region", at: $"/complaints?about={id}", width: 320);
        await Fill(region);
        await region.Locator("#Complaint_ReceivedOn").FillAsync("2024-03-01");
        await region.GetByRole(AriaRole.Button, new() { Name = "Registrér klagen" }).ClickAsync();
        await Assertions.Expect(region.Locator("[role=alert]")).ToContainTextAsync("SLR-219");
        await Assertions.Expect(region.Locator("#Complaint_Text")).ToHaveValueAsync(Words);
        await Assertions.Expect(region.GetByLabel("En pårørende")).ToBeCheckedAsync();
        await Assertions.Expect(region.Locator("#Complaint_CaseId")).ToHaveValueAsync(id);

        await region.Locator("#Complaint_ReceivedOn").FillAsync(Today());
        await region.GetByRole(AriaRole.Button, new() { Name = "Registrér klagen" }).DblClickAsync();
        await region.WaitForURLAsync(url => url.Contains("/complaint/", StringComparison.Ordinal));
        Assert.True(await region.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"), "320 px hold the page");

        var leader = await portal.SignIn("leder", at: $"/case/{id}");
        await Assertions.Expect(leader.GetByRole(AriaRole.Link, new() { Name = "Klage," })).ToHaveCountAsync(1);
    }

    private string Today() => DanishTime.DayOf(portal.Platform.Clock.GetUtcNow()).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private async Task Fill(IPage page)
    {
        await page.Locator("#Complaint_ReceivedOn").FillAsync(Today());
        await page.GetByLabel("En pårørende").CheckAsync();
        await page.Locator("#Complaint_Text").FillAsync(Words);
    }

    private async Task Register(IPage page)
    {
        await Fill(page);
        await page.GetByRole(AriaRole.Button, new() { Name = "Registrér klagen" }).ClickAsync();
        await page.WaitForURLAsync(url => url.Contains("/complaint/", StringComparison.Ordinal));
    }

    /// <summary>Other tests activate too: the case may stand on a later page of the list.</summary>
    private static async Task Listed(IPage page, string id)
    {
        while (await page.Locator($"a[href$='?about={id}']").CountAsync() == 0)
            await page.GetByRole(AriaRole.Link, new() { Name = "Næste side" }).ClickAsync();
    }
}
