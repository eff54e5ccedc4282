using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Service.Tokens;

/// <summary>Tokens that services call each other with, from a token service that comes and goes.</summary>
public sealed class ServiceTokensTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sloring-").FullName;
    private readonly Moved _clock = new();
    private WebApplication _service = null!;
    private ServiceTokens _tokens = null!;
    private int _asked;
    private volatile bool _away;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var address = $"http://127.0.0.1:{Platform.FreePort()}";
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        _service = builder.Build();
        _service.Urls.Add(address);
        _service.MapPost("/connect/token", () => _away
            ? Results.StatusCode(503)
            : Results.Json(new { access_token = $"token-{Interlocked.Increment(ref _asked)}", expires_in = 300 }));
        await _service.StartAsync(Cancel);
        var secrets = new SecretStore(Options.Create(new SecretOptions { File = Path.Combine(_folder, "secrets.json"), CreateMissing = true }));
        _tokens = new ServiceTokens(secrets, Options.Create(new TokenOptions { Issuer = address }), _clock);
    }

    [Fact]
    public async Task TokenServiceThatIsAway_DoesNotFailCallsWhoseTokenIsStillGood()
    {
        Assert.Equal("token-1", await _tokens.Of("approval", Cancel));
        _away = true;
        _clock.Now += TimeSpan.FromSeconds(270);
        Assert.Equal("token-1", await _tokens.Of("approval", Cancel));

        _clock.Now += TimeSpan.FromSeconds(40);
        await Assert.ThrowsAsync<HttpRequestException>(async () => await _tokens.Of("approval", Cancel));

        _away = false;
        Assert.Equal("token-2", await _tokens.Of("approval", Cancel));
    }

    [Fact]
    public async Task AFreshToken_IsNotAskedForAgain_AndOneThatWasRefusedIs()
    {
        Assert.Equal("token-1", await _tokens.Of("approval", Cancel));
        Assert.Equal("token-1", await _tokens.Of("approval", Cancel));
        _clock.Now += TimeSpan.FromSeconds(245);
        Assert.Equal("token-2", await _tokens.Of("approval", Cancel));
        _tokens.Forget("approval");
        Assert.Equal("token-3", await _tokens.Of("approval", Cancel));
    }

    public async ValueTask DisposeAsync()
    {
        _tokens.Dispose();
        await _service.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private sealed class Moved : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = new(2026, 1, 5, 9, 0, 0, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
