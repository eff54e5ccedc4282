using System.Collections.Frozen;
using Sloring.Contracts;
using Sloring.Contracts.Registration.V1;

namespace Sloring.Client;

/// <summary>
/// What a watch has told so far, and what each further message means. No I/O and no clock: the same messages with the same time stamps give
/// the same pictures. Fed by one task; what it hands out is immutable.
/// </summary>
/// <param name="ticksPerSecond">Of the time stamps it is given.</param>
internal sealed class MaskingFeed(long ticksPerSecond)
{
    private readonly List<PictureChange> _changes = [];
    private Snapshot? _snapshot;
    private ReadOnlyMemory<byte> _secret;
    private string _feedId = "";
    private bool _welcomed;
    private long _openedAt;
    private long _takenAtMs;

    /// <summary>The last whole picture with its age; null until the first snapshot is complete.</summary>
    public FeedView? View { get; private set; }

    /// <summary>What to ask for on the next connection: a resumed feed, or after a fault a new snapshot.</summary>
    public WatchMaskingsRequest Request() => View is null || _feedId.Length == 0
        ? new WatchMaskingsRequest()
        : new WatchMaskingsRequest { FeedId = _feedId, AfterPosition = View.Picture.Position };

    /// <summary>A new connection is being opened: the next message must be a welcome.</summary>
    /// <param name="at">Before the request is sent, a time stamp of the monotonic clock.</param>
    public void Connected(long at) => (_welcomed, _snapshot, _openedAt) = (false, null, at);

    /// <summary>Takes in one message.</summary>
    /// <param name="message">The message.</param>
    /// <param name="at">When it came, a time stamp of the monotonic clock.</param>
    /// <returns>What changed; empty for most messages.</returns>
    /// <exception cref="FeedFaultException">The picture can no longer be trusted to be whole: connect again, with a new snapshot.</exception>
    public IReadOnlyList<PictureChange> Apply(WatchMaskingsResponse message, long at)
    {
        _changes.Clear();
        try
        {
            switch (message.MessageCase)
            {
                case WatchMaskingsResponse.MessageOneofCase.Welcome when !_welcomed:
                    Apply(message.Welcome, at);
                    break;
                case WatchMaskingsResponse.MessageOneofCase.Snapshot when _snapshot is not null:
                    Apply(message.Snapshot, _snapshot);
                    break;
                case WatchMaskingsResponse.MessageOneofCase.Changes when _welcomed && _snapshot is null && View is not null:
                    Apply(message.Changes, View);
                    break;
                case WatchMaskingsResponse.MessageOneofCase.Heartbeat when _welcomed && _snapshot is not null:
                    break; // says nothing about a picture that is not there yet
                case WatchMaskingsResponse.MessageOneofCase.Heartbeat when _welcomed && View is not null:
                    Apply(message.Heartbeat, View, at);
                    break;
                default:
                    throw new FeedFaultException($"{message.MessageCase} was not expected here.");
            }
        }
        catch
        {
            _feedId = "";
            throw;
        }
        return _changes;
    }

    private void Apply(Welcome welcome, long at)
    {
        (_welcomed, _takenAtMs) = (true, welcome.MonotonicMs);
        if (welcome.PatientKeySecret.IsEmpty)
            throw new FeedFaultException("The welcome brought no key.");
        if (!welcome.Resumed)
            _snapshot = new Snapshot(welcome, at);
        else if (View is null || welcome.FeedId != _feedId || !welcome.PatientKeySecret.Span.SequenceEqual(_secret.Span))
            throw new FeedFaultException("Another feed was resumed than the one asked for.");
    }

    private void Apply(SnapshotPart part, Snapshot snapshot)
    {
        snapshot.Maskings.AddRange(part.Maskings.Select(ToMasking));
        snapshot.Units.AddRange(part.Units.Where(u => !u.Removed).Select(ToUnit));
        if (!part.Last)
            return;
        var picture = new MaskingPicture(
            MaskingIndex.FromSnapshot(snapshot.Maskings), MaskedUnits.FromSnapshot(snapshot.Units), part.Position, snapshot.Secret, snapshot.Only,
            part.Replaced.Count == 0 ? null : part.Replaced.ToFrozenDictionary(one => new CvrNumber(one.Cvr), one => new CvrNumber(one.ByCvr)));
        TellDifference(picture, sameKeys: snapshot.Secret.Span.SequenceEqual(_secret.Span));
        (_feedId, _secret, _snapshot) = (snapshot.FeedId, snapshot.Secret, null);
        // As old as the request: what was committed while the parts were read and travelled is not in it.
        View = new FeedView(picture, _openedAt, snapshot.ServerTimeMs, snapshot.WelcomedAt);
    }

    private void Apply(Changes changes, FeedView view)
    {
        if (changes.Position < view.Picture.Position)
            throw new FeedFaultException("The position went backwards.");
        var maskings = changes.Maskings.Select(ToMasking).ToArray();
        var units = view.Picture.Units;
        foreach (var unit in changes.Units)
            units = unit.Removed ? units.Without(unit.UnitMaskingId) : units.With(ToUnit(unit));
        _changes.AddRange(maskings.Select(PictureChange.Of));
        _changes.AddRange(changes.Units.Select(u => PictureChange.OfUnit(new CvrNumber(u.Cvr), u.Removed)));
        View = view with { Picture = view.Picture.With(view.Picture.Index.With(maskings), units, changes.Position) };
    }

    /// <summary>Only a heartbeat renews the picture's age: changes may be the tail of a long backlog, a heartbeat says that there is none.</summary>
    private void Apply(Heartbeat heartbeat, FeedView view, long at)
    {
        if (heartbeat.Position > view.Picture.Position)
            throw new FeedFaultException("A change was missed.");
        View = new FeedView(view.Picture, Math.Max(view.WholeAt, WholeAt(heartbeat, at)), heartbeat.ServerTimeMs, at);
    }

    /// <summary>
    /// The instant that a heartbeat vouches for, by this side's clock: the server took the request after this side had opened the connection,
    /// and what has passed over there since has passed here. Never later than the message came.
    /// </summary>
    private long WholeAt(Heartbeat heartbeat, long at) => heartbeat.WholeAtMs == 0 || _takenAtMs == 0
        ? at
        : Math.Min(at, _openedAt + (long)((heartbeat.WholeAtMs - _takenAtMs) / 1_000.0 * ticksPerSecond));

    /// <summary>What a new snapshot changes of the picture before it. Nothing before the first: whoever starts reads the picture.</summary>
    private void TellDifference(MaskingPicture later, bool sameKeys)
    {
        if (View is null)
            return;
        var before = View.Picture;
        _changes.AddRange((sameKeys ? before.Index.ChangesTo(later.Index) : later.Index.All()).Select(PictureChange.Of));
        _changes.AddRange(later.Units.All.Where(u => before.Units.Find(u.Id) is null).Select(u => PictureChange.OfUnit(u.Cvr, removed: false)));
        _changes.AddRange(before.Units.All.Where(u => later.Units.Find(u.Id) is null).Select(u => PictureChange.OfUnit(u.Cvr, removed: true)));
    }

    private static PatientMasking ToMasking(MaskingChange change) =>
        new(new PatientKey(change.PatientHigh, change.PatientLow), new CvrNumber(change.Cvr), change.EndsAtMs);

    private static UnitMasking ToUnit(UnitChange unit) => new(unit.UnitMaskingId, new CvrNumber(unit.Cvr), [.. unit.SorIds], unit.ShakPrefix);

    private sealed class Snapshot(Welcome welcome, long welcomedAt)
    {
        public string FeedId { get; } = welcome.FeedId;
        public ReadOnlyMemory<byte> Secret { get; } = welcome.PatientKeySecret.ToByteArray();
        public long ServerTimeMs { get; } = welcome.ServerTimeMs;
        public CvrNumber? Only { get; } = welcome.OnlyCvr == 0 ? null : new CvrNumber(welcome.OnlyCvr);
        public long WelcomedAt { get; } = welcomedAt;
        public List<PatientMasking> Maskings { get; } = [];
        public List<UnitMasking> Units { get; } = [];
    }
}

/// <summary>A whole picture and how old it is.</summary>
/// <param name="Picture">What is masked.</param>
/// <param name="WholeAt">When the picture was last known to be whole, a time stamp of the monotonic clock.</param>
/// <param name="ServerTimeMs">The server's clock when it last told it.</param>
/// <param name="ToldAt">When that came, a time stamp of the monotonic clock.</param>
internal sealed record FeedView(MaskingPicture Picture, long WholeAt, long ServerTimeMs, long ToldAt)
{
    public TimeSpan Age(TimeProvider clock) => clock.GetElapsedTime(WholeAt);

    /// <summary>The server's clock carried on by the monotonic one: a wrong clock on this machine neither prolongs nor shortens a masking.</summary>
    public long NowMs(TimeProvider clock) => ServerTimeMs + (long)clock.GetElapsedTime(ToldAt).TotalMilliseconds;
}

/// <summary>The feed broke its protocol or left something out.</summary>
internal sealed class FeedFaultException(string message) : Exception(message);
