using System.Diagnostics;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Sloring.Hosting;
using Sloring.Scheduler;

namespace Sloring.Bench;

/// <summary>What pending deadlines cost while they wait, and how fast they drain when they are due together.</summary>
public static class DeadlineFigures
{
    private const int Many = 10_000_000;
    private const int Few = 10_000;
    private const int AtOnce = 100_000;
    private const double RateAtLeast = 5_000;

    /// <summary>Measures in a folder of its own under <paramref name="folder"/> (2.5 GB while it runs), which it removes.</summary>
    public static async Task<IReadOnlyList<Figure>> Measure(string folder, CancellationToken cancel)
    {
        var own = Directory.CreateDirectory(Path.Combine(folder, "deadlines")).FullName;
        try
        {
            return [await IdleSweep(own, cancel), await Drain(own, cancel)];
        }
        finally
        {
            SqliteConnection.ClearAllPools();
            Directory.Delete(own, recursive: true);
        }
    }

    private static async Task<Figure> IdleSweep(string folder, CancellationToken cancel)
    {
        var later = DateTimeOffset.UtcNow.AddDays(30);
        using var many = await Filled(Path.Combine(folder, "many.db"), Many, later, cancel);
        using var few = await Filled(Path.Combine(folder, "few.db"), Few, later, cancel);
        var (sweepMany, sweepFew) = (Sweep(many), Sweep(few));
        return Figure.Timed("Idle sweep over 10 million pending deadlines, against one over 10 thousand", 2, 1,
            () => sweepMany.Sweep(cancel).GetAwaiter().GetResult(), () => sweepFew.Sweep(cancel).GetAwaiter().GetResult(), rounds: 1_001);
    }

    private static async Task<Figure> Drain(string folder, CancellationToken cancel)
    {
        using var store = await Filled(Path.Combine(folder, "due.db"), AtOnce, DateTimeOffset.UtcNow.AddDays(-1), cancel);
        var start = Stopwatch.GetTimestamp();
        await Sweep(store).Sweep(cancel);
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var journaled = store.Tail.Head;
        if (journaled != AtOnce)
            throw new InvalidOperationException($"{AtOnce} deadlines were due, {journaled} fired.");
        return new Figure("Draining 100 thousand due deadlines, against 5,000 a second", RateAtLeast / (AtOnce / seconds), 1,
            $"{AtOnce / seconds:F0} a second, each journaled");
    }

    private static SweepDeadlines Sweep(Store<SchedulerDb> store) => new(store, new LastSweep(), TimeProvider.System);

    /// <summary>A store whose table holds this many pending deadlines, one a millisecond.</summary>
    private static async Task<Store<SchedulerDb>> Filled(string file, int count, DateTimeOffset firstDue, CancellationToken cancel)
    {
        var options = new DbContextOptionsBuilder<SchedulerDb>().UseSqlite($"Data Source={file}").Options;
        var store = new Store<SchedulerDb>(new PooledDbContextFactory<SchedulerDb>(options), new ServiceName<SchedulerDb>("scheduler"), TimeProvider.System);
        await store.Prepare(cancel);
        await using var db = new SchedulerDb(options);
        db.Database.SetCommandTimeout(TimeSpan.FromMinutes(30));
        await db.Database.OpenConnectionAsync(cancel);
        await db.Database.ExecuteSqlRawAsync("PRAGMA synchronous=OFF; PRAGMA cache_size=-200000", cancel);
        await db.Database.ExecuteSqlAsync(
            $"""
            INSERT INTO deadlines("Id", "Owner", "Subject", "Kind", "DueAt", "State")
            WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {count})
            SELECT printf('%08X-%04X-7000-8000-%012X', i >> 16, i & 65535, i), 'registration',
                printf('%08x-%04x-7000-8000-%012x', i >> 16, i & 65535, i), 'expiry', {firstDue.ToUnixTimeMilliseconds()} + i, 0 FROM n
            """, cancel);
        await db.Database.ExecuteSqlRawAsync("PRAGMA wal_checkpoint(TRUNCATE)", cancel);
        return store;
    }
}
