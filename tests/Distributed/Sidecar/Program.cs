using System.Net;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging.Console;
using Sloring.Sidecar;

Flags flags;
Resources resources;
try
{
    flags = Flags.Parse(args);
    resources = Resources.Load(flags);
}
catch (StartException e)
{
    Console.Error.WriteLine($"Stand-in for the Dapr sidecar: {e.Message}");
    return 1;
}
Console.WriteLine($"Stand-in for the Dapr sidecar of '{flags.AppId}' (not daprd: for tests and ./run cluster only): http {flags.HttpPort}, grpc {flags.GrpcPort}, internal {flags.InternalPort}");

var builder = WebApplication.CreateSlimBuilder();
builder.Logging.ClearProviders().AddSimpleConsole(o => (o.SingleLine, o.TimestampFormat, o.ColorBehavior) = (true, "HH:mm:ss.fff ", LoggerColorBehavior.Disabled))
    .AddFilter("Microsoft", LogLevel.Warning).AddFilter("Yarp", LogLevel.Error).AddFilter("Microsoft.Extensions.Hosting", LogLevel.Error);
builder.WebHost.ConfigureKestrel(kestrel =>
{
    kestrel.Listen(IPAddress.Loopback, flags.HttpPort, options => options.Protocols = HttpProtocols.Http1);
    foreach (var port in new[] { flags.GrpcPort, flags.InternalPort })
        kestrel.Listen(IPAddress.Loopback, port, options => options.Protocols = HttpProtocols.Http2);
    (kestrel.Limits.MaxRequestBodySize, kestrel.Limits.MinRequestBodyDataRate, kestrel.Limits.MinResponseDataRate) = (null, null, null);
    kestrel.Limits.Http2.MaxStreamsPerConnection = 1000;
});
builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = flags.Grace + TimeSpan.FromSeconds(2));
builder.Services.AddHttpForwarder().AddRoutingCore();
builder.Services.AddSingleton(flags).AddSingleton(resources).AddSingleton(new Faults(flags.Faults)).AddSingleton<Names>().AddSingleton<Proxy>();
builder.Services.AddSingleton(provider => resources.PubSub is { } pubsub ? ActivatorUtilities.CreateInstance<Broker>(provider, pubsub) : null!);
builder.Services.AddSingleton(provider => new Publishing(flags, resources, provider.GetService<Broker>(), provider.GetRequiredService<Faults>(), provider.GetRequiredService<ILogger<Publishing>>()));
builder.Services.AddSingleton(provider => new Delivery(
    flags, resources, provider.GetService<Broker>(), provider.GetRequiredService<Publishing>(), provider.GetRequiredService<Names>(), provider.GetRequiredService<ILogger<Delivery>>()));
builder.Services.AddHostedService(provider => provider.GetRequiredService<Names>());
builder.Services.AddHostedService(provider => provider.GetRequiredService<Delivery>());

await using var app = builder.Build();
var broker = app.Services.GetService<Broker>();
var started = false;
app.Use((http, next) =>
    http.Connection.LocalPort == flags.GrpcPort ? app.Services.GetRequiredService<Proxy>().FromApp(http)
    : http.Connection.LocalPort == flags.InternalPort ? app.Services.GetRequiredService<Proxy>().FromSidecar(http)
    : next(http));
app.Use((http, next) =>
{
    http.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = 4 * 1024 * 1024;
    return next(http);
});
app.Use((http, next) => Tokens.Api is null || http.Request.Headers[Tokens.Header] == Tokens.Api || http.Request.Path.StartsWithSegments("/v1.0/healthz", StringComparison.Ordinal)
    ? next(http)
    : Refuse(http));
app.MapGet("/v1.0/healthz", async (CancellationToken cancel) => started && (flags.AppPort == 0 || await app.Services.GetRequiredService<Names>().AppListens(cancel)) ? Results.NoContent() : NotReady());
app.MapGet("/v1.0/healthz/outbound", () => started ? Results.NoContent() : NotReady());
app.MapMethods("/v1.0/publish/{pubsub}/{**topic}", ["POST", "PUT"], (HttpContext http, string pubsub, string topic) => app.Services.GetRequiredService<Publishing>().Handle(http, pubsub, topic));
app.MapGet("/v1.0/secrets/{store}/bulk", (string store) => Secrets(store, file => Results.Json(
    file.All.Where(secret => resources.MayRead(store, secret.Key)).ToDictionary(secret => secret.Key, secret => secret.Value))));
app.MapGet("/v1.0/secrets/{store}/{name}", (string store, string name) => Secrets(store, file =>
    !resources.MayRead(store, name) ? Failure.Of(403, "ERR_PERMISSION_DENIED", $"access denied by policy to get {name} from {store}")
    : file.Get(name) is { } secret ? Results.Json(secret)
    : Failure.Of(500, "ERR_SECRET_GET", $"failed getting secret with key {name} from secret store {store}: secret {name} not found")));
app.MapGet("/v1.0/metadata", () => Results.Json(new
{
    id = flags.AppId,
    runtimeVersion = "stand-in",
    components = resources.Stores.Keys.Select(name => new { name, type = "secretstores.local.file", version = "v1", capabilities = Array.Empty<string>() })
        .Concat(resources.PubSub is { } pubsub ? [new { name = pubsub.Name, type = "pubsub.rabbitmq", version = "v1", capabilities = Array.Empty<string>() }] : []),
    subscriptions = app.Services.GetRequiredService<Delivery>().Subscriptions.Select(s => new { pubsubname = s.PubsubName, topic = s.Topic, deadLetterTopic = s.DeadLetterTopic, metadata = s.Metadata, type = "PROGRAMMATIC" }),
    appConnectionProperties = new { port = flags.AppPort, protocol = "h2c", channelAddress = "127.0.0.1" },
    extended = new { daprRuntimeVersion = "stand-in" },
}));
app.MapPost("/v1.0/shutdown", (IHostApplicationLifetime lifetime) => { lifetime.StopApplication(); return Results.NoContent(); });

try
{
    if (broker is not null)
        await broker.Start(app.Lifetime.ApplicationStopping);
    app.Lifetime.ApplicationStopping.Register(() =>
    {
        app.Services.GetRequiredService<Names>().Leave(flags.Block).Wait();
        broker?.Stop(flags.Grace).Wait();
    });
    await app.StartAsync();
    started = true;
    await app.WaitForShutdownAsync();
    return 0;
}
catch (Exception e) when (e is StartException or IOException)
{
    Console.Error.WriteLine($"Stand-in for the Dapr sidecar: {e.Message}");
    return 1;
}

IResult Secrets(string store, Func<SecretFile, IResult> get) => resources.Stores.TryGetValue(store, out var file) ? get(file)
    : resources.Stores.Count == 0 ? Failure.Of(500, "ERR_SECRET_STORES_NOT_CONFIGURED", "secret store is not configured")
    : Failure.Of(401, "ERR_SECRET_STORE_NOT_FOUND", $"failed finding secret store with key {store}");

static IResult NotReady() => Failure.Of(500, "ERR_HEALTH_NOT_READY", "dapr is not ready");

static Task Refuse(HttpContext http)
{
    http.Response.StatusCode = 401;
    return http.Response.WriteAsync("invalid api token");
}

namespace Sloring.Sidecar
{
    /// <summary>The tokens between an app and its sidecar.</summary>
    internal static class Tokens
    {
        public const string Header = "dapr-api-token";

        /// <summary>What the sidecar demands of its app; null where nothing is demanded.</summary>
        public static string? Api { get; } = Value("DAPR_API_TOKEN");

        /// <summary>What the sidecar shows to its app.</summary>
        public static string? App { get; } = Value("APP_API_TOKEN");

        private static string? Value(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
    }
}
