using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Grpc.Core;
using Grpc.Net.Client;
using Sloring.Contracts.Pseudonym.V1;
using Xunit;

namespace Sloring.Tests.Service.Tokens;

/// <summary>How much and how often: limits per client and per address, sizes, and what every answer says to whoever keeps or shows it.</summary>
public sealed class LimitTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ClientThatCallsTooOften_IsToldWhenToComeAgain_AndNobodyElseIs()
    {
        await using var host = await Start(("Limits:ClientRequestsPerSecond", "10"), ("Limits:ClientBurst", "20"));
        var (source, epj) = (await host.Token("source"), await host.Token("epj-midt"));
        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => Salt(host, source)));
        Assert.Contains(answers, answer => answer.Status == HttpStatusCode.OK);
        var refused = answers.Where(answer => answer.Status != HttpStatusCode.OK).ToList();
        Assert.NotEmpty(refused);
        Assert.All(refused, answer => Assert.Equal((HttpStatusCode.TooManyRequests, "SLR-930", 1), (answer.Status, answer.Code, answer.RetryAfter)));

        // The same over gRPC.
        using var channel = GrpcChannel.ForAddress(host.GrpcAddress);
        var client = new PseudonymService.PseudonymServiceClient(channel);
        var headers = new Metadata { { "authorization", "Bearer " + source } };
        var errors = await Task.WhenAll(Enumerable.Range(0, 200).Select(async _ =>
        {
            try
            {
                await client.GetCurrentSaltAsync(new GetCurrentSaltRequest(), headers);
                return null;
            }
            catch (RpcException e)
            {
                return e;
            }
        }));
        var error = errors.First(error => error is not null)!;
        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
        Assert.StartsWith("SLR-930", error.Status.Detail, StringComparison.Ordinal);

        // At the same address, another client is let in, and health is answered.
        Assert.Equal("SLR-902", (await Salt(host, epj)).Code);
        Assert.Equal(HttpStatusCode.OK, (await host.Http.GetAsync("/health/live", Cancel)).StatusCode);
        await Eventually.True(async () => (await Salt(host, source)).Status == HttpStatusCode.OK, "it is let in again");
    }

    [Fact]
    public async Task ClientThatAsksForTokensTooOften_IsToldInOAuthsWords()
    {
        await using var host = await Start(("Limits:ClientRequestsPerSecond", "10"), ("Limits:ClientBurst", "5"));
        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(async _ =>
        {
            using var answer = await host.Ask(("grant_type", "client_credentials"), ("client_id", "source"), ("client_secret", host.Secret("source")));
            return (answer.StatusCode, (await TokenHost.Json(answer)).TryGetProperty("error", out var error) ? error.GetString() : null, answer.Headers.RetryAfter is not null);
        }));
        Assert.Contains((HttpStatusCode.OK, null, false), answers);
        Assert.Contains((HttpStatusCode.TooManyRequests, "temporarily_unavailable", true), answers);
    }

    [Fact]
    public async Task WhoeverShowsNoToken_IsLimitedByAddress_AndWhoHasOneIsNot()
    {
        await using var host = await Start(("Limits:AddressRequestsPerSecond", "10"), ("Limits:AddressBurst", "20"));
        var source = await host.Token("source");
        var guesses = await Task.WhenAll(Enumerable.Range(0, 200).Select(async _ =>
        {
            using var answer = await host.Ask(("grant_type", "client_credentials"), ("client_id", "source"), ("client_secret", "guess"));
            return answer.StatusCode;
        }));
        Assert.Contains(HttpStatusCode.Unauthorized, guesses);
        Assert.Contains(HttpStatusCode.TooManyRequests, guesses);
        var forged = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => Salt(host, "not.a.token")));
        Assert.Contains("SLR-930", forged.Select(answer => answer.Code));
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => Salt(host, source))), answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task BodyThatIsTooLarge_IsRefusedUnread(bool chunked)
    {
        await using var host = await Start();
        // Sends the body when it is asked to, and not after a second anyway.
        using var patient = new HttpClient(new SocketsHttpHandler { Expect100ContinueTimeout = TimeSpan.FromMinutes(1) }) { BaseAddress = host.Address };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/pseudonyms/compute") { Content = new ByteArrayContent(new byte[17 * 1024 * 1024]) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await host.Token("source"));
        request.Headers.TransferEncodingChunked = chunked;
        request.Headers.ExpectContinue = true;
        using var answer = await patient.SendAsync(request, Cancel);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        Assert.Contains("SLR-907", await answer.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task MessageThatIsTooLarge_IsRefused()
    {
        await using var host = await Start();
        using var channel = GrpcChannel.ForAddress(host.GrpcAddress);
        var request = new ComputeRequest { PatientCpr = People.NextCpr(), Names = { new string('n', 17 * 1024 * 1024) } };
        var error = await Assert.ThrowsAsync<RpcException>(async () => await new PseudonymService.PseudonymServiceClient(channel)
            .ComputeAsync(request, new Metadata { { "authorization", "Bearer " + await host.Token("source") } }, cancellationToken: Cancel));
        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
    }

    [Fact]
    public async Task EveryAnswer_SaysNotToKeepGuessOrFrameIt_AndNamesNoServer()
    {
        await using var host = await Start();
        using var right = new HttpRequestMessage(HttpMethod.Get, "/v1/salt");
        right.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await host.Token("source"));
        using var wrong = new HttpRequestMessage(HttpMethod.Post, "/v1/pseudonyms/compute") { Content = new StringContent("{", Encoding.UTF8, "application/json") };
        wrong.Headers.Authorization = right.Headers.Authorization;
        foreach (var request in (HttpRequestMessage[])[right, wrong, new(HttpMethod.Get, "/nothing"), new(HttpMethod.Post, "/connect/token"), new(HttpMethod.Get, "/health/live")])
        {
            using var answer = await host.Http.SendAsync(request, Cancel);
            Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
            Assert.Contains("frame-ancestors 'none'", Assert.Single(answer.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
            Assert.Equal("no-referrer", Assert.Single(answer.Headers.GetValues("Referrer-Policy")));
            Assert.True(answer.Headers.CacheControl!.NoStore, request.RequestUri!.ToString());
            Assert.Empty(answer.Headers.Server);
            Assert.DoesNotContain("   at ", await answer.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        }
        // What is public and the same for all may be kept.
        using var keys = await host.Http.GetAsync("/.well-known/jwks.json", Cancel);
        Assert.True(keys.Headers.CacheControl!.Public);
    }

    private static async Task<TokenHost> Start(params (string Setting, string Value)[] settings)
    {
        var host = new TokenHost();
        foreach (var (setting, value) in settings)
            host.Set(setting, value);
        await host.InitializeAsync();
        return host;
    }

    private static async Task<(HttpStatusCode Status, string? Code, int? RetryAfter)> Salt(TokenHost host, string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/salt");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var answer = await host.Http.SendAsync(request, Cancel);
        var body = await TokenHost.Json(answer);
        return (answer.StatusCode, body.TryGetProperty("code", out var code) ? code.GetString() : null, (int?)answer.Headers.RetryAfter?.Delta?.TotalSeconds);
    }
}
