// The C# server of these tests, on a free loopback port.
using System.Net;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Sloring.Tests.Interop;

internal sealed class TrialServer : IAsyncDisposable
{
    private readonly WebApplication app;

    private TrialServer(WebApplication app)
    {
        this.app = app;
        Port = new Uri(app.Urls.Single()).Port;
    }

    public int Port { get; }
    public string Address => $"http://127.0.0.1:{Port}";

    public static async Task<TrialServer> Start(
        Action<GrpcServiceOptions>? options = null, Action<IServiceCollection>? services = null, int port = 0, Func<int>? unobserved = null)
    {
        var server = await Start(builder =>
        {
            builder.Services.AddGrpc(options ?? (_ => { }));
            builder.Services.AddSingleton(new TrialService.Memory(unobserved ?? (() => 0)));
            builder.Services.AddAuthentication("name").AddScheme<AuthenticationSchemeOptions, NameScheme>("name", null);
            builder.Services.AddAuthorization();
            services?.Invoke(builder.Services);
        }, app =>
        {
            app.UseAuthentication();
            app.UseAuthorization();
            app.MapGrpcService<TrialService>();
            app.MapGrpcService<GuardedService>();
        }, port);
        return server;
    }

    /// <summary>Any server over HTTP/2 without TLS, for peers that do not play by the rules.</summary>
    public static async Task<TrialServer> Start(Action<WebApplicationBuilder> build, Action<WebApplication> map, int port = 0)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, listen => listen.Protocols = HttpProtocols.Http2));
        build(builder);
        var app = builder.Build();
        map(app);
        await app.StartAsync();
        return new TrialServer(app);
    }

    public async ValueTask DisposeAsync()
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await app.StopAsync(soon.Token);
        await app.DisposeAsync();
    }

    /// <summary>Whoever says a name has it, and the role of that name.</summary>
    private sealed class NameScheme(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            if (Request.Headers.Authorization.ToString() is not { Length: > 0 } name)
                return Task.FromResult(AuthenticateResult.NoResult());
            var identity = new ClaimsIdentity([new(ClaimTypes.Name, name), new(ClaimTypes.Role, name)], Scheme.Name);
            return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Scheme.Name)));
        }
    }
}
