using Microsoft.Extensions.Logging;

namespace Sloring.Hosting;

/// <summary>
/// The clock of a process that shares a database: the machine's own, set right by the database's where they are more than a second apart.
/// So all replicas agree on when a masking starts, ends and is due, whatever the clock of one machine says; the monotonic part is the machine's.
/// </summary>
public sealed class DatabaseClock(ILogger<DatabaseClock> log) : TimeProvider
{
    /// <summary>Within it clocks that are kept by NTP differ, and a busy database answers late.</summary>
    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(1);

    private long _ahead;
    private long _skew = long.MinValue;

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow().AddTicks(-Interlocked.Read(ref _ahead));

    /// <summary>How far the machine's clock was ahead when the two were last compared; null before.</summary>
    internal TimeSpan? Skew => Interlocked.Read(ref _skew) is var ticks and not long.MinValue ? TimeSpan.FromTicks(ticks) : null;

    /// <summary>Compares the clocks.</summary>
    /// <param name="asked">By the machine's clock.</param>
    /// <param name="database">What the database answered.</param>
    /// <param name="answered">By the machine's clock.</param>
    /// <returns>False where the answer came too slowly to say anything.</returns>
    public bool Compare(DateTimeOffset asked, DateTimeOffset database, DateTimeOffset answered)
    {
        if (answered - asked > Tolerance)
            return false;
        // The database read its clock between the two: outside them the machine's is wrong by at least so much.
        var ahead = database < asked ? asked - database : database > answered ? answered - database : TimeSpan.Zero;
        Interlocked.Exchange(ref _skew, ahead.Ticks);
        var known = TimeSpan.FromTicks(Interlocked.Read(ref _ahead));
        if (ahead.Duration() < Tolerance)
            ahead = TimeSpan.Zero;
        if ((ahead - known).Duration() < Tolerance && (ahead == TimeSpan.Zero) == (known == TimeSpan.Zero))
            return true;
        Interlocked.Exchange(ref _ahead, ahead.Ticks);
        log.LogWarning("This machine's clock is {Seconds:F0} s ahead of the database's; the database's is gone by. Set the machine's right", ahead.TotalSeconds);
        return true;
    }
}
