using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Sloring.Contracts;
using Sloring.Contracts.Registration.V1;
using Sloring.Registration.Domain;
using Xunit;
using static Sloring.Tests.Service.Registration.RegistrationHost;

namespace Sloring.Tests.Service.Registration;

public sealed class WatchMaskingsTests(RegistrationHost host) : IClassFixture<RegistrationHost>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact] // E6, E8
    public async Task Changes_ArriveInOrderUnderThePlatformsKey()
    {
        using var watch = await Open("effectuation");
        var request = Requests.Activation();
        var activated = await host.Client.ActivateAsync(request, await host.As("worker"));
        var renewed = await host.Client.RenewAsync(new RenewRequest { MaskingId = activated.MaskingId, ExtendsEnd = activated.EndsAt, DecidedBy = "lis" }, await host.As("effectuation"));
        var ended = await host.Client.EndAsync(new EndRequest { MaskingId = activated.MaskingId, Reason = "x" }, await host.As("leader"));

        var changes = await watch.ReadTo(ended.Position);

        var key = host.Patients.Of(request.Cpr());
        Assert.Equal(key, PatientKey.Compute(watch.Secret, request.Cpr()));
        Assert.Equal(
            [Ms(activated.EndsAt), Ms(renewed.EndsAt), 0],
            changes.Maskings.Where(m => (m.PatientHigh, m.PatientLow) == (key.High, key.Low)).Select(m => m.EndsAtMs));
        Assert.All(changes.Maskings, m => Assert.Equal(29190623u, m.Cvr));
    }

    [Fact] // E8
    public async Task DataSource_SeesItsOwnOrganisationUnderItsOwnKey()
    {
        var cpr = NewPatient();
        var before = await host.Client.ActivateAsync(Requests.Activation(cpr), await host.As("worker"));
        await host.Client.ActivateAsync(Requests.Activation(cpr), await host.As("other-leader"));
        using var one = await Open("source-1");
        using var two = await Open("source-2");
        using var other = await Open("other-source");
        var later = Requests.Activation();
        var activated = await host.Client.ActivateAsync(later, await host.As("worker"));
        var ended = await host.Client.EndAsync(new EndRequest { MaskingId = before.MaskingId, Reason = "x" }, await host.As("leader"));

        var changesOne = await one.ReadTo(ended.Position);
        var changesTwo = await two.ReadTo(ended.Position);
        var changesOther = await other.ReadTo(ended.Position);

        var masked = CprNumber.Parse(cpr);
        Assert.Contains(one.Snapshot, m => Is(m, PatientKey.Compute(one.Secret, masked)));
        Assert.Contains(two.Snapshot, m => Is(m, PatientKey.Compute(two.Secret, masked)));
        Assert.Contains(other.Snapshot, m => Is(m, PatientKey.Compute(other.Secret, masked)));
        Assert.Contains(changesOne.Maskings, m => Is(m, PatientKey.Compute(one.Secret, later.Cpr())) && m.EndsAtMs == Ms(activated.EndsAt));
        // An end does not carry the CPR number: it must come under the client's key all the same.
        Assert.Contains(changesOne.Maskings, m => Is(m, PatientKey.Compute(one.Secret, masked)) && m.EndsAtMs == 0);
        Assert.Contains(changesTwo.Maskings, m => Is(m, PatientKey.Compute(two.Secret, masked)) && m.EndsAtMs == 0);
        Assert.Empty(changesOther.Maskings);
        Assert.All(one.Snapshot.Concat(changesOne.Maskings), m => Assert.Equal(29190623u, m.Cvr));
        Assert.All(other.Snapshot, m => Assert.Equal(64942212u, m.Cvr));
        // Two clients cannot compare their lists, and neither can be compared with the platform's.
        Assert.Empty(Keys(one.Snapshot).Intersect(Keys(two.Snapshot)));
        Assert.NotEqual(host.Patients.PlatformFeedSecret, one.Secret);
    }

    [Fact] // E8
    public async Task OthersMayNotWatch()
    {
        using var call = host.Client.WatchMaskings(new WatchMaskingsRequest(), await host.As("worker"));
        Assert.Equal("SLR-902", await Rejected(() => call.ResponseStream.MoveNext(Cancel)));
    }

    [Fact]
    public async Task Snapshot_ComesInPartsOfOnePosition()
    {
        var end = host.Clock.GetUtcNow().AddDays(1);
        await host.Store.Write("test", scope =>
        {
            for (var i = 0ul; i < 2_300; i++)
                scope.Db.Maskings.Add(Row(new PatientKey(4_711, i), i % 100 == 0 ? host.Clock.GetUtcNow().AddDays(-1) : end));
            return Task.CompletedTask;
        }, Cancel);

        using var watch = await Open("effectuation");

        Assert.All(watch.Parts, part => Assert.InRange(part.Maskings.Count, 0, 1_000));
        Assert.Single(watch.Parts.Select(part => part.Position).Distinct());
        Assert.True(watch.Parts[^1].Last);
        Assert.DoesNotContain(watch.Parts.SkipLast(1), part => part.Last);
        // What has ended by the clock is not in it, although no deadline has fired (M6).
        Assert.Equal(2_277, watch.Snapshot.Count(m => m.PatientHigh == 4_711));
    }

    [Fact]
    public async Task Heartbeats_FollowWhatHasBeenSent()
    {
        using var watch = await Open("effectuation");
        var first = await watch.NextHeartbeat();
        // Audit entries move the journal on without changing what is masked.
        await host.Client.ListMaskingsAsync(new ListMaskingsRequest(), await host.As("leader"));
        var head = host.Store.Tail.Head;
        var second = await watch.NextHeartbeat();
        if (second.Position < head)
            second = await watch.NextHeartbeat();

        Assert.True(first.Position < head);
        Assert.True(second.Position >= head);
        Assert.True(watch.Position >= second.Position, "A heartbeat must not be ahead of what was sent.");
        Assert.InRange(second.ServerTimeMs, first.ServerTimeMs, host.Clock.GetUtcNow().ToUnixTimeMilliseconds());
    }

    [Fact]
    public async Task Reconnect_ResumesWhereTheFeedIsTheSame()
    {
        var first = await Open("effectuation");
        await first.NextHeartbeat();
        first.Dispose();
        var missed = Requests.Activation();
        var activated = await host.Client.ActivateAsync(missed, await host.As("worker"));

        using var resumed = await Open("effectuation", first.FeedId, first.Position);
        using var otherFeed = await Open("effectuation", "0123", first.Position);
        using var otherScope = await Open("source-1", first.FeedId, first.Position);
        using var beyond = await Open("effectuation", first.FeedId, host.Store.Tail.Head + 1_000);

        Assert.True(resumed.Resumed);
        Assert.Empty(resumed.Parts);
        Assert.Contains((await resumed.ReadTo(activated.Position)).Maskings, m => Is(m, host.Patients.Of(missed.Cpr())));
        Assert.All([otherFeed, otherScope, beyond], watch => Assert.False(watch.Resumed));
        Assert.All([otherFeed, otherScope, beyond], watch => Assert.True(watch.Parts[^1].Last));
    }

    [Fact] // D1, D4
    public async Task Units_AreInTheSnapshotAndTheChanges()
    {
        using var early = await Open("effectuation");
        var unit = await host.Client.NominateUnitAsync(Requests.Nomination(shak: "139920"), await host.As("management"));
        await host.Client.ReviewUnitAsync(new ReviewUnitRequest { UnitMaskingId = unit.Unit.UnitMaskingId, Review = Review.Recommended }, await host.As("region"));
        var confirmed = await host.Client.ConfirmUnitAsync(new ConfirmUnitRequest { UnitMaskingId = unit.Unit.UnitMaskingId }, await host.As("national"));
        using var late = await Open("effectuation");
        using var elsewhere = await Open("other-source");
        var removed = await host.Client.RemoveUnitAsync(new RemoveUnitRequest { UnitMaskingId = unit.Unit.UnitMaskingId, Reason = "x" }, await host.As("region"));

        var started = Assert.Single((await early.ReadTo(confirmed.Position)).Units);
        var known = Assert.Single(late.Units);
        var ended = Assert.Single((await late.ReadTo(removed.Position)).Units);

        Assert.Equal(started, known);
        Assert.Equal(["1000201000016005", "1000211000016007"], started.SorIds);
        Assert.Equal(("139920", 29190623u, false), (started.ShakPrefix, started.Cvr, started.Removed));
        Assert.Equal((started.UnitMaskingId, true), (ended.UnitMaskingId, ended.Removed));
        Assert.Empty(elsewhere.Units);
    }

    [Fact] // O3
    public async Task Opening_IsAudited()
    {
        var head = host.Store.Tail.Head;
        using var watch = await Open("other-source");
        var entry = (await host.Store.Query(all => all.Where(e => e.Position > head && e.Type == "audit.masking-read.v1" && e.Actor == "other-source"), Cancel)).First();
        Assert.Contains("WatchMaskings", entry.Data, StringComparison.Ordinal);
    }

    private static MaskingOrder Row(PatientKey patient, DateTimeOffset endsAt) => new()
    {
        MaskingId = Guid.NewGuid(),
        DeadlineId = Guid.NewGuid(),
        Patient = patient,
        SealedCpr = "none",
        Cvr = CvrNumber.Parse("25469364"),
        Trigger = Trigger.Violence,
        BehaviourOn = new DateOnly(2025, 1, 1),
        ActivatedAt = endsAt.AddDays(-90),
        ActivatedBy = "x",
        EndsAt = endsAt,
    };

    private static bool Is(MaskingChange change, PatientKey key) => (change.PatientHigh, change.PatientLow) == (key.High, key.Low);

    private static IEnumerable<(ulong, ulong)> Keys(IEnumerable<MaskingChange> changes) => changes.Select(m => (m.PatientHigh, m.PatientLow));

    private static long Ms(Timestamp timestamp) => timestamp.ToDateTimeOffset().ToUnixTimeMilliseconds();

    private async Task<Watch> Open(string persona, string feedId = "", long after = 0)
    {
        var watch = new Watch(host.Client.WatchMaskings(new WatchMaskingsRequest { FeedId = feedId, AfterPosition = after }, await host.As(persona)), after);
        await watch.Start();
        return watch;
    }

    /// <summary>What a watcher has been sent.</summary>
    private sealed class Watch(AsyncServerStreamingCall<WatchMaskingsResponse> call, long position) : IDisposable
    {
        public string FeedId { get; private set; } = "";

        public byte[] Secret { get; private set; } = [];

        public bool Resumed { get; private set; }

        public long Position { get; private set; } = position;

        public List<SnapshotPart> Parts { get; } = [];

        public IReadOnlyList<MaskingChange> Snapshot => [.. Parts.SelectMany(part => part.Maskings)];

        public IReadOnlyList<UnitChange> Units => [.. Parts.SelectMany(part => part.Units)];

        public async Task Start()
        {
            using var limit = Limit();
            var welcome = (await Next(limit.Token)).Welcome;
            (FeedId, Secret, Resumed) = (welcome.FeedId, welcome.PatientKeySecret.ToByteArray(), welcome.Resumed);
            while (!Resumed && Parts is not [.., { Last: true }])
                Parts.Add((await Next(limit.Token)).Snapshot);
            if (!Resumed)
                Position = Parts[^1].Position;
        }

        public async Task<Changes> ReadTo(long reached)
        {
            using var limit = Limit();
            var all = new Changes();
            while (Position < reached)
                if (await Next(limit.Token) is { Changes: { } changes })
                    all.MergeFrom(changes);
            return all;
        }

        public async Task<Heartbeat> NextHeartbeat()
        {
            using var limit = Limit();
            while (true)
                if (await Next(limit.Token) is { Heartbeat: { } heartbeat })
                    return heartbeat;
        }

        public void Dispose() => call.Dispose();

        private static CancellationTokenSource Limit()
        {
            var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
            limit.CancelAfter(TimeSpan.FromSeconds(20));
            return limit;
        }

        private async Task<WatchMaskingsResponse> Next(CancellationToken limit)
        {
            Assert.True(await call.ResponseStream.MoveNext(limit));
            var message = call.ResponseStream.Current;
            if (message.Changes is { } changes)
            {
                Assert.True(changes.Position > Position, "Changes must move on.");
                Position = changes.Position;
            }
            return message;
        }
    }
}
