using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Sloring.Approval;
using Sloring.Effectuation;
using Sloring.Hosting;
using Sloring.Pseudonym;
using Sloring.Registration;
using Sloring.Scheduler;
using Sloring.Tokens;
using Xunit;

namespace Sloring.Tests.Distributed;

/// <summary>
/// Every service on ports of its own with a sidecar of its own, over one RabbitMQ and the repository's components/.
/// The services run in this process, so that a test can look into them; they meet by sidecars only.
/// </summary>
public sealed class DaprPlatform(Broker broker) : IAsyncLifetime
{
    private static readonly Dictionary<string, (Action<WebApplicationBuilder> Add, Action<WebApplication> Map)> Services = new()
    {
        ["tokens"] = (b => b.AddTokens(), a => a.MapTokens()),
        ["registration"] = (b => b.AddRegistration(), a => a.MapRegistration()),
        ["approval"] = (b => b.AddApproval(), a => a.MapApproval()),
        ["scheduler"] = (b => b.AddScheduler(), a => a.MapScheduler()),
        ["pseudonym"] = (b => b.AddPseudonym(), a => a.MapPseudonym()),
        ["effectuation"] = (b => b.AddEffectuation(), a => a.MapEffectuation()),
    };

    private readonly Dictionary<string, string> _secrets = [];
    private readonly HttpClient _http = new();
    private string _issuer = "";

    internal SidecarWorld World { get; private set; } = null!;

    internal Dictionary<string, Member> Members { get; } = [];

    public async ValueTask InitializeAsync()
    {
        var random = () => System.Buffers.Text.Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        foreach (var key in (string[])["patient-key", "feed-key", "repeat-key", "sealing-key-1"])
            _secrets[key] = random();
        using (var clients = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(Repository.Root, "samples", "demo-clients.json"))))
        {
            foreach (var client in clients.RootElement.GetProperty("Tokens").GetProperty("Clients").EnumerateArray())
                _secrets["client." + client.GetProperty("Id").GetString()] = random();
        }
        foreach (var signing in (string[])["token-signing-key", "checkpoint-key-1"])
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            _secrets[signing] = key.ExportPkcs8PrivateKeyPem();
        }
        _secrets["rabbitmq.dapr"] = Broker.Password;
        World = await SidecarWorld.OfTheRepository((await broker.Server()).Port, _secrets);
        // Two tries instead of eight: a test does not wait for patience.
        var resiliency = Path.Combine(World.Resources, "resiliency.yaml");
        await File.WriteAllTextAsync(resiliency, (await File.ReadAllTextAsync(resiliency)).Replace("maxRetries: 8", "maxRetries: 2", StringComparison.Ordinal));

        await Start("tokens");
        await Task.WhenAll(Start("registration"), Start("approval"), Start("scheduler"), Start("pseudonym"), Start("effectuation"));
        await Members["approval"].Sidecar.Subscribed("registration.activated.v1");
        await Members["approval"].Sidecar.Subscribed("registration.reason-added.v1");
        await Members["approval"].Sidecar.Subscribed("dead-letters.approval");
        await Members["scheduler"].Sidecar.Subscribed("deadline.set.v1");
        // From its first look into registration's journal on, approval takes events of it by the bus.
        var first = await Activate();
        await Eventually.True(async () => (await Cases()).Contains(first), "the first case is open");
    }

    /// <summary>Starts a service with its sidecar.</summary>
    internal async Task Start(string name)
    {
        var (http, grpc) = (Platform.FreePort(), Platform.FreePort());
        if (name == "tokens")
            _issuer = $"http://127.0.0.1:{http}";
        var sidecar = await StandIn.Start(World, name, grpc);
        var app = Build(name, $"http://127.0.0.1:{http}", $"http://127.0.0.1:{grpc}",
            $"--DAPR_HTTP_PORT={sidecar.HttpPort}", $"--DAPR_GRPC_PORT={sidecar.GrpcPort}", $"--DAPR_API_TOKEN={SidecarWorld.ApiToken}", $"--APP_API_TOKEN={SidecarWorld.AppToken}",
            "--Secrets:Store=sloring-secrets");
        await app.StartAsync();
        lock (Members)
            Members[name] = new Member(app, sidecar, $"http://127.0.0.1:{http}", $"http://127.0.0.1:{grpc}");
    }

    /// <summary>A service's host, not started.</summary>
    internal WebApplication Build(string name, string http, string grpc, params string[] settings)
    {
        var builder = WebApplication.CreateBuilder([
            "--Database=sqlite", $"--Data:Folder={World.Folder}", "--Events=dapr", "--Edge=inmemory", $"--Token:Issuer={(_issuer.Length == 0 ? http : _issuer)}", $"--Listen:Http={http}", $"--Listen:Grpc={grpc}",
            $"--Organisations:File={Path.Combine(Repository.Root, "samples", "organisations.csv")}", "--Logging:LogLevel:Sloring=Debug", "--Secrets:CreateMissing=false", .. settings]);
        if (name == "tokens")
            builder.Configuration.AddJsonFile(Path.Combine(Repository.Root, "samples", "demo-clients.json"));
        builder.Logging.ClearProviders().AddProvider(new CapturedLog("dapr-" + name));
        builder.AddHosting();
        Services[name].Add(builder);
        var app = builder.Build();
        app.UseHosting();
        Services[name].Map(app);
        return app;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var member in Members.Values)
            await member.DisposeAsync();
        _http.Dispose();
        try
        {
            // The sidecars' logs lie there too.
            await KeptScan.Check(World.Folder, KeptScan.EveryService);
        }
        finally
        {
            World.Dispose();
        }
    }

    /// <summary>A token of a demo client or persona.</summary>
    public async Task<string> Token(string client)
    {
        using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["grant_type"] = "client_credentials", ["client_id"] = client, ["client_secret"] = _secrets["client." + client] });
        using var response = await _http.PostAsync(new Uri(_issuer + "/connect/token"), form, TestContext.Current.CancellationToken);
        return (string)JsonNode.Parse(await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!["access_token"]!;
    }

    /// <summary>Calls a service over HTTP; the call must be accepted.</summary>
    public async Task<JsonNode> Must(string service, string client, HttpMethod method, string path, JsonNode? body = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(Members[service].Http + path));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await Token(client));
        if (body is not null)
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        using var response = await _http.SendAsync(request, TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }

    /// <summary>Activates a masking without a reason; gives its id.</summary>
    public async Task<string> Activate() => (string)(await Must("registration", "epj-hovedstaden", HttpMethod.Post, "/v1/maskings", new JsonObject
    {
        ["idempotencyKey"] = Guid.NewGuid().ToString("N"),
        ["patientCpr"] = People.NextCpr(),
        ["trigger"] = "TRIGGER_THREATS",
        ["behaviourOn"] = "2025-01-15",
        ["activator"] = new JsonObject { ["personId"] = "hw-1001", ["role"] = "health-worker", ["unitSorId"] = "1000111000016001" },
    }))["maskingId"]!;

    /// <summary>Ids of the open cases.</summary>
    public async Task<List<string>> Cases() =>
        (await Must("approval", "leder", HttpMethod.Get, "/v1/cases?page_size=500"))["cases"]?.AsArray().Select(c => (string)c!["caseId"]!).ToList() ?? [];

    /// <summary>Entries of a service's audit trail.</summary>
    public async Task<List<JsonNode>> Journal(string service, string typePrefix) =>
        (await Must(service, "revisor", HttpMethod.Post, $"/v1/journals/{service}/search", new JsonObject { ["typePrefix"] = typePrefix, ["pageSize"] = 500 }))["events"]?.AsArray().Select(e => e!).ToList() ?? [];

    internal sealed class Member(WebApplication app, StandIn sidecar, string http, string grpc) : IAsyncDisposable
    {
        public WebApplication App => app;

        public StandIn Sidecar { get; set; } = sidecar;

        public string Http => http;

        public string Grpc => grpc;

        public int GrpcPort => new Uri(grpc).Port;

        public async ValueTask DisposeAsync()
        {
            using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(5));
            await app.StopAsync(soon.Token);
            await app.DisposeAsync();
            await Sidecar.DisposeAsync();
        }
    }
}
