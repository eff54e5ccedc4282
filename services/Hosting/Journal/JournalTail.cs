namespace Sloring.Hosting;

/// <summary>
/// The last entries of a journal in memory, in commit order, and the signal that there are more: what relay, watchers and healing
/// read on from, without a query per reader and change.
/// </summary>
public sealed class JournalTail
{
    private const int Capacity = 8_192;
    private readonly JournalEntry?[] _ring = new JournalEntry?[Capacity];
    private readonly Lock _lock = new();
    private long _oldest;
    private long _head;
    private long? _wholeAt;
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Position of the last committed entry.</summary>
    public long Head => Volatile.Read(ref _head);

    /// <summary>Starts from what the database holds; anew after a commit whose outcome was unknown.</summary>
    public void StartAt(long head)
    {
        lock (_lock)
        {
            _head = head;
            _oldest = head + 1;
        }
        Wake();
    }

    /// <summary>
    /// Adds committed entries. Those already here are passed over; those behind a gap as well: another process has appended what lies
    /// between, and all of it comes when the journal is caught up with.
    /// </summary>
    public void Add(IReadOnlyList<JournalEntry> entries)
    {
        lock (_lock)
        {
            var before = _head;
            foreach (var entry in entries)
            {
                if (entry.Position != _head + 1)
                    continue;
                _ring[entry.Position % Capacity] = entry;
                _head = entry.Position;
            }
            if (_head == before)
                return;
            _oldest = Math.Max(_oldest, _head - Capacity + 1);
        }
        Wake();
    }

    /// <summary>Forgets the entries up to a position, which are erased.</summary>
    public void Forget(long upTo)
    {
        lock (_lock)
        {
            for (; _oldest <= Math.Min(upTo, _head); _oldest++)
                _ring[_oldest % Capacity] = null;
        }
    }

    /// <summary>Everything committed before an instant is here now.</summary>
    /// <param name="at">A time stamp of the monotonic clock.</param>
    public void WholeAt(long at)
    {
        lock (_lock)
            _wholeAt = Math.Max(_wholeAt ?? at, at);
    }

    /// <summary>How long ago everything committed was here for certain; zero where only this process appends.</summary>
    public TimeSpan Age(TimeProvider clock)
    {
        lock (_lock)
            return _wholeAt is { } at ? clock.GetElapsedTime(at) : TimeSpan.Zero;
    }

    private void Wake() =>
        Interlocked.Exchange(ref _more, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();

    /// <summary>The entries after a position, or null when they reach further back than memory does.</summary>
    public IReadOnlyList<JournalEntry>? After(long position, int limit)
    {
        lock (_lock)
        {
            if (position >= _head)
                return [];
            if (position + 1 < _oldest)
                return null;
            var count = (int)Math.Min(limit, _head - position);
            var entries = new JournalEntry[count];
            for (var i = 0; i < count; i++)
                entries[i] = _ring[(position + 1 + i) % Capacity]!;
            return entries;
        }
    }

    /// <summary>Completes once the head is beyond a position.</summary>
    public Task WaitBeyond(long position, CancellationToken cancel)
    {
        lock (_lock)
            return _head > position ? Task.CompletedTask : _more.Task.WaitAsync(cancel);
    }
}
