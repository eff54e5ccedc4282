using Microsoft.EntityFrameworkCore;
using Sloring.Contracts.Events;
using Sloring.Hosting;
using Sloring.Scheduler;
using Xunit;

namespace Sloring.Tests.Service.Journal;

/// <summary>Writes that wait at the same time share a commit, and nothing else.</summary>
public sealed class GroupCommitTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sloring-group-").FullName;
    private Store<SchedulerDb> _store = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _store = await TestDatabase.Ready<SchedulerDb>(_folder, "scheduler", TimeProvider.System);

    public ValueTask DisposeAsync()
    {
        _store.Dispose();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
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
        var (first, started) = (new TaskCompletionSource(), new TaskCompletionSource());
        var holding = _store.Write("test", async _ =>
        {
            started.TrySetResult();
            await first.Task;
        }, Cancel);
        // Else both may have been gathered for one commit already.
        await started.Task;
        using var gone = new CancellationTokenSource();
        var written = _store.Write("test", scope => scope.Append(Event(1)), gone.Token);
        await gone.CancelAsync();
        first.SetResult();
        await holding;

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
        }, gone.Token, touches: "a");
        var staying = _store.Write<long>("test", async scope =>
        {
            await scope.Append(Event(1));
            return 1;
        }, Cancel, touches: "b");
        first.SetResult();
        await holding;

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);
        await staying;
        Assert.Equal(1, (await _store.Verify(Cancel)).Entries);
    }

    private static Deadline Row(int i) => new() { Id = Guid.NewGuid(), Owner = "registration", Subject = $"subject-{i}", Kind = "k", DueAt = DateTimeOffset.UnixEpoch };

    private static DeadlineCancelled Event(int i) => new() { DeadlineId = Guid.NewGuid().ToString(), About = $"subject-{i}" };
}
