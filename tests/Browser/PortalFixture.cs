using Microsoft.Playwright;
using Xunit;

[assembly: AssemblyFixture(typeof(Sloring.Tests.Browser.PortalFixture))]

namespace Sloring.Tests.Browser;

/// <summary>One platform and one browser (Debian's Chromium) for all tests; each test brings patients of its own, each person a session of their own.</summary>
public sealed class PortalFixture : IAsyncLifetime
{
    private IPlaywright _playwright = null!;
    private IBrowser _browser = null!;
    private readonly System.Collections.Concurrent.ConcurrentBag<string> _addresses = [];

    /// <summary>CPR numbers of the demo's citizens.</summary>
    private static readonly string[] Citizens = ["7101901234", "6503851111", "6802771111"];

    public Platform Platform { get; private set; } = null!;

    public string Address => Platform.HttpAddress;

    public async ValueTask InitializeAsync()
    {
        await Cluster.DebianPackages.EnsureChromium(CancellationToken.None);
        Platform = await Platform.Start();
        _playwright = await Playwright.CreateAsync();
        // What is expected has the time that everything else has: its own 5 s are short where the machine is busy.
        Assertions.SetDefaultExpectTimeout((float)Eventually.Limit.TotalMilliseconds);
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = "/usr/bin/chromium",
            Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });
    }

    /// <summary>A browser of a person's own, signed in.</summary>
    /// <param name="persona">One of the demo personas.</param>
    /// <param name="at">The page to open first.</param>
    /// <param name="width">Of the window, pixels.</param>
    /// <param name="script">Whether pages may run script.</param>
    /// <param name="of">A test's own platform; null: the one that tests share.</param>
    public async Task<IPage> SignIn(string persona, string at = "/", int width = 1280, bool script = true, Platform? of = null)
    {
        var page = await NewPage(width, script);
        await SignIn(page, persona, at, of);
        return page;
    }

    /// <summary>As above, in a browser that is there already.</summary>
    public async Task SignIn(IPage page, string persona, string at, Platform? of = null)
    {
        var address = (of?.HttpAddress ?? Address) + at;
        await page.GotoAsync(address);
        await page.Locator($"button[name=persona][value='{persona}']").ClickAsync();
        await page.WaitForURLAsync(address);
    }

    /// <summary>Keeps a picture of a page, for people: <c>.build/screenshots</c>.</summary>
    /// <param name="page">The page.</param>
    /// <param name="name">The file's, without its ending.</param>
    /// <param name="whole">Also what lies below the window.</param>
    public static Task Picture(IPage page, string name, bool whole = true) =>
        page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Repository.Root, ".build", "screenshots", name + ".png"), FullPage = whole });

    /// <summary>A browser without a session.</summary>
    public async Task<IPage> NewPage(int width = 1280, bool script = true)
    {
        var context = await _browser.NewContextAsync(new BrowserNewContextOptions { ViewportSize = new ViewportSize { Width = width, Height = 900 }, JavaScriptEnabled = script, Locale = "da-DK" });
        context.Request += (_, request) => _addresses.Add(request.Url);
        context.SetDefaultTimeout((float)Eventually.Limit.TotalMilliseconds);
        return await context.NewPageAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        _playwright?.Dispose();
        var digits = new System.Text.RegularExpressions.Regex("(?=([0-9]{10}))");
        if (_addresses.Any(address => digits.Matches(address).Any(match => People.WasGiven(match.Groups[1].Value) || Citizens.Contains(match.Groups[1].Value))))
            throw new InvalidOperationException("A CPR number stood in an address that a browser has asked for.");
        if (Platform is not null)
            await Platform.DisposeAsync();
    }
}
