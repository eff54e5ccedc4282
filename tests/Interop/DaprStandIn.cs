// A stand-in for the sidecar: a loopback server with the answers a real one gives (status codes and bodies as observed on daprd 1.17).
// It shows that the client speaks that protocol; that the protocol is a sidecar's, only a sidecar can show.
using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Sloring.Tests.Interop;

/// <summary>An app over HTTP/1.1 on a free loopback port, as the sidecar would call it.</summary>
internal sealed class DaprApp : IAsyncDisposable
{
    private readonly WebApplication app;

    private DaprApp(WebApplication app)
    {
        this.app = app;
        Client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri(app.Urls.Single()), Timeout = TimeSpan.FromSeconds(20) };
    }

    public HttpClient Client { get; }
    public string Address => app.Urls.Single();

    public static async Task<DaprApp> Start(Action<WebApplication> map, Action<WebApplicationBuilder>? build = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1));
        build?.Invoke(builder);
        var app = builder.Build();
        map(app);
        await app.StartAsync();
        return new DaprApp(app);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await app.StopAsync(soon.Token);
        await app.DisposeAsync();
    }
}

internal sealed class DaprStandIn : IAsyncDisposable
{
    private readonly ConcurrentQueue<Request> requests = new();
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private DaprApp app = null!;
    private int probes;

    public sealed record Request(string Target, string? ContentType, string? Token, string? TraceParent, string Body);

    public string Address => app.Address;
    public IReadOnlyList<Request> Requests => [.. requests];

    /// <summary>Demanded of every call but the health probes, as by a sidecar with DAPR_API_TOKEN.</summary>
    public string? Token { get; init; }

    /// <summary>How many health probes answer 500 before the first 204: a sidecar whose components are still loading.</summary>
    public int ProbesUntilHealthy { get; init; }

    /// <summary>Not what a sidecar says, but what it says when it cannot: a topic of this name is never answered.</summary>
    public const string Silent = "silent";

    public async Task<DaprStandIn> Start()
    {
        app = await DaprApp.Start(a =>
        {
            a.Use(Record);
            a.MapGet("/v1.0/healthz", Health);
            a.MapGet("/v1.0/healthz/outbound", Health);
            a.MapPost("/v1.0/publish/{pubsub}/{**topic}", Publish);
            a.MapGet("/v1.0/secrets/{store}/bulk", (string store) => store == "vault"
                ? Results.Json(new Dictionary<string, Dictionary<string, string>> { ["db"] = new() { ["password"] = "p" }, ["mq"] = new() { ["user"] = "u" } })
                : NoStore(store));
            a.MapGet("/v1.0/secrets/{store}/{key}", (string store, string key) => (store, key) switch
            {
                (not "vault", _) => NoStore(store),
                (_, "nothing") => Results.NoContent(),
                (_, "denied") => Error(403, "ERR_PERMISSION_DENIED", "access denied by policy to get denied from vault"),
                (_, "missing") => Error(500, "ERR_SECRET_GET", "failed getting secret with key missing from secret store vault: secret missing not found"),
                _ => Results.Json(new Dictionary<string, string> { [key] = "the value" }),
            });
            a.MapGet("/v1.0/metadata", () => Results.Text(
                """
                {"id":"registration","runtimeVersion":"1.17.13","extended":{"daprRuntimeVersion":"1.17.13"},
                 "components":[{"name":"events","type":"pubsub.rabbitmq","version":"v1","capabilities":["SUBSCRIBE_WILDCARDS"]},{"name":"vault","type":"secretstores.local.file","version":"v1"}]}
                """, "application/json"));
        });
        return this;
    }

    public async ValueTask DisposeAsync()
    {
        ended.TrySetResult();
        await app.DisposeAsync();
    }

    private async Task Record(HttpContext context, RequestDelegate next)
    {
        using var reader = new StreamReader(context.Request.Body);
        var headers = context.Request.Headers;
        requests.Enqueue(new Request(
            context.Request.Path.Value + context.Request.QueryString, context.Request.ContentType, headers["dapr-api-token"], headers.TraceParent,
            await reader.ReadToEndAsync(context.RequestAborted)));
        if (Token is null || headers["dapr-api-token"] == Token || context.Request.Path.StartsWithSegments("/v1.0/healthz", StringComparison.Ordinal))
        {
            await next(context);
            return;
        }
        context.Response.StatusCode = 401;
        await context.Response.WriteAsync("invalid api token", context.RequestAborted);
    }

    private IResult Health() => Interlocked.Increment(ref probes) > ProbesUntilHealthy
        ? Results.NoContent()
        : Error(500, "ERR_HEALTH_NOT_READY", "dapr is not ready");

    private async Task<IResult> Publish(string pubsub, string topic, HttpContext context)
    {
        if (topic == Silent)
            await ended.Task.WaitAsync(context.RequestAborted);
        return (pubsub, topic) switch
        {
            (not "events", _) => Error(404, "ERR_PUBSUB_NOT_FOUND", $"pubsub {pubsub} not found"),
            (_, "closed") => Error(403, "ERR_PUBSUB_FORBIDDEN", "topic closed is not allowed for app id registration"),
            (_, "broken") => Error(500, "ERR_PUBSUB_PUBLISH_MESSAGE", "error when publishing to topic broken in pubsub events: no connection"),
            (_, _) when int.TryParse(topic, CultureInfo.InvariantCulture, out var status) => Results.StatusCode(status),
            _ => Results.NoContent(),
        };
    }

    private static IResult NoStore(string store) => Error(401, "ERR_SECRET_STORE_NOT_FOUND", $"failed finding secret store with key {store}");

    private static IResult Error(int status, string code, string message) =>
        Results.Json(new { errorCode = code, message, details = Array.Empty<object>() }, statusCode: status);
}
