using System.Diagnostics.Metrics;
using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Sloring.Hosting;

/// <summary>How one of the platform's metrics stands.</summary>
/// <param name="Metric">Which; one that is no counter.</param>
/// <param name="Value">In its unit.</param>
/// <param name="Tags">By what it is told apart.</param>
public readonly record struct Figure(Metric Metric, double Value, params KeyValuePair<string, object?>[] Tags);

/// <summary>What a part of the platform tells of how it stands.</summary>
public interface IFigures
{
    /// <summary>Finds out what cannot be told from memory. Called once per export of metrics, from the background, and only where they are exported.</summary>
    Task Look(CancellationToken cancel);

    /// <summary>How it stands, from memory: what it found at its last look, and what it knows anyway.</summary>
    IEnumerable<Figure> Now();
}

/// <summary>Figures that take a look at a database or the like. After a look that failed they are not told: an old value would pass for a new one.</summary>
public abstract class Figures<TSeen> : IFigures where TSeen : class
{
    private volatile TSeen? _seen;

    public async Task Look(CancellationToken cancel)
    {
        try
        {
            _seen = await Read(cancel);
        }
        catch
        {
            _seen = null;
            throw;
        }
    }

    public IEnumerable<Figure> Now() => _seen is { } seen ? Of(seen) : [];

    protected abstract Task<TSeen> Read(CancellationToken cancel);

    protected abstract IEnumerable<Figure> Of(TSeen seen);
}

/// <summary>Has every part look once per export, and tells their figures when they are exported.</summary>
internal sealed class TellFigures(IEnumerable<IFigures> parts, IMeterFactory meters, IConfiguration configuration, TimeProvider clock, ILogger<TellFigures> log) : BackgroundService
{
    private const double UsualIntervalMs = 60_000;
    private readonly List<IFigures> _parts = [.. parts];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // A meter of this host's own: with it end its gauges.
        var meter = meters.Create(Telemetry.Name);
        foreach (var metric in Metrics.All.Where(metric => !metric.IsCounter))
            meter.CreateObservableGauge(metric.Name, () => Measured(metric), metric.Unit, metric.Meaning);
        Telemetry.CountFromZero();
        var interval = double.TryParse(configuration["OTEL_METRIC_EXPORT_INTERVAL"], CultureInfo.InvariantCulture, out var set) && set >= 1 ? set : UsualIntervalMs;
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(interval), clock);
        do
        {
            await Task.WhenAll(_parts.Select(part => Look(part, stoppingToken)));
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private IEnumerable<Measurement<double>> Measured(Metric metric) =>
        _parts.SelectMany(part => part.Now()).Where(figure => figure.Metric == metric).Select(figure => new Measurement<double>(figure.Value, figure.Tags));

    private async Task Look(IFigures part, CancellationToken stop)
    {
        try
        {
            await part.Look(stop);
        }
        catch (Exception e) when (!stop.IsCancellationRequested)
        {
            log.LogWarning("{Part} could not be read and are not told: {Type}", part.GetType().Name, e.GetType().Name);
        }
    }
}
