using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Sloring.Tests.Distributed;

/// <summary>What a sidecar sent to the app.</summary>
internal sealed record Received(string Path, string Protocol, string Body, IReadOnlyDictionary<string, string> Headers);

/// <summary>An app behind a sidecar: HTTP/2 without TLS on one port. It answers as it is told, and keeps what it got.</summary>
internal sealed class RecordingApp : IAsyncDisposable
{
    private WebApplication _app = null!;

    public int Port { get; private init; }

    public ConcurrentQueue<Received> All { get; } = new();

    /// <summary>Topic → what it answers.</summary>
    public ConcurrentDictionary<string, (int Status, string Body)> Answers { get; } = new();

    public IReadOnlyList<Received> Of(string topic) => [.. All.Where(r => r.Path == "/on/" + topic)];

    /// <param name="subscriptions">JSON, what /dapr/subscribe answers; null is 404.</param>
    /// <param name="more">More endpoints.</param>
    /// <param name="services">More services.</param>
    /// <param name="port">0 is a free one.</param>
    public static async Task<RecordingApp> Start(string? subscriptions, Action<WebApplication>? more = null, Action<IServiceCollection>? services = null, int port = 0)
    {
        var recording = new RecordingApp { Port = port == 0 ? Platform.FreePort() : port };
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, recording.Port, options => options.Protocols = HttpProtocols.Http2));
        builder.Services.AddRouting();
        services?.Invoke(builder.Services);
        recording._app = builder.Build();
        if (subscriptions is not null)
            recording._app.MapGet("/dapr/subscribe", async http => { await recording.Record(http); await http.Response.WriteAsync(subscriptions); });
        recording._app.MapPost("/on/{topic}", async http =>
        {
            await recording.Record(http);
            var (status, body) = recording.Answers.GetValueOrDefault((string)http.Request.RouteValues["topic"]!, (200, ""));
            http.Response.StatusCode = status;
            await http.Response.WriteAsync(body);
        });
        more?.Invoke(recording._app);
        await recording._app.StartAsync();
        return recording;
    }

    private async Task Record(HttpContext http)
    {
        using var reader = new StreamReader(http.Request.Body, Encoding.UTF8);
        All.Enqueue(new Received(http.Request.Path, http.Request.Protocol, await reader.ReadToEndAsync(), http.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase)));
    }

    public async ValueTask DisposeAsync()
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await _app.StopAsync(soon.Token);
        await _app.DisposeAsync();
    }
}
