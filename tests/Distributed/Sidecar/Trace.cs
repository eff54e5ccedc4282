using System.Diagnostics;

namespace Sloring.Sidecar;

/// <summary>W3C trace contexts.</summary>
internal static class Trace
{
    /// <summary>The same trace with a new span; a new trace where there is none.</summary>
    public static string Child(string? parent)
    {
        var known = ActivityContext.TryParse(parent, null, out var context);
        var trace = known ? context.TraceId : ActivityTraceId.CreateRandom();
        return $"00-{trace}-{ActivitySpanId.CreateRandom()}-{(!known || context.TraceFlags.HasFlag(ActivityTraceFlags.Recorded) ? "01" : "00")}";
    }
}
