using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace Sloring.Hosting;

/// <summary>
/// The end of a process that others of its kind stand in for. A server that just stops closes connections that seem idle while a request for them is on its way, and that request
/// fails: HTTP has no way to say in time that it was not taken. So for a while after SIGTERM everything is done as before, but every answer ends its connection (Connection: close,
/// GOAWAY), and the process says that it is not ready. Callers go elsewhere with their next request; nobody is there any more when it stops.
/// </summary>
internal sealed class Drain(TimeSpan time, IHostApplicationLifetime lifetime) : IHostLifetime, IDisposable
{
    private readonly List<PosixSignalRegistration> _signals = [];
    private int _asked;

    public bool IsOn => Volatile.Read(ref _asked) > 0;

    public Task WaitForStartAsync(CancellationToken cancellationToken)
    {
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
        {
            signal.Cancel = true;
            // Who asks again means at once.
            if (Interlocked.Increment(ref _asked) == 1)
                _ = Task.Delay(time, CancellationToken.None).ContinueWith(_ => lifetime.StopApplication(), TaskScheduler.Default);
            else
                lifetime.StopApplication();
        }));
        foreach (var atOnce in (PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGQUIT])
        {
            _signals.Add(PosixSignalRegistration.Create(atOnce, signal =>
            {
                signal.Cancel = true;
                lifetime.StopApplication();
            }));
        }
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _signals.ForEach(signal => signal.Dispose());

    /// <summary>Takes the place of the console's lifetime where there is a time to drain.</summary>
    public static void Add(IServiceCollection services, TimeSpan time)
    {
        if (time == TimeSpan.Zero)
            return;
        services.AddSingleton(provider => new Drain(time, provider.GetRequiredService<IHostApplicationLifetime>()));
        services.AddSingleton<IHostLifetime>(provider => provider.GetRequiredService<Drain>());
        services.AddHealthChecks().Add(new HealthCheckRegistration("draining", provider => new Readiness(provider.GetRequiredService<Drain>()), HealthStatus.Unhealthy, []));
    }

    /// <summary>First in the pipeline: whatever is answered, the connection ends with it.</summary>
    public static void Use(WebApplication app)
    {
        if (app.Services.GetService<Drain>() is not { } drain)
            return;
        app.Use((http, next) =>
        {
            if (drain.IsOn)
                http.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
            return next(http);
        });
    }

    private sealed class Readiness(Drain drain) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
            Task.FromResult(drain.IsOn ? HealthCheckResult.Unhealthy("It ends.") : HealthCheckResult.Healthy());
    }
}
