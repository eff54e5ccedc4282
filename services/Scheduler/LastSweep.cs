namespace Sloring.Scheduler;

/// <summary>When this replica last caught up; null before its first sweep.</summary>
public sealed class LastSweep
{
    private long _ticks;

    public DateTimeOffset? EndedAt
    {
        get => Volatile.Read(ref _ticks) is var ticks and not 0 ? new DateTimeOffset(ticks, TimeSpan.Zero) : null;
        set => Volatile.Write(ref _ticks, value?.UtcTicks ?? 0);
    }
}
