using Microsoft.Extensions.Options;
using Sloring.Approval;
using Sloring.Effectuation;
using Sloring.Hosting;
using Sloring.Portal;
using Sloring.Pseudonym;
using Sloring.Registration;
using Sloring.Scheduler;
using Sloring.Tokens;

namespace Sloring.Embedded;

/// <summary>The whole platform in one process: every service by its own AddX and MapX, meeting over loopback as they would on a cluster.</summary>
public static class EmbeddedHost
{
    private static readonly string DemoClients = Path.Combine(AppContext.BaseDirectory, "samples", "demo-clients.json");

    /// <summary>The settings that a host built with <paramref name="args"/> has.</summary>
    public static IConfiguration Settings(string[] args)
    {
        var configuration = new ConfigurationManager();
        configuration.AddJsonFile(Path.Combine(AppContext.BaseDirectory, "appsettings.json")).AddEnvironmentVariables().AddCommandLine(args);
        FillIn(configuration);
        return configuration;
    }

    /// <summary>Builds the host; settings come from appsettings.json beside the program, the file of Settings:File, environment variables and <paramref name="args"/>.</summary>
    /// <param name="args">--Section:Key=value</param>
    /// <param name="more">Added before the host is built, for example another log.</param>
    public static WebApplication Build(string[] args, Action<WebApplicationBuilder>? more = null)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
        FillIn(builder.Configuration);
        TrustDemoParties(builder.Configuration);
        builder.Services.AddSingleton(services => new DemoClock(
            Path.Combine(services.GetRequiredService<IOptions<DataOptions>>().Value.Folder, "demo-clock")));
        builder.Services.AddSingleton<TimeProvider>(services => services.GetRequiredService<DemoClock>());
        builder.AddHosting();
        builder.AddTokens();
        builder.AddRegistration();
        builder.AddApproval();
        builder.AddScheduler();
        builder.AddPseudonym();
        builder.AddEffectuation();
        builder.AddPortal();
        builder.AddBench();

        more?.Invoke(builder);

        var app = builder.Build();
        app.UseHosting();
        app.MapTokens();
        app.MapRegistration();
        app.MapApproval();
        app.MapScheduler();
        app.MapPseudonym();
        app.MapEffectuation();
        app.MapPortal();
        app.MapDemoClock();
        app.MapDemoLogSources();
        return app;
    }

    /// <summary>
    /// Where nobody is configured, the demo's own parties are trusted, so that clients can be tried: an issuer of SOAP tickets; and with the demo clients, which
    /// the token service needs one of, a provider of citizens' tokens with an app that exchanges them.
    /// </summary>
    private static void TrustDemoParties(ConfigurationManager configuration)
    {
        var parties = new DemoParties(configuration["Data:Folder"]!);
        parties.Ensure();
        if (!configuration.GetSection("Soap:Issuers").GetChildren().Any())
            Set(parties.TicketSettings());
        if (configuration["Settings:File"] == DemoClients && !configuration.GetSection("Tokens:IdentityProviders").GetChildren().Any()
            && !configuration.GetSection("Tokens:Audiences").GetChildren().Any())
            Set(parties.ExchangeSettings());

        void Set(IEnumerable<(string Key, string Value)> settings)
        {
            foreach (var (key, value) in settings)
                configuration[key] = value;
        }
    }

    /// <summary>What follows from one setting to another: all files under one folder, all services at this process's own addresses.</summary>
    private static void FillIn(ConfigurationManager configuration)
    {
        configuration["Settings:File"] ??= DemoClients;
        // First: adding a source forgets what has been filled in.
        configuration.AddSettingsFile();
        var folder = Path.GetFullPath(configuration["Data:Folder"] ?? ".data");
        Directory.CreateDirectory(folder);
        configuration["Data:Folder"] = folder;
        configuration["Secrets:File"] ??= Path.Combine(folder, "secrets.json");
        configuration["Tokens:StateFile"] ??= Path.Combine(folder, "tokens.json");
        configuration["Organisations:File"] ??= Path.Combine(AppContext.BaseDirectory, "organisations.csv");
        var listen = configuration.GetSection("Listen").Get<ListenOptions>() ?? new ListenOptions();
        configuration["Token:Issuer"] ??= listen.Http;
        if (Uri.TryCreate(configuration["Token:Issuer"], UriKind.Absolute, out var issuer) && issuer.IsLoopback)
            configuration["Tokens:SignIn"] ??= SignInWays.Demo;
        if (configuration["Tokens:SignIn"] == SignInWays.Demo && !configuration.GetSection("Portal:LogSources").GetChildren().Any())
        {
            foreach (var (key, value) in DemoLogSources.Settings(listen.Http))
                configuration[key] = value;
        }
        foreach (var service in ServiceNames.WithJournal)
            configuration[$"Services:{service}"] ??= listen.Grpc;
    }
}
