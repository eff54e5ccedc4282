using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Sloring.Embedded;
using Sloring.Hosting;

namespace Sloring.Tests;

/// <summary>The whole platform in this process, on free loopback ports, with a data folder of its own; all it logs is kept for the privacy scan.</summary>
public sealed class Platform : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly bool _ownsFolder;
    private readonly string[] _settings;
    private readonly Action<IServiceCollection> _replace;
    private bool _stopped, _checked;

    private Platform(WebApplication app, string folder, bool ownsFolder, string http, string grpc, string[] settings, Action<IServiceCollection> replace)
    {
        (_app, Folder, _ownsFolder, HttpAddress, GrpcAddress, _settings, _replace) = (app, folder, ownsFolder, http, grpc, settings, replace);
        Client = new PlatformClient(http, Path.Combine(folder, "secrets.json"));
        Channel = GrpcChannel.ForAddress(grpc);
    }

    public string Folder { get; }

    public string HttpAddress { get; }

    public string GrpcAddress { get; }

    /// <summary>HTTP as any demo client or persona.</summary>
    public PlatformClient Client { get; }

    /// <summary>gRPC; put <see cref="As"/> on each call.</summary>
    public GrpcChannel Channel { get; }

    public IServiceProvider Services => _app.Services;

    public DemoClock Clock => _app.Services.GetRequiredService<DemoClock>();

    /// <summary>Starts a platform that answers ready.</summary>
    /// <param name="folder">Data folder to go on with; a new one when null, deleted at the end.</param>
    /// <param name="settings">--Section:Key=value</param>
    public static Task<Platform> Start(string? folder = null, params string[] settings) => Launch(
        folder ?? Directory.CreateTempSubdirectory("sloring-").FullName, folder is null, $"http://127.0.0.1:{FreePort()}", $"http://127.0.0.1:{FreePort()}", settings, _ => { });

    /// <summary>Starts a platform in which something is replaced, for example the bus by a faulty one.</summary>
    public static Task<Platform> StartWith(Action<IServiceCollection> replace, string? folder = null, params string[] settings) => Launch(
        folder ?? Directory.CreateTempSubdirectory("sloring-").FullName, folder is null, $"http://127.0.0.1:{FreePort()}", $"http://127.0.0.1:{FreePort()}", settings, replace);

    /// <summary>Stops this one; another starts on its folder, at its addresses.</summary>
    public async Task<Platform> Restart()
    {
        await Stop();
        // What is kept is the other's from now on.
        _checked = true;
        return await Launch(Folder, _ownsFolder, HttpAddress, GrpcAddress, _settings, _replace);
    }

    /// <summary>Stops answering; the folder stays until it is disposed of.</summary>
    public async Task Stop()
    {
        if (_stopped)
            return;
        _stopped = true;
        Channel.Dispose();
        Client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private static async Task<Platform> Launch(
        string data, bool ownsFolder, string http, string grpc, string[] settings, Action<IServiceCollection> replace)
    {
        CapturedTelemetry.Begin();
        var app = EmbeddedHost.Build(
            [$"--Data:Folder={data}", $"--Listen:Http={http}", $"--Listen:Grpc={grpc}", "--Logging:LogLevel:Sloring=Debug", .. settings],
            builder =>
            {
                builder.Logging.ClearProviders();
                builder.Logging.AddProvider(new CapturedLog("platform"));
                builder.Services.UseTestDatabase(data);
                replace(builder.Services);
            });
        await app.MakeReady(data);
        await app.StartAsync();
        var platform = new Platform(app, data, ownsFolder, http, grpc, settings, replace);
        await Eventually.True(() => platform.Client.IsReady(CancellationToken.None), "the platform is ready");
        return platform;
    }

    /// <summary>Call metadata of a demo client or persona.</summary>
    public async Task<Metadata> As(string client) =>
        new() { { "authorization", "Bearer " + await Client.Token(client, CancellationToken.None) } };

    private static int _lastPort = Random.Shared.Next(20_000, 29_000);

    /// <summary>
    /// A loopback port that nothing listens on, never the same twice in a run. Below those that the system hands to outgoing connections: one of
    /// them may be taken before a server that was told to use it has started.
    /// </summary>
    public static int FreePort()
    {
        while (true)
        {
            var port = Interlocked.Increment(ref _lastPort);
            using var listener = new TcpListener(IPAddress.Loopback, port);
            try
            {
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody else's.
            }
        }
    }

    /// <summary>Stops it, and reads what it has kept: nothing personal lies there readable.</summary>
    public async ValueTask DisposeAsync()
    {
        await Stop();
        if (_checked)
            return;
        _checked = true;
        if (_ownsFolder)
            await KeptScan.Discard(Folder, KeptScan.EveryService);
        else
            await KeptScan.Check(Folder, KeptScan.EveryService);
    }
}
