using System.Net;
using System.Text;
using System.Xml.Linq;
using Sloring.Embedded;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Service.Tokens;

/// <summary>A client of the national wire is a client like any other: counted by itself, and shut out by an operator.</summary>
public sealed class SoapCallerTests
{
    private const string Salt = "/idsas-salt/20230601/salt";
    private static readonly string Body = $"""<GetCurrentSaltRequest xmlns="{new SoapOptions().Namespace20230601}"/>""";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WhoHasNoGoodTicket_IsLimitedByAddress_AndWhoHasOneIsNot()
    {
        await using var host = await Start(("Limits:AddressRequestsPerSecond", "10"), ("Limits:AddressBurst", "20"));
        var rubbish = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => Call(host, "<nothing/>")));
        Assert.Contains("SLR-810", rubbish.Select(answer => answer.Code));
        Assert.All(rubbish, answer => Assert.True(answer.Code == "SLR-810" || (answer.Code, answer.RetryAfter) == ("SLR-930", 1), answer.Code));
        Assert.Contains("SLR-930", rubbish.Select(answer => answer.Code));
        // Beside it from the same address, with a ticket, and for tokens with the right secret.
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => Call(host, Envelope(host)))), answer => Assert.Equal((HttpStatusCode.OK, null), (answer.Status, answer.Code)));
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => host.Token("source"))), token => Assert.NotEmpty(token));
    }

    [Fact]
    public async Task ClientThatCallsTooOften_IsToldByAFault_AndNoOtherIs()
    {
        await using var host = await Start(("Limits:ClientRequestsPerSecond", "10"), ("Limits:ClientBurst", "20"));
        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => Call(host, Envelope(host))));
        Assert.Contains((HttpStatusCode.OK, (string?)null, (int?)null), answers);
        Assert.Contains((HttpStatusCode.InternalServerError, "SLR-930", 1), answers);
        Assert.Null((await Call(host, Envelope(host, "Other system"))).Code);
    }

    [Fact]
    public async Task RevokedClient_IsRefusedWithWhatItHas_AndAnotherIsNot()
    {
        await using var host = await Start();
        var (before, other) = (Envelope(host), Envelope(host, "Other system"));
        Assert.Null((await Call(host, before)).Code);
        await Operator(host, "revocation");
        await Eventually.True(async () => (await Call(host, before)).Code == "SLR-609", "the ticket is refused");
        host.Clock.Move(TimeSpan.FromSeconds(2));
        Assert.Null((await Call(host, other)).Code);

        await Operator(host, "restoration");
        await Eventually.True(async () => (await Call(host, Envelope(host))).Code is null, "a new ticket is good again");
        Assert.Equal("SLR-609", (await Call(host, before)).Code);
    }

    private static async Task<TokenHost> Start(params (string Setting, string Value)[] settings)
    {
        var host = new TokenHost();
        var issuer = new DemoIssuer(host.Folder);
        issuer.Ensure();
        (string, string)[] wire =
        [
            ("Soap:Issuers:demo:Name", DemoIssuer.Name), ("Soap:Issuers:demo:Certificates:demo", issuer.File), ("Token:RefreshSeconds", "1"), ("Tokens:StateFile", Path.Combine(host.Folder, "tokens.json")),
            .. Client("soap-epj", "EPJ"), .. Client("soap-other", "Other system"),
        ];
        foreach (var (setting, value) in (ReadOnlySpan<(string, string)>)[.. wire, .. settings])
            host.Set(setting, value);
        await host.InitializeAsync();
        return host;

        static (string, string)[] Client(string name, string system) =>
            [($"Soap:Clients:{name}:Cvr", TokenHost.Cvr), ($"Soap:Clients:{name}:System", system), ($"Soap:Clients:{name}:Operations:0", "GetCurrentSalt")];
    }

    private static string Envelope(TokenHost host, string system = "EPJ") =>
        DemoIssuer.Envelope(new DemoIssuer(host.Folder).Ticket(new DemoTicket(TokenHost.Cvr, system, host.Clock.GetUtcNow())), Body);

    private static async Task<(HttpStatusCode Status, string? Code, int? RetryAfter)> Call(TokenHost host, string envelope)
    {
        using var content = new StringContent(envelope, Encoding.UTF8, "text/xml");
        using var answer = await host.Http.PostAsync(Salt, content, Cancel);
        var code = XDocument.Parse(await answer.Content.ReadAsStringAsync(Cancel)).Descendants(XName.Get("Code", SoapNames.Rejection)).SingleOrDefault()?.Value;
        return (answer.StatusCode, code, (int?)answer.Headers.RetryAfter?.Delta?.TotalSeconds);
    }

    private static async Task Operator(TokenHost host, string what)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/clients/soap:soap-epj/{what}") { Content = new StringContent("{}", Encoding.UTF8, "application/json") };
        request.Headers.Authorization = new("Bearer", await host.Token("operator"));
        using var answer = await host.Http.SendAsync(request, Cancel);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }
}
