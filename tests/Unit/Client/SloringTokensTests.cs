using System.Net;
using System.Text;
using Sloring.Client;
using Xunit;

namespace Sloring.Tests.Unit.Client;

public sealed class SloringTokensTests : IDisposable
{
    private readonly Clock _clock = new();
    private readonly TokenService _service = new();

    public void Dispose() => _service.Dispose();

    [Fact]
    public async Task Token_is_asked_for_once_and_again_when_four_fifths_of_its_life_have_passed()
    {
        using var http = new HttpClient(_service) { BaseAddress = new Uri("http://tokens.example/") };
        using var tokens = new SloringTokens(http, "client-1", "secret/+", _clock);

        Assert.Equal("token-1", await tokens.Get(TestContext.Current.CancellationToken));
        _clock.Seconds = 79;
        Assert.Equal("token-1", await tokens.Get(TestContext.Current.CancellationToken));
        _clock.Seconds = 80;
        Assert.Equal("token-2", await tokens.Get(TestContext.Current.CancellationToken));
        Assert.Equal(["http://tokens.example/connect/token grant_type=client_credentials&client_id=client-1&client_secret=secret%2F%2B"], _service.Asked.Distinct());
    }

    [Fact]
    public async Task Valid_token_outlives_an_absent_token_service_and_an_expired_one_does_not()
    {
        using var http = new HttpClient(_service) { BaseAddress = new Uri("http://tokens.example/") };
        using var tokens = new SloringTokens(http, "client-1", "secret", _clock);
        await tokens.Get(TestContext.Current.CancellationToken);
        _service.Away = true;

        _clock.Seconds = 90;
        Assert.Equal("token-1", await tokens.Get(TestContext.Current.CancellationToken));
        Assert.Equal("token-1", await tokens.Get(TestContext.Current.CancellationToken));
        Assert.Equal(2, _service.Asked.Count); // not asked again within seconds of a refusal
        _clock.Seconds = 100;
        await Assert.ThrowsAsync<HttpRequestException>(async () => await tokens.Get(TestContext.Current.CancellationToken));
        _service.Away = false;
        Assert.Equal("token-4", await tokens.Get(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Many_callers_at_once_ask_once()
    {
        using var http = new HttpClient(_service) { BaseAddress = new Uri("http://tokens.example/") };
        using var tokens = new SloringTokens(http, "client-1", "secret", _clock);

        var all = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() => tokens.Get(TestContext.Current.CancellationToken).AsTask())));

        Assert.Equal(["token-1"], all.Distinct());
    }

    private sealed class Clock : TimeProvider
    {
        public long Seconds { get; set; }
        public override long TimestampFrequency => 1;
        public override long GetTimestamp() => Seconds;
    }

    private sealed class TokenService : HttpMessageHandler
    {
        public List<string> Asked { get; } = [];
        public bool Away { get; set; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Asked.Add($"{request.RequestUri} {await request.Content!.ReadAsStringAsync(cancellationToken)}");
            return Away
                ? new HttpResponseMessage(HttpStatusCode.ServiceUnavailable)
                : new HttpResponseMessage(HttpStatusCode.OK)
                {
                    Content = new StringContent(
                        $$"""{"access_token":"token-{{Asked.Count}}","token_type":"Bearer","expires_in":100}""", Encoding.UTF8, "application/json"),
                };
        }
    }
}
