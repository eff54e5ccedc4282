using Microsoft.Playwright;
using Xunit;

namespace Sloring.Tests.Browser;

/// <summary>What people print: what is known, who printed it and when; nothing to press or fill in.</summary>
public sealed class PrintTests(PortalFixture portal)
{
    private static readonly string[] NotOnPaper = ["header", "nav", "form", "button", "main .button", "textarea", "[aria-live]", ".portal-act"];

    [Fact]
    public async Task ACase_ItsComplaint_AndTheWorkList()
    {
        var (cpr, id) = await Views.Activated(portal.Platform);
        var complaint = await Views.Complained(portal.Platform, id);
        var leader = await portal.SignIn("leder", at: $"/case/{id}");
        await OnPaper(leader, "Demo: leder, Hospital Nord", "case", "Slog ud efter personalet.", cpr, "Forløb");

        await leader.GotoAsync($"{portal.Address}/cases");
        await OnPaper(leader, "Demo: leder, Hospital Nord", "cases", "Arbejdsliste");
        var table = leader.Locator("table");
        Assert.True(await table.EvaluateAsync<bool>("table => table.getBoundingClientRect().right <= document.documentElement.clientWidth"), "the table is whole");

        var region = await portal.SignIn("region", at: $"/complaint/{complaint}");
        await OnPaper(region, "Demo: region", "complaint", Views.Complaint);
    }

    [Fact]
    public async Task AnAccessRequest_TheOverview_AndACitizensLog()
    {
        var worker = await portal.SignIn("sagsbehandler", at: "/resolve");
        await worker.Locator("#PatientCpr").FillAsync(People.NextCpr());
        await worker.Locator("#Pseudonym").FillAsync("6f0a2c9b-1d00-5000-8000-000000000000");
        await worker.Locator("#From").FillAsync("2025-01-01");
        await worker.Locator("#To").FillAsync("2025-02-01");
        await worker.Locator("#Purpose").FillAsync("Aktindsigt 17/2025");
        await worker.Locator("#Candidates").FillAsync("Mette Holm Testesen");
        await worker.GetByRole(AriaRole.Button, new() { Name = "Slå op" }).ClickAsync();
        await Assertions.Expect(worker.Locator("[role=status]")).ToBeVisibleAsync();
        await OnPaper(worker, "Demo: sagsbehandler", "resolve", "6f0a2c9b-1d00", "01.02.2025", "Aktindsigt 17/2025");

        var region = await portal.SignIn("region", at: "/overview");
        await OnPaper(region, "Demo: region", "overview", "Overblik");

        var citizen = await portal.SignIn("borger-2", at: "/log");
        await OnPaper(citizen, "Demo: anden borger", "log", "Min log");
    }

    private static async Task OnPaper(IPage page, string who, string picture, params string[] known)
    {
        await page.EmulateMediaAsync(new PageEmulateMediaOptions { Media = Media.Print });
        foreach (var gone in NotOnPaper)
            Assert.True(await page.Locator(gone + ":visible").CountAsync() == 0, $"{picture}: {gone} is on paper");
        var paper = await page.Locator("body").InnerTextAsync();
        foreach (var text in known.Append("Udskrevet af").Append(who))
            Assert.Contains(text, paper);
        await PortalFixture.Picture(page, "print-" + picture);
        await page.EmulateMediaAsync(new PageEmulateMediaOptions { Media = Media.Screen });
        await Assertions.Expect(page.Locator(".portal-printed")).Not.ToBeVisibleAsync();
    }
}
