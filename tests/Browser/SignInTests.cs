using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using Xunit;

namespace Sloring.Tests.Browser;

public sealed class SignInTests(PortalFixture portal)
{
    [Fact]
    public async Task Nobody_IsSentToSignIn_AndComesBackToThePageAskedFor()
    {
        var page = await portal.SignIn("leder", at: "/cases");

        Assert.Equal("Arbejdsliste", await page.Locator("h1").InnerTextAsync());
    }

    [Fact]
    public async Task SignedOut_AsksAgain()
    {
        var page = await portal.SignIn("leder", at: "/cases");

        await page.GetByRole(AriaRole.Button, new() { Name = "Log ud" }).ClickAsync();
        await page.GotoAsync(portal.Address + "/cases");

        await page.Locator("button[name=persona]").First.WaitForAsync();
    }

    [Fact]
    public async Task AfterSigningOut_TheBackButtonShowsNothing()
    {
        var page = await portal.SignIn("leder", at: "/cases");
        await page.GetByRole(AriaRole.Button, new() { Name = "Log ud" }).ClickAsync();
        await page.WaitForURLAsync(url => !url.EndsWith("/cases", StringComparison.Ordinal));

        await page.GoBackAsync();

        Assert.Equal(0, await page.GetByRole(AriaRole.Heading, new() { Name = "Arbejdsliste" }).CountAsync());
    }

    [Fact]
    public async Task SigningOut_LeadsToATokenServiceElsewhere()
    {
        // For a browser localhost is another origin than 127.0.0.1, as the token service is on a cluster.
        await using var platform = await Platform.StartWith(
            services => services.PostConfigure<Hosting.TokenOptions>(token => token.Issuer = token.Issuer.Replace("127.0.0.1", "localhost", StringComparison.Ordinal)));
        var page = await portal.SignIn("leder", at: "/cases", of: platform);

        await page.GetByRole(AriaRole.Button, new() { Name = "Log ud" }).ClickAsync();

        await page.Locator("button[name=persona]").First.WaitForAsync();
        Assert.StartsWith("http://localhost:", page.Url, StringComparison.Ordinal);
    }

    [Fact]
    public async Task English_ByASwitch_OnThePageOneIsAt()
    {
        var page = await portal.SignIn("leder", at: "/cases");

        await page.GetByRole(AriaRole.Link, new() { Name = "English" }).ClickAsync();

        Assert.Equal("Work list", await page.Locator("h1").InnerTextAsync());
        Assert.Equal("en", await page.Locator("html").GetAttributeAsync("lang"));
    }

    [Fact]
    public async Task WithoutScript_SigningInAndListingWork()
    {
        var page = await portal.SignIn("leder", at: "/cases", script: false);

        await page.Locator("#overdue").CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Vis" }).ClickAsync();

        await page.WaitForURLAsync(url => url.Contains("overdue=true", StringComparison.Ordinal));
        Assert.Equal("Arbejdsliste", await page.Locator("h1").InnerTextAsync());
    }
}
