using Microsoft.EntityFrameworkCore;
using Sloring.Contracts.Registration.V1;
using Xunit;

namespace Sloring.Tests.Service.Registration;

/// <summary>Maskings and department maskings that ended long ago are erased with all that belongs to them, and whoever watches misses nothing.</summary>
public sealed class ErasedMaskingsTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact] // M6, M9
    public async Task RetentionOver_WhatEndedIsErased_AndARepeatAnswersTheSameUntilThen()
    {
        await using var host = new RegistrationHost();
        await host.Start(("Retention:CaseYears", "2"));
        var request = Requests.Activation();
        var ended = await host.Client.ActivateAsync(request, await host.As("worker"));
        await host.Client.RenewAsync(new RenewRequest { MaskingId = ended.MaskingId, ExtendsEnd = ended.EndsAt, DecidedBy = "lis" }, await host.As("effectuation"));
        await host.Client.EndAsync(new EndRequest { MaskingId = ended.MaskingId, Reason = "x" }, await host.As("leader"));
        // Its end has come by the clock when the others are erased, but Scheduler has not told it.
        var untold = await host.Client.ActivateAsync(Requests.Activation(), await host.As("worker"));
        var refused = await host.Client.NominateUnitAsync(Requests.Nomination("1000101000016003"), await host.As("management"));
        await host.Client.ReviewUnitAsync(new ReviewUnitRequest { UnitMaskingId = refused.Unit.UnitMaskingId, Review = Review.Refused, Reason = "x" }, await host.As("region"));
        var nominated = await host.Client.NominateUnitAsync(Requests.Nomination("1000101000016003"), await host.As("management"));

        host.MoveOn(TimeSpan.FromDays(700));
        await host.Erase();
        Assert.Equal(ended, await host.Client.ActivateAsync(request, await host.As("worker")));
        Assert.Equal((2, 1, 2, 4), await Rows(host));

        host.MoveOn(TimeSpan.FromDays(40));
        await host.Erase();
        Assert.Equal((1, 0, 1, 2), await Rows(host));
        Assert.Equal(untold.MaskingId, Assert.Single((await host.Client.ListMaskingsAsync(new ListMaskingsRequest(), await host.As("leader"))).Maskings).MaskingId);
        Assert.Equal(nominated.Unit.UnitMaskingId, Assert.Single((await host.Client.ListUnitsAsync(new ListUnitsRequest(), await host.As("region"))).Units).UnitMaskingId);
        Assert.Equal("SLR-109", await host.Refuses("leader", (client, options) => client.EndAsync(new EndRequest { MaskingId = ended.MaskingId, Reason = "x" }, options)));
        Assert.NotEqual(ended.MaskingId, (await host.Client.ActivateAsync(request, await host.As("worker"))).MaskingId);
    }

    [Fact] // E6, E7
    public async Task WhoResumesFromBeforeAnErasure_GetsANewSnapshotOfTheSameFeed()
    {
        await using var host = new RegistrationHost();
        await host.Start(("Retention:CaseYears", "1"), ("Retention:JournalYears", "1"));
        var activated = await host.Client.ActivateAsync(Requests.Activation(), await host.As("worker"));
        var (feed, _) = await Open(host, "", 0);
        await host.Client.EndAsync(new EndRequest { MaskingId = activated.MaskingId, Reason = "x" }, await host.As("leader"));
        Assert.Equal((feed, true), await Open(host, feed, activated.Position));

        host.MoveOn(TimeSpan.FromDays(400));
        await host.Erase();
        // Its end stands in the journal still, but under which key it is to be told nobody knows any more.
        Assert.Equal((feed, false), await Open(host, feed, activated.Position));
        await RegistrationHost.Until(async () =>
        {
            await host.Erase();
            return (await host.Store.Query(all => all.OrderBy(e => e.Position).Take(1), Cancel))[0].Position > activated.Position + 1;
        });
        Assert.Equal((feed, false), await Open(host, feed, activated.Position));
        Assert.Equal((feed, true), await Open(host, feed, host.Store.Tail.Head));
    }

    private static async Task<(string Feed, bool Resumed)> Open(RegistrationHost host, string feed, long after)
    {
        using var call = host.Client.WatchMaskings(new WatchMaskingsRequest { FeedId = feed, AfterPosition = after }, await host.As("source-1"));
        Assert.True(await call.ResponseStream.MoveNext(Cancel));
        return (call.ResponseStream.Current.Welcome.FeedId, call.ResponseStream.Current.Welcome.Resumed);
    }

    private static Task<(int Maskings, int Renewals, int Units, int Accepted)> Rows(RegistrationHost host) => host.Store.Read(
        async db => (await db.Maskings.CountAsync(Cancel), await db.Renewals.CountAsync(Cancel), await db.Units.CountAsync(Cancel), await db.Accepted.CountAsync(Cancel)), Cancel);
}
