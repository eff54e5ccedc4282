using Google.Protobuf.WellKnownTypes;
using Microsoft.EntityFrameworkCore;
using Sloring.Contracts;
using Sloring.Contracts.Events;
using Sloring.Contracts.Registration.V1;
using Sloring.Registration.Domain;
using Xunit;
using static Sloring.Tests.Service.Registration.RegistrationHost;

namespace Sloring.Tests.Service.Registration;

/// <summary>The region is replaced by the municipality: what becomes of the maskings of both (decision 37).</summary>
public sealed class TakeOverTests : IAsyncLifetime
{
    private readonly RegistrationHost _host = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => _host.InitializeAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task WithoutAPlan_NothingChanges_AndItSaysWhatWouldBeDone()
    {
        await Masked("worker", NewPatient());
        var both = NewPatient();
        await Masked("worker", both);
        await Masked("other-worker", both);
        await Masked("other-worker", NewPatient());
        await _host.Client.EndAsync(new EndRequest { MaskingId = (await Masked("worker", NewPatient())).MaskingId, Reason = "x" }, await _host.As("leader"));
        var head = _host.Store.Tail.Head;

        var told = await Ask();

        Assert.Equal(head, _host.Store.Tail.Head);
        Assert.False(told.Done);
        Assert.Equal((2, 1, 1, 1, 0, 0L), (told.Maskings, told.Merged, told.Held, told.Over, told.Units, told.Position));
        // The register still has the region's seven units, and knows the municipality.
        Assert.Equal((7, "3000011000016009"), (told.UnitsInRegister, told.TopUnitSorId));
        var done = await Ask(told.Plan);
        Assert.Equal((true, "", 2, 1, 1, 1), (done.Done, done.Plan, done.Maskings, done.Merged, done.Held, done.Over));
        Assert.Equal(_host.Store.Tail.Head, done.Position);
    }

    [Fact] // M1, M7
    public async Task EveryMasking_GoesOnUnderTheNewNumber_AndOfTwoOfAPatientTheLaterEndCounts()
    {
        var (alone, both, other) = (NewPatient(), NewPatient(), NewPatient());
        var (mine, earlier, later) = (await Masked("worker", alone), await Masked("worker", both, days: 20), await Masked("other-worker", both, days: 40));
        var (late, early) = (await Masked("worker", other, days: 50), await Masked("other-worker", other, days: 30));

        await Done();

        var rows = await _host.Store.Read(db => db.Maskings.ToDictionaryAsync(m => m.MaskingId, Cancel), Cancel);
        Assert.All(rows.Values, row => Assert.Equal(Municipality, row.Cvr.ToString()));
        // Who did it stands at the takeover, and at each masking.
        string[] types = [EventNames.Of<OrganisationReplaced>(), EventNames.Of<RegistrationTakenOver>()];
        var entries = await _host.Store.Query(all => all.Where(e => types.Contains(e.Type)), Cancel);
        Assert.Equal(types.Order(), entries.Select(entry => entry.Type).Distinct().Order());
        Assert.All(entries, entry => Assert.Equal("dina", entry.Actor));
        Assert.Equal((MaskingState.InForce, mine.EndsAt.ToDateTimeOffset()), Of(mine));
        Assert.Equal((MaskingState.InForce, later.EndsAt.ToDateTimeOffset()), Of(later));
        Assert.Equal((MaskingState.InForce, late.EndsAt.ToDateTimeOffset()), Of(late));
        Assert.All([earlier, early], gone => Assert.Equal(MaskingState.Superseded, Of(gone).State));
        var told = Assert.IsType<RegistrationTakenOver>((await _host.EventsOf(mine.MaskingId))[^1]);
        Assert.Equal((Region, Municipality, mine.EndsAt.ToDateTimeOffset(), null), (told.FormerCvr, told.Cvr, told.EndsAt, told.SupersededMaskingId));
        Assert.Equal(early.MaskingId, Assert.IsType<RegistrationTakenOver>((await _host.EventsOf(late.MaskingId))[^1]).SupersededMaskingId);
        Assert.IsType<DeadlineCancelled>((await _host.EventsOf(early.MaskingId))[^1]);
        // A deadline that was set before still ends its masking.
        var deadline = Assert.IsType<DeadlineSet>((await _host.EventsOf(mine.MaskingId)).OfType<DeadlineSet>().Single());
        _host.MoveOn(TimeSpan.FromDays(91));
        await _host.Tell("scheduler", new DeadlineReached { DeadlineId = deadline.DeadlineId, Owner = deadline.Owner, About = deadline.About, Kind = deadline.Kind, DueAt = deadline.DueAt, FiredAt = deadline.DueAt });
        await Until(async () => await _host.Store.Read(db => db.Maskings.AnyAsync(m => m.MaskingId == Guid.Parse(mine.MaskingId) && m.State == MaskingState.Expired, Cancel), Cancel));

        (MaskingState State, DateTimeOffset EndsAt) Of(ActivateResponse answer) => (rows[Guid.Parse(answer.MaskingId)].State, rows[Guid.Parse(answer.MaskingId)].EndsAt);
    }

    [Fact] // M3, M5, M9
    public async Task WhoeverCallsWithAnOldToken_IsTakenForTheNewOrganisation()
    {
        var before = Requests.Activation();
        var accepted = await _host.Client.ActivateAsync(before, await _host.As("worker"));
        var unexplained = await Masked("worker", NewPatient(), reason: "");
        await Done();

        // Delivered again after the takeover: nothing is activated twice.
        Assert.Equal(accepted, await _host.Client.ActivateAsync(before, await _host.As("worker")));
        // New behaviour, told by an adapter that has the old token: the new organisation's masking is superseded.
        var again = await _host.Client.ActivateAsync(Requests.Activation(before.PatientCpr), await _host.As("worker"));
        Assert.Equal(accepted.MaskingId, again.SupersededMaskingId);
        var fresh = await Masked("worker", NewPatient());
        await _host.Client.AddReasonAsync(new AddReasonRequest { MaskingId = unexplained.MaskingId, Reason = "Truede." }, await _host.As("worker"));
        await _host.Client.EndAsync(new EndRequest { MaskingId = fresh.MaskingId, Reason = "x" }, await _host.As("leader"));

        var old = await _host.Client.ListMaskingsAsync(new ListMaskingsRequest(), await _host.As("leader"));
        Assert.Equal(old.Maskings, (await _host.Client.ListMaskingsAsync(new ListMaskingsRequest(), await _host.As("other-leader"))).Maskings);
        Assert.Equal([fresh.MaskingId, again.MaskingId, unexplained.MaskingId, accepted.MaskingId], old.Maskings.Select(m => m.MaskingId));
        Assert.All(old.Maskings, masking => Assert.Equal(Municipality, masking.Cvr));
    }

    [Fact] // M7
    public async Task ActivationsWithBothTokensAtOnce_MakeOneMaskingInForce()
    {
        await Done();
        var (old, own) = (await _host.As("worker"), await _host.As("other-worker"));
        foreach (var patient in Enumerable.Range(0, 5).Select(_ => NewPatient()))
            await Task.WhenAll(Enumerable.Range(0, 12).Select(i => _host.Client.ActivateAsync(Requests.Activation(patient), i % 2 == 0 ? old : own).ResponseAsync));

        var rows = await _host.Store.Read(db => db.Maskings.ToListAsync(Cancel), Cancel);
        Assert.Equal(60, rows.Count);
        Assert.All(rows, row => Assert.Equal(Municipality, row.Cvr.ToString()));
        Assert.All(rows.GroupBy(row => row.Patient), patient => Assert.Single(patient, row => row.State == MaskingState.InForce));
    }

    [Fact]
    public async Task ARepeat_ChangesNothing_AndAnswersTheSame()
    {
        await Masked("worker", NewPatient());
        var plan = (await Ask()).Plan;
        var first = await Ask(plan);
        await Masked("worker", NewPatient());
        var head = _host.Store.Tail.Head;

        Assert.Equal(first, await Ask(plan));
        Assert.Equal(first, await Ask());
        Assert.Equal(head, _host.Store.Tail.Head);
    }

    [Fact]
    public async Task WhatCannotBe_IsRefused_AndChangesNothing()
    {
        await Masked("worker", NewPatient());
        var plan = (await Ask()).Plan;
        var other = (await Ask(replaced: "33257872")).Plan;
        var head = _host.Store.Tail.Head;
        Assert.Equal("SLR-128", await Refused(Region, Region, ""));
        Assert.Equal("SLR-911", await Refused("12345678", Municipality, ""));
        Assert.Equal("SLR-911", await Refused(Region, "", ""));
        Assert.Equal("SLR-130", await Refused(Region, Municipality, "yes"));
        Assert.Equal("SLR-130", await Refused(Region, Municipality, other));
        Assert.Equal("SLR-130", await Refused(Municipality, Region, plan));
        Assert.Equal("SLR-902", await _host.Refuses("leader", (client, options) => client.TakeOverOrganisationAsync(new() { ReplacedCvr = Region, ByCvr = Municipality }, options)));
        _host.MoveOn(TimeSpan.FromDays(2));
        Assert.Equal("SLR-130", await Refused(Region, Municipality, plan));
        Assert.Equal(head, _host.Store.Tail.Head);

        await Done();
        Assert.Equal("SLR-129", await Refused(Region, "33257872", ""));
        Assert.Equal("SLR-129", await Refused("33257872", Region, ""));
        // A plan of before another takeover is to be made anew.
        Assert.Equal("SLR-130", await Refused("33257872", Municipality, other));
    }

    [Fact] // M1
    public async Task OneThatReplacedAnother_CanBeReplacedItself()
    {
        const string Doctors = "33257872";
        var masking = await Masked("worker", NewPatient());
        await Done();
        await Ask((await Ask(replaced: Municipality, by: Doctors)).Plan, Municipality, Doctors);

        // Both old tokens reach the last.
        await Masked("worker", NewPatient());
        await Masked("other-worker", NewPatient());
        var rows = await _host.Store.Read(db => db.Maskings.ToListAsync(Cancel), Cancel);
        Assert.Equal(3, rows.Count(row => row.Cvr.ToString() == Doctors && row.State == MaskingState.InForce));
        Assert.Equal([Municipality, Doctors], (await _host.EventsOf(masking.MaskingId)).OfType<RegistrationTakenOver>().Select(e => e.Cvr));
    }

    [Fact] // M6
    public async Task AMaskingWhoseEndHasPassed_IsOver_AndMakesRoom()
    {
        var patient = NewPatient();
        var passed = await Masked("other-worker", patient, days: 2);
        _host.MoveOn(TimeSpan.FromDays(1));
        var running = await Masked("worker", patient, days: 30);
        _host.MoveOn(TimeSpan.FromDays(2));

        var done = await Done();

        Assert.Equal((1, 0, 0), (done.Maskings, done.Merged, done.Held));
        var rows = await _host.Store.Read(db => db.Maskings.ToDictionaryAsync(m => m.MaskingId, m => m.State, Cancel), Cancel);
        Assert.Equal((MaskingState.Expired, MaskingState.InForce), (rows[Guid.Parse(passed.MaskingId)], rows[Guid.Parse(running.MaskingId)]));
    }

    [Fact] // D1, D3
    public async Task DepartmentMaskings_AreTheNewOrganisations()
    {
        var nominated = await _host.Client.NominateUnitAsync(Requests.Nomination("1000101000016003"), await _host.As("management"));
        var id = nominated.Unit.UnitMaskingId;
        await _host.Client.ReviewUnitAsync(new ReviewUnitRequest { UnitMaskingId = id, Review = Review.Recommended }, await _host.As("region"));
        await _host.Client.ConfirmUnitAsync(new ConfirmUnitRequest { UnitMaskingId = id }, await _host.As("national"));

        Assert.Equal(1, (await Done()).Units);

        var unit = Assert.Single((await _host.Client.ListUnitsAsync(new ListUnitsRequest(), await _host.As("other-management"))).Units);
        Assert.Equal((Municipality, UnitState.InForce), (unit.Cvr, unit.State));
        await _host.Client.RemoveUnitAsync(new RemoveUnitRequest { UnitMaskingId = id, Reason = "Ro på." }, await _host.As("other-management"));
    }

    [Fact]
    public async Task AThousandMaskings_AreOneTransaction_AndTheJournalVerifies()
    {
        var now = _host.Clock.GetUtcNow();
        await _host.Store.Write("test", scope =>
        {
            for (var i = 0ul; i < 1_000; i++)
                scope.Db.Maskings.AddRange(Row(new PatientKey(1, i), Region, now.AddDays(10 + (int)(i % 3))), Row(new PatientKey(i % 2, i), Municipality, now.AddDays(11)));
            return Task.CompletedTask;
        }, Cancel);

        var done = await Done();

        // Every other patient is masked by both: 500 pairs go on as one.
        Assert.Equal((1_000, 500, 500), (done.Maskings, done.Merged, done.Held));
        Assert.Equal(1_500, await _host.Store.Read(db => db.Maskings.CountAsync(m => m.Cvr == CvrNumber.Parse(Municipality, "cvr") && m.State == MaskingState.InForce, Cancel), Cancel));
        Assert.True((await _host.Store.Verify(Cancel)).Intact);
        Assert.Equal(done.Position, _host.Store.Tail.Head);
    }

    private static MaskingOrder Row(PatientKey patient, string cvr, DateTimeOffset endsAt) => new()
    {
        MaskingId = Guid.NewGuid(),
        Patient = patient,
        SealedCpr = "x",
        Cvr = CvrNumber.Parse(cvr, "cvr"),
        Trigger = Trigger.Threats,
        BehaviourOn = new DateOnly(2026, 1, 1),
        ActivatedAt = endsAt.AddDays(-90),
        ActivatedBy = "anna",
        EndsAt = endsAt,
        DeadlineId = Guid.NewGuid(),
        Position = Interlocked.Increment(ref _position),
    };

    private static long _position = 1_000_000;

    private async Task<ActivateResponse> Masked(string persona, string cpr, int? days = null, string? reason = null)
    {
        var request = Requests.Activation(cpr);
        request.Reason = reason ?? request.Reason;
        if (days is { } end)
            request.EndsAt = _host.Clock.GetUtcNow().AddDays(end).ToTimestamp();
        return await _host.Client.ActivateAsync(request, await _host.As(persona));
    }

    private async Task<TakeOverOrganisationResponse> Ask(string plan = "", string replaced = Region, string by = Municipality) =>
        await _host.Client.TakeOverOrganisationAsync(new TakeOverOrganisationRequest { ReplacedCvr = replaced, ByCvr = by, Plan = plan }, await _host.As("operator"));

    private async Task<TakeOverOrganisationResponse> Done() => await Ask((await Ask()).Plan);

    private Task<string> Refused(string replaced, string by, string plan) => _host.Refuses(
        "operator", (client, options) => client.TakeOverOrganisationAsync(new TakeOverOrganisationRequest { ReplacedCvr = replaced, ByCvr = by, Plan = plan }, options));
}
