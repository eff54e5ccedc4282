using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Grpc.Core;
using Grpc.Net.Client;
using Npgsql;
using Sloring.Cluster;
using Sloring.Contracts.Effectuation.V1;
using Sloring.Contracts.Registration.V1;
using Sloring.Embedded;
using Sloring.Tests;

namespace Sloring.Bench;

/// <summary>
/// What a cluster is sized by: the processes of <c>./run cluster</c> on this machine, each measured by the system's own accounting. Not ratios, and no limits: what a thing costs in
/// seconds of a core holds on a machine whose cores are as fast, how many there are a second is what these cores gave while all processes, servers and clients shared them.
/// </summary>
public static partial class CapacityFigures
{
    private const int Offset = 400, Clients = 32, WarmUpActivations = 2_000, MostActivations = 10_000, Batch = 1_000, EntriesPerMessage = 100;
    private const string Adapter = "epj-hovedstaden", Source = "kilde-hovedstaden";
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(20), Round = TimeSpan.FromSeconds(6), Limit = TimeSpan.FromMinutes(10);

    /// <summary>Services in the order of the tables.</summary>
    private static readonly string[] Services = ["registration", "approval", "scheduler", "pseudonym", "effectuation", "tokens", "portal"];

    private static readonly string[] Limits = ["ClientRequestsPerSecond", "ClientBurst", "AddressRequestsPerSecond", "AddressBurst"];

    private static readonly int[] Pictures = [10_000, 100_000, 1_000_000];

    private const string DeadlinesSet =
        """SELECT (SELECT count(*) FROM registration.journal WHERE "Type" = 'deadline.set.v1') + (SELECT count(*) FROM approval.journal WHERE "Type" = 'deadline.set.v1')""";

    private static readonly string[] Schemas = ["registration", "approval", "scheduler", "pseudonym", "effectuation"];

    /// <summary>Prints the tables that docs/operations.md carries.</summary>
    /// <param name="largest">Maskings in the largest picture; below it 10 thousand, 100 thousand, 1 million.</param>
    public static async Task Print(int largest)
    {
        var folder = Directory.CreateTempSubdirectory("sloring-bench-").FullName;
        // What one client may ask for and have is not what is measured.
        var unlimited = Limits.ToDictionary(name => "Limits__" + name, string? (_) => "10000000");
        await using (var cluster = await LocalCluster.Start(
            new LocalClusterOptions { Root = Repository.Root, Folder = folder, Offset = Offset, ServiceEnvironment = unlimited, Progress = Console.Error.WriteLine }, CancellationToken.None))
        {
            await using var database = NpgsqlDataSource.Create(cluster.Postgres.ConnectionString("sloring") + ";Command Timeout=0");
            using var tokens = new PlatformClient(cluster["tokens"].HttpAddress, cluster.Secrets.File, parties: cluster.Parties);
            await Wait(Idle);
            var idle = Memory(cluster, "VmRSS");
            var (activations, bytes) = await Activations(cluster, database, tokens, Math.Min(MostActivations, largest));
            Cost[] costs = [activations, await Masking(cluster, tokens), .. await Edge(cluster), .. await TokenRequests(cluster)];
            var busy = Memory(cluster, "VmHWM");
            // Not before: for minutes after its start a process compiles what it has run.
            await Wait(Idle);
            var resting = await Measured("nothing", async () =>
            {
                await Wait(Idle);
                return (1, 1);
            });
            var starts = await Starts(cluster);

            Console.WriteLine(FormattableString.Invariant(
                $"{Environment.ProcessorCount} cores{ProcessorName()}, .NET {Environment.Version}, {DateTime.UtcNow:d MMMM yyyy}; load {File.ReadAllText("/proc/loadavg").Split(' ')[0]} at the end of the first tables.\n"));
            PrintTable(["service", "memory idle, Mi", "peak under the load below, Mi", "all its replicas idle, thousandths of a core", "start until ready, s"],
                Services.Select(service => (string[])
                [
                    service, $"{idle[service]:F0}", $"{busy[service]:F0}", (resting.CpuSeconds[service] / resting.Seconds * 1e3).ToString("F0", CultureInfo.InvariantCulture), starts[service].ToString("F1", CultureInfo.InvariantCulture),
                ]));
            string[] parts = [.. resting.CpuSeconds.Keys.Where(part => costs.Any(cost => cost.MsPerThousand(part, resting) >= 1)).OrderBy(part => (uint)Array.IndexOf(Services, part)).ThenBy(part => part, StringComparer.Ordinal)];
            PrintTable(["a thousand of", "a second", .. parts.Select(part => part + ", ms")],
                costs.Select(cost => (string[])[cost.What, cost.PerSecond.ToString("N0", CultureInfo.InvariantCulture), .. parts.Select(part => cost.MsPerThousand(part, resting).ToString("N0", CultureInfo.InvariantCulture))]));
            PrintTable(["bytes a masking in", "journal", "other tables"], Schemas.Select(schema => (string[])
                [schema, bytes[(schema, true)].ToString("N0", CultureInfo.InvariantCulture), bytes[(schema, false)].ToString("N0", CultureInfo.InvariantCulture)]));
            // Row by row: the largest may take long.
            PrintRows(["maskings in force", "new effectuation replica ready, s", "its memory, Mi", "its peak, Mi", "peak of the registration replica that it reads from, Mi", "restart of that, s"], ["---", "---", "---", "---", "---", "---"]);
            foreach (var size in Pictures.Where(size => size < largest).Append(largest))
                PrintRows(await Picture(cluster, database, size));
        }
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>What one replica of registration accepts from clients that wait for each answer, and what follows from it everywhere until nothing is left to do.</summary>
    private static async Task<(Cost Cost, Dictionary<(string Schema, bool Journal), double> Bytes)> Activations(LocalCluster cluster, NpgsqlDataSource database, PlatformClient tokens, int count)
    {
        using var channel = GrpcChannel.ForAddress(cluster["registration-1"].GrpcAddress);
        var registration = new RegistrationService.RegistrationServiceClient(channel);
        var accepted = 0;
        async Task<double> Accept(int some)
        {
            var clock = Stopwatch.StartNew();
            for (var done = 0; done < some; done += Batch)
            {
                var headers = await As(tokens, Adapter);
                await Task.WhenAll(Enumerable.Range(0, Clients).Select(client => Task.Run(async () =>
                {
                    for (var i = client; i < Math.Min(Batch, some - done); i += Clients)
                        await registration.ActivateAsync(EffectFigures.Activation(People.NextCpr()), headers);
                })));
            }
            accepted += some;
            return some / clock.Elapsed.TotalSeconds;
        }
        await Accept(Math.Min(WarmUpActivations, count));
        await Settled(database, accepted);
        var before = await Sizes(database);
        var cost = await Measured("activations over gRPC at one registration replica, durable, with all that follows", async () => (count, await Accept(count)), () => Settled(database, accepted));
        var after = await Sizes(database);
        return (cost, after.ToDictionary(size => size.Key, size => (double)(size.Value - before[size.Key]) / count));
    }

    private static async Task<Cost> Masking(LocalCluster cluster, PlatformClient tokens)
    {
        using var channel = GrpcChannel.ForAddress(cluster["effectuation-1"].GrpcAddress);
        var effectuation = new EffectuationService.EffectuationServiceClient(channel);
        var patient = People.NextCpr();
        using (var registering = GrpcChannel.ForAddress(cluster["registration-1"].GrpcAddress))
            await new RegistrationService.RegistrationServiceClient(registering).ActivateAsync(EffectFigures.Activation(patient), await As(tokens, Adapter));
        var headers = await As(tokens, "borgervisning");
        var request = EffectFigures.Request(patient);
        await Eventually.True(async () => (await effectuation.MaskEntriesAsync(request, headers)).Explanation is not null, "the patient is masked");
        Task<int> One() => EffectFigures.Stream(effectuation, request, headers).ContinueWith(done => done.IsCompletedSuccessfully ? EffectFigures.EntriesPerStream : throw done.Exception!, TaskScheduler.Default);
        await AtOnce(2, One);
        return await Measured("entries by `MaskEntries` over gRPC at one effectuation replica, half of them masked", () => AtOnce(2, One));
    }

    private static async Task<List<Cost>> Edge(LocalCluster cluster)
    {
        await using var source = await EdgeFigures.Connect(cluster.RabbitMq, Source, cluster.Secrets["client/" + Source]);
        var costs = new List<Cost>();
        foreach (var (entries, messages) in ((int, int)[])[(1, 4_000), (EntriesPerMessage, 1_000)])
        {
            var update = EdgeFigures.Update([People.NextCpr()], entries);
            async Task<(double, double)> Send() => (messages, messages / (await EdgeFigures.Masked(source, update, messages)).Seconds);
            await Send();
            costs.Add(await Measured($"`DataSourceUpdate` of {entries} {(entries == 1 ? "entry" : "entries")} over RabbitMQ, two effectuation replicas, nobody masked", Send));
        }
        return costs;
    }

    private static async Task<List<Cost>> TokenRequests(LocalCluster cluster)
    {
        using var http = new HttpClient(new SocketsHttpHandler()) { BaseAddress = new Uri(cluster["tokens"].HttpAddress) };
        var bootstrap = cluster.Parties.Bootstrap(new DemoCitizen(People.NextCpr()));
        async Task<int> Post(params KeyValuePair<string, string>[] fields)
        {
            using var form = new FormUrlEncodedContent(fields);
            using var answer = await http.PostAsync(new Uri("/connect/token", UriKind.Relative), form);
            return answer.IsSuccessStatusCode ? 1 : throw new InvalidOperationException($"A token was refused: {await answer.Content.ReadAsStringAsync()}");
        }
        Task<int> Client() => Post(new("grant_type", "client_credentials"), new("client_id", Adapter), new("client_secret", cluster.Secrets["client/" + Adapter]));
        var issuer = cluster["tokens"].HttpAddress;
        Task<int> Exchange() => Post(
            new("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"), new("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"), new("client_assertion", cluster.Parties.Assertion(issuer)),
            new("subject_token", bootstrap), new("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"), new("audience", DemoParties.Audience));
        var costs = new List<Cost>();
        foreach (var (what, one) in ((string, Func<Task<int>>)[])[("tokens by client secret", Client), ("tokens by exchange of a citizen's token", Exchange)])
        {
            await AtOnce(8, one);
            costs.Add(await Measured(what, () => AtOnce(8, one)));
        }
        return costs;
    }

    /// <summary>As many maskings in force as that, most of them rows that were written into the table: a replica that starts reads nothing else.</summary>
    private static async Task<string[]> Picture(LocalCluster cluster, NpgsqlDataSource database, int size)
    {
        Console.Error.WriteLine($"measuring a picture of {size:N0} …");
        await using (var fill = database.CreateCommand(
            """
            INSERT INTO registration.maskings
            SELECT (copy).* FROM (
              SELECT jsonb_populate_record(one, jsonb_build_object('MaskingId', gen_random_uuid(), 'DeadlineId', gen_random_uuid(), 'Patient', md5(random()::text || n))) AS copy
              FROM (SELECT m AS one FROM registration.maskings m WHERE "State" = 1 LIMIT 1) source, generate_series(1, $1 - (SELECT count(*) FROM registration.maskings)) n
              OFFSET 0) copies -- else the copy would be made once for every column
            """))
        {
            fill.Parameters.AddWithValue((long)size);
            await fill.ExecuteNonQueryAsync();
        }
        await using (var analyze = database.CreateCommand("VACUUM ANALYZE registration.maskings"))
            await analyze.ExecuteNonQueryAsync();
        // One replica of registration alone, so that it is known which the picture is read from.
        await cluster["registration-2"].Stop();
        var restart = await Restart(cluster["registration-1"]);
        var ready = await Restart(cluster["effectuation-2"]);
        await Wait(TimeSpan.FromSeconds(5));
        string[] row =
        [
            size.ToString("N0", CultureInfo.InvariantCulture), ready.ToString("F1", CultureInfo.InvariantCulture), $"{Mi(cluster["effectuation-2"], "VmRSS"):F0}", $"{Mi(cluster["effectuation-2"], "VmHWM"):F0}",
            $"{Mi(cluster["registration-1"], "VmHWM"):F0}", restart.ToString("F1", CultureInfo.InvariantCulture),
        ];
        await cluster["registration-2"].Start();
        await cluster["registration-2"].Ready(Limit, CancellationToken.None);
        return row;
    }

    private static async Task<Dictionary<string, double>> Starts(LocalCluster cluster)
    {
        var starts = new Dictionary<string, double>();
        foreach (var service in Services)
            starts[service] = await Restart(cluster.Replicas(service).First());
        return starts;
    }

    private static async Task<double> Restart(ClusterProcess process)
    {
        await process.Stop();
        var clock = Stopwatch.StartNew();
        await process.Start();
        await process.Ready(Limit, CancellationToken.None);
        return clock.Elapsed.TotalSeconds;
    }

    /// <summary>So many of it at once, again and again for one round: how many were done, and how many a second.</summary>
    private static async Task<(double Count, double PerSecond)> AtOnce(int many, Func<Task<int>> one)
    {
        var (clock, count) = (Stopwatch.StartNew(), 0);
        await Task.WhenAll(Enumerable.Range(0, many).Select(_ => Task.Run(async () =>
        {
            while (clock.Elapsed < Round)
                Interlocked.Add(ref count, await one());
        })));
        return (count, count / clock.Elapsed.TotalSeconds);
    }

    /// <param name="what">A thousand of this</param>
    /// <param name="work">Does it; says how many, and how many a second</param>
    /// <param name="settled">Completes when what follows is done too</param>
    private static async Task<Cost> Measured(string what, Func<Task<(double Count, double PerSecond)>> work, Func<Task>? settled = null)
    {
        Console.Error.WriteLine($"measuring {what} …");
        var (before, clock) = (CpuSeconds(), Stopwatch.StartNew());
        var (count, perSecond) = await work();
        if (settled is not null)
            await settled();
        return new Cost(what, count, perSecond, clock.Elapsed.TotalSeconds, CpuSeconds().ToDictionary(part => part.Key, part => part.Value - before.GetValueOrDefault(part.Key)));
    }

    /// <summary>Waits until every activation has its case, the scheduler has every deadline, and no journal grows any more.</summary>
    private static async Task Settled(NpgsqlDataSource database, int activations)
    {
        var (limit, last) = (Stopwatch.StartNew(), -1L);
        while (true)
        {
            await Wait(TimeSpan.FromSeconds(3));
            var entries = await Scalar($"SELECT {string.Join(" + ", Schemas.Select(schema => $"(SELECT count(*) FROM {schema}.journal)"))}");
            if (entries == last && await Scalar("SELECT count(*) FROM approval.cases") >= activations && await Scalar("SELECT count(*) FROM scheduler.deadlines") >= await Scalar(DeadlinesSet))
                return;
            last = entries;
            if (limit.Elapsed > Limit)
                throw new TimeoutException("What follows from the activations was not done within 10 minutes.");
        }
        async Task<long> Scalar(string sql)
        {
            await using var command = database.CreateCommand(sql);
            return (long)(await command.ExecuteScalarAsync())!;
        }
    }

    private static async Task<Dictionary<(string Schema, bool Journal), long>> Sizes(NpgsqlDataSource database)
    {
        var sizes = Schemas.SelectMany(schema => new[] { (schema, true), (schema, false) }).ToDictionary(key => key, _ => 0L);
        await using var command = database.CreateCommand(
            "SELECT n.nspname::text, c.relname = 'journal', sum(pg_total_relation_size(c.oid))::bigint FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' GROUP BY 1, 2");
        await using var rows = await command.ExecuteReaderAsync();
        while (await rows.ReadAsync())
        {
            if (Schemas.Contains(rows.GetString(0)))
                sizes[(rows.GetString(0), rows.GetBoolean(1))] = rows.GetInt64(2);
        }
        return sizes;
    }

    private static async Task<Metadata> As(PlatformClient tokens, string client) => new() { { "authorization", "Bearer " + await tokens.Token(client, CancellationToken.None) } };

    /// <summary>Of the replica that has most.</summary>
    private static Dictionary<string, double> Memory(LocalCluster cluster, string field) => Services.ToDictionary(service => service, service => cluster.Replicas(service).Max(replica => Mi(replica, field)));

    private static double Mi(ClusterProcess process, string field) => HostFigures.Mb(process.Process!.Id, field) * 1e6 / (1 << 20);

    /// <summary>Seconds of processor that each part has taken, all its processes together; what a process started and has ended counts as its own.</summary>
    private static Dictionary<string, double> CpuSeconds()
    {
        var processes = Directory.EnumerateDirectories("/proc").Select(folder => Path.GetFileName(folder)).Where(name => int.TryParse(name, CultureInfo.InvariantCulture, out _)).Select(Stat).OfType<Running>().ToDictionary(process => process.Id);
        bool IsOurs(Running process) => process.Parent == Environment.ProcessId || (processes.TryGetValue(process.Parent, out var parent) && IsOurs(parent));
        return processes.Values.Where(process => process.Part is not null && IsOurs(process)).GroupBy(process => process.Part!).ToDictionary(part => part.Key, part => part.Sum(process => process.Seconds));
    }

    private static Running? Stat(string id)
    {
        try
        {
            var command = File.ReadAllText($"/proc/{id}/cmdline");
            var text = File.ReadAllText($"/proc/{id}/stat");
            // After the name: state, parent, …; from the twelfth on the ticks of the process and of its children that have ended, a hundred a second.
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            var part = Program().Match(command) is { Success: true } program ? program.Groups[1].Value.ToLowerInvariant()
                : command.Contains("postgres", StringComparison.Ordinal) ? "PostgreSQL" : command.Contains("rabbit", StringComparison.Ordinal) ? "RabbitMQ" : null;
            return new Running(int.Parse(id, CultureInfo.InvariantCulture), int.Parse(fields[1], CultureInfo.InvariantCulture), part == "sidecar" ? "sidecars" : part,
                fields[11..15].Sum(ticks => long.Parse(ticks, CultureInfo.InvariantCulture)) / 100.0);
        }
        catch (IOException)
        {
            return null; // ended meanwhile
        }
    }

    private static string ProcessorName() => File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal)) is { } line ? " of " + line.Split(':')[1].Trim() : "";

    private static async Task Wait(TimeSpan time)
    {
        using var tick = new PeriodicTimer(time);
        await tick.WaitForNextTickAsync();
    }

    private static void PrintTable(string[] heads, IEnumerable<string[]> rows)
    {
        PrintRows([heads, [.. heads.Select(_ => "---")], .. rows]);
        Console.WriteLine();
    }

    private static void PrintRows(params IEnumerable<string[]> rows)
    {
        foreach (var row in rows)
            Console.WriteLine($"| {string.Join(" | ", row)} |");
    }

    [GeneratedRegex(@"Sloring\.(\w+)\.dll")]
    private static partial Regex Program();

    /// <summary>What work took: seconds of a core by part of the platform.</summary>
    private sealed record Cost(string What, double Count, double PerSecond, double Seconds, IReadOnlyDictionary<string, double> CpuSeconds)
    {
        /// <summary>Milliseconds of a core for a thousand, without what the part takes when nothing is asked of it.</summary>
        public double MsPerThousand(string part, Cost resting) =>
            Math.Max(0, CpuSeconds.GetValueOrDefault(part) - (resting.CpuSeconds[part] / resting.Seconds * Seconds)) / Count * 1e6;
    }

    private sealed record Running(int Id, int Parent, string? Part, double Seconds);
}
