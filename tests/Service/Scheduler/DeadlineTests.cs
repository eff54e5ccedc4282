using System.Net;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Sloring.Contracts.Events;
using Sloring.Scheduler;
using Sloring.Scheduler.Domain;
using Xunit;

namespace Sloring.Tests.Service.Scheduler;

public sealed class DeadlineTests : IAsyncLifetime
{
    /// <summary>Two seconds is the promise; the rest is for a machine that builds and tests other things meanwhile.</summary>
    private static readonly TimeSpan AtMostLate = TimeSpan.FromSeconds(5);

    private readonly string _folder = Directory.CreateTempSubdirectory("sloring-deadlines-").FullName;
    private SchedulerHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await SchedulerHost.Start(_folder);

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact] // M6
    public async Task SetDeadline_FiresOnceSoonAfterItsInstantAndNotBefore()
    {
        var id = await _host.Set(TimeSpan.FromSeconds(1.5));
        var reached = Assert.Single(await _host.Reached(1));
        Assert.Equal(id, reached.DeadlineId);
        Assert.Equal("registration", reached.Owner);
        Assert.Equal(DeadlineKinds.Expiry, reached.Kind);
        Assert.InRange(reached.FiredAt - reached.DueAt, TimeSpan.Zero, AtMostLate);

        // Another sweep, and still only one.
        await _host.Set(TimeSpan.Zero);
        Assert.Equal(2, (await _host.Reached(2)).Count);
    }

    [Fact] // M6, A3, A8
    public async Task JumpOfTheClock_FiresEverythingOverdueAtOnceInDueOrder()
    {
        var kinds = (string[])[DeadlineKinds.Expiry, DeadlineKinds.DecisionReminder, DeadlineKinds.DecisionOverdue, DeadlineKinds.ExpiryNotice];
        var set = new List<(string Id, int Day)>();
        foreach (var day in Enumerable.Range(1, 88).OrderBy(_ => Random.Shared.Next()))
            set.Add((await _host.Set(TimeSpan.FromDays(day), kinds[day % kinds.Length]), day));
        await _host.Known(88);

        var start = TimeProvider.System.GetTimestamp();
        _host.Clock.Advance(TimeSpan.FromDays(80) + TimeSpan.FromMinutes(1));
        var reached = await _host.Reached(80);

        Assert.InRange(TimeProvider.System.GetElapsedTime(start), TimeSpan.Zero, AtMostLate);
        Assert.Equal(set.Where(s => s.Day <= 80).OrderBy(s => s.Day).Select(s => s.Id), reached.Select(r => r.DeadlineId));
    }

    [Fact]
    public async Task RowThatAnotherTransactionHolds_IsPassedOver_AndFiresOnceItIsFree()
    {
        Assert.SkipUnless(TestDatabase.IsPostgres, "SQLite has one writer.");
        var ids = new List<string>();
        foreach (var minutes in (int[])[1, 2, 3])
            ids.Add(await _host.Set(TimeSpan.FromMinutes(minutes)));
        await _host.Known(3);
        await using var other = await TestDatabase.Factory<SchedulerDb>(_folder, "scheduler").CreateDbContextAsync(TestContext.Current.CancellationToken);
        await using (var transaction = await other.Database.BeginTransactionAsync(TestContext.Current.CancellationToken))
        {
            await other.Database.ExecuteSqlAsync($"SET LOCAL idle_in_transaction_session_timeout = 0", TestContext.Current.CancellationToken);
            Assert.Equal(1, await other.Deadlines.Where(d => d.Id == Guid.Parse(ids[0])).ExecuteUpdateAsync(set => set.SetProperty(d => d.Kind, d => d.Kind), TestContext.Current.CancellationToken));
            _host.Clock.Advance(TimeSpan.FromMinutes(5));
            Assert.Equal(ids[1..], (await _host.Reached(2)).Select(r => r.DeadlineId));
        }
        Assert.Equal([.. ids[1..], ids[0]], (await _host.Reached(3)).Select(r => r.DeadlineId));
    }

    [Fact]
    public async Task MoreThanABatchDueTogether_AllFireOnceInTheOrderTheyWereSet()
    {
        var due = DateTimeOffset.FromUnixTimeMilliseconds(_host.Clock.GetUtcNow().AddHours(1).ToUnixTimeMilliseconds());
        var rows = Enumerable.Range(0, 2_500).Select(_ => Row(due)).ToList();
        await _host.Store.Write("test", scope => scope.Db.Deadlines.AddRangeAsync(rows, scope.Cancel), TestContext.Current.CancellationToken);
        _host.Clock.Advance(TimeSpan.FromHours(1));
        var reached = await _host.Reached(2_500);
        Assert.Equal(rows.Select(r => r.Id.ToString()), reached.Select(r => r.DeadlineId));
        Assert.True((await _host.Store.Verify(TestContext.Current.CancellationToken)).Intact);
    }

    [Fact]
    public async Task CancelledDeadline_NeverFires()
    {
        var cancelled = await _host.Set(TimeSpan.FromHours(1));
        var kept = await _host.Set(TimeSpan.FromHours(2));
        await _host.CancelDeadline(cancelled);
        await _host.Known(1, DeadlineState.Cancelled);
        _host.Clock.Advance(TimeSpan.FromHours(3));
        Assert.Equal(kept, Assert.Single(await _host.Reached(1)).DeadlineId);
    }

    [Fact]
    public async Task CancelBeforeItsSet_IsTriedAgainAndHolds()
    {
        var id = Guid.CreateVersion7().ToString();
        await _host.CancelDeadline(id);
        await _host.Set(TimeSpan.FromHours(1), id: id);
        await _host.Known(1, DeadlineState.Cancelled);
        var other = await _host.Set(TimeSpan.FromHours(2));
        await _host.Known(2);
        _host.Clock.Advance(TimeSpan.FromHours(3));
        Assert.Equal(other, Assert.Single(await _host.Reached(1)).DeadlineId);
    }

    [Fact]
    public async Task CancelAfterFiring_ChangesNothing()
    {
        var id = await _host.Set(TimeSpan.Zero);
        await _host.Reached(1);
        await _host.CancelDeadline(id);
        await _host.Set(TimeSpan.FromDays(1));
        await _host.Known(2);
        var (_, body) = await _host.Get("/v1/deadlines?include_done=true");
        Assert.Equal(["fired", "pending"], Deadlines(body).Select(d => d.GetProperty("state").GetString()));
        Assert.Single(await _host.Reached(1));
    }

    [Fact] // M6
    public async Task DueWhileDown_FiresAtOnceAfterRestart()
    {
        var fired = await _host.Set(TimeSpan.Zero);
        await _host.Reached(1);
        var missed = await _host.Set(TimeSpan.FromDays(3));
        await _host.Known(2);
        await _host.DisposeAsync();
        new Hosting.DemoClock(Path.Combine(_folder, "clock")).Advance(TimeSpan.FromDays(10));

        _host = await SchedulerHost.Start(_folder);
        Assert.Equal([fired, missed], (await _host.Reached(2)).Select(r => r.DeadlineId));
    }

    [Fact]
    public async Task Operator_PagesThroughDeadlinesEarliestFirst()
    {
        var subject = Guid.CreateVersion7().ToString();
        var ids = new List<string>();
        foreach (var hours in (int[])[3, 1, 2])
            ids.Add(await _host.Set(TimeSpan.FromHours(hours), about: subject));
        await _host.Set(TimeSpan.FromMinutes(1));
        await _host.Known(4);

        var (_, first) = await _host.Get($"/v1/deadlines?subject={subject}&page_size=2");
        var (_, second) = await _host.Get($"/v1/deadlines?subject={subject}&page_size=2&page_token={first.GetProperty("nextPageToken").GetString()}");
        Assert.Equal([ids[1], ids[2], ids[0]], Deadlines(first).Concat(Deadlines(second)).Select(d => d.GetProperty("deadlineId").GetString()!));
        Assert.False(second.TryGetProperty("nextPageToken", out var more) && more.GetString()!.Length > 0);
        Assert.Equal(4, Deadlines((await _host.Get("/v1/deadlines")).Body).Count());
    }

    [Fact]
    public async Task Operator_SeesHowTheSweepIsDoing()
    {
        await _host.Set(TimeSpan.FromHours(1));
        await _host.Known(1);
        var status = await SchedulerHost.Until(async () => (await _host.Get("/v1/scheduler")).Body, body => body.TryGetProperty("lastSweepAt", out _));
        Assert.Equal("1", status.GetProperty("pending").GetString());
        Assert.True(status.TryGetProperty("nextDue", out _));
        Assert.InRange(_host.Clock.GetUtcNow() - status.GetProperty("lastSweepAt").GetDateTimeOffset(), TimeSpan.Zero, TimeSpan.FromSeconds(10));
        Assert.False(status.TryGetProperty("lagSeconds", out var lag) && lag.GetDouble() > 0);
    }

    [Theory]
    [InlineData("/v1/deadlines?page_size=501", "operator", HttpStatusCode.BadRequest, "SLR-915")]
    [InlineData("/v1/deadlines?page_token=!", "operator", HttpStatusCode.BadRequest, "SLR-915")]
    [InlineData("/v1/deadlines?page_token=MQ", "operator", HttpStatusCode.BadRequest, "SLR-915")]
    [InlineData("/v1/deadlines?page_token=OTk5OTk5OTk5OTk5OTk5OTk5OjE", "operator", HttpStatusCode.BadRequest, "SLR-915")]
    [InlineData("/v1/deadlines?subject=a%20b", "operator", HttpStatusCode.BadRequest, "SLR-914")]
    [InlineData("/v1/deadlines?cpr=1", "operator", HttpStatusCode.BadRequest, "SLR-904")]
    [InlineData("/v1/deadlines", "view", HttpStatusCode.Forbidden, "SLR-902")]
    [InlineData("/v1/scheduler", "view", HttpStatusCode.Forbidden, "SLR-902")]
    public async Task WrongRequest_IsRejectedWithItsNumber(string path, string client, HttpStatusCode status, string code)
    {
        var answer = await _host.Get(path, client);
        Assert.Equal(status, answer.Status);
        Assert.Contains(code, answer.Body.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task QueriesOfTheSweep_ReadTheIndexOfPendingDeadlinesInOrder()
    {
        var now = _host.Clock.GetUtcNow();
        foreach (var query in (Func<SchedulerDb, IQueryable<Deadline>>[])[
            db => db.Deadlines.Where(d => d.State == DeadlineState.Pending).OrderBy(d => d.DueAt),
            db => db.Deadlines.Where(DeadlineRules.Due(now)).OrderBy(d => d.DueAt).ThenBy(d => d.Number).Take(DeadlineRules.BatchSize)])
        {
            var plan = await _host.Store.Read(async db =>
            {
                var sql = query(db).CreateDbCommand();
                // So few rows would be read and sorted at once, whatever the indexes.
                if (TestDatabase.IsPostgres)
                    await db.Database.ExecuteSqlAsync($"SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true)", TestContext.Current.CancellationToken);
                sql.CommandText = (TestDatabase.IsPostgres ? "EXPLAIN " : "EXPLAIN QUERY PLAN ") + sql.CommandText;
                await using var reader = await sql.ExecuteReaderAsync(TestContext.Current.CancellationToken);
                var steps = new List<string>();
                while (await reader.ReadAsync(TestContext.Current.CancellationToken))
                    steps.Add(reader.GetString(TestDatabase.IsPostgres ? 0 : 3));
                return string.Join('\n', steps);
            }, TestContext.Current.CancellationToken);
            Assert.Contains("deadlines_pending", plan, StringComparison.Ordinal);
            Assert.DoesNotContain(TestDatabase.IsPostgres ? "Sort" : "TEMP B-TREE", plan, StringComparison.Ordinal);
        }
    }

    private static JsonElement.ArrayEnumerator Deadlines(JsonElement body) => body.GetProperty("deadlines").EnumerateArray();

    private static Deadline Row(DateTimeOffset due) => new()
    {
        Id = Guid.NewGuid(),
        Owner = "registration",
        Subject = "s",
        Kind = DeadlineKinds.Expiry,
        DueAt = due,
    };
}
