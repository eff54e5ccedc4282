using System.Diagnostics;
using System.Text.Json.Nodes;
using Npgsql;
using Sloring.Cluster;
using Sloring.Embedded;
using Sloring.Tests.Distributed.Faults;
using Xunit;

namespace Sloring.Tests.Distributed;

/// <summary>
/// The drill of docs/operations.md: every database is lost, the broker keeps what it had of the time before and after the backup, and the platform is put back as the page says.
/// The numbers in comments are the page's steps.
/// </summary>
[Trait("stage", "faults")]
public sealed class DisasterTests
{
    private const string Activations = "registration.activate-masking", CasesToCome = "approval-registration.activated.v1";
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;
    private static readonly object AsAdapter = new { userId = "epj-hovedstaden" };
    private readonly string _folder = Directory.CreateTempSubdirectory("sloring-disaster-").FullName;
    private readonly int _offset = RunningCluster.FreeOffset();
    private LocalCluster _cluster = null!;

    [Fact] // M3, M6, M9, A1, E6, E7, O3
    public async Task DatabasesLost_BrokerKept_WhatSurvivesIsWhole_WhatTheBrokerHoldsIsDone_WhatIsSentAgainIsDoneOnce()
    {
        var (history, firstPatient, good) = (Path.Combine(_folder, "history.jsonl"), Random.Shared.Next(50_000), false);
        var (kept, lifted, queued) = (People.NextCpr(), People.NextCpr(), People.NextCpr());
        var lost = Enumerable.Range(0, 12).Select(_ => People.NextCpr()).ToList();
        try
        {
            await using var cluster = _cluster = await LocalCluster.Start(new LocalClusterOptions
            {
                Root = Repository.Root,
                Folder = _folder,
                Offset = _offset,
                LeftOut = ["portal"],
                ServiceEnvironment = new Dictionary<string, string?> { ["DOTNET_TieredPGO"] = "0" },
                SidecarEnvironment = new Dictionary<string, string?> { ["DOTNET_TieredPGO"] = "0" },
            }, Cancel);
            await using var load = await Load.Start(cluster, history, firstPatient);
            await load.Do("begin", new { rate = 0.3 });
            await using var adapter = await Connect("epj-hovedstaden", "client/epj-hovedstaden");
            await using var broker = await Connect("sloring", "rabbitmq/sloring");
            await using var bus = await Connect("dapr", "rabbitmq/dapr");
            await using var answers = await Connect("kilde-hovedstaden", "client/kilde-hovedstaden");
            var masked = await answers.Listen("kilde-hovedstaden", "sloring.masked-updates", "29190623.kilde-hovedstaden");
            var keptId = await Activate(adapter, kept);
            var liftedId = await Activate(adapter, lifted);
            await using var source = await WatchingSource.Start(cluster["registration-1"].GrpcAddress, cluster["tokens"].HttpAddress, cluster.Secrets["client/kilde-hovedstaden"], always: kept);
            await Eventually.True(() => Task.FromResult(source.Masks(kept) == true && source.Masks(lifted) == true), "the data source masks both");

            // The backup, while everything runs.
            var dump = Path.Combine(_folder, "sloring.dump");
            await Postgres("pg_dump", "--format=custom", "--file=" + dump, "--dbname=" + TestDatabase.AddressOf(cluster.Postgres.ConnectionString("sloring")));

            // After the backup: accepted, and not in it. Approval is away, so that the events of it are still with the broker when the databases go.
            await cluster["approval"].Kill();
            await cluster.SidecarOf("approval").Kill();
            foreach (var patient in lost)
                await Activate(adapter, patient);
            await Accepted(adapter, "end-masking", new JsonObject
            {
                ["maskingId"] = liftedId,
                ["reason"] = "Grundlaget er bortfaldet.",
                ["activator"] = new JsonObject { ["personId"] = "ld-2001", ["role"] = "leader", ["unitSorId"] = "1000021000016006" },
            });
            await adapter.Publish("sloring.activations", "activate-masking", """{"misspelt":1}""", AsAdapter);
            await Eventually.True(() => Task.FromResult(source.Masks(lifted) == false && source.Masks(lost[^1]) == true), "the data source follows after the backup");
            await Eventually.True(async () => await bus.Count(CasesToCome) >= lost.Count && await broker.Count(Activations + ".errors") >= 1, "the broker holds events and a refused message");
            await load.Do("stop", new { limit = 2_000 });
            var refused = await broker.Count(Activations + ".errors");

            // 1. The disaster: the databases are gone, and no service runs. Adapters and data sources know nothing of it and send on.
            await Task.WhenAll(cluster.Processes.SelectMany(process => new[] { process.Kill(), process.Sidecar.Kill() }));
            await Drop();
            await adapter.Publish("sloring.activations", "activate-masking", RunningCluster.Activation(queued, Key(queued)), AsAdapter);
            await adapter.Publish("sloring.activations", "activate-masking", RunningCluster.Activation(kept, Key(kept)), AsAdapter);
            await adapter.Publish("sloring.activations", "activate-masking", RunningCluster.Activation(lost[0], Key(lost[0])), AsAdapter, times: 2);
            await answers.Publish("sloring.updates", "data-source-update", new JsonObject
            {
                ["updateId"] = "update-of-the-disaster",
                ["entries"] = new JsonArray(new JsonObject { ["patientCpr"] = kept, ["entries"] = new JsonArray(RunningCluster.Entry()) }),
            }.ToJsonString(), new { userId = "kilde-hovedstaden" });
            await Eventually.True(async () => await broker.Count(Activations) >= 4, "they wait at the broker");

            // 2. The broker is left as it is. 3. Database, roles, schemas, and the backup. 4. Migrations that note it. Then the services.
            await cluster.CreateDatabase();
            await Postgres("pg_restore", "--clean", "--if-exists", "--exit-on-error", "--dbname=" + TestDatabase.AddressOf(cluster.Postgres.ConnectionString("sloring")), dump);
            await cluster.Migrate(Cancel, "--restored");
            await cluster.StartServices(Cancel);

            // 5. The chains are whole.
            await Verified();

            // 6. What the broker held is done, each once; what is left of the lost is said by nobody but the adapters.
            await Eventually.True(async () => await broker.Count(Activations) == 0 && await bus.Count(CasesToCome) == 0, "the queues are empty");
            await Eventually.True(async () => (await InForce()).Order().SequenceEqual(new[] { kept, lifted, queued, lost[0] }.Order()), "in force is what the backup and the broker had", TimeSpan.FromSeconds(30));
            // One whose acknowledgement has died with its process is refused again, as everything at the broker is done at least once.
            Assert.InRange(await broker.Count(Activations + ".errors"), refused, 2 * refused);
            await Eventually.True(() => Task.FromResult(answers.Received(masked).Any(IsTheUpdate)), "the update is answered", TimeSpan.FromSeconds(30));
            var entry = JsonNode.Parse((string)answers.Received(masked).First(IsTheUpdate)["body"]!)!["entries"]![0]!["entries"]![0]!["staff"]![0]!;
            Assert.NotEqual("Mette Holm Testesen", (string?)entry["name"]);
            // The adapters send again what they have sent since the backup; once more changes nothing.
            Assert.Equal(keptId, await Activate(adapter, kept));
            foreach (var patient in lost)
                Assert.Equal(await Activate(adapter, patient), await Activate(adapter, patient));
            string[] all = [kept, lifted, queued, .. lost];
            Assert.Equal(all.Order(), (await InForce()).Order());

            // 7. Data sources have begun anew: the lift that was lost is one that never was.
            await Eventually.True(() => Task.FromResult(all.All(patient => source.Masks(patient) == true)), "the data source masks all that is in force", TimeSpan.FromSeconds(30));
            Assert.Equal(0, source.Shown);
            await Verified();
            var wrong = await Wrong();
            for (var clock = Stopwatch.StartNew(); wrong.Count > 0 && clock.Elapsed < TimeSpan.FromSeconds(35); wrong = await Wrong())
                await Task.Delay(500, Cancel);
            Assert.True(wrong.Count == 0, string.Join('\n', wrong));
            await KeptScan.Check(cluster);
            good = true;
        }
        finally
        {
            if (good)
                Directory.Delete(_folder, recursive: true);
            else
                LoadedRun.Say($"logs are kept in {_folder}");
        }
    }

    private static bool IsTheUpdate(JsonNode message) => ((string)message["body"]!).Contains("update-of-the-disaster", StringComparison.Ordinal);

    private static string Key(string patient) => "disaster-" + patient[6..] + patient[..6];

    private Task<Peer> Connect(string user, string secret) => Peer.Connect($"amqp://{user}:{_cluster.Secrets[secret]}@127.0.0.1:{_cluster.RabbitMq.Port}");

    /// <summary>Over the broker, always by the same key for a patient. Gives the masking's id.</summary>
    private static async Task<string> Activate(Peer adapter, string patient) =>
        (string)(await Accepted(adapter, "activate-masking", JsonNode.Parse(RunningCluster.Activation(patient, Key(patient)))!))["maskingId"]!;

    private static async Task<JsonNode> Accepted(Peer adapter, string key, JsonNode message)
    {
        var said = JsonNode.Parse((string)(await adapter.Request("sloring.activations", key, message.ToJsonString(), AsAdapter))["body"]!)!;
        Assert.True((bool)said["accepted"]!, said.ToJsonString());
        return said;
    }

    private static Task<string> Postgres(string program, params string[] arguments) => ForeignProgram.Run(Path.Combine(DebianPackages.PostgresPrograms, program), "", arguments);

    private async Task Drop()
    {
        await using var connection = new NpgsqlConnection(_cluster.Postgres.ConnectionString("postgres") + ";Pooling=false");
        await connection.OpenAsync(Cancel);
        await using var drop = new NpgsqlCommand("drop database sloring with (force)", connection);
        await drop.ExecuteNonQueryAsync(Cancel);
    }

    /// <summary>The command that an operator uses.</summary>
    private async Task Verified() => await ForeignProgram.Run("env", "",
        [$"--chdir={Repository.Root}", "dotnet", Path.Combine(AppContext.BaseDirectory, "Sloring.Cluster.dll"), "verify", "--offset", $"{_offset}", "--folder", _folder]);

    /// <summary>The test's own patients with a masking in force, each as often as it has one.</summary>
    private async Task<List<string>> InForce()
    {
        using var client = new PlatformClient(_cluster["registration-1"].HttpAddress, _cluster.Secrets.File, _cluster["tokens"].HttpAddress);
        var patients = new List<string>();
        for (var page = ""; ;)
        {
            var answer = await client.Must("epj-hovedstaden", HttpMethod.Get, "/v1/maskings?page_size=500&page_token=" + Uri.EscapeDataString(page), null, Cancel);
            patients.AddRange(answer["maskings"]?.AsArray().Select(masking => (string)masking!["patientCpr"]!) ?? []);
            page = (string?)answer["nextPageToken"] ?? "";
            if (page.Length == 0)
                return [.. patients.Where(People.WasGiven)];
        }
    }

    /// <summary>What the fault stage's checker finds of journals, cases and deadlines; nothing is asked of the load's history, of which the disaster has lost a part.</summary>
    private async Task<List<string>> Wrong() =>
        [.. HistoryChecker.Check(await ClusterState.Read(_cluster, [], Cancel)).Violations.Where(violation => violation.Rule is "d" or "e" or "f").Select(violation => violation.Evidence)];
}
