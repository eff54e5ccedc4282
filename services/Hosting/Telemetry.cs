using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Sloring.Hosting;

/// <summary>The platform's source of traces and meter of metrics. No personal data in names, tags or events.</summary>
public static class Telemetry
{
    public static ActivitySource Source { get; } = new("Sloring");

    /// <summary>
    /// Whether a source may never be listened to for export: RabbitMQ.Client's own tags traces with message and correlation ids, into which an
    /// outside system may have written anything.
    /// </summary>
    public static bool IsWithheld(string source) => source.StartsWith("RabbitMQ.Client.", StringComparison.Ordinal);

    public static Meter Meter { get; } = new("Sloring");
}
