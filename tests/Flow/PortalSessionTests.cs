using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Flow;

/// <summary>Sessions at the portal whose token service is slow, says no for a while, or is not what it seems.</summary>
public sealed class PortalSessionTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("429")]
    [InlineData("404")]
    [InlineData("503")]
    [InlineData("silent")]
    public async Task TokenServiceThatRenewsNothingForAWhile_SignsNobodyOut(string answer)
    {
        await using var between = await Between.Start();
        await using var platform = await Start(between);
        using var browser = new FormBrowser();
        var page = platform.HttpAddress + "/cases";
        await browser.SignIn("leder", page);

        between.Renewing = answer;
        platform.Clock.Advance(TimeSpan.FromSeconds(270));
        await browser.Open(page).WaitAsync(TimeSpan.FromSeconds(20), Cancel);
        Assert.Equal(page, browser.Address.OriginalString);
        between.Renewing = null;
        await browser.Open(page);
        // Later than the first token lived.
        platform.Clock.Advance(TimeSpan.FromSeconds(60));
        await browser.Open(page);
        Assert.Equal(page, browser.Address.OriginalString);
        // Whoever is signed out is sent to sign in and back, without a question while the token service knows them.
        Assert.Equal(1, between.SignedIn);
    }

    [Fact]
    public async Task IdTokenThatIsNotSigned_SignsNobodyIn()
    {
        await using var between = await Between.Start();
        await using var platform = await Start(between);
        using var browser = new FormBrowser();
        between.Unsigned = true;
        // Sent on and on, since each sign-in begins anew.
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => browser.SignIn("leder", platform.HttpAddress + "/cases"));
        Assert.Contains("302", refused.Message, StringComparison.Ordinal);
        between.Unsigned = false;
        await browser.Open(platform.HttpAddress + "/cases");
        Assert.Equal("/cases", browser.Address.AbsolutePath);
    }

    [Fact]
    public async Task WhatABrowserBringsBack_IsCountedByAddress_ThoughASignInHandlerAnswersIt()
    {
        await using var platform = await Platform.Start(null, "--Limits:AddressRequestsPerSecond=10", "--Limits:AddressBurst=20");
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(platform.HttpAddress) };
        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(async _ =>
        {
            using var answer = await http.GetAsync(new Uri("/signin-oidc?code=made-up&state=made-up", UriKind.Relative), Cancel);
            return (answer.StatusCode, answer.Headers.RetryAfter is not null);
        }));
        Assert.Contains((HttpStatusCode.Redirect, false), answers);
        Assert.Contains((HttpStatusCode.TooManyRequests, true), answers);
        // Who has signed in is not held up by it.
        Assert.NotEmpty(await platform.Client.Token("leder", Cancel));
    }

    [Fact] // E4
    public async Task RevokedProxy_ReadsNoLogAnyMore_ThoughTheirTokenIsGood()
    {
        await using var platform = await Platform.Start(null, "--Token:RefreshSeconds=1");
        using var browser = new FormBrowser();
        var log = platform.HttpAddress + "/log?of=1";
        await browser.SignIn("fuldmagtshaver", log);
        Assert.Equal(log, browser.Address.OriginalString);

        await Operator(platform, "revocation");
        await Eventually.True(async () => await At(browser, log) == "/connect/authorize", "they are asked to sign in", TimeSpan.FromSeconds(10));
        await Assert.ThrowsAsync<InvalidOperationException>(() => browser.Send("name=\"persona\"", ("persona", "fuldmagtshaver")));
        // Restored, they sign in again; nothing of before comes back.
        await Operator(platform, "restoration");
        Assert.Equal("/connect/authorize", await At(browser, log));
        platform.Clock.Advance(TimeSpan.FromSeconds(1));
        await Eventually.True(
            async () =>
            {
                try
                {
                    if (await At(browser, log) == "/connect/authorize")
                        await browser.Send("name=\"persona\"", ("persona", "fuldmagtshaver"));
                    return browser.Address.OriginalString == log;
                }
                catch (InvalidOperationException)
                {
                    // Sent in circles: the token service knows of the restoration, and the portal not yet.
                    return false;
                }
            },
            "they read the log again", TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task LongAddress_IsReachedAfterSigningIn()
    {
        await using var platform = await Platform.Start();
        using var browser = new FormBrowser();
        var page = platform.HttpAddress + "/cases?note=" + new string('n', 1_000);
        await browser.SignIn("leder", page);
        Assert.Equal(page, browser.Address.OriginalString);
    }

    private static Task<Platform> Start(Between between) => Platform.StartWith(services => services.PostConfigure<TokenOptions>(token => (between.Target, token.Address) = (token.Issuer, between.Address)));

    private static Task<JsonNode> Operator(Platform platform, string what) =>
        platform.Client.Must("drift", HttpMethod.Post, "/v1/clients/fuldmagtshaver/" + what, new JsonObject(), Cancel);

    private static async Task<string> At(FormBrowser browser, string address)
    {
        await browser.Open(address);
        return browser.Address.AbsolutePath;
    }

    /// <summary>Stands between the platform's parts and the token service, and hands on what is asked and answered, but for what a test wants.</summary>
    private sealed class Between(WebApplication app, string address) : IAsyncDisposable
    {
        private readonly HttpClient _http = new();

        public string Address => address;

        public string Target { get; set; } = "";

        /// <summary>What sessions are renewed with: a status, or "silent"; null for what the token service answers.</summary>
        public string? Renewing { get; set; }

        /// <summary>How often somebody has signed in.</summary>
        public int SignedIn { get; private set; }

        /// <summary>Takes the signature off ID tokens.</summary>
        public bool Unsigned { get; set; }

        public static async Task<Between> Start()
        {
            var address = $"http://127.0.0.1:{Platform.FreePort()}";
            var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
            builder.WebHost.UseKestrelCore().UseUrls(address);
            var app = builder.Build();
            var between = new Between(app, address);
            app.Run(between.HandOn);
            await app.StartAsync(Cancel);
            return between;
        }

        public async ValueTask DisposeAsync()
        {
            await app.DisposeAsync();
            _http.Dispose();
        }

        private async Task HandOn(HttpContext http)
        {
            var asked = await new StreamReader(http.Request.Body).ReadToEndAsync(http.RequestAborted);
            if (asked.Contains("grant_type=authorization_code", StringComparison.Ordinal))
                SignedIn++;
            if (Renewing is { } how && asked.Contains("grant_type=refresh_token", StringComparison.Ordinal))
            {
                if (how == "silent")
                    await Task.Delay(Timeout.InfiniteTimeSpan, http.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                else
                    http.Response.StatusCode = int.Parse(how, System.Globalization.CultureInfo.InvariantCulture);
                return;
            }
            using var request = new HttpRequestMessage(new HttpMethod(http.Request.Method), Target + http.Request.Path + http.Request.QueryString);
            if (asked.Length > 0)
                request.Content = new StringContent(asked, null, "application/x-www-form-urlencoded");
            using var answer = await _http.SendAsync(request, http.RequestAborted);
            var body = await answer.Content.ReadAsStringAsync(http.RequestAborted);
            if (Unsigned && answer.StatusCode == HttpStatusCode.OK && JsonNode.Parse(body) is JsonObject tokens && (string?)tokens["id_token"] is { } token)
            {
                tokens["id_token"] = token[..(token.LastIndexOf('.') + 1)];
                body = tokens.ToJsonString();
            }
            (http.Response.StatusCode, http.Response.ContentType) = ((int)answer.StatusCode, answer.Content.Headers.ContentType?.ToString());
            await http.Response.WriteAsync(body, http.RequestAborted);
        }
    }
}
