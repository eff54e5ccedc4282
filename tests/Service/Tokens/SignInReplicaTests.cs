using System.Net;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.WebUtilities;
using Sloring.Tokens;
using Xunit;

namespace Sloring.Tests.Service.Tokens;

/// <summary>Several processes of the token service are one to whoever signs in: they share secrets and the file of what is remembered, and nothing else.</summary>
public sealed partial class SignInReplicaTests
{
    private const string Back = "https://portal.example/in";
    private const string Verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task CodeAndSessionOfOneReplica_HoldAtAnother_AndSoDoesSigningOut()
    {
        await using var first = await Start();
        await using var second = await Start(first);
        using var browser = Browser(first);
        var code = await SignIn(browser);
        // The browser's cookie is for the host, whatever replica answers.
        using (var answer = await browser.GetAsync(new Uri(second.Address, Request("&prompt=none")), Cancel))
            Assert.Contains("code=", answer.Headers.Location!.Query, StringComparison.Ordinal);

        var (id, refresh) = await Redeemed(second, code);
        // Once is once for each replica: docs/tokens.md says so. A second time at the same one ends the session everywhere.
        Assert.Equal("SLR-625", await Code(await Ask(second, "authorization_code", ("code", code), ("redirect_uri", Back), ("code_verifier", Verifier))));
        foreach (var host in (TokenHost[])[first, second])
            Assert.Equal("SLR-625", await Code(await Ask(host, "refresh_token", ("refresh_token", refresh))));

        (id, refresh) = await Redeemed(second, await SignIn(browser));
        using (var refreshed = await Ask(first, "refresh_token", ("refresh_token", refresh)))
            Assert.Equal(HttpStatusCode.OK, refreshed.StatusCode);
        using (var out_ = await browser.GetAsync("/connect/logout?id_token_hint=" + id, Cancel))
            Assert.Equal(HttpStatusCode.OK, out_.StatusCode);
        Assert.Equal("SLR-625", await Code(await Ask(second, "refresh_token", ("refresh_token", refresh))));

        // Nor does it hold after a restart, or a code from before one.
        var before = await SignIn(browser);
        await using var third = await Start(first);
        Assert.Equal("SLR-625", await Code(await Ask(third, "refresh_token", ("refresh_token", refresh))));
        Assert.Equal("SLR-625", await Code(await Ask(third, "authorization_code", ("code", before), ("redirect_uri", Back), ("code_verifier", Verifier))));
    }

    [Fact]
    public async Task PersonWhoHasLeftTheSettings_GetsNoNewToken()
    {
        await using var first = await Start();
        await using var second = new TokenHost();
        second.Set("Tokens:Clients:1:Id", "somebody-else");
        await Start(first, second);
        using var browser = Browser(first);
        var (_, refresh) = await Redeemed(first, await SignIn(browser));
        Assert.Equal("SLR-625", await Code(await Ask(second, "refresh_token", ("refresh_token", refresh))));
        using (var still = await Ask(first, "refresh_token", ("refresh_token", refresh)))
            Assert.Equal(HttpStatusCode.OK, still.StatusCode);
    }

    [Fact]
    public async Task CookiesOverTls_AreOfThisHostOnly()
    {
        await using var host = new TokenHost();
        host.Set("Token:Issuer", "https://127.0.0.1:1");
        await Start(null, host);
        using var browser = Browser(host);
        using var page = await browser.GetAsync(Request(), Cancel);
        var cookie = Assert.Single(page.Headers.GetValues("Set-Cookie"));
        Assert.StartsWith("__Host-sloring-form=", cookie, StringComparison.Ordinal);
        foreach (var part in (string[])["path=/;", "secure", "httponly", "samesite=lax"])
            Assert.Contains(part, cookie, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task NobodySignsIn_WhereNobodyShould()
    {
        await using var host = new TokenHost();
        await host.InitializeAsync();
        using var answer = await host.Http.GetAsync(new Uri("/connect/authorize", UriKind.Relative), Cancel);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.DoesNotContain("authorization_endpoint", await host.Http.GetStringAsync("/.well-known/openid-configuration", Cancel), StringComparison.Ordinal);
    }

    private static async Task<TokenHost> Start(TokenHost? before = null, TokenHost? host = null)
    {
        host ??= new TokenHost();
        var issuer = (before ?? host).Address.OriginalString;
        if (before is not null)
        {
            host.SecretsFile = before.SecretsFile;
            host.Set("Token:Issuer", issuer);
        }
        host.Set("Tokens:StateFile", Path.Combine((before ?? host).Folder, "tokens.json"));
        host.Set("Tokens:SignIn", "demo");
        host.Set("Tokens:Clients:9:Id", "portal");
        host.Set("Tokens:Clients:9:RedirectUris:0", Back);
        await host.InitializeAsync();
        return host;
    }

    private static HttpClient Browser(TokenHost host) => new(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = host.Address };

    private static string Request(string more = "") =>
        $"/connect/authorize?response_type=code&client_id=portal&scope=openid&code_challenge_method=S256&code_challenge={Pkce.Challenge(Verifier)}&redirect_uri={Uri.EscapeDataString(Back)}{more}";

    private static async Task<string> SignIn(HttpClient browser)
    {
        var page = await browser.GetStringAsync(Request("&prompt=login"), Cancel);
        using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["page"] = PageField().Match(page).Groups[1].Value, ["persona"] = "leader-lis" });
        using var answer = await browser.PostAsync("/connect/sign-in", form, Cancel);
        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        return QueryHelpers.ParseQuery(answer.Headers.Location!.Query)["code"]!;
    }

    private static async Task<(string IdToken, string RefreshToken)> Redeemed(TokenHost host, string code)
    {
        using var answer = await Ask(host, "authorization_code", ("code", code), ("redirect_uri", Back), ("code_verifier", Verifier));
        var body = await TokenHost.Json(answer);
        Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{body}");
        return (body.GetProperty("id_token").GetString()!, body.GetProperty("refresh_token").GetString()!);
    }

    private static Task<HttpResponseMessage> Ask(TokenHost host, string grant, params (string Name, string Value)[] fields) =>
        host.Ask([("grant_type", grant), ("client_id", "portal"), ("client_secret", host.Secret("portal")), .. fields]);

    private static async Task<string?> Code(HttpResponseMessage answer)
    {
        using (answer)
            return (await TokenHost.Json(answer)).TryGetProperty("code", out var code) ? code.GetString() : null;
    }

    [GeneratedRegex("name=\"page\" value=\"([^\"]+)\"")]
    private static partial Regex PageField();
}
