using System.Buffers.Text;
using System.Globalization;
using System.Net.NetworkInformation;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Sloring.Cluster;
using Sloring.Contracts;
using Sloring.Embedded;
using Xunit;

namespace Sloring.Tests.Distributed;

/// <summary>All processes of dapr.yaml with the real servers, for the tests of this collection.</summary>
public sealed class RunningCluster : IAsyncLifetime
{
    public const string Name = "running cluster";

    private const string RegionH = "29190623";
    private LocalClusterOptions _options;
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;
    private LocalCluster _cluster = null!;

    public RunningCluster()
    {
        Folder = Directory.CreateTempSubdirectory("sloring-").FullName;
        _options = new LocalClusterOptions
        {
            Root = Repository.Root,
            Folder = Folder,
            Logs = Path.Combine(Repository.Captured, "cluster-" + Path.GetFileName(Folder)),
            Offset = FreeOffset(),
        };
    }

    public string Folder { get; }

    /// <summary>Where all processes send their telemetry.</summary>
    public OtlpReceiver Otlp { get; private set; } = null!;

    public ForeignSystems Systems => new(_cluster.Parties);

    public async ValueTask InitializeAsync()
    {
        await ForeignSystems.Install();
        // A second sealing key is there from the beginning, as everybody must have it before the first uses it.
        await File.WriteAllTextAsync(Path.Combine(Folder, "secrets.json"), new JsonObject { ["sealing-key-2"] = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32)) }.ToJsonString());
        Otlp = await OtlpReceiver.Start();
        _options = _options with
        {
            ServiceEnvironment = new Dictionary<string, string?>
            {
                // Nothing that the processes say to each other, to the token service or to the receiver may be asked of a proxy; this one answers nobody.
                ["http_proxy"] = "http://127.0.0.1:9",
                ["HTTP_PROXY"] = "http://127.0.0.1:9",
                ["OTEL_EXPORTER_OTLP_ENDPOINT"] = Otlp.GrpcAddress,
                ["OTEL_METRIC_EXPORT_INTERVAL"] = "3000",
                ["OTEL_BSP_SCHEDULE_DELAY"] = "500",
                ["OTEL_BLRP_SCHEDULE_DELAY"] = "500",
            },
            EnvironmentOf = new Dictionary<string, IReadOnlyDictionary<string, string?>>
            {
                ["effectuation-2"] = new Dictionary<string, string?> { ["OTEL_EXPORTER_OTLP_ENDPOINT"] = Otlp.HttpAddress, ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf" },
            },
        };
        _cluster = await LocalCluster.Start(_options, CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await _cluster.StopServices();
            await KeptScan.Check(_cluster);
        }
        finally
        {
            await _cluster.DisposeAsync();
            await Otlp.DisposeAsync();
            Directory.Delete(Folder, recursive: true);
        }
    }

    /// <summary>A hundred ports, or several, above those of the platform that nobody listens on.</summary>
    internal static int FreeOffset(int hundreds = 1)
    {
        var taken = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Select(endpoint => endpoint.Port).ToHashSet();
        return Enumerable.Range(Random.Shared.Next(8, 100), 40).Select(hundreds => hundreds * 100).First(offset => !Enumerable.Range(5200 + offset, 100 * hundreds).Any(taken.Contains));
    }

    /// <summary>HTTP address of a process.</summary>
    public string Of(string process) => _cluster[process].HttpAddress;

    public PlatformClient Client(string process) => new(Of(process), _cluster.Secrets.File, Of("tokens"));

    /// <summary>A foreign system at the cluster's broker.</summary>
    public Task<Peer> Connect(string user) => Peer.Connect($"amqp://{user}:{_cluster.Secrets["client/" + user]}@127.0.0.1:{_cluster.RabbitMq.Port}");

    /// <summary>An EPJ adapter of Region Hovedstaden activates over AMQP. Gives the masking's id.</summary>
    public async Task<string> ActivateOverAmqp(string patient, string? traceParent = null)
    {
        await using var adapter = await Connect("epj-hovedstaden");
        var answer = await adapter.Request("sloring.activations", "activate-masking", Activation(patient, Guid.NewGuid().ToString("N")), new { userId = "epj-hovedstaden", headers = traceParent is null ? null : new { traceparent = traceParent } });
        var said = JsonNode.Parse((string)answer["body"]!)!;
        Assert.True((bool)said["accepted"]!, said.ToJsonString());
        return (string)said["maskingId"]!;
    }

    /// <summary>An activation as an EPJ adapter of Region Hovedstaden sends it over the broker.</summary>
    internal static string Activation(string patient, string idempotencyKey) => new JsonObject
    {
        ["idempotencyKey"] = idempotencyKey,
        ["patientCpr"] = patient,
        ["trigger"] = "threats",
        ["behaviourOn"] = DanishTime.DayOf(DateTimeOffset.UtcNow).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        ["reason"] = "Truede med vold ved døren.",
        ["activator"] = new JsonObject { ["personId"] = "hw-1001", ["role"] = "health-worker", ["unitSorId"] = "1000111000016001" },
    }.ToJsonString();

    /// <summary>CreateBlurring for Region Hovedstaden, by node's soap.</summary>
    public async Task MaskOverSoap(string process, string patient) => Assert.Equal("OK", (string?)await Systems.Call(
        Of(process), "/idsas-registration/20240124/registration", "CreateBlurring", "epj", new
        {
            patientId = new { id = patient, classification = "CPR" },
            endDateTime = DateTime.UtcNow.AddDays(30).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
        }));

    /// <summary>What the national lookup lists of a patient.</summary>
    public async Task<string> Listed(string process, string patient) =>
        (await Systems.Call(Of(process), "/idsas-lookup/20240124/lookup", "GetBlurredOrganisations", "sts", new { patientId = new { id = patient, classification = "CPR" } }))
            ?["organisationId"] is JsonArray organisations ? string.Join(", ", organisations.Select(organisation => $"{organisation!["classification"]} {organisation["id"]}")) : "";

    /// <summary>The one person of an entry of Region Hovedstaden, as the citizen's view shows them.</summary>
    public async Task<JsonNode> View(string process, string patient)
    {
        using var client = Client(process);
        var answer = await client.Must("borgervisning", HttpMethod.Post, "/v1/mask-entries", new JsonObject { ["patientCpr"] = patient, ["entries"] = new JsonArray(Entry()) }, Cancel);
        return answer["entries"]![0]!["staff"]![0]!;
    }

    public static JsonObject Entry() => new()
    {
        ["id"] = "e-1",
        ["source"] = "EPJ",
        ["cvr"] = RegionH,
        ["sorId"] = "1000111000016001",
        ["occurredAt"] = "2019-05-04T10:00:00+02:00",
        ["activity"] = "Opslag i journal",
        ["staff"] = new JsonArray(new JsonObject { ["role"] = "user", ["name"] = "Mette Holm Testesen", ["professionCode"] = "5166" }),
    };

    /// <summary>./run cluster COMMAND; gives what it printed.</summary>
    public Task<string> Command(params string[] command) => ForeignProgram.Run("env", "",
        [$"--chdir={Repository.Root}", "dotnet", Path.Combine(AppContext.BaseDirectory, "Sloring.Cluster.dll"), .. command, "--offset", $"{_options.Offset}", "--folder", Folder]);

    /// <summary>Another sealing key becomes the current one, and a service's processes are started again.</summary>
    public async Task SealUnder(string key, string service)
    {
        var file = Path.Combine(Folder, "secrets.json");
        var secrets = JsonNode.Parse(await File.ReadAllTextAsync(file, Cancel))!;
        secrets["sealing-key-current"] = key;
        await File.WriteAllTextAsync(file, secrets.ToJsonString(), Cancel);
        LocalCluster.Describe(_options);
        await StartAgain(service);
    }

    /// <summary>Stops all processes of a service and starts new ones.</summary>
    public Task StartAgain(string service) => Task.WhenAll(_cluster.Replicas(service).Select(async process =>
    {
        await process.Stop();
        await process.Sidecar.Stop();
        await process.Sidecar.Start();
        await process.Start();
        await process.Ready(_options.ReadyLimit, Cancel);
    }));
}

[CollectionDefinition(RunningCluster.Name)]
public sealed class OnTheRunningCluster : ICollectionFixture<RunningCluster>;
