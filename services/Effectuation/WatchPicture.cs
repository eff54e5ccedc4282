using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Sloring.Client;
using Sloring.Contracts.Registration.V1;
using Sloring.Hosting;

namespace Sloring.Effectuation;

/// <summary>Keeps this replica's picture of what is masked, with the same watcher that a data source embeds.</summary>
public sealed class WatchPicture(
    [FromKeyedServices(EffectuationModule.Name)] RegistrationService.RegistrationServiceClient registration,
    IOptions<EffectuationOptions> options, TimeProvider clock, ILogger<MaskingWatcher> log) : BackgroundService
{
    /// <summary>Of a picture that was never whole: no number would be right, and this one alerts.</summary>
    private const double LongestStaleness = 1e9;

    /// <summary>The watcher; refuses with SLR-501 when its picture is not fresh (rule E7).</summary>
    public MaskingWatcher Watcher { get; } = new(registration, clock, log) { Bound = TimeSpan.FromSeconds(options.Value.StalenessBoundSeconds) };

    /// <summary>How old it is.</summary>
    public HeldPicture Held => new(Watcher.Current?.Position ?? 0, Math.Round(Math.Min(Watcher.Staleness.TotalSeconds, LongestStaleness), 3), Watcher.IsFresh);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Watcher.Run(stoppingToken);
}

/// <summary>Ready once the picture is fresh and the salt is known.</summary>
internal sealed class FreshnessCheck(WatchPicture watch, CurrentSalt salt) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(watch.Watcher.IsFresh && salt.IsKnown ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy("The picture is not fresh, or the salt is unknown."));
}
