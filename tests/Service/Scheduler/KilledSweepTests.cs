using System.Diagnostics;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Sloring.Contracts.Events;
using Sloring.Hosting;
using Sloring.Scheduler;
using Xunit;

namespace Sloring.Tests.Service.Scheduler;

/// <summary>The scheduler as a process of its own, killed while it drains.</summary>
public sealed class KilledSweepTests : IDisposable
{
    private const int Count = 12_000;
    private const int Kills = 3;

    private readonly string _folder = Directory.CreateTempSubdirectory("sloring-killed-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact] // M6
    public async Task KilledBetweenAndInsideBatches_FiresEachDeadlineOnceAndTheJournalVerifies()
    {
        var ids = Enumerable.Range(0, Count).Select(_ => Guid.NewGuid()).ToList();
        using (var store = await TestDatabase.Ready<SchedulerDb>(_folder, "scheduler", TimeProvider.System))
            await store.Write("test", scope => scope.Db.Deadlines.AddRangeAsync(ids.Select(Overdue), scope.Cancel), Cancel);

        await using var db = await TestDatabase.Factory<SchedulerDb>(_folder, "scheduler").CreateDbContextAsync(Cancel);
        for (var kill = 0; kill < Kills; kill++)
        {
            var before = await Pending(db);
            using var process = Start();
            await SchedulerHost.Until(() => Pending(db), pending => pending < before || process.HasExited, seconds: 60);
            Assert.False(process.HasExited);
            // Anywhere in a batch or between two.
            await Task.Delay(Random.Shared.Next(0, 150), Cancel);
            process.Kill();
            await process.WaitForExitAsync(Cancel);
        }
        using (var process = Start())
        {
            await SchedulerHost.Until(() => Pending(db), pending => pending == 0 || process.HasExited, seconds: 120);
            process.Kill();
            await process.WaitForExitAsync(Cancel);
        }

        using var after = await TestDatabase.Ready<SchedulerDb>(_folder, "scheduler", TimeProvider.System);
        var fired = (await SchedulerHost.Journal(after)).ConvertAll(e => Guid.Parse(((DeadlineReached)EventJson.Read(e.Type, e.Data)).DeadlineId));
        Assert.Equal(ids, fired);
        Assert.True((await after.Verify(Cancel)).Intact);
    }

    private static Task<int> Pending(SchedulerDb db) => db.Deadlines.CountAsync(d => d.State == DeadlineState.Pending, Cancel);

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
}
