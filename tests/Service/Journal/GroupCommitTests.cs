using Microsoft.EntityFrameworkCore;
using Sloring.Contracts.Events;
using Sloring.Hosting;
using Sloring.Scheduler;
using Xunit;

namespace Sloring.Tests.Service.Journal;

/// <summary>Writes that wait at the same time share a commit, and nothing else.</summary>
public sealed class GroupCommitTests : IAsyncLifetime
{
    private static readonly Lookup<SchedulerDb, string, Deadline> BySubject = new(deadline => deadline.Subject, [nameof(Deadline.Subject)]);

    private readonly string _folder = Directory.CreateTempSubdirectory("sloring-group-").FullName;
    private Store<SchedulerDb> _store = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _store = await TestDatabase.Ready<SchedulerDb>(_folder, "scheduler", TimeProvider.System);

    public async ValueTask DisposeAsync()
    {
        _store.Dispose();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        await KeptScan.Discard(_folder, "scheduler");
    }

    [Fact]
    public async Task AWriteThatThrows_LeavesNothing_AndTheOthersOfItsCommitAllTheirs()
    {
        // Held up, so that all that follow wait together.
        var first = new TaskCompletionSource();
        var holding = _store.Write("test", async _ => await first.Task, Cancel);
        var writes = Enumerable.Range(0, 100).Select(i => _store.Write("test", async scope =>
        {
            scope.Db.Deadlines.Add(Row(i));
            await scope.Append(Event(i));
            // Already sent to the database when it throws.
            await scope.Db.SaveChangesAsync(scope.Cancel);
            if (i % 3 == 0)
                throw new InvalidOperationException("meant");
            await scope.Append(Event(i));
        }, Cancel)).ToList();
        first.SetResult();
        await holding;
        for (var i = 0; i < writes.Count; i++)
        {
            if (i % 3 == 0)
                await Assert.ThrowsAsync<InvalidOperationException>(() => writes[i]);
            else
                await writes[i];
        }

        var kept = Enumerable.Range(0, 100).Where(i => i % 3 != 0).Select(i => $"subject-{i}").ToList();
        Assert.Equal(kept, await _store.Read(db => db.Deadlines.OrderBy(d => d.Number).Select(d => d.Subject).ToListAsync(Cancel), Cancel));
        var verdict = await _store.Verify(Cancel);
        Assert.Equal((true, 2L * kept.Count), (verdict.Intact, verdict.Entries));
        Assert.Equal(_store.Tail.Head, verdict.Entries);
        Assert.Equal(kept.SelectMany(subject => new[] { subject, subject }), (await _store.ReadAfter(0, 1_000, Cancel)).Select(entry => entry.Subject));
    }

    [Fact]
    public async Task AWriteThatGivesUpBeforeItsTurn_IsNotDone()
    {
        using var gone = new CancellationTokenSource();
        var written = await Held(() =>
        {
            var write = _store.Write("test", scope => scope.Append(Event(1)), gone.Token);
            gone.Cancel();
            return write;
        });

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => written);
        Assert.Equal(0, (await _store.Verify(Cancel)).Entries);
    }

    [Fact]
    public async Task AWriteWhoseCallerGoesWhileAllAreDoneAgainAlone_LeavesTheOthersTheirs()
    {
        var first = new TaskCompletionSource();
        var holding = _store.Write("test", async _ => await first.Task, Cancel);
        using var gone = new CancellationTokenSource();
        var leaving = _store.Write<bool>("test", async _ =>
        {
            await gone.CancelAsync();
            throw new InvalidOperationException("meant");
        }, gone.Token, touches: [BySubject.Row("a")]);
        var staying = _store.Write<long>("test", async scope =>
        {
            await scope.Append(Event(1));
            return 1;
        }, Cancel, touches: [BySubject.Row("b")]);
        first.SetResult();
        await holding;

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);
        await staying;
        Assert.Equal(1, (await _store.Verify(Cancel)).Entries);
    }

    [Fact]
    public async Task WritesThatNameWhatTheyTouch_FindTheirOwnRows_AndWhatThoseBeforeThemMadeOfThem()
    {
        await _store.Write("test", async scope =>
        {
            scope.Db.Deadlines.AddRange(Enumerable.Range(0, 10).Select(Row));
            await scope.Db.SaveChangesAsync(Cancel);
        }, Cancel);
        var writes = await Held(() => Enumerable.Range(0, 60).Select(i => _store.Write("test", async scope =>
        {
            // Ten that are there, ten that are not; each of them three times.
            var subject = $"subject-{i % 20}";
            var found = await scope.Find(BySubject, subject);
            var before = found?.DueAt;
            if (found is null)
                scope.Insert(new Deadline { Number = 1_000 + i, Id = Guid.NewGuid(), Owner = "test", Subject = subject, Kind = "k", DueAt = DateTimeOffset.UnixEpoch });
            else
                scope.Db.Entry(found).Property(d => d.DueAt).CurrentValue = found.DueAt.AddDays(1);
            await scope.Append(Event(i));
            return before;
        }, Cancel, touches: [BySubject.Row($"subject-{i % 20}")])).ToList());

        for (var i = 0; i < writes.Count; i++)
        {
            var days = i / 20 - (i % 20 < 10 ? 0 : 1);
            Assert.Equal(days < 0 ? null : DateTimeOffset.UnixEpoch.AddDays(days), await writes[i]);
        }
        var kept = await _store.Read(db => db.Deadlines.ToDictionaryAsync(d => d.Subject, d => d.DueAt, Cancel), Cancel);
        Assert.Equal(20, kept.Count);
        Assert.All(Enumerable.Range(0, 20), i => Assert.Equal(DateTimeOffset.UnixEpoch.AddDays(i < 10 ? 3 : 2), kept[$"subject-{i}"]));
        var verdict = await _store.Verify(Cancel);
        Assert.Equal((true, 60), (verdict.Intact, verdict.Entries));
    }

    [Fact]
    public async Task ARowThatMayNotBe_FailsItsWriteAlone()
    {
        var writes = await Held(() => Enumerable.Range(0, 10).Select(i => _store.Write<long>("test", async scope =>
        {
            // Two with one number: the first keeps it.
            scope.Insert(new Deadline { Number = i == 7 ? 3 : i + 1, Id = Guid.NewGuid(), Owner = "test", Subject = $"subject-{i}", Kind = "k", DueAt = DateTimeOffset.UnixEpoch });
            return await scope.Append(Event(i));
        }, Cancel, touches: [BySubject.Row($"subject-{i}")])).ToList());

        for (var i = 0; i < writes.Count; i++)
        {
            if (i == 7)
                await Assert.ThrowsAnyAsync<System.Data.Common.DbException>(() => writes[i]);
            else
                Assert.Equal(i < 7 ? i + 1 : i, await writes[i]);
        }
        Assert.Equal(9, await _store.Read(db => db.Deadlines.CountAsync(Cancel), Cancel));
        Assert.Equal(9, (await _store.Verify(Cancel)).Entries);
    }

    /// <summary>Starts writes that all wait for one that is under way; else some may have been gathered for a commit already.</summary>
    private async Task<T> Held<T>(Func<T> start)
    {
        var (first, started) = (new TaskCompletionSource(), new TaskCompletionSource());
        var holding = _store.Write("test", async _ =>
        {
            started.TrySetResult();
            await first.Task;
        }, Cancel);
        await started.Task;
        var writes = start();
        first.SetResult();
        await holding;
        return writes;
    }

    private static Deadline Row(int i) => new() { Id = Guid.NewGuid(), Owner = "registration", Subject = $"subject-{i}", Kind = "k", DueAt = DateTimeOffset.UnixEpoch };

    private static DeadlineCancelled Event(int i) => new() { DeadlineId = Guid.NewGuid().ToString(), About = $"subject-{i}" };
}
