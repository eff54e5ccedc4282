using Google.Protobuf;
using Sloring.Client;
using Sloring.Contracts;
using Sloring.Contracts.Registration.V1;
using Xunit;

namespace Sloring.Tests.Unit.Client;

public sealed class MaskingFeedTests
{
    private const uint North = 33257872;
    private static readonly PatientKey Anna = new(1UL << 60, 1);
    private static readonly PatientKey Bo = new(2UL << 60, 2);

    private readonly MaskingFeed _feed = new(ticksPerSecond: 1_000);

    [Fact]
    public void There_is_no_picture_until_the_last_part_of_the_snapshot() // E7
    {
        _feed.Connected(at: 8);
        _feed.Apply(Welcome(), at: 10);
        _feed.Apply(Snapshot(5, last: false, Ends(Anna, 100)), at: 11);
        _feed.Apply(Heartbeat(9), at: 12);
        Assert.Null(_feed.View);

        var changes = _feed.Apply(Snapshot(5, last: true, Ends(Bo, 200)), at: 13);

        Assert.Equal(5, _feed.View!.Picture.Position);
        Assert.Equal(2, _feed.View.Picture.Index.Count);
        Assert.Equal((8, 1_000, 10), (_feed.View.WholeAt, _feed.View.ServerTimeMs, _feed.View.ToldAt)); // as old as the request
        Assert.Empty(changes);
    }

    [Fact]
    public void Changes_are_applied_and_told_and_do_not_renew_the_age() // E6
    {
        Start(Ends(Anna, 100));

        var changes = _feed.Apply(Changes(6, Ends(Anna, 0), Ends(Bo, 300)), at: 20);

        Assert.Equal([new PictureChange(new CvrNumber(North), Anna, 0), new PictureChange(new CvrNumber(North), Bo, 300)], changes);
        Assert.Equal(6, _feed.View!.Picture.Position);
        Assert.Equal(0, _feed.View.Picture.Index.EndsAt(Anna, new CvrNumber(North)));
        Assert.Equal(300, _feed.View.Picture.Index.EndsAt(Bo, new CvrNumber(North)));
        Assert.Equal(10, _feed.View.WholeAt);
    }

    [Fact]
    public void Heartbeat_renews_age_and_server_time()
    {
        Start();
        _feed.Apply(Heartbeat(5, serverTimeMs: 7_000), at: 30);

        Assert.Equal((30, 7_000), (_feed.View!.WholeAt, _feed.View.ServerTimeMs));
    }

    [Fact]
    public void Heartbeat_that_was_held_up_makes_no_old_picture_look_new() // E7
    {
        _feed.Connected(at: 10);
        _feed.Apply(Welcome(monotonicMs: 500_000), at: 12);
        _feed.Apply(Snapshot(5, last: true), at: 12);

        _feed.Apply(Heartbeat(5, wholeAtMs: 501_000), at: 1_015);
        Assert.Equal(1_010, _feed.View!.WholeAt); // as much later than the request as it was over there

        _feed.Apply(Heartbeat(5, serverTimeMs: 9_000, wholeAtMs: 502_000), at: 32_000);
        Assert.Equal((2_010, 9_000, 32_000), (_feed.View!.WholeAt, _feed.View.ServerTimeMs, _feed.View.ToldAt));

        _feed.Apply(Heartbeat(5, wholeAtMs: 501_500), at: 32_100);
        Assert.Equal(2_010, _feed.View!.WholeAt); // what was vouched for once stays so

        _feed.Apply(Heartbeat(5, wholeAtMs: 900_000), at: 33_000);
        Assert.Equal(33_000, _feed.View!.WholeAt); // never later than it came
    }

    [Fact]
    public void Heartbeat_beyond_what_was_applied_asks_for_a_new_snapshot()
    {
        Start();
        Assert.Equal(new WatchMaskingsRequest { FeedId = "feed", AfterPosition = 5 }, _feed.Request());

        Assert.Throws<FeedFaultException>(() => _feed.Apply(Heartbeat(6), at: 30));

        Assert.Equal(10, _feed.View!.WholeAt); // the picture only ages
        Assert.Equal(new WatchMaskingsRequest(), _feed.Request());
    }

    [Fact]
    public void Units_come_and_go() // D1, E6
    {
        Start();
        var changes = _feed.Apply(Units(6, new UnitChange { UnitMaskingId = "u", Cvr = North, SorIds = { "672281000016001" } }), at: 20);
        Assert.Equal([new PictureChange(new CvrNumber(North), null, long.MaxValue)], changes);
        Assert.True(_feed.View!.Picture.Units.Covers("672281000016001", ""));

        changes = _feed.Apply(Units(7, new UnitChange { UnitMaskingId = "u", Cvr = North, Removed = true }), at: 21);
        Assert.Equal([new PictureChange(new CvrNumber(North), null, 0)], changes);
        Assert.False(_feed.View!.Picture.Units.Covers("672281000016001", ""));
    }

    [Fact]
    public void Resumed_feed_goes_on_from_its_picture_and_is_not_fresh_before_a_heartbeat()
    {
        Start(Ends(Anna, 100));
        _feed.Connected(at: 49);
        _feed.Apply(Welcome(resumed: true), at: 50);
        _feed.Apply(Changes(9, Ends(Bo, 200)), at: 51);
        Assert.Equal((9, 10), (_feed.View!.Picture.Position, _feed.View.WholeAt));

        _feed.Apply(Heartbeat(9), at: 52);

        Assert.Equal((2, 52), (_feed.View.Picture.Index.Count, _feed.View.WholeAt));
    }

    [Fact]
    public void New_snapshot_replaces_everything_and_tells_the_difference() // E6
    {
        Start(Ends(Anna, 100));
        _feed.Connected(at: 50);
        _feed.Apply(Welcome(), at: 50);
        Assert.Equal(1, _feed.View!.Picture.Index.Count); // the old picture stays, ageing, until the new one is whole

        var changes = _feed.Apply(Snapshot(8, last: true, Ends(Bo, 200)), at: 51);

        Assert.Equal([new PictureChange(new CvrNumber(North), Bo, 200), new PictureChange(new CvrNumber(North), Anna, 0)], changes);
        Assert.Equal((8, 50), (_feed.View.Picture.Position, _feed.View.WholeAt));
    }

    [Fact]
    public void Half_a_snapshot_is_forgotten_with_its_connection()
    {
        _feed.Apply(Welcome(), at: 10);
        _feed.Apply(Snapshot(5, last: false, Ends(Anna, 100)), at: 11);
        _feed.Connected(at: 20);
        _feed.Apply(Welcome(), at: 20);
        _feed.Apply(Snapshot(6, last: true, Ends(Bo, 100)), at: 21);

        Assert.Equal(0, _feed.View!.Picture.Index.EndsAt(Anna, new CvrNumber(North)));
    }

    [Fact]
    public void Messages_out_of_turn_are_faults()
    {
        foreach (var message in new[] { Heartbeat(1), Changes(1), Snapshot(1, last: true), Welcome(resumed: true), new WatchMaskingsResponse() })
            Assert.Throws<FeedFaultException>(() => new MaskingFeed(1_000).Apply(message, at: 1));
        Start();
        foreach (var message in new[] { Welcome(), Snapshot(1, last: true), Changes(4) })
            Assert.Throws<FeedFaultException>(() => _feed.Apply(message, at: 20));
        _feed.Connected(at: 20);
        Assert.Throws<FeedFaultException>(() => _feed.Apply(Welcome(resumed: true, secret: 9), at: 20));
    }

    [Fact]
    public void Masking_without_an_organisation_is_a_fault_that_asks_for_a_new_snapshot()
    {
        Start();
        Assert.Throws<ArgumentException>(() => _feed.Apply(Changes(6, new MaskingChange { PatientHigh = 1, EndsAtMs = 5 }), at: 20));
        Assert.Equal(new WatchMaskingsRequest(), _feed.Request());
    }

    private void Start(params MaskingChange[] maskings)
    {
        _feed.Connected(at: 10);
        _feed.Apply(Welcome(), at: 10);
        _feed.Apply(Snapshot(5, last: true, maskings), at: 12);
    }

    internal static WatchMaskingsResponse Welcome(bool resumed = false, byte secret = 1, long serverTimeMs = 1_000, long monotonicMs = 0) => new()
    {
        Welcome = new Welcome { FeedId = "feed", PatientKeySecret = ByteString.CopyFrom(secret), Resumed = resumed, ServerTimeMs = serverTimeMs, MonotonicMs = monotonicMs },
    };

    internal static WatchMaskingsResponse Snapshot(long position, bool last, params MaskingChange[] maskings) =>
        new() { Snapshot = new SnapshotPart { Position = position, Last = last, Maskings = { maskings } } };

    internal static WatchMaskingsResponse Changes(long position, params MaskingChange[] maskings) =>
        new() { Changes = new Changes { Position = position, Maskings = { maskings } } };

    internal static WatchMaskingsResponse Heartbeat(long position, long serverTimeMs = 2_000, long wholeAtMs = 0) =>
        new() { Heartbeat = new Heartbeat { Position = position, ServerTimeMs = serverTimeMs, WholeAtMs = wholeAtMs } };

    internal static MaskingChange Ends(PatientKey patient, long endsAtMs) =>
        new() { PatientHigh = patient.High, PatientLow = patient.Low, Cvr = North, EndsAtMs = endsAtMs };

    private static WatchMaskingsResponse Units(long position, UnitChange unit) => new() { Changes = new Changes { Position = position, Units = { unit } } };
}
