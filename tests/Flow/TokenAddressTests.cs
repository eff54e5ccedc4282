using Microsoft.Extensions.DependencyInjection;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Flow;

/// <summary>A token service that is known outside by one address and reached from the services by another, as on a cluster behind a gateway.</summary>
public sealed class TokenAddressTests
{
    [Fact]
    public async Task ServicesMeetTheTokenServiceAtItsAddress_WhereNobodyAnswersAtTheIssuers()
    {
        var outside = $"http://127.0.0.1:{Platform.FreePort()}";
        await using var platform = await Platform.StartWith(services => services.PostConfigure<TokenOptions>(token => (token.Address, token.Issuer) = (token.Issuer, outside)));
        // A client's token names the outside issuer; that it opens anything shows that its keys were found.
        var maskings = await platform.Client.Must("epj-hovedstaden", HttpMethod.Get, "/v1/maskings", null, TestContext.Current.CancellationToken);
        Assert.Empty(maskings["maskings"]?.AsArray() ?? []);
        using var portal = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false });
        using var asked = await portal.GetAsync(new Uri(platform.HttpAddress + "/cases"), TestContext.Current.CancellationToken);
        Assert.StartsWith(outside + "/connect/authorize?", asked.Headers.Location?.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://tokens.example.org", "https://tokens.sloring.svc", "https://tokens.example.org/.well-known/jwks.json", "https://tokens.sloring.svc/.well-known/jwks.json")]
    [InlineData("https://tokens.example.org/", "https://tokens.sloring.svc/", "https://tokens.example.org/connect/token", "https://tokens.sloring.svc/connect/token")]
    [InlineData("https://tokens.example.org", "", "https://tokens.example.org/connect/token", "https://tokens.example.org/connect/token")]
    [InlineData("https://tokens.example.org", "https://tokens.sloring.svc", "https://tokens.example.org.evil.example/keys", "https://tokens.example.org.evil.example/keys")]
    public void WhatStandsUnderTheIssuer_IsReachedUnderTheAddress(string issuer, string address, string named, string reached) =>
        Assert.Equal(reached, new TokenOptions { Issuer = issuer, Address = address }.Reached(named));
}
