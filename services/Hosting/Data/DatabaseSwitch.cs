using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Sloring.Hosting;

/// <summary>The one place that reads the switch <c>Database</c>.</summary>
internal static class DatabaseSwitch
{
    public static void AddDatabase(this IServiceCollection services, IConfiguration configuration)
    {
        var postgres = configuration.GetValue<string>(nameof(Switches.Database)) == "postgres";
        services.AddOptions<DataOptions>().BindConfiguration("Data")
            .Validate(o => postgres || o.Folder.Length > 0, "Set Data:Folder to the folder for the databases.")
            .Validate(o => !postgres || IsConnectionString(o.ConnectionString),
                "Set Data:ConnectionString to PostgreSQL's server and database, for example Host=127.0.0.1;Port=5432;Database=sloring, without user and password: "
                + "each service is a role of its own name, with the secret postgres/<service>.")
            .ValidateOnStart();
        if (postgres)
            services.TryAddSingleton<TimeProvider, DatabaseClock>();
        services.AddSingleton<Database>(provider =>
        {
            var data = provider.GetRequiredService<IOptions<DataOptions>>().Value;
            var secrets = provider.GetRequiredService<SecretStore>();
            return postgres
                ? new PostgresDatabase(data.ConnectionString, service => secrets.Text("postgres/" + service), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<PostgresDatabase>>())
                : new SqliteDatabase(data.Folder);
        });
    }

    private static bool IsConnectionString(string text)
    {
        try
        {
            var parts = new NpgsqlConnectionStringBuilder(text);
            return !string.IsNullOrEmpty(parts.Host) && !string.IsNullOrEmpty(parts.Database) && parts.Username is null && parts.Password is null;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}

/// <summary>Keeps the end of a service's journal in memory level with what other processes of the service append.</summary>
internal sealed class FollowJournal<TDb>(Store<TDb> store, Database database) : BackgroundService where TDb : ServiceDb
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => database.Follow(store.Service, store.CatchUp, stoppingToken);
}
