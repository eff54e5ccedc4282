using System.Collections.Concurrent;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Options;
using Sloring.Contracts;
using Sloring.Contracts.Registration.V1;
using Sloring.Hosting;
using Sloring.Registration.Domain;

namespace Sloring.Registration;

/// <summary>
/// Starts a masking (aktivering): in force when this answers (rules M1–M10). For a caller of an organisation that another has replaced it is that one's: an adapter that
/// has not got its new token yet loses nothing (decision 37).
/// </summary>
public sealed class Activate(
    Store<RegistrationDb> store, PatientKeys patients, Sealer sealer, Repeats repeats, IOptions<RegistrationOptions> options)
{
    private readonly MaskingDates _dates = options.Value.Dates;

    /// <summary>Callers' organisations that were replaced, as found when last one of them called: a hint of which rows a write will touch.</summary>
    private readonly ConcurrentDictionary<CvrNumber, CvrNumber> _organisations = new();

    public Task<ActivateResponse> Handle(ActivateRequest request, Caller caller, CancellationToken cancel) => Handle(request, caller, national: false, cancel);

    /// <param name="request">The activation.</param>
    /// <param name="caller">Who calls.</param>
    /// <param name="national">
    /// As the national wire has it: the day of the behaviour is not told, so it is the day of activation, and an end earlier than the one in force shortens the
    /// masking, since that wire has no other way to end one (rule M9, decision 18).
    /// </param>
    /// <param name="cancel">Ends the call.</param>
    public async Task<ActivateResponse> Handle(ActivateRequest request, Caller caller, bool national, CancellationToken cancel)
    {
        var own = caller.RequireCvr();
        var person = caller.Acting(request.Activator);
        var cpr = CprNumber.Parse(request.PatientCpr);
        var trigger = MaskingRules.TriggerOf(request.Trigger).Value;
        DateOnly? behaviourOn = national ? null : Texts.Date(request.BehaviourOn, "behaviour_on");
        var reason = Texts.Optional(request.Reason, "reason");
        var endsAt = request.EndsAt.Instant("ends_at");
        var repeat = repeats.Of(
            own, request.IdempotencyKey,
            nameof(Activate), cpr.Digits, trigger.ToString(), request.BehaviourOn, reason, endsAt?.ToString("O"),
            person.PersonId, person.Role, person.UnitSorId);
        var (patient, sealedCpr) = (patients.Of(cpr), sealer.Seal(cpr.Digits, SealedFor.Cpr));
        var sealedReason = reason.Length == 0 ? null : sealer.Seal(reason, SealedFor.Reason);

        while (true)
        {
            var cvr = _organisations.GetValueOrDefault(own, own);
            try
            {
                return await store.Write(
                    person.PersonId, scope => Accept(scope, cvr), cancel, touches: [Repeats.Row(repeat), Orders.Active.Row((cvr, patient)), ReplacedOrganisations.Row(own)]);
            }
            catch (ReplacedException e)
            {
                _organisations[own] = e.By;
            }
        }

        async Task<ActivateResponse> Accept(WriteScope<RegistrationDb> scope, CvrNumber cvr)
        {
            if (await scope.OrganisationOf(own) is var by && by != cvr)
                throw new ReplacedException(by);
            // Before the rules of time: a repeat answers the same even when the activation would be too late by now (rule M9).
            if (await repeats.Answered<ActivateResponse>(scope, repeat) is { } answered)
                return answered;
            var now = scope.Now;
            var current = await scope.Find(Orders.Active, (cvr, patient));
            if (national && current is not null && current.InForceAt(now) && endsAt < current.EndsAt)
            {
                var shortened = MaskingRules.Shorten(current, endsAt.Value, person.PersonId, Guid.CreateVersion7(now), now, _dates).Value;
                var at = await scope.Change(current, shortened, person.PersonId);
                return Kept(shortened.Order, Answer(shortened.Order, at), scope);
            }
            var decided = MaskingRules.Activate(
                current,
                new Activation(
                    Guid.CreateVersion7(now), Guid.CreateVersion7(now), patient, sealedCpr, cvr, trigger, behaviourOn ?? DanishTime.DayOf(now),
                    sealedReason, endsAt, person),
                now, _dates).Value;
            var order = await scope.Start(current, decided, person.PersonId);
            var answer = Answer(order, order.Position);
            answer.SupersededMaskingId = decided.Before is { State: MaskingState.Superseded } before ? before.MaskingId.ToString("D") : "";
            return Kept(order, answer, scope);
        }

        ActivateResponse Kept(MaskingOrder about, ActivateResponse answer, WriteScope<RegistrationDb> scope)
        {
            repeats.Keep(scope, repeat, about.MaskingId, answer);
            return answer;
        }
    }

    private static ActivateResponse Answer(MaskingOrder order, long position) => new()
    {
        MaskingId = order.MaskingId.ToString("D"),
        InForceFrom = order.ActivatedAt.ToTimestamp(),
        EndsAt = order.EndsAt.ToTimestamp(),
        Position = position,
    };

    private sealed class ReplacedException(CvrNumber by) : Exception("The organisation has been replaced.")
    {
        public CvrNumber By { get; } = by;
    }
}
