using System.Diagnostics;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Sloring.Contracts.Events;
using Sloring.Contracts.Journal.V1;
using Sloring.Hosting;
using Sloring.Scheduler;
using Sloring.Scheduler.Domain;
using Xunit;

namespace Sloring.Tests.Service.Scheduler;

/// <summary>The scheduler as a process of its own, killed while it drains, and while it erases.</summary>
public sealed class KilledSweepTests : IAsyncDisposable
{
    private const int Count = 12_000;
    private const int Kills = 3;

    private readonly string _folder = Directory.CreateTempSubdirectory("sloring-killed-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        SqliteConnection.ClearAllPools();
        await KeptScan.Discard(_folder, "scheduler");
    }

    [Fact] // M6
    public async Task KilledBetweenAndInsideBatches_FiresEachDeadlineOnceAndTheJournalVerifies()
    {
        var ids = Enumerable.Range(0, Count).Select(_ => Guid.NewGuid()).ToList();
        using (var store = await TestDatabase.Ready<SchedulerDb>(_folder, "scheduler", TimeProvider.System))
            await store.Write("test", scope => scope.Db.Deadlines.AddRangeAsync(ids.Select(Overdue), scope.Cancel), Cancel);

        await using var db = await TestDatabase.Factory<SchedulerDb>(_folder, "scheduler").CreateDbContextAsync(Cancel);
        await KillWhile(() => db.Deadlines.CountAsync(d => d.State == DeadlineState.Pending, Cancel));

        using var after = await TestDatabase.Ready<SchedulerDb>(_folder, "scheduler", TimeProvider.System);
        var fired = (await SchedulerHost.Journal(after)).ConvertAll(e => Guid.Parse(((DeadlineReached)EventJson.Read(e.Type, e.Data)).DeadlineId));
        Assert.Equal(ids, fired);
        Assert.True((await after.Verify(Cancel)).Intact);
    }

    [Fact] // O3
    public async Task KilledWhileItErases_GoesOnAndEachRowIsCountedOnce()
    {
        var past = new PastClock();
        using (var store = await TestDatabase.Ready<SchedulerDb>(_folder, "scheduler", past))
        {
            await store.Write("test", async scope =>
            {
                var reached = Enumerable.Range(0, Count).Select(_ => Overdue(Guid.NewGuid())).ToList();
                foreach (var deadline in reached)
                {
                    (deadline.State, deadline.FiredAt) = (DeadlineState.Fired, past.GetUtcNow());
                    await scope.Append(DeadlineRules.Reached(deadline, past.GetUtcNow()));
                }
                scope.Db.Deadlines.AddRange(reached);
                scope.Db.Relay.Add(new RelayCursor { Position = Count });
            }, Cancel);
        }

        await using var db = await TestDatabase.Factory<SchedulerDb>(_folder, "scheduler").CreateDbContextAsync(Cancel);
        await KillWhile(async () => await db.Deadlines.CountAsync(Cancel) + await db.Journal.CountAsync(e => e.Position <= Count, Cancel));

        var signer = new CheckpointSigner(new SecretStore(Options.Create(new SecretOptions { File = Path.Combine(_folder, "secrets.json") })));
        using var after = await TestDatabase.Ready<SchedulerDb>(_folder, "scheduler", TimeProvider.System, signer);
        var verdict = await after.Verify(Cancel);
        Assert.Equal((JournalFault.Unspecified, Count), (verdict.Fault, verdict.ErasedTo));
        var told = await after.Query(all => all.Where(e => e.Type == "audit.records-erased.v1"), Cancel);
        Assert.Equal(Count, told.Sum(e => ((RecordsErased)EventJson.Read(e.Type, e.Data)).Rows));
    }

    /// <summary>Starts the process and kills it anywhere in a batch or between two, three times, until nothing is left.</summary>
    private async Task KillWhile(Func<Task<int>> left)
    {
        for (var kill = 0; kill < Kills; kill++)
        {
            var before = await left();
            // On a fast machine the batch after the kill may have been the last.
            if (before == 0)
                break;
            using var process = Start();
            await SchedulerHost.Until(left, now => now < before || process.HasExited, seconds: 60);
            Assert.False(process.HasExited);
            await Task.Delay(Random.Shared.Next(0, 150), Cancel);
            process.Kill();
            await process.WaitForExitAsync(Cancel);
        }
        using (var process = Start())
        {
            await SchedulerHost.Until(left, now => now == 0 || process.HasExited, seconds: 120);
            process.Kill();
            await process.WaitForExitAsync(Cancel);
        }
        Assert.Equal(0, await left());
    }

    private static Deadline Overdue(Guid id) => new()
    {
        Id = id,
        Owner = "registration",
        Subject = "m",
        Kind = DeadlineKinds.Expiry,
        DueAt = DateTimeOffset.UnixEpoch,
    };

    private Process Start()
    {
        var organisations = Path.Combine(_folder, "organisations.csv");
        File.WriteAllText(organisations, "sor_id;name;level;parent_sor_id;cvr;shak\n");
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = _folder };
        start.ArgumentList.Add(typeof(SchedulerDb).Assembly.Location);
        foreach (var (setting, value) in new Dictionary<string, string>
        {
            ["Listen__Http"] = $"http://127.0.0.1:{Platform.FreePort()}",
            ["Listen__Grpc"] = $"http://127.0.0.1:{Platform.FreePort()}",
            ["Data__Folder"] = _folder,
            ["Secrets__File"] = Path.Combine(_folder, "secrets.json"),
            ["Secrets__CreateMissing"] = "true",
            ["Token__Issuer"] = "http://127.0.0.1:1",
            ["Organisations__File"] = organisations,
            ["Services__registration"] = "http://127.0.0.1:1",
            ["Services__approval"] = "http://127.0.0.1:1",
            ["Logging__LogLevel__Default"] = "None",
        }.Concat(TestDatabase.Settings(_folder)))
        {
            start.Environment[setting.Replace(":", "__", StringComparison.Ordinal)] = value;
        }
        return Process.Start(start)!;
    }

    /// <summary>Six years ago.</summary>
    private sealed class PastClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddYears(-6);
    }
}
