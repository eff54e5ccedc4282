using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Sloring.Hosting;

/// <summary>The platform's source of traces and meter of metrics. No personal data in names, tags or events.</summary>
public static class Telemetry
{
    public static ActivitySource Source { get; } = new("Sloring");

    public static Meter Meter { get; } = new("Sloring");
}
