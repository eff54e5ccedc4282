using System.Buffers.Text;
using System.Globalization;
using System.Net.NetworkInformation;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Sloring.Cluster;
using Sloring.Embedded;
using Xunit;

namespace Sloring.Tests.Distributed;

/// <summary>The national wire, token exchange and the operators' commands against the processes of ./run cluster, as whoever tries it meets them.</summary>
public sealed class ClusterWireTests(ClusterWireTests.RunningCluster cluster) : IClassFixture<ClusterWireTests.RunningCluster>
{
    private const string RegionH = "29190623";
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact] // M1, M3, E1, E8
    public async Task ForeignSoapClient_MasksAtOneReplica_AndEveryOtherListsAndMasks()
    {
        var patient = People.NextCpr();
        await cluster.MaskOverSoap("registration-2", patient);
        foreach (var replica in (string[])["effectuation-1", "effectuation-2"])
        {
            await Eventually.True(async () => await cluster.Listed(replica, patient) == $"CVR {RegionH}", $"{replica} lists it");
            Assert.NotNull((await cluster.View(replica, patient))["pseudonym"]);
        }
        var salt = await cluster.Systems.Call(cluster.Of("pseudonym"), "/idsas-salt/20230601/salt", "GetCurrentSalt", "epj", new { });
        Assert.Equal(32, Convert.FromBase64String((string)salt!["salt"]!).Length);
    }

    [Fact] // E3, E4, E8
    public async Task ForeignApp_ExchangesACitizensToken_AndItsDataSourceMasksAsTheViewDoes()
    {
        var (patient, reader) = (People.NextCpr(), People.NextCpr());
        await cluster.MaskOverSoap("registration-1", patient);
        foreach (var replica in (string[])["effectuation-1", "effectuation-2"])
            await Eventually.True(async () => (await cluster.View(replica, patient))["pseudonym"] is not null, $"{replica} masks");
        var masked = await cluster.Systems.MaskByIdentityToken(cluster.Of("tokens"), new DemoCitizen(patient), RunningCluster.Entry());
        Assert.Equal((patient, RegionH), ((string?)masked["claims"]!["cpr"], (string?)masked["claims"]!["masking"]!["organisations"]![0]!["cvr"]));
        Assert.Equal((string?)(await cluster.View("effectuation-1", patient))["pseudonym"], (string?)masked["entries"]![0]!["staff"]![0]!["pseudonym"]);
        var others = await cluster.Systems.MaskByIdentityToken(cluster.Of("tokens"), new DemoCitizen(reader), RunningCluster.Entry());
        Assert.NotNull(others["entries"]![0]!["staff"]![0]!["name"]);
    }

    [Fact] // decision 32, O3
    public async Task OperatorsCommands_RotateKeysUnderTheRunningCluster_AndVerifyEveryJournal()
    {
        var patient = People.NextCpr();
        await cluster.MaskOverSoap("registration-1", patient);
        Assert.Contains("registration: 0 texts sealed anew; all rows are under key 1.", await cluster.Command("rotate-keys"), StringComparison.Ordinal);

        await cluster.SealUnder("2", "registration");
        var rotated = (await cluster.Command("rotate-keys")).Split('\n');
        Assert.Matches("^registration: [1-9][0-9]* texts sealed anew; all rows are under key 2.$", rotated.Single(line => line.StartsWith("registration", StringComparison.Ordinal)));
        Assert.Contains("registration: 0 texts sealed anew; all rows are under key 2.", await cluster.Command("rotate-keys"), StringComparison.Ordinal);
        using (var registration = cluster.Client("registration-2"))
        {
            var listed = await registration.Must("epj-hovedstaden", HttpMethod.Get, "/v1/maskings?in_force_only=true&page_size=500", null, Cancel);
            Assert.Contains(listed["maskings"]!.AsArray(), masking => (string?)masking!["patientCpr"] == patient);
        }

        // None is due within the first hour.
        Assert.Contains("0 checkpoints added to", await cluster.Command("checkpoints", Path.Combine(cluster.Folder, "checkpoints")), StringComparison.Ordinal);
        var verdict = await cluster.Command("verify");
        Assert.All(Verify.Services, service => Assert.Contains(service, verdict, StringComparison.Ordinal));
        Assert.Contains("All journals are intact.", verdict, StringComparison.Ordinal);
    }

    [Fact]
    public async Task EnvelopeOfTheClusterCommand_IsTakenByTheCluster()
    {
        var envelope = await cluster.Command("envelope", "soap-sts", Path.Combine(Repository.Root, "samples", "soap", "get-blurred-organisations.xml"));
        using var http = new HttpClient();
        using var content = new StringContent(envelope, System.Text.Encoding.UTF8, "text/xml");
        using var answer = await http.PostAsync(new Uri(cluster.Of("effectuation-1") + "/idsas-lookup/20240124/lookup"), content, Cancel);
        Assert.Contains("BlurredOrganisationsResponse", await answer.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    /// <summary>All processes of dapr.yaml with the real servers, for the tests of this class.</summary>
    public sealed class RunningCluster : IAsyncLifetime
    {
        private readonly LocalClusterOptions _options;
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

        public ForeignSystems Systems => new(_cluster.Parties);

        public async ValueTask InitializeAsync()
        {
            await ForeignSystems.Install();
            // A second sealing key is there from the beginning, as everybody must have it before the first uses it.
            await File.WriteAllTextAsync(Path.Combine(Folder, "secrets.json"), new JsonObject { ["sealing-key-2"] = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32)) }.ToJsonString());
            _cluster = await LocalCluster.Start(_options, CancellationToken.None);
        }

        public async ValueTask DisposeAsync()
        {
            await _cluster.DisposeAsync();
            Directory.Delete(Folder, recursive: true);
        }

        /// <summary>A hundred ports above those of the platform that nobody listens on.</summary>
        internal static int FreeOffset()
        {
            var taken = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Select(endpoint => endpoint.Port).ToHashSet();
            return Enumerable.Range(Random.Shared.Next(8, 100), 40).Select(hundreds => hundreds * 100).First(offset => !Enumerable.Range(5200 + offset, 100).Any(taken.Contains));
        }

        /// <summary>HTTP address of a process.</summary>
        public string Of(string process) => _cluster[process].HttpAddress;

        public PlatformClient Client(string process) => new(Of(process), _cluster.Secrets.File, Of("tokens"));

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
            await Task.WhenAll(_cluster.Replicas(service).Select(async process =>
            {
                await process.Stop();
                await process.Sidecar.Stop();
                await process.Sidecar.Start();
                await process.Start();
                await process.Ready(_options.ReadyLimit, Cancel);
            }));
        }
    }
}
