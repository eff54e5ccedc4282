using System.Diagnostics;
using System.Diagnostics.Metrics;
using Sloring.Contracts;

namespace Sloring.Hosting;

/// <summary>The platform's source of traces and meter of metrics. No personal data in names, tags or events.</summary>
public static class Telemetry
{
    public const string Name = "Sloring";

    public static ActivitySource Source { get; } = new(Name);

    public static Meter Meter { get; } = new(Name);

    /// <summary>Entries that this process has appended to a journal.</summary>
    internal static Counter<long> Entries { get; } = Counter(Metrics.JournalEntries);

    private static Counter<long> Rejected { get; } = Counter(Metrics.Rejections);

    /// <summary>
    /// Whether a source may never be listened to for export: RabbitMQ.Client's own tags traces with message and correlation ids, into which an
    /// outside system may have written anything.
    /// </summary>
    public static bool IsWithheld(string source) => source.StartsWith("RabbitMQ.Client.", StringComparison.Ordinal);

    /// <summary>What counts one of the platform's metrics.</summary>
    public static Counter<long> Counter(Metric metric) => Meter.CreateCounter<long>(metric.Name, metric.Unit, metric.Meaning);

    /// <summary>Faults of our own begin at none: the first of a process would else be a series without a growth, which no alert sees.</summary>
    internal static void CountFromZero()
    {
        foreach (var wire in (ReadOnlySpan<string>)["grpc", "http", "soap", "amqp"])
            Rejected.Add(0, new("code", Rejections.Failed.Code), new("wire", wire));
    }

    /// <summary>Counts a "no" that leaves.</summary>
    /// <param name="rejection">Which.</param>
    /// <param name="wire">By grpc, http, soap or amqp.</param>
    public static void Count(Rejection rejection, string wire) => Rejected.Add(1, new("code", rejection.Code), new("wire", wire));
}
