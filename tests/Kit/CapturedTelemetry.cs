using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Sloring.Tests;

/// <summary>
/// Listens to every trace and metric of this process that may be exported and writes their names, tags and events to .build/captured for the privacy scan. Each
/// line once; no measured values, ids or times, which are digits of nobody.
/// </summary>
public static class CapturedTelemetry
{
    private static readonly Lazy<bool> Begun = new(Listen);
    private static readonly ConcurrentDictionary<string, bool> Seen = [];
    private static readonly StreamWriter File =
        new(Path.Combine(Repository.Captured, $"telemetry-{Environment.ProcessId}-{Guid.NewGuid():N}.log")) { AutoFlush = true };

    /// <summary>Listens from now until the process ends.</summary>
    public static void Begin() => _ = Begun.Value;

    private static bool Listen()
    {
        ActivitySource.AddActivityListener(new ActivityListener
        {
            ShouldListenTo = source => !Hosting.Telemetry.IsWithheld(source.Name),
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = Write,
        });
        var meters = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                Write($"metric {instrument.Meter.Name} {instrument.Name} {instrument.Description} {Tags(instrument.Tags)}");
                listener.EnableMeasurementEvents(instrument);
            },
        };
        Measure<byte>(meters);
        Measure<short>(meters);
        Measure<int>(meters);
        Measure<long>(meters);
        Measure<float>(meters);
        Measure<double>(meters);
        Measure<decimal>(meters);
        meters.Start();
        return true;
    }

    private static void Measure<T>(MeterListener meters) where T : struct =>
        meters.SetMeasurementEventCallback<T>((instrument, _, tags, _) => Write($"measured {instrument.Meter.Name} {instrument.Name} {Tags(tags.ToArray())}"));

    private static void Write(Activity activity) => Write(
        $"trace {activity.Source.Name} {activity.OperationName} {activity.DisplayName} {activity.StatusDescription} {activity.TraceStateString} {Tags(activity.TagObjects)} "
        + string.Join(' ', activity.Baggage.Select(pair => $"{pair.Key}={pair.Value}"))
        + string.Join(' ', activity.Events.Select(e => $"event {e.Name} {Tags(e.Tags)}")));

    private static string Tags(IEnumerable<KeyValuePair<string, object?>>? tags) => string.Join(' ', (tags ?? []).Select(tag => $"{tag.Key}={tag.Value}"));

    private static void Write(string line)
    {
        // A process that runs for long repeats itself: what has been seen need not be written, nor kept for ever.
        if (Seen.Count < 200_000 && !Seen.TryAdd(line, true))
            return;
        lock (File)
            File.WriteLine(line.ReplaceLineEndings(" "));
    }
}
