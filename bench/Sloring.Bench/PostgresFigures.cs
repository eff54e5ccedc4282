using System.Diagnostics;
using System.Runtime;
using System.Text.Json;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Npgsql;
using Sloring.Cluster;
using Sloring.Contracts.Registration.V1;
using Sloring.Embedded;
using Sloring.Hosting;
using Sloring.Registration;
using Sloring.Tests;
using Sloring.Tokens;

namespace Sloring.Bench;

/// <summary>Durable activations over gRPC on PostgreSQL, against bare inserts of one row into the same server.</summary>
public static class PostgresFigures
{
    private const int Clients = 32;
    private const int Rounds = 5;
    private const int MostToWarmUp = 20;

    /// <summary>So many methods in a pair of rounds: almost all that is called often has been compiled for good then.</summary>
    private const int StillCompiling = 300;

    private static readonly TimeSpan Round = TimeSpan.FromSeconds(3);

    public static IEnumerable<Figure> Measure() => [DurableActivations().GetAwaiter().GetResult()];

    private static async Task<Figure> DurableActivations()
    {
        var folder = Directory.CreateTempSubdirectory("sloring-bench-").FullName;
        await using var server = await PostgresServer.Start(Directory.CreateTempSubdirectory("sloring-bench-postgres-").FullName, Platform.FreePort(), CancellationToken.None);
        await server.CreateDatabase("bench", new Dictionary<string, string> { ["registration"] = "bench" });
        await File.WriteAllTextAsync(Path.Combine(folder, "secrets.json"), JsonSerializer.Serialize(new Dictionary<string, string> { ["postgres/registration"] = "bench" }));
        var (http, grpc) = ($"http://127.0.0.1:{Platform.FreePort()}", $"http://127.0.0.1:{Platform.FreePort()}");
        await using var app = Registration(folder, http, grpc, server.Port);
        await app.Migrate();
        await app.StartAsync();
        using var channel = GrpcChannel.ForAddress(grpc);
        using var client = new PlatformClient(http, Path.Combine(folder, "secrets.json"));
        var headers = new Metadata { { "authorization", "Bearer " + await client.Token("epj-hovedstaden", CancellationToken.None) } };
        var registration = new RegistrationService.RegistrationServiceClient(channel);

        await using var bare = NpgsqlDataSource.Create(server.ConnectionString("bench") + $";Maximum Pool Size={Clients};Max Auto Prepare=10");
        await using (var create = bare.CreateCommand("CREATE TABLE public.bare (id uuid PRIMARY KEY, data text NOT NULL)"))
            await create.ExecuteNonQueryAsync();
        var kilobyte = new string('x', 1_000);

        async Task<(double Activations, double Inserts)> Pair() =>
        (
            await Rate(() => registration.ActivateAsync(EffectFigures.Activation(People.NextCpr()), headers).ResponseAsync),
            await Rate(async () =>
            {
                await using var insert = bare.CreateCommand("INSERT INTO public.bare VALUES ($1, $2)");
                insert.Parameters.AddWithValue(Guid.NewGuid());
                insert.Parameters.AddWithValue(kilobyte);
                await insert.ExecuteNonQueryAsync();
            }));

        // The JIT compiles what is called often again, by what it has seen, and takes a core for many seconds to do so: a process that has run for a minute is what is measured.
        long before;
        var warmUps = 0;
        do
        {
            before = JitInfo.GetCompiledMethodCount();
            await Pair();
        }
        while (JitInfo.GetCompiledMethodCount() - before > StillCompiling && ++warmUps < MostToWarmUp);
        var pairs = new List<(double Activations, double Inserts)>();
        for (var round = 0; round < Rounds; round++)
            pairs.Add(await Pair());
        double Median(Func<(double Activations, double Inserts), double> of) => pairs.Select(of).Order().ElementAt(pairs.Count / 2);
        return new Figure($"Bare single-row inserts/s, against durable activations/s over gRPC, PostgreSQL, {Clients} clients", Median(p => p.Inserts / p.Activations), 1 / 0.3,
            FormattableString.Invariant($"{Median(p => p.Activations):F0} activations/s against {Median(p => p.Inserts):F0} inserts/s: {Median(p => p.Activations / p.Inserts):P0}"));
    }

    /// <summary>How many of it are done in a second by so many clients, each waiting for its own.</summary>
    private static async Task<double> Rate(Func<Task> one)
    {
        var (start, done) = (Stopwatch.GetTimestamp(), 0);
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(async () =>
        {
            while (Stopwatch.GetElapsedTime(start) < Round)
            {
                await one();
                Interlocked.Increment(ref done);
            }
        })));
        return done / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>Registration as in a cluster, a process's worth of it, with the tokens it checks.</summary>
    private static WebApplication Registration(string folder, string http, string grpc, int port)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddJsonFile(Path.Combine(AppContext.BaseDirectory, "samples", "demo-clients.json"));
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Listen:Http"] = http,
            ["Listen:Grpc"] = grpc,
            ["Database"] = "postgres",
            ["Data:ConnectionString"] = $"Host=127.0.0.1;Port={port};Database=bench",
            ["Secrets:File"] = Path.Combine(folder, "secrets.json"),
            ["Secrets:CreateMissing"] = "true",
            ["Token:Issuer"] = http,
            ["Tokens:LifetimeSeconds"] = "3600",
            ["Organisations:File"] = Path.Combine(AppContext.BaseDirectory, "organisations.csv"),
            ["Services:approval"] = "http://127.0.0.1:1",
            ["Services:scheduler"] = "http://127.0.0.1:1",
        });
        builder.Logging.ClearProviders();
        builder.AddHosting();
        builder.AddTokens();
        builder.AddRegistration();
        var app = builder.Build();
        app.UseHosting();
        app.MapTokens();
        app.MapRegistration();
        return app;
    }
}
