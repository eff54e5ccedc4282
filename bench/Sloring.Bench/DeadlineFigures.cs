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

    /// <summary>Measures in a folder of its own among the temporary files (2.5 GB while it runs), which it removes.</summary>
    public static IEnumerable<Figure> Measure()
    {
        var folder = Directory.CreateTempSubdirectory("sloring-deadlines-").FullName;
        try
        {
            yield return IdleSweep(folder);
            yield return Drain(folder);
        }
        finally
        {
            SqliteConnection.ClearAllPools();
            Directory.Delete(folder, recursive: true);
        }
    }

    private static Figure IdleSweep(string folder)
    {
        var later = DateTimeOffset.UtcNow.AddDays(30);
        using var many = Filled(Path.Combine(folder, "many.db"), Many, later);
        using var few = Filled(Path.Combine(folder, "few.db"), Few, later);
        return Figure.Timed("Idle sweep over 10 million pending deadlines, against one over 10 thousand", 2, 1, () => Sweep(many), () => Sweep(few), rounds: 1_001);
    }

    private static Figure Drain(string folder)
    {
        using var store = Filled(Path.Combine(folder, "due.db"), AtOnce, DateTimeOffset.UtcNow.AddDays(-1));
        var start = Stopwatch.GetTimestamp();
        Sweep(store);
        var rate = AtOnce / Stopwatch.GetElapsedTime(start).TotalSeconds;
        if (store.Tail.Head != AtOnce)
            throw new InvalidOperationException($"{AtOnce} deadlines were due, {store.Tail.Head} fired.");
        return new Figure("Draining 100 thousand due deadlines, against 5,000 a second", RateAtLeast / rate, 1, $"{rate:F0} a second, each journaled");
    }

    private static void Sweep(Store<SchedulerDb> store) =>
        new SweepDeadlines(store, new LastSweep(), TimeProvider.System).Sweep(CancellationToken.None).GetAwaiter().GetResult();

    /// <summary>A store whose table holds this many pending deadlines, one a millisecond.</summary>
    private static Store<SchedulerDb> Filled(string file, int count, DateTimeOffset firstDue)
    {
        var options = new DbContextOptionsBuilder<SchedulerDb>().UseSqlite($"Data Source={file}").Options;
        var store = new Store<SchedulerDb>(new PooledDbContextFactory<SchedulerDb>(options), new ServiceName<SchedulerDb>("scheduler"), new SqliteDatabase(""), TimeProvider.System);
        store.Prepare(CancellationToken.None).GetAwaiter().GetResult();
        using var db = new SchedulerDb(options);
        db.Database.SetCommandTimeout(TimeSpan.FromMinutes(30));
        db.Database.OpenConnection();
        db.Database.ExecuteSqlRaw("PRAGMA synchronous=OFF; PRAGMA cache_size=-200000");
        db.Database.ExecuteSql(
            $"""
            INSERT INTO deadlines("Id", "Owner", "Subject", "Kind", "DueAt", "State")
            WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {count})
            SELECT printf('%08X-%04X-7000-8000-%012X', i >> 16, i & 65535, i), 'registration',
                printf('%08x-%04x-7000-8000-%012x', i >> 16, i & 65535, i), 'expiry', {firstDue.ToUnixTimeMilliseconds()} + i, 0 FROM n
            """);
        db.Database.ExecuteSqlRaw("PRAGMA wal_checkpoint(TRUNCATE)");
        db.Database.CloseConnection();
        // The pool would hand the fast and unsafe connection on to the store that is measured.
        SqliteConnection.ClearAllPools();
        return store;
    }
}
