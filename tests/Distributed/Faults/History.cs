using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Sloring.Contracts.Approval.V1;
using Sloring.Contracts.Registration.V1;
using Sloring.Hosting;
using Sloring.Scheduler;

namespace Sloring.Tests.Distributed.Faults;

/// <summary>One line of what the foreign systems did and saw (js/load.mjs). Instants are milliseconds since 1970 by one monotonic clock; patients are numbers of the run.</summary>
public sealed record HistoryLine
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <summary>activate, end, lift, uphold, reason; read, update (a read over the broker), picture; fault; error.</summary>
    [JsonPropertyName("k")]
    public required string Kind { get; init; }

    [JsonPropertyName("n")]
    public int Patient { get; init; }

    public string? Cvr { get; init; }

    /// <summary>amqp or grpc.</summary>
    public string? Via { get; init; }

    /// <summary>The replica that was asked; "update" where the broker chose one.</summary>
    [JsonPropertyName("r")]
    public string? Replica { get; init; }

    /// <summary>Before its first try was sent.</summary>
    [JsonPropertyName("t0")]
    public double Start { get; init; }

    /// <summary>When its answer was there; null where there was none.</summary>
    [JsonPropertyName("t1")]
    public double? End { get; init; }

    /// <summary>accepted, refused or unanswered.</summary>
    [JsonPropertyName("out")]
    public string Outcome { get; init; } = "";

    public string? Code { get; init; }

    public int Tries { get; init; }

    /// <summary>Why the last try before the answer had none.</summary>
    public string? Why { get; init; }

    [JsonPropertyName("id")]
    public string? MaskingId { get; init; }

    [JsonPropertyName("ends")]
    public double? EndsAt { get; init; }

    /// <summary>Organisations whose names a read showed.</summary>
    public IReadOnlyList<string> Shown { get; init; } = [];

    /// <summary>Organisations whose names a read masked.</summary>
    public IReadOnlyList<string> Masked { get; init; } = [];

    /// <summary>A replica's picture of a patient: ends by organisation.</summary>
    [JsonPropertyName("orgs")]
    public IReadOnlyDictionary<string, double> Organisations { get; init; } = new Dictionary<string, double>();

    /// <summary>Of a fault.</summary>
    public string? Name { get; init; }

    /// <summary>begin, repaired, whole; of a fault.</summary>
    public string? Phase { get; init; }

    /// <summary>Whether something is away for as long as the fault lasts.</summary>
    public bool Down { get; init; }

    public string? Text { get; init; }

    [JsonIgnore]
    public bool IsAccepted => Outcome == "accepted";

    public static List<HistoryLine> Read(string file) => [.. File.ReadLines(file).Where(line => line.Length > 0).Select(line => JsonSerializer.Deserialize<HistoryLine>(line, Json)!)];

    /// <summary>The CPR number of a patient of the run, as js/load.mjs makes it: synthetic.</summary>
    public static string CprOf(int firstPatient, int patient)
    {
        var k = firstPatient + patient;
        return string.Create(CultureInfo.InvariantCulture, $"{61 + (k % 28):00}{1 + (k / 28 % 12):00}{k / 336 % 100:00}{k / 33_600 % 4_000:0000}");
    }
}

/// <summary>A row of the register, of the approval or of the scheduler, as far as it is checked.</summary>
public sealed record MaskingRow(string MaskingId, MaskingState State);

/// <inheritdoc cref="MaskingRow"/>
public sealed record CaseRow(string CaseId, CaseState State);

/// <inheritdoc cref="MaskingRow"/>
public sealed record DeadlineRow(string DeadlineId, DeadlineState State);

/// <summary>A line of a process's log.</summary>
public sealed record LogLine(string Process, int Number, string Text);

/// <summary>All that is held against each other when a run is over.</summary>
public sealed record Recorded
{
    public required IReadOnlyList<HistoryLine> History { get; init; }

    /// <summary>By service, in order.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyList<JournalEntry>> Journals { get; init; }

    public required IReadOnlyList<MaskingRow> Maskings { get; init; }

    public required IReadOnlyList<CaseRow> Cases { get; init; }

    public required IReadOnlyList<DeadlineRow> Deadlines { get; init; }

    /// <summary>When journals and rows were read, milliseconds since 1970.</summary>
    public required double ReadAt { get; init; }

    public IEnumerable<LogLine> Logs { get; init; } = [];

    public IReadOnlySet<string> CprNumbers { get; init; } = new HashSet<string>();
}
