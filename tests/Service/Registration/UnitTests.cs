using Sloring.Contracts;
using Sloring.Contracts.Events;
using Sloring.Contracts.Registration.V1;
using Xunit;
using static Sloring.Tests.Service.Registration.RegistrationHost;

namespace Sloring.Tests.Service.Registration;

public sealed class UnitTests(RegistrationHost host) : IClassFixture<RegistrationHost>
{
    private const string Emergency = "1000101000016003";
    private const string Psychiatry = "1000201000016005";
    private const string ClosedWard = "1000211000016007";

    [Fact] // D1, D2, D3, D4
    public async Task Unit_GoesFromNominationToRemoval()
    {
        var request = Requests.Nomination(Emergency);
        var nominated = await host.Client.NominateUnitAsync(request, await host.As("management"));
        Assert.Equal((UnitState.Nominated, "Akutmodtagelsen", Region), (nominated.Unit.State, nominated.Unit.Name, nominated.Unit.Cvr));
        Assert.Equal(request.Grounds, nominated.Unit.Grounds);
        Assert.Equal(nominated, await host.Client.NominateUnitAsync(request, await host.As("management")));
        Assert.Equal("SLR-120", await host.Refuses(
            "management", (client, options) => client.NominateUnitAsync(Requests.Nomination(shak: "139910"), options)));
        var id = nominated.Unit.UnitMaskingId;

        Assert.Equal("SLR-122", await host.Refuses(
            "national", (client, options) => client.ConfirmUnitAsync(new ConfirmUnitRequest { UnitMaskingId = id }, options)));
        await host.Client.ReviewUnitAsync(new ReviewUnitRequest { UnitMaskingId = id, Review = Review.Recommended }, await host.As("region"));
        var confirmed = await host.Client.ConfirmUnitAsync(new ConfirmUnitRequest { UnitMaskingId = id }, await host.As("national"));
        Assert.Equal(UnitState.InForce, confirmed.Unit.State);
        Assert.Equal([Emergency, "1000111000016001", "1000121000016005"], confirmed.Unit.CoversSorIds);
        Assert.Equal(DanishTime.DayOf(host.Clock.GetUtcNow()).AddDays(365).ToString("yyyy-MM-dd", null), confirmed.Unit.ReviewOn);

        Assert.Equal("SLR-113", await host.Refuses(
            "management", (client, options) => client.RemoveUnitAsync(new RemoveUnitRequest { UnitMaskingId = id }, options)));
        Assert.Equal("SLR-121", await host.Refuses(
            "other-management", (client, options) => client.RemoveUnitAsync(new RemoveUnitRequest { UnitMaskingId = id, Reason = "x" }, options)));
        var removed = await host.Client.RemoveUnitAsync(new RemoveUnitRequest { UnitMaskingId = id, Reason = "Ro på." }, await host.As("management"));
        Assert.Equal(UnitState.Removed, removed.Unit.State);
        Assert.Equal(["nominated", "recommended", "in-force", "removed"], (await host.EventsOf(id)).OfType<UnitChanged>().Select(e => e.State));
        Assert.NotEqual(id, (await host.Client.NominateUnitAsync(Requests.Nomination(Emergency), await host.As("management"))).Unit.UnitMaskingId);
    }

    [Fact] // D2
    public async Task ReturnedUnit_MayBeNominatedAgain()
    {
        var first = await host.Client.NominateUnitAsync(Requests.Nomination(Psychiatry), await host.As("management"));
        var review = new ReviewUnitRequest { UnitMaskingId = first.Unit.UnitMaskingId, Review = Review.Returned };
        Assert.Equal("SLR-127", await host.Refuses("region", (client, options) => client.ReviewUnitAsync(review, options)));
        review.Reason = "Mangler tal.";
        await host.Client.ReviewUnitAsync(review, await host.As("region"));

        var second = await host.Client.NominateUnitAsync(Requests.Nomination(Psychiatry), await host.As("management"));

        Assert.Equal(UnitState.Nominated, second.Unit.State);
        var listed = await host.Client.ListUnitsAsync(new ListUnitsRequest { PageSize = 500 }, await host.As("national"));
        Assert.Equal(
            [(second.Unit.UnitMaskingId, UnitState.Nominated), (first.Unit.UnitMaskingId, UnitState.Returned)],
            listed.Units.Where(u => u.SorId == Psychiatry).Select(u => (u.UnitMaskingId, u.State)));
        Assert.DoesNotContain(
            (await host.Client.ListUnitsAsync(new ListUnitsRequest(), await host.As("other-management"))).Units, u => u.Cvr == Region);
    }

    [Theory] // D1, D2
    [InlineData("", "", "SLR-124")]
    [InlineData("1000101000016004", "", "SLR-912")]
    [InlineData("", "13991", "SLR-913")]
    [InlineData("441471000016000", "", "SLR-912")]
    [InlineData("", "9999", "SLR-124")]
    [InlineData("3000101000016008", "", "SLR-125")]
    [InlineData("1000011000016002", "", "SLR-126")]
    public async Task WrongUnit_IsRejected(string sorId, string shak, string code) => Assert.Equal(
        code, await host.Refuses("management", (client, options) => client.NominateUnitAsync(Requests.Nomination(sorId, shak), options)));

    [Fact] // D2
    public async Task WrongNominations_AreRejectedAndChangeNothing()
    {
        var head = host.Store.Tail.Head;
        var noGrounds = Requests.Nomination(ClosedWard);
        noGrounds.Grounds = null;
        Assert.Equal("SLR-123", await host.Refuses("management", (client, options) => client.NominateUnitAsync(noGrounds, options)));
        var longText = Requests.Nomination(ClosedWard);
        longText.Grounds.WorkplaceAssessment = new string('x', 201);
        Assert.Equal("SLR-905", await host.Refuses("management", (client, options) => client.NominateUnitAsync(longText, options)));
        Assert.Equal("SLR-902", await host.Refuses(
            "leader", (client, options) => client.NominateUnitAsync(Requests.Nomination(ClosedWard), options)));
        Assert.Equal(head, host.Store.Tail.Head);

        var right = Requests.Nomination(ClosedWard);
        await host.Client.NominateUnitAsync(right, await host.As("management"));
        right.Grounds.ReportedIncidents++;
        Assert.Equal("SLR-107", await host.Refuses("management", (client, options) => client.NominateUnitAsync(right, options)));
        Assert.Equal("SLR-906", await host.Refuses(
            "region", (client, options) => client.ReviewUnitAsync(new ReviewUnitRequest { UnitMaskingId = Guid.NewGuid().ToString() }, options)));
    }
}
