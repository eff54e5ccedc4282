using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Flow;

/// <summary>What the platform's gauges tell while it works: the same figures that people see elsewhere. The receiver of telemetry is away, which nobody notices.</summary>
public sealed class FigureTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact] // A3, E3, E7
    public async Task Gauges_TellOfOpenAndOverdueCases_AgeOfSaltAndKeys_AndThatNothingWaits()
    {
        await using var platform = await Platform.Start(
            null, $"--OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:{Platform.FreePort()}", "--OTEL_METRIC_EXPORT_INTERVAL=100", "--Tokens:LifetimeSeconds=3600");
        using var gauges = new Gauges(platform);
        await platform.Client.Must("epj-hovedstaden", HttpMethod.Post, "/v1/maskings", new JsonObject
        {
            ["idempotencyKey"] = Guid.NewGuid().ToString("N"),
            ["patientCpr"] = People.NextCpr(),
            ["trigger"] = "TRIGGER_THREATS",
            ["behaviourOn"] = "2025-01-15",
            ["reason"] = "Truede med vold.",
            ["activator"] = new JsonObject { ["personId"] = "hw-1001", ["role"] = "health-worker", ["unitSorId"] = "1000111000016001" },
        }, Cancel);

        await Until(() => gauges.Value(Metrics.OpenCases) == 1 && gauges.Value(Metrics.OverdueCases) == 0, "one case is open, none overdue");
        await Until(() => gauges.Value(Metrics.Maskings) == 1 && gauges.Value(Metrics.PicturePosition) == gauges.Value(Metrics.JournalHead, "registration"), "the picture has come to the journal's end");
        await Until(() => gauges.Value(Metrics.RelayLagEntries, "registration") == 0 && gauges.Value(Metrics.RelayLag, "registration") == 0, "all is handed on");
        Assert.InRange(gauges.Value(Metrics.Staleness)!.Value, 0, 10);
        Assert.InRange(gauges.Value(Metrics.LastEntryTime, "approval")!.Value, platform.Clock.GetUtcNow().AddMinutes(-5).ToUnixTimeSeconds(), platform.Clock.GetUtcNow().ToUnixTimeSeconds() + 1);
        Assert.True(gauges.Value(Metrics.PendingDeadlines) > 0);
        await Until(() => gauges.Value(Metrics.SaltAge) is not null, "the salt's age is told");
        var salt = gauges.Value(Metrics.SaltAge)!.Value;

        // Beyond seven working days, whatever the weekday.
        platform.Clock.Advance(TimeSpan.FromDays(14));

        await Until(() => gauges.Value(Metrics.OverdueCases) == 1 && gauges.Value(Metrics.OpenCases) == 1, "it is overdue, and still open");
        await Until(() => gauges.Value(Metrics.SchedulerLag) == 0, "no deadline waits");
        var fortnight = TimeSpan.FromDays(14).TotalSeconds;
        Assert.InRange(gauges.Value(Metrics.SaltAge)!.Value - salt, fortnight, fortnight + 600);
        Assert.InRange(gauges.Value(Metrics.SealingKeyAge, "registration")!.Value, fortnight, fortnight + 600);
        // No key change could ever clear an alert on what has no sealed rows.
        Assert.Equal((null, null), (gauges.Value(Metrics.SealingKeyAge, "scheduler"), gauges.Value(Metrics.SealingKeyAge, "effectuation")));
        Assert.InRange(gauges.Value(Metrics.SigningKeyAge)!.Value, fortnight, fortnight + 600);
    }

    private static Task Until(Func<bool> condition, string what) => Eventually.True(() => Task.FromResult(condition()), what);

    /// <summary>The gauges of one host; those of others that run in this process are passed over.</summary>
    private sealed class Gauges : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly ConcurrentDictionary<(string Metric, string Service), double> _told = [];

        public Gauges(Platform platform)
        {
            var host = platform.Services.GetRequiredService<IMeterFactory>();
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (ReferenceEquals(instrument.Meter.Scope, host) && instrument.Meter.Name == Telemetry.Name)
                    listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) =>
                _told[(instrument.Name, tags.ToArray().Where(tag => tag.Key == "service").Select(tag => (string?)tag.Value).FirstOrDefault() ?? "")] = value);
            _listener.Start();
        }

        /// <summary>What a gauge tells now, or told last; null where it has told nothing yet.</summary>
        public double? Value(Metric metric, string service = "")
        {
            _listener.RecordObservableInstruments();
            return _told.TryGetValue((metric.Name, service), out var value) ? value : null;
        }

        public void Dispose() => _listener.Dispose();
    }
}
