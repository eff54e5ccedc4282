using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sloring.Contracts;
using Sloring.Contracts.Events;
using Sloring.Contracts.Registration.V1;
using Sloring.Hosting;
using Sloring.Registration;
using Sloring.Tokens;
using Xunit;

namespace Sloring.Tests.Service.Registration;

/// <summary>Registration and the token service in a real host on loopback, with a database in a folder of its own.</summary>
public sealed class RegistrationHost : IAsyncLifetime
{
    public const string Region = "29190623";
    public const string Municipality = "64942212";

    private static readonly (string Id, string Roles, string? Cvr, string? Person)[] Personas =
    [
        ("epj", "epj-adapter", Region, null),
        ("worker", "health-worker", Region, "anna"),
        ("leader", "leader", Region, "lis"),
        ("other-worker", "health-worker", Municipality, "per"),
        ("other-leader", "leader", Municipality, "ole"),
        ("management", "hospital-management", Region, "hans"),
        ("other-management", "hospital-management", Municipality, "mona"),
        ("region", "region", Region, "rie"),
        ("national", "national", null, "nanna"),
        ("effectuation", "service", null, null),
        ("source-1", "data-source", Region, null),
        ("source-2", "data-source", Region, null),
        ("other-source", "data-source", Municipality, null),
        ("operator", "operator", null, "dina"),
        ("rootless", "epj-adapter", null, null),
    ];

    private readonly string _folder = Directory.CreateTempSubdirectory("registration-").FullName;
    private readonly ConcurrentDictionary<string, string> _tokens = [];
    private readonly int _http = Platform.FreePort();
    private readonly int _grpc = Platform.FreePort();
    private WebApplication? _app;
    private bool _started;
    private GrpcChannel? _channel;
    private long _published;

    public ShiftedClock Clock { get; } = new();

    public ConcurrentQueue<string> Logs { get; } = [];

    public string Folder => _folder;

    public Store<RegistrationDb> Store => _app!.Services.GetRequiredService<Store<RegistrationDb>>();

    public PatientKeys Patients => _app!.Services.GetRequiredService<PatientKeys>();

    public Sealer Sealer => _app!.Services.GetRequiredService<Sealer>();

    public RegistrationService.RegistrationServiceClient Client => new(_channel!);

    /// <summary>A synthetic CPR number (day + 60) that no other test uses.</summary>
    public static string NewPatient() => People.NextCpr();

    public async ValueTask InitializeAsync() => await Start();

    public async Task Start(params (string Key, string Value)[] settings)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Configuration.Sources.Clear();
        var configuration = new Dictionary<string, string?>
        {
            ["Listen:Http"] = $"http://127.0.0.1:{_http}",
            ["Listen:Grpc"] = $"http://127.0.0.1:{_grpc}",
            ["Data:Folder"] = _folder,
            ["Secrets:File"] = Path.Combine(_folder, "secrets.json"),
            ["Secrets:CreateMissing"] = "true",
            ["Token:Issuer"] = $"http://127.0.0.1:{_http}",
            ["Organisations:File"] = Path.Combine(AppContext.BaseDirectory, "organisations.csv"),
            // Nobody answers there: what those services tell comes by the bus.
            ["Services:approval"] = "http://127.0.0.1:1",
            ["Services:scheduler"] = "http://127.0.0.1:1",
        };
        foreach (var (persona, at) in Personas.Select((persona, at) => (persona, at)))
        {
            configuration[$"Tokens:Clients:{at}:Id"] = persona.Id;
            configuration[$"Tokens:Clients:{at}:Roles:0"] = persona.Roles;
            configuration[$"Tokens:Clients:{at}:Cvr"] = persona.Cvr;
            configuration[$"Tokens:Clients:{at}:PersonId"] = persona.Person;
        }
        foreach (var (key, value) in settings)
            configuration[key] = value;
        builder.Configuration.AddInMemoryCollection(configuration);
        builder.Services.AddSingleton<TimeProvider>(Clock);
        builder.Logging.ClearProviders().AddProvider(new QueueLog(Logs)).AddProvider(new CapturedLog("registration")).SetMinimumLevel(LogLevel.Debug);
        builder.AddHosting();
        builder.Services.UseTestDatabase(_folder);
        builder.AddTokens();
        builder.AddRegistration();
        _app = builder.Build();
        _app.UseHosting();
        _app.MapTokens();
        _app.MapRegistration();
        await _app.MakeReady(_folder);
        await _app.StartAsync();
        _started = true;
        _channel = GrpcChannel.ForAddress($"http://127.0.0.1:{_grpc}");
    }

    public async Task Stop()
    {
        _channel?.Dispose();
        if (_app is not null)
        {
            await _app.StopAsync();
            await _app.DisposeAsync();
        }
        _app = null;
        _tokens.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        // What the host itself called an error is shown with the test that caused it.
        foreach (var line in Logs.Where(line => line.StartsWith("Error", StringComparison.Ordinal) && line.Contains(" failed: ", StringComparison.Ordinal)))
            Console.Error.WriteLine(line);
        await Stop();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        // One that refused its settings has no tables.
        if (_started)
            await KeptScan.Discard(_folder, "registration");
        else
            Directory.Delete(_folder, recursive: true);
    }

    /// <summary>The call options of a persona.</summary>
    public async Task<CallOptions> As(string persona)
    {
        if (!_tokens.TryGetValue(persona, out var token))
            _tokens[persona] = token = await TokenOf(persona);
        return new CallOptions(new Metadata { { "authorization", "Bearer " + token } }, cancellationToken: TestContext.Current.CancellationToken);
    }

    /// <summary>An HTTP client of a persona.</summary>
    public async Task<HttpClient> HttpAs(string persona)
    {
        var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{_http}") };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", await TokenOf(persona));
        return http;
    }

    /// <summary>Moves the platform's clock on; the tokens of before have expired.</summary>
    public void MoveOn(TimeSpan by)
    {
        Clock.MoveOn(by);
        _tokens.Clear();
    }

    /// <summary>Erases what is to be erased by now.</summary>
    public Task Erase() => _app!.Services.GetServices<IHostedService>().OfType<EraseOnSchedule>().Single().EraseAll(TestContext.Current.CancellationToken);

    /// <summary>Delivers an event of another service, as the bus would.</summary>
    public Task Tell(string publisher, IEvent e) => _app!.Services.GetRequiredService<IEventBus>().Publish(
        new Delivery(publisher, Interlocked.Increment(ref _published), Guid.NewGuid(), EventNames.Of(e.GetType()), EventJson.Write(e), "", Clock.GetUtcNow()),
        TestContext.Current.CancellationToken);

    /// <summary>The events of a subject, in order.</summary>
    public async Task<List<IEvent>> EventsOf(string subject) =>
        [.. (await Store.Query(all => all.Where(e => e.Subject == subject).OrderBy(e => e.Position), TestContext.Current.CancellationToken))
            .Select(e => EventJson.Read(e.Type, e.Data))];

    /// <summary>Waits, with a limit, until something holds.</summary>
    public static async Task Until(Func<Task<bool>> holds)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(20));
        while (!await holds())
            await Task.Delay(20, limit.Token);
    }

    /// <summary>The number of the rejection that a persona's call ends with.</summary>
    public async Task<string> Refuses<T>(string persona, Func<RegistrationService.RegistrationServiceClient, CallOptions, AsyncUnaryCall<T>> call)
    {
        var options = await As(persona);
        return await Rejected(async () => await call(Client, options));
    }

    /// <summary>The number of the rejection that a call ends with.</summary>
    public static async Task<string> Rejected(Func<Task> call)
    {
        var e = await Assert.ThrowsAsync<RpcException>(call);
        return e.Status.Detail.Split(' ')[0];
    }

    private async Task<string> TokenOf(string persona)
    {
        using var http = new HttpClient();
        using var form = new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["grant_type"] = "client_credentials",
            ["client_id"] = persona,
            ["client_secret"] = _app!.Services.GetRequiredService<SecretStore>().Text("client/" + persona),
        });
        using var response = await http.PostAsync(new Uri($"http://127.0.0.1:{_http}/connect/token"), form, TestContext.Current.CancellationToken);
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("access_token").GetString()!;
    }

    private sealed class QueueLog(ConcurrentQueue<string> lines) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue($"{logLevel} {formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }
}

/// <summary>The machine's clock, moved on by a test.</summary>
public sealed class ShiftedClock : TimeProvider
{
    private long _ticks;

    public void MoveOn(TimeSpan by) => Interlocked.Add(ref _ticks, by.Ticks);

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddTicks(Interlocked.Read(ref _ticks));
}

/// <summary>Requests that are right, for tests to spoil.</summary>
internal static class Requests
{
    public static ActivateRequest Activation(string? cpr = null) => new()
    {
        IdempotencyKey = Guid.NewGuid().ToString(),
        PatientCpr = cpr ?? RegistrationHost.NewPatient(),
        Trigger = Trigger.Threats,
        BehaviourOn = "2025-02-03",
        Reason = "Patienten truede personalet med kniv.",
    };

    public static ActivateRequest ByAdapter(this ActivateRequest request, string role = "health-worker")
    {
        request.Activator = new Sloring.Contracts.Registration.V1.Activator { PersonId = "bo", Role = role, UnitSorId = "1000101000016003" };
        return request;
    }

    public static NominateUnitRequest Nomination(string sorId = "", string shak = "") => new()
    {
        IdempotencyKey = Guid.NewGuid().ToString(),
        SorId = sorId,
        Shak = shak,
        Grounds = new UnitGrounds { ReportedIncidents = 7, WorkplaceAssessment = "APV 2025-3", Severity = "Vold mod personale.", WhyNotIndividual = "Dagligt, skiftende patienter." },
    };

    public static CprNumber Cpr(this ActivateRequest request) => CprNumber.Parse(request.PatientCpr);
}
