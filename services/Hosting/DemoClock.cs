using System.Collections.Concurrent;
using System.Globalization;
using Sloring.Contracts;

namespace Sloring.Hosting;

/// <summary>
/// The system's time plus an offset that only grows and outlives the process. Timers made through it count the jumps in: a jump past
/// a timer's due time fires it at once, so delays, periodic timers and Quartz react to it. <see cref="TimeProvider.GetTimestamp"/>
/// stays real: ten days jumped are not ten days of silence on a connection.
/// </summary>
public sealed class DemoClock : TimeProvider
{
    private static readonly DateTimeOffset Last = new(2200, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly string _file;
    private readonly long _started = System.GetTimestamp();
    private readonly TimeSpan _jumpedBefore;
    private readonly ConcurrentDictionary<DemoTimer, bool> _armed = [];
    private readonly Lock _moving = new();
    private long _offset;

    /// <summary>Takes up the offset that the file holds; none if there is no file yet.</summary>
    /// <exception cref="InvalidOperationException">The file does not hold an offset: the message says what to do.</exception>
    public DemoClock(string file)
    {
        _file = file;
        _jumpedBefore = File.Exists(file) ? Read(file) : TimeSpan.Zero;
        _offset = _jumpedBefore.Ticks;
    }

    /// <summary>How far this clock is ahead of the system's.</summary>
    public TimeSpan Offset => new(Volatile.Read(ref _offset));

    /// <summary>Time passed on this clock since it was made; unlike the wall clock's it is never set back.</summary>
    private TimeSpan Elapsed => System.GetElapsedTime(_started) + Offset - _jumpedBefore;

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + Offset;

    /// <summary>Moves the clock forward.</summary>
    /// <exception cref="RejectedException">SLR-301, or SLR-916 beyond the year 2199.</exception>
    public void Advance(TimeSpan by)
    {
        lock (_moving)
            Move(by);
    }

    /// <summary>Moves the clock forward to an instant.</summary>
    /// <exception cref="RejectedException">SLR-301, or SLR-916 beyond the year 2199.</exception>
    public void MoveTo(DateTimeOffset instant)
    {
        lock (_moving)
            Move(instant - GetUtcNow());
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        var timer = new DemoTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private void Move(TimeSpan by)
    {
        if (by <= TimeSpan.Zero)
            throw new RejectedException(Rejections.ClockCannotGoBack);
        if (by >= Last - GetUtcNow())
            throw new RejectedException(Rejections.DateInvalid);
        var offset = Offset + by;
        // On disk first: what has been seen on this clock must never lie in the future again.
        Write(_file, offset);
        Volatile.Write(ref _offset, offset.Ticks);
        foreach (var timer in _armed.Keys)
            timer.Jumped();
    }

    private static TimeSpan Read(string file) =>
        TimeSpan.TryParseExact(File.ReadAllText(file).Trim(), "c", CultureInfo.InvariantCulture, out var offset) && offset >= TimeSpan.Zero
            ? offset
            : throw new InvalidOperationException($"The demo clock's file {file} holds no offset. Delete it together with the data folder to start afresh.");

    private static void Write(string file, TimeSpan offset)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
        var next = file + ".next";
        using (var stream = new FileStream(next, FileMode.Create, FileAccess.Write))
        {
            using var writer = new StreamWriter(stream, leaveOpen: true);
            writer.Write(offset.ToString("c", CultureInfo.InvariantCulture));
            writer.Flush();
            stream.Flush(flushToDisk: true);
        }
        File.Move(next, file, overwrite: true);
    }

    /// <summary>A system timer that is set anew at each jump. Only while armed does the clock know it, so a forgotten one leaks nothing.</summary>
    private sealed class DemoTimer : ITimer
    {
        private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(uint.MaxValue - 1);

        private readonly DemoClock _clock;
        private readonly TimerCallback _callback;
        private readonly object? _state;
        private readonly ITimer _timer;
        private readonly Lock _lock = new();
        private TimeSpan? _due;
        private TimeSpan _period;
        private bool _disposed;

        public DemoTimer(DemoClock clock, TimerCallback callback, object? state)
        {
            (_clock, _callback, _state) = (clock, callback, state);
            _timer = System.CreateTimer(static timer => ((DemoTimer)timer!).Tick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Check(dueTime, nameof(dueTime));
            Check(period, nameof(period));
            lock (_lock)
            {
                if (_disposed)
                    return false;
                // A period of zero means once, as with every timer.
                _period = period > TimeSpan.Zero ? period : Timeout.InfiniteTimeSpan;
                if (dueTime == Timeout.InfiniteTimeSpan)
                    Disarm();
                else
                    Arm(_clock.Elapsed + dueTime);
                return true;
            }
        }

        public void Jumped()
        {
            lock (_lock)
            {
                if (_due is { } due)
                    Wait(due);
            }
        }

        public void Dispose()
        {
            lock (_lock)
            {
                _disposed = true;
                Disarm();
            }
            _timer.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return _timer.DisposeAsync();
        }

        private void Tick()
        {
            lock (_lock)
            {
                if (_due is not { } due)
                    return;
                var now = _clock.Elapsed;
                if (now < due)
                {
                    // An earlier setting's tick, or a system timer a fraction of a millisecond early.
                    Wait(due);
                    return;
                }
                if (_period == Timeout.InfiniteTimeSpan)
                    Disarm();
                else
                    // Periods that a jump went over are one tick, not a burst of ticks.
                    Arm(due + _period > now ? due + _period : now + _period);
            }
            _callback(_state);
        }

        private void Arm(TimeSpan due)
        {
            _due = due;
            // Known to the clock first: a jump from here on sets it anew, one before is in the time left that Wait reads.
            _clock._armed[this] = true;
            Wait(due);
        }

        private void Disarm()
        {
            _due = null;
            _clock._armed.TryRemove(this, out _);
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        private void Wait(TimeSpan due)
        {
            var left = due - _clock.Elapsed;
            var whole = left > TimeSpan.Zero ? TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds)) : TimeSpan.Zero;
            _timer.Change(whole < Longest ? whole : Longest, Timeout.InfiniteTimeSpan);
        }

        private static void Check(TimeSpan time, string name)
        {
            if (time != Timeout.InfiniteTimeSpan)
            {
                ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero, name);
                ArgumentOutOfRangeException.ThrowIfGreaterThan(time, Longest, name);
            }
        }
    }
}
