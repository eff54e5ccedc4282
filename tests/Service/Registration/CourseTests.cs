using Google.Protobuf.WellKnownTypes;
using Microsoft.EntityFrameworkCore;
using Sloring.Contracts;
using Sloring.Contracts.Events;
using Sloring.Contracts.Registration.V1;
using Xunit;
using static Sloring.Tests.Service.Registration.RegistrationHost;
using Activator = Sloring.Contracts.Registration.V1.Activator;

namespace Sloring.Tests.Service.Registration;

/// <summary>What happens to a masking after its activation.</summary>
public sealed class CourseTests(RegistrationHost host) : IClassFixture<RegistrationHost>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact] // M5
    public async Task Reason_FollowsOnce()
    {
        var request = Requests.Activation();
        request.Reason = "";
        var masking = await host.Client.ActivateAsync(request, await host.As("worker"));
        var reason = new AddReasonRequest { MaskingId = masking.MaskingId, Reason = "  Truede med kniv. " };

        Assert.Equal("SLR-111", await host.Refuses(
            "worker", (client, options) => client.AddReasonAsync(new AddReasonRequest { MaskingId = masking.MaskingId, Reason = " " }, options)));
        var first = await host.Client.AddReasonAsync(reason, await host.As("worker"));
        var repeat = await host.Client.AddReasonAsync(reason, await host.As("worker"));

        Assert.Equal(first, repeat);
        var added = Assert.Single((await host.EventsOf(masking.MaskingId)).OfType<RegistrationReasonAdded>());
        Assert.Equal("Truede med kniv.", host.Sealer.Open(added.SealedReason, "reason"));
        Assert.Equal("SLR-110", await host.Refuses(
            "worker", (client, options) => client.AddReasonAsync(new AddReasonRequest { MaskingId = masking.MaskingId, Reason = "Andet." }, options)));
    }

    [Fact] // M2
    public async Task AnotherOrganisationsMasking_IsNotThere()
    {
        var masking = await Activate();
        Assert.Equal("SLR-109", await host.Refuses(
            "other-leader", (client, options) => client.EndAsync(new EndRequest { MaskingId = masking.MaskingId, Reason = "x" }, options)));
        Assert.Equal("SLR-109", await host.Refuses(
            "other-leader", (client, options) => client.AddReasonAsync(new AddReasonRequest { MaskingId = masking.MaskingId, Reason = "x" }, options)));
        Assert.Equal("SLR-914", await host.Refuses(
            "leader", (client, options) => client.EndAsync(new EndRequest { MaskingId = "abc", Reason = "x" }, options)));
        Assert.Equal(MaskingState.InForce, await StateOf(masking.MaskingId));
    }

    [Fact]
    public async Task End_IsForLeaders()
    {
        var masking = await Activate();
        EndRequest By(string? role) => new() { MaskingId = masking.MaskingId, Reason = "Aftalt.", Activator = role is null ? null : new Activator { PersonId = "bo", Role = role } };

        Assert.Equal("SLR-902", await host.Refuses("worker", (client, options) => client.EndAsync(By(null), options)));
        Assert.Equal("SLR-116", await host.Refuses("epj", (client, options) => client.EndAsync(By("health-worker"), options)));
        Assert.Equal("SLR-114", await host.Refuses("epj", (client, options) => client.EndAsync(By(null), options)));
        Assert.Equal("SLR-113", await host.Refuses(
            "leader", (client, options) => client.EndAsync(new EndRequest { MaskingId = masking.MaskingId }, options)));
        var done = await host.Client.EndAsync(By("leader"), await host.As("epj"));

        Assert.Equal(done, await host.Client.EndAsync(By("leader"), await host.As("epj")));
        Assert.Equal(MaskingState.Ended, await StateOf(masking.MaskingId));
        var ended = (await host.EventsOf(masking.MaskingId)).OfType<RegistrationEnded>().Single();
        Assert.Equal(("ended", "bo"), (ended.Cause, ended.EndedBy));
        var another = By("leader");
        another.Reason = "Aftalt igen.";
        Assert.Equal("SLR-112", await host.Refuses("epj", (client, options) => client.EndAsync(another, options)));
    }

    [Fact]
    public async Task EndsDeliveredSeveralTimesAtOnce_AllHearThatItEnded()
    {
        var masking = await Activate();
        var options = await host.As("leader");
        var done = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ =>
            host.Client.EndAsync(new EndRequest { MaskingId = masking.MaskingId, Reason = "Aftalt." }, options).ResponseAsync));

        Assert.Single(done.Distinct());
        Assert.Single((await host.EventsOf(masking.MaskingId)).OfType<RegistrationEnded>());
    }

    [Fact] // A5, M7
    public async Task Lift_EndsTheActiveMaskingOnly()
    {
        var cpr = NewPatient();
        var first = await host.Client.ActivateAsync(Requests.Activation(cpr), await host.As("worker"));
        var second = await host.Client.ActivateAsync(Requests.Activation(cpr), await host.As("worker"));

        await host.Tell("approval", Decided(first.MaskingId, "lifted"));
        await host.Tell("approval", Decided(second.MaskingId, "upheld"));
        await host.Tell("approval", Decided(second.MaskingId, "renewed"));
        var third = await Activate();
        await host.Tell("approval", Decided(third.MaskingId, "lifted"));
        await Until(async () => await StateOf(third.MaskingId) == MaskingState.Lifted);

        Assert.Equal(MaskingState.Superseded, await StateOf(first.MaskingId));
        Assert.Equal(MaskingState.InForce, await StateOf(second.MaskingId));
        var ended = (await host.EventsOf(third.MaskingId)).OfType<RegistrationEnded>().Single();
        Assert.Equal(("lifted", "lis"), (ended.Cause, ended.EndedBy));
        Assert.Contains(await host.EventsOf(third.MaskingId), e => e is DeadlineCancelled);
    }

    [Fact]
    public async Task ATokenThatWasGood_IsRefusedOnceItsTimeIsOver()
    {
        var options = await host.As("worker");
        var list = new ListMaskingsRequest();
        await host.Client.ListMaskingsAsync(list, options);
        await host.Client.ListMaskingsAsync(list, options);
        host.MoveOn(TimeSpan.FromHours(1));

        Assert.Equal(Rejections.TokenMissing.Code, await Rejected(async () => await host.Client.ListMaskingsAsync(list, options)));
    }

    [Fact] // M6
    public async Task Deadline_ExpiresTheMaskingItWasSetFor()
    {
        var request = Requests.Activation();
        request.EndsAt = Timestamp.FromDateTimeOffset(host.Clock.GetUtcNow().AddHours(1));
        var masking = await host.Client.ActivateAsync(request, await host.As("worker"));
        var deadline = (await host.EventsOf(masking.MaskingId)).OfType<DeadlineSet>().Single();
        host.MoveOn(TimeSpan.FromHours(1));

        // Read by the clock before the deadline has fired.
        var listed = await host.Client.ListMaskingsAsync(new ListMaskingsRequest { PatientCpr = request.PatientCpr }, await host.As("worker"));
        Assert.Equal(MaskingState.Expired, Assert.Single(listed.Maskings).State);
        listed = await host.Client.ListMaskingsAsync(new ListMaskingsRequest { PatientCpr = request.PatientCpr, InForceOnly = true }, await host.As("worker"));
        Assert.Empty(listed.Maskings);

        await host.Tell("scheduler", Reached(deadline, "approval"));
        await host.Tell("scheduler", Reached(deadline with { DeadlineId = Guid.NewGuid().ToString() }, "registration"));
        await host.Tell("scheduler", Reached(deadline, "registration"));
        await host.Tell("scheduler", Reached(deadline, "registration"));
        await Until(async () => await StateOf(masking.MaskingId) == MaskingState.Expired);

        var ended = Assert.Single((await host.EventsOf(masking.MaskingId)).OfType<RegistrationEnded>());
        Assert.Equal(("expired", "clock", masking.EndsAt.ToDateTimeOffset()), (ended.Cause, ended.EndedBy, ended.EndedAt));
    }

    [Fact] // M6
    public async Task DeadlineOfAFastClock_WaitsForTheEnd()
    {
        var early = await Activate();
        var deadline = (await host.EventsOf(early.MaskingId)).OfType<DeadlineSet>().Single();
        var other = await Activate();
        await host.Tell("scheduler", Reached(deadline, "registration"));
        await host.Tell("approval", Decided(other.MaskingId, "lifted"));
        await Until(async () => await StateOf(other.MaskingId) == MaskingState.Lifted);

        Assert.Equal(MaskingState.InForce, await StateOf(early.MaskingId));
    }

    [Fact] // A9
    public async Task Renewal_ExtendsOnceHoweverOftenItIsAsked()
    {
        var masking = await Activate();
        var request = new RenewRequest { MaskingId = masking.MaskingId, ExtendsEnd = masking.EndsAt, DecidedBy = "lis" };

        var answers = await Task.WhenAll((await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => host.As("effectuation"))))
            .Select(options => host.Client.RenewAsync(request, options).ResponseAsync));

        var answer = Assert.Single(answers.Distinct());
        Assert.Equal(DanishTime.AddDays(masking.EndsAt.ToDateTimeOffset(), 90), answer.EndsAt.ToDateTimeOffset());
        var events = await host.EventsOf(masking.MaskingId);
        Assert.Single(events.OfType<RegistrationRenewed>());
        Assert.Equal(answer.EndsAt.ToDateTimeOffset(), events.OfType<DeadlineSet>().Last().DueAt);
        Assert.Single(events.OfType<DeadlineCancelled>());

        // The deadline of the old end means nothing any more, and an activation does not shorten the new one (M7).
        var again = await host.Client.RenewAsync(new RenewRequest { MaskingId = masking.MaskingId, ExtendsEnd = answer.EndsAt, DecidedBy = "lis" }, await host.As("effectuation"));
        Assert.Equal(DanishTime.AddDays(answer.EndsAt.ToDateTimeOffset(), 90), again.EndsAt.ToDateTimeOffset());
    }

    [Fact] // A9
    public async Task WrongRenewals_AreRejected()
    {
        var masking = await Activate();
        RenewRequest Right() => new() { MaskingId = masking.MaskingId, ExtendsEnd = masking.EndsAt, DecidedBy = "lis" };

        Assert.Equal("SLR-902", await host.Refuses("leader", (client, options) => client.RenewAsync(Right(), options)));
        var wrongEnd = Right();
        wrongEnd.ExtendsEnd = masking.InForceFrom;
        Assert.Equal("SLR-117", await host.Refuses("effectuation", (client, options) => client.RenewAsync(wrongEnd, options)));
        var noEnd = Right();
        noEnd.ExtendsEnd = null;
        Assert.Equal("SLR-916", await host.Refuses("effectuation", (client, options) => client.RenewAsync(noEnd, options)));
        var unknown = Right();
        unknown.MaskingId = Guid.NewGuid().ToString();
        Assert.Equal("SLR-109", await host.Refuses("effectuation", (client, options) => client.RenewAsync(unknown, options)));
        await host.Client.EndAsync(new EndRequest { MaskingId = masking.MaskingId, Reason = "x" }, await host.As("leader"));
        Assert.Equal("SLR-112", await host.Refuses("effectuation", (client, options) => client.RenewAsync(Right(), options)));
    }

    [Fact] // O3
    public async Task List_PagesAndLeavesAnAuditEntryForEveryPatientShown()
    {
        var mine = new List<string>();
        for (var i = 0; i < 5; i++)
            mine.Insert(0, (await Activate("other-leader")).MaskingId);
        var head = host.Store.Tail.Head;

        var first = await host.Client.ListMaskingsAsync(new ListMaskingsRequest { PageSize = 3, MineOnly = true }, await host.As("other-leader"));
        var second = await host.Client.ListMaskingsAsync(new ListMaskingsRequest { PageSize = 3, MineOnly = true, PageToken = first.NextPageToken }, await host.As("other-leader"));

        Assert.Equal(mine, [.. first.Maskings.Concat(second.Maskings).Select(m => m.MaskingId)]);
        Assert.Equal("", second.NextPageToken);
        var reads = await host.Store.Query(all => all.Where(e => e.Position > head && e.Type == "audit.masking-read.v1"), Cancel);
        Assert.Equal((5, 5), (reads.Count, reads.Select(e => e.PatientKey).Distinct().Count()));
        Assert.All(reads, e => Assert.Equal("ole", e.Actor));

        var nobody = NewPatient();
        await host.Client.ListMaskingsAsync(new ListMaskingsRequest { PatientCpr = nobody }, await host.As("other-leader"));
        var key = host.Patients.Of(CprNumber.Parse(nobody)).ToString();
        Assert.Single(await host.Store.Query(all => all.Where(e => e.PatientKey == key), Cancel));
        Assert.Equal("SLR-915", await host.Refuses(
            "leader", (client, options) => client.ListMaskingsAsync(new ListMaskingsRequest { PageSize = 501 }, options)));
        Assert.Equal("SLR-915", await host.Refuses(
            "leader", (client, options) => client.ListMaskingsAsync(new ListMaskingsRequest { PageToken = "!" }, options)));
    }

    private static ApprovalDecided Decided(string caseId, string decision) =>
        new() { CaseId = caseId, PatientKey = new string('0', 32), Decision = decision, DecidedBy = "lis", DecidedAt = DateTimeOffset.UnixEpoch };

    private static DeadlineReached Reached(DeadlineSet set, string owner) =>
        new() { DeadlineId = set.DeadlineId, Owner = owner, About = set.About, Kind = set.Kind, DueAt = set.DueAt, FiredAt = set.DueAt };

    private async Task<ActivateResponse> Activate(string persona = "worker") => await host.Client.ActivateAsync(Requests.Activation(), await host.As(persona));

    private Task<MaskingState> StateOf(string maskingId)
    {
        var id = Guid.Parse(maskingId);
        return host.Store.Read(db => db.Maskings.Where(m => m.MaskingId == id).Select(m => m.State).SingleAsync(Cancel), Cancel);
    }
}
