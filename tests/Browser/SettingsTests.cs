using Microsoft.Playwright;
using Xunit;

namespace Sloring.Tests.Browser;

/// <summary>The region's settings (rules A1, A2, A8), and who has changed what.</summary>
public sealed class SettingsTests(PortalFixture portal)
{
    [Fact]
    public async Task TheRegionChanges_HospitalManagementReads_AndOfTwoAtOnceTheSecondIsTold()
    {
        var (first, second) = (await portal.SignIn("region", at: "/settings"), await portal.SignIn("region", at: "/settings"));
        await Assertions.Expect(first.Locator("#holds")).ToContainTextAsync("Platformens standard");

        // Days off that no other test meets: the settings hold for all of them.
        await Choose(first, "07-13 07-14");
        await Assertions.Expect(first.Locator("#holds")).ToContainTextAsync("07-13 07-14");
        await Assertions.Expect(first.Locator("#history")).ToContainTextAsync("rg-4001");
        await Assertions.Expect(first.Locator("#history")).ToContainTextAsync("Ekstra fridage: som konfigureret → 07-13 07-14");

        await Choose(second, "07-15");
        await Assertions.Expect(second.Locator("[role=alert]")).ToContainTextAsync("SLR-228");
        await Assertions.Expect(second.Locator("#holds")).ToContainTextAsync("07-13 07-14");
        await Assertions.Expect(second.Locator("#Choices_DaysOff")).ToHaveValueAsync("07-15");
        await PortalFixture.Picture(second, "settings");
        await Save(second);
        await Assertions.Expect(second.Locator("#history")).ToContainTextAsync("Ekstra fridage: 07-13 07-14 → 07-15");

        var manager = await portal.SignIn("hospitalsledelse", at: "/settings");
        await Assertions.Expect(manager.Locator("#holds")).ToContainTextAsync("Valgt af regionen");
        Assert.Equal(0, await manager.Locator("main form").CountAsync());

        await second.Locator("#Choices_ChooseDaysOff").UncheckAsync();
        await Save(second);
        await Assertions.Expect(second.Locator("#holds")).Not.ToContainTextAsync("Valgt af regionen");
    }

    [Fact]
    public async Task WhatIsWrong_IsSaidAtTheForm_AndStays()
    {
        var region = await portal.SignIn("region", at: "/settings");
        await Choose(region, "31-12");
        await Assertions.Expect(region.Locator("[role=alert]")).ToContainTextAsync("SLR-230");
        await Assertions.Expect(region.Locator("#Choices_DaysOff")).ToHaveValueAsync("31-12");
        await Assertions.Expect(region.Locator("#Choices_ChooseDaysOff")).ToBeCheckedAsync();
    }

    private static async Task Choose(IPage page, string days)
    {
        await page.Locator("#Choices_ChooseDaysOff").CheckAsync();
        await page.Locator("#Choices_DaysOff").FillAsync(days);
        await Save(page);
    }

    private static Task Save(IPage page) => page.GetByRole(AriaRole.Button, new() { Name = "Gem indstillingerne" }).ClickAsync();
}
