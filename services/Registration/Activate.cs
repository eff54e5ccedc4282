using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Options;
using Sloring.Contracts;
using Sloring.Contracts.Registration.V1;
using Sloring.Hosting;
using Sloring.Registration.Domain;

namespace Sloring.Registration;

/// <summary>Starts a masking (aktivering): in force when this answers (rules M1–M10).</summary>
public sealed class Activate(
    Store<RegistrationDb> store, PatientKeys patients, Sealer sealer, Repeats repeats, IOptions<RegistrationOptions> options)
{
    private readonly MaskingDates _dates = options.Value.Dates;

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
        var cvr = caller.RequireCvr();
        var by = caller.Acting(request.Activator);
        var cpr = CprNumber.Parse(request.PatientCpr);
        var trigger = MaskingRules.TriggerOf(request.Trigger).Value;
        DateOnly? behaviourOn = national ? null : Texts.Date(request.BehaviourOn, "behaviour_on");
        var reason = Texts.Optional(request.Reason, "reason");
        var endsAt = request.EndsAt.Instant("ends_at");
        var repeat = repeats.Of(
            cvr, request.IdempotencyKey,
            nameof(Activate), cpr.Digits, trigger.ToString(), request.BehaviourOn, reason, endsAt?.ToString("O"),
            by.PersonId, by.Role, by.UnitSorId);
        var (patient, sealedCpr) = (patients.Of(cpr), sealer.Seal(cpr.Digits, SealedFor.Cpr));
        var sealedReason = reason.Length == 0 ? null : sealer.Seal(reason, SealedFor.Reason);

        return await store.Write(by.PersonId, async scope =>
        {
            // Before the rules of time: a repeat answers the same even when the activation would be too late by now (rule M9).
            if (await repeats.Answered<ActivateResponse>(scope, repeat) is { } answered)
                return answered;
            var now = scope.Now;
            var current = await scope.Find(Orders.Active, (cvr, patient));
            if (national && current is not null && current.InForceAt(now) && endsAt < current.EndsAt)
            {
                var shortened = MaskingRules.Shorten(current, endsAt.Value, by.PersonId, Guid.CreateVersion7(now), now, _dates).Value;
                var at = await scope.Change(current, shortened, by.PersonId);
                return Kept(shortened.Order, Answer(shortened.Order, at), scope);
            }
            var decided = MaskingRules.Activate(
                current,
                new Activation(
                    Guid.CreateVersion7(now), Guid.CreateVersion7(now), patient, sealedCpr, cvr, trigger, behaviourOn ?? DanishTime.DayOf(now),
                    sealedReason, endsAt, by),
                now, _dates).Value;
            var order = await scope.Start(current, decided, by.PersonId);
            var answer = Answer(order, order.Position);
            answer.SupersededMaskingId = decided.Before is { State: MaskingState.Superseded } before ? before.MaskingId.ToString("D") : "";
            return Kept(order, answer, scope);
        }, cancel, touches: [Repeats.Row(repeat), Orders.Active.Row((cvr, patient))]);

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
}
