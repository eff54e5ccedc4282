using Microsoft.Extensions.Options;
using Sloring.Approval;
using Sloring.Effectuation;
using Sloring.Hosting;
using Sloring.Pseudonym;
using Sloring.Registration;
using Sloring.Scheduler;
using Sloring.Tokens;

namespace Sloring.Embedded;

/// <summary>The whole platform in one process: every service by its own AddX and MapX, meeting over loopback as they would on a cluster.</summary>
public static class EmbeddedHost
{
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
        TrustDemoIssuer(builder.Configuration);
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

        more?.Invoke(builder);

        var app = builder.Build();
        app.UseHosting();
        app.MapTokens();
        app.MapRegistration();
        app.MapApproval();
        app.MapScheduler();
        app.MapPseudonym();
        app.MapEffectuation();
        app.MapDemoClock();
        return app;
    }

    /// <summary>Where no issuer of SOAP tickets is configured, one of this process's own is trusted, so that a client can be tried.</summary>
    private static void TrustDemoIssuer(ConfigurationManager configuration)
    {
        if (configuration.GetSection("Soap:Issuers").GetChildren().Any())
            return;
        var issuer = new DemoIssuer(configuration["Data:Folder"]!);
        issuer.Ensure();
        configuration["Soap:Issuers:demo:Name"] = DemoIssuer.Name;
        configuration["Soap:Issuers:demo:Certificates:demo"] = issuer.File;
    }

    /// <summary>What follows from one setting to another: all files under one folder, all services at this process's own addresses.</summary>
    private static void FillIn(ConfigurationManager configuration)
    {
        configuration["Settings:File"] ??= Path.Combine(AppContext.BaseDirectory, "samples", "demo-clients.json");
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
        foreach (var service in (ReadOnlySpan<string>)["registration", "approval", "scheduler", "pseudonym", "effectuation"])
            configuration[$"Services:{service}"] ??= listen.Grpc;
    }
}
