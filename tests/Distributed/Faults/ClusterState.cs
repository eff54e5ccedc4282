using Npgsql;
using Sloring.Cluster;
using Sloring.Contracts.Approval.V1;
using Sloring.Contracts.Registration.V1;
using Sloring.Hosting;
using Sloring.Scheduler;

namespace Sloring.Tests.Distributed.Faults;

/// <summary>What the services keep, read behind their backs by PostgreSQL's superuser.</summary>
internal static class ClusterState
{
    private static readonly string[] Services = ["registration", "approval", "scheduler", "pseudonym", "effectuation"];

    public static async Task<Recorded> Read(LocalCluster cluster, IReadOnlyList<HistoryLine> history, CancellationToken cancel)
    {
        await using var connection = new NpgsqlConnection(cluster.Postgres.ConnectionString("sloring") + ";Pooling=false;CommandTimeout=120");
        await connection.OpenAsync(cancel);
        // All at one instant: between two reads a deadline could fire.
        await using var snapshot = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancel);
        var journals = new Dictionary<string, IReadOnlyList<JournalEntry>>();
        foreach (var service in Services)
        {
            journals[service] = await Rows(connection,
                $"""SELECT "Position", "EventId", "Type", "Subject", "PatientKey", "OccurredAt", "Actor", "Data", "TraceParent", "Hash" FROM {service}.journal ORDER BY "Position" """,
                row => new JournalEntry
                {
                    Position = row.GetInt64(0),
                    EventId = row.GetGuid(1),
                    Type = row.GetString(2),
                    Subject = row.GetString(3),
                    PatientKey = row.GetString(4),
                    OccurredAt = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(5)),
                    Actor = row.GetString(6),
                    Data = row.GetString(7),
                    TraceParent = row.GetString(8),
                    Hash = row.GetFieldValue<byte[]>(9),
                }, cancel);
        }
        return new Recorded
        {
            History = history,
            Journals = journals,
            Maskings = await Rows(connection, """SELECT "MaskingId", "State" FROM registration.maskings""", row => new MaskingRow(row.GetGuid(0).ToString("D"), (MaskingState)row.GetInt32(1)), cancel),
            Cases = await Rows(connection, """SELECT "CaseId", "State" FROM approval.cases""", row => new CaseRow(row.GetString(0), (CaseState)row.GetInt32(1)), cancel),
            Deadlines = await Rows(connection, """SELECT "Id", "State" FROM scheduler.deadlines""", row => new DeadlineRow(row.GetGuid(0).ToString("D"), (DeadlineState)row.GetInt32(1)), cancel),
            ReadAt = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(),
        };
    }

    /// <summary>Every line that a process of the cluster wrote.</summary>
    public static IEnumerable<LogLine> Logs(string folder) => Directory.EnumerateFiles(Path.Combine(folder, "logs"), "*.log")
        .Append(Path.Combine(folder, "postgres", "postgres.log")).Where(File.Exists)
        .Concat(Directory.EnumerateFiles(Path.Combine(folder, "rabbitmq", "log"), "*.log"))
        .SelectMany(file => File.ReadLines(file).Select((text, at) => new LogLine(Path.GetFileNameWithoutExtension(file), at + 1, text)));

    private static async Task<List<T>> Rows<T>(NpgsqlConnection connection, string sql, Func<NpgsqlDataReader, T> read, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancel))
            rows.Add(read(reader));
        return rows;
    }
}
