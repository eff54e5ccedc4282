using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.AspNetCore.Routing;
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
using Sloring.Contracts.Keys.V1;

namespace Sloring.Hosting;

/// <summary>What every process of the platform has in common. A service is <c>AddX</c> + <c>MapX</c>; its own host and the embedded host call the same two.</summary>
public static class ServiceHost
{
    private const string MigrateOnly = "--migrate";
    private const string FromBackup = "--restored";

    /// <summary>
    /// Runs a process that holds one service; with <c>--migrate</c> it only brings its database up to date and ends, as an init container does; with <c>--restored</c> beside it,
    /// it also notes that the database was put back from a backup.
    /// </summary>
    public static void Run(string[] args, Action<WebApplicationBuilder> add, Action<WebApplication> map)
    {
        var builder = WebApplication.CreateBuilder([.. args.Except([MigrateOnly, FromBackup])]);
        builder.Configuration.AddSettingsFile();
        builder.AddHosting();
        add(builder);
        var app = builder.Build();
        if (args.Contains(MigrateOnly))
        {
            app.Migrate().GetAwaiter().GetResult();
            if (args.Contains(FromBackup))
                app.NoteRestored().GetAwaiter().GetResult();
            return;
        }
        app.UseHosting();
        map(app);
        app.Run();
    }

    /// <summary>Brings every database of this process up to this program's version.</summary>
    public static Task Migrate(this WebApplication app) =>
        Task.WhenAll(app.Services.GetServices<IServiceJournal>().Select(journal => journal.Migrate(CancellationToken.None)));

    /// <summary>
    /// Notes in every journal of this process that it was put back from a backup. Whoever followed the journal before is not led on from a position that means something
    /// else now: watchers of maskings begin anew.
    /// </summary>
    public static async Task NoteRestored(this WebApplication app)
    {
        foreach (var journal in app.Services.GetServices<IServiceJournal>())
        {
            await journal.Prepare(CancellationToken.None);
            await journal.Append(journal.Service, new JournalRestored(), CancellationToken.None);
        }
    }

    /// <summary>Ports, switches, tokens, rejections, health: once per process, before any service is added.</summary>
    public static void AddHosting(this WebApplicationBuilder builder)
    {
        builder.Host.UseDefaultServiceProvider(provider => (provider.ValidateScopes, provider.ValidateOnBuild) = (true, true));
        var listen = builder.Configuration.GetSection("Listen").Get<ListenOptions>() ?? new ListenOptions();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(listen));
        Drain.Add(builder.Services, listen.Drain);

        var services = builder.Services;
        services.AddOptions<Switches>().Bind(builder.Configuration).ValidateOnStart();
        services.AddSingleton<IValidateOptions<Switches>, SwitchesCheck>();
        services.AddDatabase(builder.Configuration);
        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<SecretOptions>().BindConfiguration("Secrets")
            .Validate(
                o => new[] { o.File, o.Folder, o.Store }.Count(text => text.Length > 0) == 1,
                "Set one of Secrets:File (the path of the secrets file), Secrets:Folder (of a folder with a file per secret) and Secrets:Store (the name of the Dapr secret store).")
            .Validate(o => o.File.Length > 0 || !o.CreateMissing, "Secrets:CreateMissing is for Secrets:File alone.")
            .ValidateOnStart();
        services.AddOptions<TokenOptions>().BindConfiguration("Token")
            .Validate(o => Uri.TryCreate(o.Issuer, UriKind.Absolute, out _), "Set Token:Issuer to the address of the token service, for example http://127.0.0.1:5080.")
            .Validate(o => o.Audience.Length > 0, "Set Token:Audience to the audience that tokens name, for example sloring.")
            .Validate(o => o.RefreshSeconds is >= 1 and <= 60, "Set Token:RefreshSeconds to 1 to 60.")
            .Validate(o => o.Address.Length == 0 || Uri.TryCreate(o.Address, UriKind.Absolute, out _), "Set Token:Address to where the token service is reached, or leave it out.")
            .ValidateOnStart();
        services.AddOptions<OrganisationOptions>().BindConfiguration("Organisations")
            .Validate(o => File.Exists(o.File), "Set Organisations:File to the CSV file of the organisation register.").ValidateOnStart();
        services.AddOptions<ServiceAddresses>().BindConfiguration("Services")
            .Validate(o => o.Values.All(address => Uri.TryCreate(address, UriKind.Absolute, out _)), "Set each Services:<name> to a gRPC address, for example http://127.0.0.1:5081.")
            .ValidateOnStart();

        services.AddOptions<LimitOptions>().BindConfiguration("Limits")
            .Validate(
                o => new[] { o.ClientRequestsPerSecond, o.ClientBurst, o.AddressRequestsPerSecond, o.AddressBurst, o.WatchesPerClient, o.StreamsPerClient }.All(limit => limit is >= 1 and <= 10_000_000),
                "Set each of Limits: to 1 to 10000000.")
            .Validate(o => o.ClientRequestsPerSecond >= 10 && o.AddressRequestsPerSecond >= 10, "Set Limits:ClientRequestsPerSecond and Limits:AddressRequestsPerSecond to 10 or more.")
            .ValidateOnStart();

        services.AddSingleton<SecretStore>();
        services.AddSingleton<Sealer>();
        services.AddSingleton<PatientKeys>();
        services.AddSingleton(provider => new Organisations(provider.GetRequiredService<IOptions<OrganisationOptions>>()));
        services.AddSingleton<ServiceTokens>();
        services.AddSingleton<ServiceChannels>();
        services.AddHostedService<PrepareDatabases>();
        services.AddSingleton<IEventBus, EmbeddedBus>();
        services.AddSingleton<CheckpointSigner>();
        services.AddOptions<AuditOptions>().BindConfiguration("Audit")
            .Validate(o => o.CheckpointMinutes is >= 0 and <= 1_440, "Set Audit:CheckpointMinutes to 1 to 1440, or to 0 for no checkpoints.").ValidateOnStart();
        services.AddOptions<RetentionOptions>().BindConfiguration("Retention")
            .Validate(
                o => new[] { o.CaseYears, o.DeadlineYears, o.SaltYears, o.JournalYears }.All(years => years is >= 0 and <= RetentionOptions.MostYears),
                $"Set Retention:CaseYears, Retention:DeadlineYears, Retention:SaltYears and Retention:JournalYears to 1 to {RetentionOptions.MostYears}, or to 0 where such records are kept for ever.")
            .Validate(
                o => o.RefusedDays is >= 0 and <= RetentionOptions.MostYears * 365, $"Set Retention:RefusedDays to 1 to {RetentionOptions.MostYears * 365}, or to 0 where refused messages are kept for ever.")
            .ValidateOnStart();
        services.AddHostedService<EraseOnSchedule>();
        services.AddSingleton<JournalRpcs>();
        services.AddSingleton<KeyRpcs>();
        services.AddSingleton(_ => ReplicaName.Of(listen));
        services.AddSingleton(provider => new EdgeQueues(provider.GetService<EdgeLink>(), provider.GetService<EdgeSenders>()));
        services.AddSingleton<ReplayErrors>();
        services.AddSingleton<OperationRpcs>();
        services.AddTokenChecks();
        services.AddSingleton<Rates>();
        services.AddRateLimiter(_ => { });
        services.AddSingleton<IConfigureOptions<RateLimiterOptions>, Rates.Setup>();
        services.AddSingleton(provider => new LongCalls(
            provider.GetRequiredService<IOptions<LimitOptions>>(), provider.GetRequiredService<TokenTrust>(), provider.GetRequiredService<Rates>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSoap();
        builder.AddTelemetry();
        builder.AddSidecar();
        // Authentication brings data protection along, which would write keys to the user's home folder.
        services.AddDataProtection();
        services.Replace(ServiceDescriptor.Singleton<IDataProtectionProvider>(provider => new SealedProtection(provider.GetRequiredService<Sealer>())));
        services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = Listening.LargestBody;
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
        // Without any network the framework's middleware would believe everybody.
        if ((app.Configuration.GetSection("Listen").Get<ListenOptions>() ?? new ListenOptions()) is { Proxies.Count: > 0 } listen)
            app.UseForwardedHeaders(listen.Forwarded);
        Drain.Use(app);
        app.UseSecurityHeaders();
        app.UseMiddleware<RejectionMiddleware>();
        app.UseNumbersForUnreadableMessages();
        app.UseRouting();
        // Before the token checks: what is denied for lack of a policy would else tell a caller with a mistyped address that the role is wrong.
        app.Use((http, next) => http.GetEndpoint() is RouteEndpoint ? next(http) : RejectionWriter.Write(http, Rejections.NotHere));
        app.Use(app.Services.GetRequiredService<Rates>().BeforeSignIn);
        app.UseAuthentication();
        // After the token has been read, so that a client is known by its token; before anything is done for it.
        app.UseRateLimiter();
        app.UseAuthorization();
        app.MapGrpcService<JournalRpcs>();
        app.MapGrpcService<KeyRpcs>();
        app.MapJson<RotateKeysRequest, RotateKeysResponse>("POST", "/v1/keys/{service}/rotation", Operations.RotateKeys,
            "Brings a service's rows under the current sealing key", (http, request, caller, cancel) => http.Get<KeyRpcs>().RotateKeys(request, caller, cancel));
        app.MapJournals();
        app.MapOperation();
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
        services.AddSingleton<IResealRows, ResealRows<TDb>>();
        services.AddSingleton<IErasure, EraseJournal<TDb>>();
        services.AddSingleton<IFigures, JournalFigures<TDb>>();
        services.AddSingleton<Inbox<TDb>>();
        services.AddSingleton<Inbox>(provider => provider.GetRequiredService<Inbox<TDb>>());
        services.AddHostedService(provider => provider.GetRequiredService<AuditReads<TDb>>());
        services.AddHostedService(provider => provider.GetRequiredService<Inbox<TDb>>());
        services.AddHostedService<FollowJournal<TDb>>();
        services.AddHostedService<WriteCheckpoints<TDb>>();
        services.AddSingleton<Replicas<TDb>>();
        services.AddHostedService<TellOfReplica<TDb>>();
        services.AddSingleton<RelayLags<TDb>>();
        services.AddSingleton<IGetServiceStatus, GetServiceStatus<TDb>>();
        builder.AddRelay<TDb>(RelayCursor.ToBus, provider => Relay<TDb>.ToBus(provider.GetRequiredService<Store<TDb>>(), provider.GetRequiredService<IEventBus>()));
        services.AddHealthChecks().Add(new HealthCheckRegistration(
            name, provider => new DatabaseCheck<TDb>(provider.GetRequiredService<Store<TDb>>()), HealthStatus.Unhealthy, ["started", "ready"]));
    }

    /// <summary>Hands a service's journal on, entry after entry, from a cursor of its own.</summary>
    internal static void AddRelay<TDb>(this WebApplicationBuilder builder, int id, Func<IServiceProvider, Func<JournalEntry, CancellationToken, Task>> hand) where TDb : ServiceDb
    {
        builder.Services.AddSingleton(new RelayOf<TDb>(id));
        // Not AddHostedService: that takes a second one of the same type for a repeat.
        builder.Services.AddSingleton<IHostedService>(provider => new Relay<TDb>(
            provider.GetRequiredService<Store<TDb>>(), provider.GetRequiredService<Database>(), id, hand(provider), provider.GetRequiredService<ILogger<Relay<TDb>>>()));
    }

    /// <summary>Has each replica of a service tell how old the picture is that it holds of another's data.</summary>
    public static void TellsPicture<TDb>(this WebApplicationBuilder builder, Func<IServiceProvider, HeldPicture> now) where TDb : ServiceDb =>
        builder.Services.AddSingleton(provider => new PictureOf<TDb>(() => now(provider)));

    /// <summary>Has rows of a service erased on schedule.</summary>
    public static void Erases<TDb, TRows>(this WebApplicationBuilder builder) where TDb : ServiceDb where TRows : class, IErasableRows<TDb>
    {
        builder.Services.TryAddSingleton<TRows>();
        builder.Services.AddSingleton<IErasure>(provider => new EraseRows<TDb>(provider.GetRequiredService<Store<TDb>>(), provider.GetRequiredService<TRows>()));
    }

    /// <summary>Subscribes a service to an event of another.</summary>
    public static void On<TDb, TEvent, TReaction>(this WebApplicationBuilder builder, string from)
        where TDb : ServiceDb where TEvent : IEvent where TReaction : class, IReaction<TDb, TEvent>
    {
        builder.Services.TryAddSingleton<TReaction>();
        builder.Services.AddSingleton(provider => new Subscription<TDb>(
            from, EventNames.Of<TEvent>(), (e, scope) => provider.GetRequiredService<TReaction>().React((TEvent)e, scope)));
    }

    private static void Health(WebApplication app, string name, Func<HealthCheckRegistration, bool> which) =>
        app.MapHealthChecks("/health/" + name, new HealthCheckOptions { Predicate = which }).AllowAnonymous().DisableRateLimiting();

    /// <summary>Before anything listens: a key that is none, a database of another version or of other keys stops the start with a message that says what to do.</summary>
    private sealed class PrepareDatabases(IEnumerable<IServiceJournal> journals, Sealer sealer) : IHostedLifecycleService
    {
        public async Task StartingAsync(CancellationToken cancellationToken)
        {
            // Processes without a database seal too: sessions, forms, signing keys.
            await Task.Run(sealer.CheckKeys, cancellationToken);
            await Task.WhenAll(journals.Select(journal => Task.Run(() => journal.Prepare(cancellationToken), cancellationToken)));
        }

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
