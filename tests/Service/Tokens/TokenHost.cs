using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Sloring.Hosting;
using Sloring.Pseudonym;
using Sloring.Tokens;
using Xunit;

namespace Sloring.Tests.Service.Tokens;

/// <summary>A process with the token service and the pseudonym service on free loopback ports, data in a folder of its own, and all it logs.</summary>
public sealed class TokenHost : IAsyncLifetime
{
    public const string Cvr = "29190925";
    public const string Unit = "1000101000016003";

    private readonly Dictionary<string, string?> _settings = [];
    private readonly LogCapture _log = new();
    private WebApplication? _app;
    private bool _ready;

    public TokenHost()
    {
        Folder = Directory.CreateTempSubdirectory("sloring-").FullName;
        File.WriteAllText(Path.Combine(Folder, "organisations.csv"), "sor_id;name;level;parent_sor_id;cvr;shak\n");
        var (http, grpc) = (Platform.FreePort(), Platform.FreePort());
        Address = new Uri($"http://127.0.0.1:{http}");
        GrpcAddress = new Uri($"http://127.0.0.1:{grpc}");
        Set("Listen:Http", Address.OriginalString);
        Set("Listen:Grpc", GrpcAddress.OriginalString);
        Set("Data:Folder", Folder);
        SecretsFile = Path.Combine(Folder, "secrets.json");
        Set("Secrets:CreateMissing", "true");
        Set("Token:Issuer", Address.OriginalString);
        Set("Organisations:File", Path.Combine(Folder, "organisations.csv"));
        Client(0, "epj-midt", "epj-adapter", cvr: Cvr);
        Client(1, "leader-lis", "leader health-worker", Cvr, "p-17", Unit);
        Client(2, "case-worker", "case-worker", Cvr, "p-18");
        Client(3, "operator", "operator");
        Client(4, "source", "data-source", cvr: Cvr);
        Http = new HttpClient { BaseAddress = Address };
    }

    public string Folder { get; }

    /// <summary>Where Tokens:StateFile lies: of another host, when this one goes on where that left off.</summary>
    public string StateFolder { get; set; } = "";

    public Uri Address { get; }

    public Uri GrpcAddress { get; }

    public HttpClient Http { get; }

    public MovableClock Clock { get; } = new();

    public string Logged => _log.All;

    public IServiceProvider Services => _app!.Services;

    public string SecretsFile
    {
        get => _settings["Secrets:File"]!;
        set => Set("Secrets:File", value);
    }

    public void Set(string setting, string? value) => _settings[setting] = value;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = Folder, EnvironmentName = "Production" });
        builder.Configuration.AddInMemoryCollection(_settings);
        builder.Logging.ClearProviders().AddProvider(_log).AddProvider(new CapturedLog("tokens")).SetMinimumLevel(LogLevel.Trace);
        builder.Services.AddSingleton<TimeProvider>(Clock);
        builder.AddHosting();
        builder.Services.UseTestDatabase(_settings["Data:Folder"]!);
        builder.AddTokens();
        builder.AddPseudonym();
        _app = builder.Build();
        _app.UseHosting();
        _app.MapTokens();
        _app.MapPseudonym();
        await _app.MakeReady(_settings["Data:Folder"]!);
        await _app.StartAsync(TestContext.Current.CancellationToken);
        _ready = true;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (_app is not null)
            await _app.DisposeAsync();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        // One that was never ready has no tables, nor has a replica any of its own.
        if (_ready && _settings["Data:Folder"] == Folder)
            await KeptScan.Discard(Folder, "pseudonym");
        else
            Directory.Delete(Folder, recursive: true);
    }

    public string Secret(string client) => Secrets()["client/" + client];

    public Dictionary<string, string> Secrets() => JsonSerializer.Deserialize<Dictionary<string, string>>(File.ReadAllText(SecretsFile))!;

    /// <summary>Asks as RFC 6749 says, credentials in the form, unless <paramref name="fields"/> say otherwise.</summary>
    public Task<HttpResponseMessage> Ask(params (string Name, string Value)[] fields) => Ask(null, fields);

    public async Task<HttpResponseMessage> Ask(AuthenticationHeaderValue? authorization, params (string Name, string Value)[] fields)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/connect/token");
        request.Content = new FormUrlEncodedContent(fields.Select(field => new KeyValuePair<string, string>(field.Name, field.Value)));
        request.Headers.Authorization = authorization;
        return await Http.SendAsync(request, TestContext.Current.CancellationToken);
    }

    public async Task<string> Token(string client)
    {
        using var answer = await Ask(("grant_type", "client_credentials"), ("client_id", client), ("client_secret", Secret(client)));
        return (await Json(answer)).GetProperty("access_token").GetString()!;
    }

    /// <summary>Adds a client that shows itself by its own keys.</summary>
    public void KeyClient(int at, string id, string roles, string jwks, string method = "private_key_jwt")
    {
        Client(at, id, roles, Cvr);
        Set($"Tokens:Clients:{at}:Authentication", method);
        Set($"Tokens:Clients:{at}:Jwks", jwks);
    }

    public static async Task<JsonElement> Json(HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return JsonSerializer.Deserialize<JsonElement>(text);
    }

    private void Client(int at, string id, string roles, string? cvr = null, string? person = null, string? unit = null)
    {
        Set($"Tokens:Clients:{at}:Id", id);
        foreach (var (role, i) in roles.Split(' ').Select((role, i) => (role, i)))
            Set($"Tokens:Clients:{at}:Roles:{i}", role);
        Set($"Tokens:Clients:{at}:Cvr", cvr);
        Set($"Tokens:Clients:{at}:PersonId", person);
        Set($"Tokens:Clients:{at}:UnitSorId", unit);
    }

    private sealed class LogCapture : ILoggerProvider, ILogger
    {
        private readonly ConcurrentQueue<string> _lines = [];

        public string All => string.Join('\n', _lines);

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            _lines.Enqueue($"{logLevel} {formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }
}

/// <summary>The machine's clock, moved.</summary>
public sealed class MovableClock : TimeProvider
{
    private TimeSpan _moved;

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + _moved;

    public void Move(TimeSpan by) => _moved += by;
}
