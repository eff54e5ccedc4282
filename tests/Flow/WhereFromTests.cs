using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Xunit;

namespace Sloring.Tests.Flow;

/// <summary>From where somebody has read (rule O3): what people do in the portal comes from where they signed in, and only a proxy that is known says where that is.</summary>
public sealed partial class WhereFromTests
{
    [Theory]
    [InlineData("--Listen:Proxies:0=127.0.0.0/8", "203.0.113.0/24")]
    [InlineData("--Listen:Proxies:0=10.0.0.0/8", "127.0.0.0/24")]
    [InlineData("", "127.0.0.0/24")]
    public async Task WhoReadsACaseInThePortal_StandsInTheJournal_FromWhereTheySignedIn(string proxies, string network)
    {
        var flow = new SharedPlatform();
        await flow.Start(_ => { }, proxies.Length > 0 ? [proxies] : []);
        await using var _ = flow.Platform;
        var cpr = People.NextCpr();
        var id = (string)(await flow.Activated(cpr))["maskingId"]!;

        using var browser = new HttpClient(new SocketsHttpHandler { CookieContainer = new CookieContainer() }) { BaseAddress = new Uri(flow.Platform.HttpAddress) };
        browser.DefaultRequestHeaders.Add("X-Forwarded-For", "198.51.100.9, 203.0.113.77");
        var page = await browser.GetStringAsync(new Uri($"/case/{id}", UriKind.Relative), CancellationToken.None);
        using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["page"] = PageField().Match(page).Groups[1].Value, ["persona"] = "leder-2" });
        using var opened = await browser.PostAsync(new Uri("/connect/sign-in", UriKind.Relative), form, CancellationToken.None);
        Assert.Contains("Slog ud efter personalet.", WebUtility.HtmlDecode(await opened.Content.ReadAsStringAsync(CancellationToken.None)), StringComparison.Ordinal);

        var read = Assert.Single(await flow.Journal("approval", cpr), entry => (string?)entry["actor"] == "ld-2002" && (string?)entry["type"] == "audit.masking-read.v1");
        Assert.Equal(network, (string?)JsonNode.Parse((string)read["data"]!)!["from"]);
    }

    [GeneratedRegex("name=\"page\" value=\"([^\"]+)\"")]
    private static partial Regex PageField();
}
