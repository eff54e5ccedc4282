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

    /// <summary>Adds entries just committed.</summary>
    public void Add(IReadOnlyList<JournalEntry> entries)
    {
        if (entries.Count == 0)
            return;
        lock (_lock)
        {
            foreach (var entry in entries)
                _ring[entry.Position % Capacity] = entry;
            _head = entries[^1].Position;
            _oldest = Math.Max(_oldest, _head - Capacity + 1);
        }
        Wake();
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
