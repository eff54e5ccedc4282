using Sloring.Hosting;

namespace Sloring.Pseudonym;

/// <summary>
/// Looks every minute whether the next salt is to be announced, or one that was announced has come into use. Any number of replicas may look:
/// what is to be done is decided again where it is written, so one does it. Late or not, which salt counts follows from the salts and the time.
/// </summary>
public sealed class AnnounceSalts(Salts salts, TimeProvider clock, ILogger<AnnounceSalts> log) : BackgroundService
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var every = new PeriodicTimer(LookEvery, clock);
        do
        {
            try
            {
                await salts.Announce(stoppingToken);
            }
            catch (Exception e) when (e is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
            {
                Faults.Log(log, e, "Announcing salts");
            }
        }
        while (await every.WaitForNextTickAsync(stoppingToken));
    }
}
