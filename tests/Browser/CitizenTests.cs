using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Browser;

/// <summary>A citizen's own log, and that of somebody whom they act for: the entries of samples/entries.jsonl.</summary>
public sealed partial class CitizenTests(PortalFixture portal)
{
    private const string Citizen = "7101901234";

    /// <summary>Of Region Hovedstaden, in the citizen's log and in the other's.</summary>
    private const string Name = "Mette Holm Testesen";

    /// <summary>Of Region Midtjylland.</summary>
    private const string NameElsewhere = "Karen Fiktiva Madsen";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact] // M1, M3, E3, E4, C1, A5
    public async Task AMasking_HidesNamesFromTheCitizenAndFromWhoActsForThem_UntilItIsLifted()
    {
        var citizen = await portal.SignIn("borger", at: "/log");
        var representative = await portal.SignIn("fuldmagtshaver", at: "/log?of=1");
        var other = await portal.SignIn("borger-2", at: "/log");
        foreach (var page in (IPage[])[citizen, representative, other])
            await Assertions.Expect(page.Locator("main")).ToContainTextAsync(Name);
        await Assertions.Expect(citizen.Locator("[role=note]")).ToHaveCountAsync(0);

        var id = await Activate(portal.Platform, Citizen, "Slog ud efter personalet.");

        await Eventually.True(async () => !(await Log(citizen)).Contains(Name, StringComparison.Ordinal), "the citizen's page is masked");
        var masked = await Log(citizen);
        await PortalFixture.Picture(citizen, "log");
        Assert.Contains("Sygeplejerske", masked, StringComparison.Ordinal);
        Assert.Contains("Navne på sundhedspersonale er erstattet", masked, StringComparison.Ordinal);
        Assert.Contains(NameElsewhere, masked, StringComparison.Ordinal);
        // Who activated it, why, and more of the masked than their profession: nothing of that is anywhere in what the browser was sent.
        var html = await citizen.ContentAsync();
        foreach (var secret in (string[])["hw-1001", "Slog ud", id, Citizen, "testesen", "mho@", "6QF17"])
            Assert.DoesNotContain(secret, html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("slør", await citizen.Locator("main").EvaluateAsync<string>("main => { main.querySelector('[role=note]').remove(); return main.innerHTML }"), StringComparison.OrdinalIgnoreCase);
        var theirs = await Log(representative);
        Assert.DoesNotContain(Name, theirs, StringComparison.Ordinal);
        Assert.NotEmpty(Pseudonyms(masked));
        Assert.Equal(Pseudonyms(masked), Pseudonyms(theirs));
        Assert.Contains(Name, await Log(other), StringComparison.Ordinal);

        await portal.Platform.Client.Must("leder", HttpMethod.Post, $"/v1/maskings/{id}/end", new JsonObject { ["reason"] = "Forkert patient." }, Cancel);
        await Eventually.True(async () => (await Log(citizen)).Contains(Name, StringComparison.Ordinal), "the citizen sees names again");
        Assert.Empty(Pseudonyms(await Log(citizen)));
        Assert.DoesNotContain("erstattet", await Log(citizen), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ARepresentative_HasALogOfTheirOwnToo_AndNobodyElses()
    {
        var page = await portal.SignIn("fuldmagtshaver", at: "/log");

        await Assertions.Expect(page.Locator("main")).ToContainTextAsync("Der er intet i loggen.");
        await page.GetByRole(AriaRole.Link, new() { Name = "Log for 710190-••••" }).ClickAsync();
        await Assertions.Expect(page.Locator("main")).ToContainTextAsync("Hospital Nord");
        Assert.EndsWith("/log?of=1", page.Url, StringComparison.Ordinal);
        var answer = await page.GotoAsync(portal.Address + "/log?of=2");
        Assert.Equal(404, answer!.Status);
        Assert.Equal(404, (await (await portal.SignIn("borger", at: "/log")).GotoAsync(portal.Address + "/log?of=1"))!.Status);
    }

    [Fact]
    public async Task NoCprNumber_CanBeReadInWhatTheBrowserKeepsOrSends()
    {
        var page = await portal.SignIn("borger", at: "/log");
        var sent = new List<string>();
        page.Context.Request += (_, request) => sent.Add(request.Url + request.PostData + string.Concat(request.Headers.Values));

        var kept = (await page.Context.CookiesAsync()).Select(cookie => cookie.Value).ToList();
        await page.GetByRole(AriaRole.Button, new() { Name = "Log ud" }).ClickAsync();
        await page.WaitForURLAsync(url => !url.EndsWith("/log", StringComparison.Ordinal));

        Assert.Contains(sent, text => text.Contains("id_token_hint", StringComparison.Ordinal));
        Assert.DoesNotContain(kept.Concat(sent).SelectMany(Readable), text => text.Contains(Citizen, StringComparison.Ordinal));
    }

    [Fact] // E7
    public async Task EffectuationThatIsBehind_ShowsNoName_AndSoDoesOneThatComesBack()
    {
        await using var wire = new Wire();
        await using var platform = await Platform.StartWith(services => services
            .PostConfigure<ServiceAddresses>(addresses =>
            {
                wire.Target = new Uri(addresses["registration"]).Port;
                addresses["registration"] = wire.Address;
            })
            .PostConfigure<Effectuation.EffectuationOptions>(options => options.StalenessBoundSeconds = 3));
        var page = await portal.SignIn("borger", at: "/log", of: platform);
        await Activate(platform, Citizen, "Truede.");
        await Eventually.True(async () => !(await Log(page)).Contains(Name, StringComparison.Ordinal), "the page is masked");

        wire.Broken = "silent";
        var seen = new StringBuilder();
        await Eventually.True(async () =>
        {
            var log = await Log(page);
            seen.AppendLine(log);
            return log.Contains("SLR-501", StringComparison.Ordinal);
        }, "the page says that it cannot show the log");

        await Assertions.Expect(page.Locator("article")).ToHaveCountAsync(0);
        Assert.DoesNotContain(Name, seen.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(NameElsewhere, await Log(page), StringComparison.Ordinal);
        wire.Broken = null;
        await Eventually.True(async () => Pseudonyms(await Log(page)).Count > 0, "the page is masked again");
    }

    [Fact]
    public async Task ASourceThatIsAway_OrGivesSomebodyElsesLog_IsNamed_AndTheOthersAreShown()
    {
        await using var platform = await Platform.StartWith(
            services => services.PostConfigure<Sloring.Portal.PortalOptions>(options =>
            {
                options.LogSources.Add(new() { Name = "Nedbrud", Address = $"http://127.0.0.1:{Platform.FreePort()}/log" });
                options.LogSources.Add(new() { Name = "Afviser", Address = options.LogSources[0].Address + "/nowhere" });
            }));

        var page = await portal.SignIn("borger", at: "/log", of: platform);

        await Assertions.Expect(page.Locator("[role=status]")).ToContainTextAsync("Nedbrud, Afviser");
        await Assertions.Expect(page.Locator("main")).ToContainTextAsync(Name);
    }

    private static async Task<string> Activate(Platform platform, string cpr, string reason) => (string)(await platform.Client.Must("sygeplejerske", HttpMethod.Post, "/v1/maskings", new JsonObject
    {
        ["idempotencyKey"] = $"browser-{Guid.NewGuid():N}",
        ["patientCpr"] = cpr,
        ["trigger"] = "TRIGGER_VIOLENCE",
        ["behaviourOn"] = "2025-01-15",
        ["reason"] = reason,
    }, Cancel))["maskingId"]!;

    /// <summary>What the page shows now.</summary>
    private static async Task<string> Log(IPage page)
    {
        await page.ReloadAsync();
        return await page.Locator("main").InnerTextAsync();
    }

    private static List<string> Pseudonyms(string log) => [.. Pseudonym().Matches(log).Select(match => match.Value)];

    /// <summary>A text, and what it is in base64url.</summary>
    private static IEnumerable<string> Readable(string text) => Base64().Matches(text).Select(match => match.Value)
        .Select(part => Encoding.UTF8.GetString(Convert.FromBase64String(part.Replace('-', '+').Replace('_', '/')[..(part.Length / 4 * 4)]))).Prepend(text);

    [GeneratedRegex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")]
    private static partial Regex Pseudonym();

    [GeneratedRegex("[A-Za-z0-9_-]{8,}")]
    private static partial Regex Base64();
}
