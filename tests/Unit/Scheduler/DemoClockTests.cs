using System.Runtime.CompilerServices;
using Sloring.Contracts;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Unit.Scheduler;

public sealed class DemoClockTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    private readonly string _folder = Directory.CreateTempSubdirectory("sloring-clock-").FullName;
    private readonly DemoClock _clock;

    public DemoClockTests() => _clock = new DemoClock(File_);

    private string File_ => Path.Combine(_folder, "clock");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void NewClock_TellsTheSystemsTime() =>
        Assert.InRange(_clock.GetUtcNow() - DateTimeOffset.UtcNow, TimeSpan.FromSeconds(-1), TimeSpan.FromSeconds(1));

    [Fact]
    public void Advanced_IsAheadByThatMuchAlsoAfterRestart()
    {
        _clock.Advance(TimeSpan.FromDays(10));
        _clock.Advance(TimeSpan.FromDays(80));

        foreach (var clock in (DemoClock[])[_clock, new DemoClock(File_)])
        {
            Assert.Equal(TimeSpan.FromDays(90), clock.Offset);
            Assert.InRange(clock.GetUtcNow() - DateTimeOffset.UtcNow, TimeSpan.FromDays(90) - Limit, TimeSpan.FromDays(90) + Limit);
        }
        Assert.Equal(["clock"], Directory.GetFiles(_folder).Select(Path.GetFileName));
    }

    [Fact]
    public void MovedToAnInstant_IsThere()
    {
        var instant = DateTimeOffset.UtcNow.AddDays(7);
        _clock.MoveTo(instant);
        Assert.InRange(_clock.GetUtcNow(), instant, instant + Limit);
    }

    [Fact]
    public void MovedBackOrNowhere_IsRejectedAndChangesNothing()
    {
        _clock.Advance(TimeSpan.FromHours(1));
        foreach (var move in (Action[])[
            () => _clock.Advance(TimeSpan.Zero), () => _clock.Advance(TimeSpan.FromSeconds(-1)), () => _clock.Advance(TimeSpan.MinValue),
            () => _clock.MoveTo(DateTimeOffset.UtcNow), () => _clock.MoveTo(DateTimeOffset.MinValue)])
        {
            Assert.Equal("SLR-301", Assert.Throws<RejectedException>(move).Rejection.Code);
        }
        Assert.Equal(TimeSpan.FromHours(1), _clock.Offset);
        Assert.Equal(TimeSpan.FromHours(1), new DemoClock(File_).Offset);
    }

    [Fact]
    public void MovedBeyondTheCalendar_IsRejectedAndChangesNothing()
    {
        foreach (var move in (Action[])[() => _clock.Advance(TimeSpan.MaxValue), () => _clock.MoveTo(DateTimeOffset.MaxValue)])
            Assert.Equal("SLR-916", Assert.Throws<RejectedException>(move).Rejection.Code);
        Assert.Equal(TimeSpan.Zero, _clock.Offset);
    }

    [Theory]
    [InlineData("")]
    [InlineData("tomorrow")]
    [InlineData("-1.00:00:00")]
    public void FileWithoutAnOffset_StopsTheStartAndSaysWhatToDo(string content)
    {
        File.WriteAllText(File_, content);
        Assert.Contains("Delete it", Assert.Throws<InvalidOperationException>(() => new DemoClock(File_)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task JumpPastADelay_EndsItAtOnce()
    {
        var delay = Task.Delay(TimeSpan.FromDays(10), _clock, Cancel);
        _clock.Advance(TimeSpan.FromDays(9));
        Assert.False(delay.IsCompleted);
        _clock.Advance(TimeSpan.FromDays(1));
        await delay.WaitAsync(Limit, Cancel);
    }

    [Fact]
    public async Task DelayAfterAJump_LastsAsLongAsItSays()
    {
        _clock.Advance(TimeSpan.FromDays(10));
        var start = TimeProvider.System.GetTimestamp();
        await Task.Delay(TimeSpan.FromMilliseconds(300), _clock, Cancel);
        Assert.InRange(TimeProvider.System.GetElapsedTime(start), TimeSpan.FromMilliseconds(300), TimeSpan.FromMilliseconds(300) + Limit);
    }

    [Fact]
    public async Task JumpOfPartOfADelay_ShortensItByThatPart()
    {
        var start = TimeProvider.System.GetTimestamp();
        var delay = Task.Delay(TimeSpan.FromSeconds(600.3), _clock, Cancel);
        _clock.Advance(TimeSpan.FromSeconds(600));
        await delay.WaitAsync(Limit, Cancel);
        Assert.True(TimeProvider.System.GetElapsedTime(start) >= TimeSpan.FromMilliseconds(300));
    }

    [Fact]
    public async Task JumpOverManyPeriods_TicksOnceAndThenByTheClockAgain()
    {
        var ticks = 0;
        var ticked = new SemaphoreSlim(0);
        using var timer = _clock.CreateTimer(
            _ =>
            {
                Interlocked.Increment(ref ticks);
                ticked.Release();
            },
            null, TimeSpan.FromHours(1), TimeSpan.FromHours(1));
        _clock.Advance(TimeSpan.FromDays(10));
        Assert.True(await ticked.WaitAsync(Limit, Cancel));
        // The next tick is an hour on: a burst of the 239 others would come now.
        Assert.False(await ticked.WaitAsync(TimeSpan.FromMilliseconds(200), Cancel));
        _clock.Advance(TimeSpan.FromHours(1));
        Assert.True(await ticked.WaitAsync(Limit, Cancel));
        Assert.Equal(2, ticks);
    }

    [Fact]
    public async Task PeriodicTimer_TicksUponAJump()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMinutes(5), _clock);
        for (var i = 0; i < 3; i++)
        {
            var tick = timer.WaitForNextTickAsync(Cancel).AsTask();
            _clock.Advance(TimeSpan.FromMinutes(5));
            Assert.True(await tick.WaitAsync(Limit, Cancel));
        }
    }

    [Fact]
    public async Task CancellationAfterADelay_ComesUponAJump()
    {
        using var source = new CancellationTokenSource(TimeSpan.FromMinutes(5), _clock);
        _clock.Advance(TimeSpan.FromMinutes(5));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.Delay(Limit, source.Token));
    }

    [Fact]
    public async Task ChangedTimer_KeepsOnlyItsLastSetting()
    {
        var fired = new SemaphoreSlim(0);
        using var timer = _clock.CreateTimer(_ => fired.Release(), null, TimeSpan.FromMinutes(1), Timeout.InfiniteTimeSpan);
        Assert.True(timer.Change(TimeSpan.FromMinutes(10), Timeout.InfiniteTimeSpan));
        _clock.Advance(TimeSpan.FromMinutes(2));
        Assert.False(await fired.WaitAsync(TimeSpan.FromMilliseconds(100), Cancel));
        Assert.True(timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan));
        _clock.Advance(TimeSpan.FromMinutes(20));
        Assert.False(await fired.WaitAsync(TimeSpan.FromMilliseconds(100), Cancel));
        Assert.True(timer.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan));
        Assert.True(await fired.WaitAsync(Limit, Cancel));
    }

    [Fact]
    public async Task DisposedTimer_NeverFires()
    {
        var fired = new SemaphoreSlim(0);
        var timer = _clock.CreateTimer(_ => fired.Release(), null, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1));
        await timer.DisposeAsync();
        _clock.Advance(TimeSpan.FromDays(1));
        Assert.False(await fired.WaitAsync(TimeSpan.FromMilliseconds(100), Cancel));
        Assert.False(timer.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan));
    }

    [Fact]
    public async Task DisposedAndFiredTimers_AreLetGo()
    {
        var leaks = new[] { Disposed(), await Fired() };
        for (var i = 0; i < 20 && leaks.Any(leak => leak.IsAlive); i++)
        {
            await Task.Delay(50, Cancel);
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        Assert.DoesNotContain(leaks, leak => leak.IsAlive);

        [MethodImpl(MethodImplOptions.NoInlining)]
        WeakReference Disposed()
        {
            var state = new object();
            _clock.CreateTimer(_ => { }, state, TimeSpan.FromDays(1), TimeSpan.FromDays(1)).Dispose();
            return new WeakReference(state);
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        Task<WeakReference> Fired()
        {
            var state = new Marked();
            _clock.CreateTimer(marked => ((Marked)marked!).Done.SetResult(), state, TimeSpan.FromDays(1), Timeout.InfiniteTimeSpan);
            _clock.Advance(TimeSpan.FromDays(1));
            return Wait(new WeakReference(state), state.Done.Task);
        }

        static async Task<WeakReference> Wait(WeakReference leak, Task done)
        {
            await done.WaitAsync(Limit, Cancel);
            return leak;
        }
    }

    [Fact]
    public void Jump_LeavesTheMonotonicTimestampReal()
    {
        var before = _clock.GetTimestamp();
        _clock.Advance(TimeSpan.FromDays(10));
        Assert.True(_clock.GetElapsedTime(before) < Limit);
    }

    [Fact]
    public async Task TimersMadeWhileTheClockJumps_AllFire()
    {
        var waiting = Enumerable.Range(0, 8).Select(_ => Task.Run(
            async () =>
            {
                for (var i = 0; i < 40; i++)
                    await Task.Delay(TimeSpan.FromMinutes(1), _clock, Cancel);
            },
            Cancel)).ToList();
        var all = Task.WhenAll(waiting);
        var start = TimeProvider.System.GetTimestamp();
        while (!all.IsCompleted && TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(30))
        {
            _clock.Advance(TimeSpan.FromSeconds(61));
            await Task.Yield();
        }
        await all.WaitAsync(Limit, Cancel);
    }

    [Theory]
    [InlineData(-2, 0)]
    [InlineData(0, -2)]
    [InlineData(4294967295, 0)]
    public void TimesATimerCannotTake_AreRefused(long due, long period) => Assert.Throws<ArgumentOutOfRangeException>(
        () => _clock.CreateTimer(_ => { }, null, TimeSpan.FromMilliseconds(due), TimeSpan.FromMilliseconds(period)));

    private sealed class Marked
    {
        public TaskCompletionSource Done { get; } = new();
    }
}
