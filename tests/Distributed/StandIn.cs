using System.Net.Http.Headers;
using Sloring.Cluster;
using Xunit;

namespace Sloring.Tests.Distributed;

/// <summary>What the sidecars of one test share: resources, configuration, names, and a folder for it all.</summary>
internal sealed class SidecarWorld : IDisposable
{
    public const string ApiToken = "shown-by-the-app", AppToken = "shown-by-the-sidecar";

    public SidecarWorld()
    {
        Directory.CreateDirectory(Resources);
        Directory.CreateDirectory(Names);
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("sloring-sidecars-").FullName;

    public string Resources => Path.Combine(Folder, "components");

    public string Names => Path.Combine(Folder, "names");

    public string FaultFile => Path.Combine(Folder, "faults.json");

    public string Config => Path.Combine(Resources, "config.yaml");

    /// <summary>The folder components/ of the repository with another broker and another secrets file; the password is a secret in it.</summary>
    public static async Task<SidecarWorld> OfTheRepository(int brokerPort, IReadOnlyDictionary<string, string> secrets)
    {
        var world = new SidecarWorld();
        var file = Path.Combine(world.Folder, "dapr-secrets.json");
        await File.WriteAllTextAsync(file, System.Text.Json.JsonSerializer.Serialize(new Dictionary<string, object> { ["sloring"] = secrets, ["other"] = new Dictionary<string, string> { ["key"] = "not yours" } }));
        foreach (var path in Directory.EnumerateFiles(Path.Combine(Repository.Root, "components"), "*.yaml"))
        {
            await File.WriteAllTextAsync(Path.Combine(world.Resources, Path.GetFileName(path)), (await File.ReadAllTextAsync(path))
                .Replace("127.0.0.1:5272", $"127.0.0.1:{brokerPort}", StringComparison.Ordinal)
                .Replace(".data/cluster/dapr-secrets.json", file, StringComparison.Ordinal));
        }
        return world;
    }

    public Task Write(string name, string yaml) => File.WriteAllTextAsync(Path.Combine(Resources, name), yaml);

    public Task Switch(string faults) => File.WriteAllTextAsync(FaultFile, faults);

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}

/// <summary>A running stand-in sidecar.</summary>
internal sealed class StandIn : IAsyncDisposable
{
    private readonly ChildProcess _process;
    private readonly string _log;

    private StandIn(ChildProcess process, string log, int http, int grpc, int inside)
    {
        (_process, _log, HttpPort, GrpcPort, InternalPort) = (process, log, http, grpc, inside);
        Http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{http}") };
        Http.DefaultRequestHeaders.Add("dapr-api-token", SidecarWorld.ApiToken);
    }

    public int HttpPort { get; }

    public int GrpcPort { get; }

    public int InternalPort { get; }

    /// <summary>Its HTTP API, with the token.</summary>
    public HttpClient Http { get; }

    public string Log => File.ReadAllText(_log);

    /// <summary>Starts one that is healthy outbound.</summary>
    public static async Task<StandIn> Start(SidecarWorld world, string appId, int appPort, (int Http, int Grpc, int Internal)? ports = null)
    {
        var (http, grpc, inside) = ports ?? (Platform.FreePort(), Platform.FreePort(), Platform.FreePort());
        var log = Path.Combine(world.Folder, $"{appId}-{http}-{Guid.NewGuid():N}.log");
        List<string> arguments =
        [
            Program, "--app-id", appId, "--app-port", $"{appPort}", "--app-protocol", "h2c", "--dapr-http-port", $"{http}", "--dapr-grpc-port", $"{grpc}",
            "--dapr-internal-grpc-port", $"{inside}", "--resources-path", world.Resources, "--names", world.Names, "--faults", world.FaultFile,
        ];
        if (File.Exists(world.Config))
            arguments.AddRange(["--config", world.Config]);
        var process = await ChildProcess.Start(new ChildCommand($"sidecar of {appId}", "dotnet", arguments, log)
        {
            Environment = new Dictionary<string, string?> { ["DAPR_API_TOKEN"] = SidecarWorld.ApiToken, ["APP_API_TOKEN"] = SidecarWorld.AppToken },
        });
        var sidecar = new StandIn(process, log, http, grpc, inside);
        await Eventually.True(async () =>
        {
            if (process.HasExited)
                throw new InvalidOperationException("The sidecar ended:\n" + await File.ReadAllTextAsync(log));
            return await sidecar.Answers("/v1.0/healthz/outbound");
        }, $"the sidecar of {appId} is healthy");
        return sidecar;
    }

    /// <summary>The built program.</summary>
    public static string Program { get; } = Path.Combine(
        Repository.Root, "tests", "Distributed", "Sidecar", "bin", AppContext.BaseDirectory.Contains("Release", StringComparison.Ordinal) ? "Release" : "Debug", "net10.0", "Sloring.Sidecar.dll");

    public async Task<HttpResponseMessage> Publish(string topic, string body, string contentType = "application/json", string query = "", string pubsub = "sloring-pubsub")
    {
        using var content = new ByteArrayContent(System.Text.Encoding.UTF8.GetBytes(body));
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        return await Http.PostAsync(new Uri($"/v1.0/publish/{pubsub}/{topic}{query}", UriKind.Relative), content, TestContext.Current.CancellationToken);
    }

    /// <summary>Until it consumes a topic.</summary>
    public Task Subscribed(string topic) => Eventually.True(() => Task.FromResult(Log.Contains($"subscribed to {topic} ", StringComparison.Ordinal)), $"the sidecar has subscribed to {topic}");

    public async Task<bool> Answers(string path)
    {
        try
        {
            using var response = await Http.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    /// <summary>SIGKILL.</summary>
    public Task Kill() => _process.Kill();

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _process.Stop(TimeSpan.FromSeconds(10));
    }
}
