using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Sloring.Hosting;

/// <summary>Once a day, and at the start: erases of every kind of record what has been kept for its retention.</summary>
public sealed class EraseOnSchedule(
    IEnumerable<IErasure> erasures, CheckpointSigner signer, IOptions<RetentionOptions> options, TimeProvider clock, ILogger<EraseOnSchedule> log) : BackgroundService
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromDays(1);

    /// <summary>One kind after the other: nothing hurries, and the service's work goes first. One that fails is tried again the next day and holds up no other.</summary>
    public async Task EraseAll(CancellationToken cancel)
    {
        foreach (var erasure in erasures)
        {
            if (erasure.Kind.Before(options.Value, clock.GetUtcNow()) is not { } before)
                continue;
            try
            {
                await erasure.Erase(before, cancel);
            }
            catch (Exception e) when (e is not OperationCanceledException || !cancel.IsCancellationRequested)
            {
                Faults.Log(log, e, $"Erasing {erasure.Kind.Name} of {erasure.Service}");
            }
        }
    }

    /// <summary>Before anything listens: without its key no journal could state where it begins, and nothing would ever be erased from it.</summary>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.Value.JournalYears > 0 && erasures.Any())
            signer.CheckKey();
        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var look = new PeriodicTimer(LookEvery, clock);
        do
            await EraseAll(stoppingToken);
        while (await look.WaitForNextTickAsync(stoppingToken));
    }
}
