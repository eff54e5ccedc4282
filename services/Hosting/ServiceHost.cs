using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Sloring.Contracts;
using Sloring.Contracts.Events;

namespace Sloring.Hosting;

/// <summary>Addresses that a process listens on. gRPC without TLS needs a port of its own.</summary>
public sealed class ListenOptions
{
    /// <summary>HTTP/1.1: JSON, OpenAPI, tokens, health.</summary>
    public string Http { get; set; } = "http://127.0.0.1:5080";

    /// <summary>HTTP/2 without TLS: gRPC.</summary>
    public string Grpc { get; set; } = "http://127.0.0.1:5081";
}

/// <summary>What every process of the platform has in common. A service is <c>AddX</c> + <c>MapX</c>; its own host and the embedded host call the same two.</summary>
public static class ServiceHost
{
    private const string MigrateOnly = "--migrate";

    /// <summary>Runs a process that holds one service; with <c>--migrate</c> it only brings its database up to date and ends, as an init container does.</summary>
    public static void Run(string[] args, Action<WebApplicationBuilder> add, Action<WebApplication> map)
    {
        var builder = WebApplication.CreateBuilder([.. args.Except([MigrateOnly])]);
        builder.Configuration.AddSettingsFile();
        builder.AddHosting();
        add(builder);
        var app = builder.Build();
        if (args.Contains(MigrateOnly))
        {
            app.Migrate().GetAwaiter().GetResult();
            return;
        }
        app.UseHosting();
        map(app);
        app.Run();
    }

    /// <summary>Brings every database of this process up to this program's version.</summary>
    public static Task Migrate(this WebApplication app) =>
        Task.WhenAll(app.Services.GetServices<IServiceJournal>().Select(journal => journal.Migrate(CancellationToken.None)));

    /// <summary>Ports, switches, tokens, rejections, health: once per process, before any service is added.</summary>
    public static void AddHosting(this WebApplicationBuilder builder)
    {
        builder.Host.UseDefaultServiceProvider(provider => (provider.ValidateScopes, provider.ValidateOnBuild) = (true, true));
        var listen = builder.Configuration.GetSection("Listen").Get<ListenOptions>() ?? new ListenOptions();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(Endpoint(listen.Http), options => options.Protocols = HttpProtocols.Http1);
            kestrel.Listen(Endpoint(listen.Grpc), options => options.Protocols = HttpProtocols.Http2);
        });

        var services = builder.Services;
        services.AddOptions<Switches>().Bind(builder.Configuration).ValidateOnStart();
        services.AddSingleton<IValidateOptions<Switches>, SwitchesCheck>();
        services.AddDatabase(builder.Configuration);
        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<SecretOptions>().BindConfiguration("Secrets")
            .Validate(o => o.File.Length > 0 || o.Store.Length > 0, "Set Secrets:File to the path of the secrets file, or Secrets:Store to the name of the Dapr secret store.")
            .Validate(o => o.Store.Length == 0 || (o.File.Length == 0 && !o.CreateMissing), "Secrets:Store stands alone: leave out Secrets:File and Secrets:CreateMissing.")
            .ValidateOnStart();
        services.AddOptions<TokenOptions>().BindConfiguration("Token")
            .Validate(o => Uri.TryCreate(o.Issuer, UriKind.Absolute, out _), "Set Token:Issuer to the address of the token service, for example http://127.0.0.1:5080.")
            .Validate(o => o.Audience.Length > 0, "Set Token:Audience to the audience that tokens name, for example sloring.")
            .Validate(o => o.Address.Length == 0 || Uri.TryCreate(o.Address, UriKind.Absolute, out _), "Set Token:Address to where the token service is reached, or leave it out.")
            .ValidateOnStart();
        services.AddOptions<OrganisationOptions>().BindConfiguration("Organisations")
            .Validate(o => File.Exists(o.File), "Set Organisations:File to the CSV file of the organisation register.").ValidateOnStart();
        services.AddOptions<ServiceAddresses>().BindConfiguration("Services")
            .Validate(o => o.Values.All(address => Uri.TryCreate(address, UriKind.Absolute, out _)), "Set each Services:<name> to a gRPC address, for example http://127.0.0.1:5081.")
            .ValidateOnStart();

        services.AddSingleton<SecretStore>();
        services.AddSingleton<Sealer>();
        services.AddSingleton<PatientKeys>();
        services.AddSingleton(provider => new Organisations(provider.GetRequiredService<IOptions<OrganisationOptions>>()));
        services.AddSingleton<ServiceTokens>();
        services.AddSingleton<ServiceChannels>();
        services.AddHostedService<PrepareDatabases>();
        services.AddSingleton<IEventBus, EmbeddedBus>();
        services.AddSingleton<JournalRpcs>();
        services.AddTokenChecks();
        services.AddSoap();
        builder.AddSidecar();
        // Authentication brings data protection along, which would write keys to the user's home folder; nothing here is protected with it.
        services.AddDataProtection().UseEphemeralDataProtectionProvider();
        services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = 16 * 1024 * 1024;
            grpc.Interceptors.Add<RejectionInterceptor>();
        });
        services.AddOpenApi("v1", options => options.AddDocumentTransformer(OpenApiFromRoutes.Write));
        services.AddHealthChecks().AddCheck("process", () => HealthCheckResult.Healthy(), tags: ["live"]);
    }

    /// <summary>The pipeline and the endpoints that every process has.</summary>
    public static void UseHosting(this WebApplication app)
    {
        // Read now: a wrong line in the register stops the start, not the first event that needs it.
        app.Services.GetRequiredService<Organisations>();
        app.UseMiddleware<RejectionMiddleware>();
        app.UseRouting();
        // Before the token checks: what is denied for lack of a policy would else tell a caller with a mistyped address that the role is wrong.
        app.Use((http, next) => http.GetEndpoint() is RouteEndpoint ? next(http) : RejectionWriter.Write(http, Rejections.NotHere));
        app.UseAuthentication();
        app.UseAuthorization();
        app.MapGrpcService<JournalRpcs>();
        app.MapJournals();
        if (app.Services.GetRequiredService<IOptions<Switches>>().Value.Events == "dapr")
            app.MapSubscriptions();
        app.MapOpenApi("/openapi/{documentName}.json").AllowAnonymous();
        Health(app, "live", check => check.Tags.Contains("live"));
        Health(app, "started", check => check.Tags.Contains("started"));
        Health(app, "ready", check => !check.Tags.Contains("live"));
    }

    /// <summary>A service's database with store, journal, relay, inbox and health.</summary>
    public static void AddService<TDb>(this WebApplicationBuilder builder, string name) where TDb : ServiceDb
    {
        var services = builder.Services;
        services.AddSingleton(new ServiceName<TDb>(name));
        services.AddPooledDbContextFactory<TDb>((provider, db) => provider.GetRequiredService<Database>().Configure(db, name));
        services.AddSingleton<Store<TDb>>();
        services.AddSingleton<IServiceJournal>(provider => provider.GetRequiredService<Store<TDb>>());
        services.AddSingleton<AuditReads<TDb>>();
        services.AddSingleton<Inbox<TDb>>();
        services.AddSingleton<Inbox>(provider => provider.GetRequiredService<Inbox<TDb>>());
        services.AddHostedService(provider => provider.GetRequiredService<AuditReads<TDb>>());
        services.AddHostedService(provider => provider.GetRequiredService<Inbox<TDb>>());
        services.AddHostedService<FollowJournal<TDb>>();
        builder.AddRelay<TDb>(RelayCursor.ToBus, provider => Relay<TDb>.ToBus(name, provider.GetRequiredService<IEventBus>()));
        services.AddHealthChecks().Add(new HealthCheckRegistration(
            name, provider => new DatabaseCheck<TDb>(provider.GetRequiredService<Store<TDb>>()), HealthStatus.Unhealthy, ["started", "ready"]));
    }

    /// <summary>Hands a service's journal on, entry after entry, from a cursor of its own.</summary>
    internal static void AddRelay<TDb>(this WebApplicationBuilder builder, int id, Func<IServiceProvider, Func<JournalEntry, CancellationToken, Task>> hand) where TDb : ServiceDb =>
        // Not AddHostedService: that takes a second one of the same type for a repeat.
        builder.Services.AddSingleton<IHostedService>(provider => new Relay<TDb>(
            provider.GetRequiredService<Store<TDb>>(), provider.GetRequiredService<Database>(), id, hand(provider), provider.GetRequiredService<ILogger<Relay<TDb>>>()));

    /// <summary>Subscribes a service to an event of another.</summary>
    public static void On<TDb, TEvent, TReaction>(this WebApplicationBuilder builder, string from)
        where TDb : ServiceDb where TEvent : IEvent where TReaction : class, IReaction<TDb, TEvent>
    {
        builder.Services.TryAddSingleton<TReaction>();
        builder.Services.AddSingleton(provider => new Subscription<TDb>(
            from, EventNames.Of<TEvent>(), (e, scope) => provider.GetRequiredService<TReaction>().React((TEvent)e, scope)));
    }

    private static IPEndPoint Endpoint(string url)
    {
        if (Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Scheme == "http")
        {
            if (uri.Host == "localhost")
                return new IPEndPoint(IPAddress.Loopback, uri.Port);
            if (IPAddress.TryParse(uri.Host, out var address))
                return new IPEndPoint(address, uri.Port);
        }
        throw new InvalidOperationException("Set Listen:Http and Listen:Grpc to http://, an IP address and a port, for example http://127.0.0.1:5080.");
    }

    private static void Health(WebApplication app, string name, Func<HealthCheckRegistration, bool> which) =>
        app.MapHealthChecks("/health/" + name, new HealthCheckOptions { Predicate = which }).AllowAnonymous();

    /// <summary>Before anything listens: a database of another version or of other keys stops the start with a message that says what to do.</summary>
    private sealed class PrepareDatabases(IEnumerable<IServiceJournal> journals) : IHostedLifecycleService
    {
        public Task StartingAsync(CancellationToken cancellationToken) => Task.WhenAll(journals.Select(journal => Task.Run(() => journal.Prepare(cancellationToken), cancellationToken)));

        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private sealed class DatabaseCheck<TDb>(Store<TDb> store) : IHealthCheck where TDb : ServiceDb
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            await store.Prepare(cancellationToken);
            return HealthCheckResult.Healthy();
        }
    }
}
