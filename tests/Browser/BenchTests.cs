using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Mvc.Infrastructure;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using Sloring.Hosting;
using Sloring.Portal;
using Xunit;

namespace Sloring.Tests.Browser;

public sealed class BenchTests(PortalFixture portal)
{
    [Fact]
    public async Task TheSameSeed_IsTheSameSet_AndAnotherIsAnother()
    {
        var page = await portal.SignIn("drift", at: "/bench");

        var first = await Set(17);
        var other = await Set(18);

        Assert.Equal(first, await Set(17));
        Assert.NotEqual(first, other);
        Assert.Equal(7, await page.Locator("#patients li").CountAsync());
        await PortalFixture.Picture(page, "bench");

        async Task<string> Set(int seed)
        {
            await page.Locator("#Seed").FillAsync($"{seed}");
            await page.Locator("#Size").FillAsync("7");
            await page.GetByRole(AriaRole.Button, new() { Name = "Lav data" }).ClickAsync();
            await page.WaitForURLAsync(url => url.Contains($"Seed={seed}", StringComparison.Ordinal));
            return await page.Locator("#patients").InnerTextAsync() + await page.Locator("#staff").TextContentAsync();
        }
    }

    [Fact]
    public async Task ARequest_IsBuiltFromTheSet_SentAsAnybody_AndCallAndAnswerAreShown()
    {
        var page = await portal.SignIn("drift", at: "/bench?Seed=3");
        await page.Locator("#patients button").First.ClickAsync();
        await Assertions.Expect(page.Locator("#Sender")).ToHaveValueAsync("borgervisning");
        await page.GetByRole(AriaRole.Button, new() { Name = "Send", Exact = true }).ClickAsync();

        await Assertions.Expect(page.Locator("main")).ToContainTextAsync("HTTP 200");
        await Assertions.Expect(page.Locator("#got")).ToContainTextAsync("\"entries\"");
        await Assertions.Expect(page.Locator("#call")).ToContainTextAsync("POST /v1/mask-entries");

        await page.Locator("#operation").SelectOptionAsync("POST /v1/maskings");
        await page.GetByRole(AriaRole.Button, new() { Name = "Byg anmodning" }).ClickAsync();
        await Assertions.Expect(page.Locator("#Body")).ToHaveValueAsync(new System.Text.RegularExpressions.Regex("idempotencyKey"));
        await page.Locator("#Sender").SelectOptionAsync("revisor");
        await page.GetByRole(AriaRole.Button, new() { Name = "Send", Exact = true }).ClickAsync();
        await Assertions.Expect(page.Locator("#got")).ToContainTextAsync("SLR-902");
    }

    [Theory]
    [InlineData("/v1/cases/{case_id}")]
    [InlineData("/v1/cases/6503851111")]
    [InlineData("/v1/cases/650385-1111")]
    [InlineData("/v1/cases/x?patient=%36503851111")]
    [InlineData("/v1/cases/../maskings")]
    [InlineData("http://127.0.0.1/v1/cases/x")]
    public async Task AnAddress_ThatHasGapsOrACprNumberOrIsAnothers_IsRefused_AndTheFormStays(string address)
    {
        var page = await portal.SignIn("drift", at: "/bench");
        await page.Locator("#operation").SelectOptionAsync("GET /v1/cases/{case_id}");
        await page.GetByRole(AriaRole.Button, new() { Name = "Byg anmodning" }).ClickAsync();
        await Assertions.Expect(page.Locator("#Address")).ToHaveValueAsync("/v1/cases/{case_id}");

        await page.Locator("#Address").FillAsync(address);
        await page.GetByRole(AriaRole.Button, new() { Name = "Send", Exact = true }).ClickAsync();

        await Assertions.Expect(page.Locator("[role=alert]")).ToContainTextAsync("SLR-904");
        await Assertions.Expect(page.Locator("#Address")).ToHaveValueAsync(address);
        await Assertions.Expect(page.Locator("#got")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task TheClock_GoesForward_AndNeverBack()
    {
        await using var platform = await Platform.Start();
        var page = await portal.SignIn("drift", at: "/bench", of: platform);
        var before = platform.Clock.GetUtcNow();

        await page.Locator("#Hours").FillAsync("2");
        await page.GetByRole(AriaRole.Button, new() { Name = "Flyt uret" }).ClickAsync();
        await page.WaitForURLAsync(url => url.Contains("Seed=1", StringComparison.Ordinal));
        Assert.InRange((platform.Clock.GetUtcNow() - before).TotalHours, 2, 2.5);

        await page.Locator("#Hours").EvaluateAsync("field => field.type = 'text'");
        await page.Locator("#Hours").FillAsync("-5");
        await page.GetByRole(AriaRole.Button, new() { Name = "Flyt uret" }).ClickAsync();
        await Assertions.Expect(page.Locator("[role=alert]")).ToContainTextAsync("SLR-301");
        Assert.InRange((platform.Clock.GetUtcNow() - before).TotalHours, 2, 2.5);
    }

    [Theory]
    [InlineData("demo", true)]
    [InlineData("none", false)]
    public async Task TheEmbeddedHost_HasABench_WhereAnybodyMayBeAnybodyOnly(string signIn, bool has)
    {
        await using var platform = await Platform.Start(null, "--Tokens:SignIn=" + signIn);

        Assert.Equal(has, HasBench(platform.Services));
    }

    [Fact]
    public async Task ThePortalsOwnHost_HasNeitherPageNorRoute()
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ApplicationName = typeof(PortalModule).Assembly.GetName().Name });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Secrets:File"] = Path.Combine(Path.GetTempPath(), "no-secrets.json"),
            ["Token:Issuer"] = "http://127.0.0.1:1",
            ["Tokens:SignIn"] = "demo",
            ["Organisations:File"] = Path.Combine(AppContext.BaseDirectory, "organisations.csv"),
        });
        builder.AddHosting();
        builder.AddPortal();
        await using var host = builder.Build();
        host.MapPortal();

        Assert.False(HasBench(host.Services));
        Assert.True(host.Services.GetRequiredService<PagesHere>().Has(PageAccess.Pages.Single(page => page.Path == "/Log")));
        Assert.DoesNotContain(
            host.Services.GetRequiredService<EndpointDataSource>().Endpoints.Concat(((IEndpointRouteBuilder)host).DataSources.SelectMany(source => source.Endpoints)).OfType<RouteEndpoint>(),
            endpoint => endpoint.RoutePattern.RawText is { } path && (path.Contains("bench", StringComparison.OrdinalIgnoreCase) || path.Contains("demo", StringComparison.OrdinalIgnoreCase)));
    }

    private static bool HasBench(IServiceProvider services) =>
        services.GetRequiredService<IActionDescriptorCollectionProvider>().ActionDescriptors.Items.OfType<PageActionDescriptor>().Any(page => page.ViewEnginePath == "/Bench");
}
