using Sloring.Contracts;
using Sloring.Contracts.Events;
using Sloring.Contracts.Registration.V1;

namespace Sloring.Registration.Domain;

/// <summary>An activation as it reaches the rules: checked for form, sealed, with the ids it will have.</summary>
/// <param name="MaskingId">Id of the masking if it is accepted.</param>
/// <param name="DeadlineId">Id of its expiry deadline.</param>
/// <param name="Patient">Keyed hash of the patient.</param>
/// <param name="SealedCpr">The CPR number, sealed.</param>
/// <param name="Cvr">The caller's organisation (rule M2).</param>
/// <param name="Trigger">What happened (rule M4).</param>
/// <param name="BehaviourOn">When it happened.</param>
/// <param name="SealedReason">The reason, or null to follow (rule M5).</param>
/// <param name="EndsAt">A requested end, or null (rule M10).</param>
/// <param name="By">Who activates.</param>
public sealed record Activation(
    Guid MaskingId, Guid DeadlineId, PatientKey Patient, string SealedCpr, CvrNumber Cvr, Trigger Trigger, DateOnly BehaviourOn,
    string? SealedReason, DateTimeOffset? EndsAt, Person By);

/// <summary>What a rule decided.</summary>
/// <param name="Order">The masking afterwards.</param>
/// <param name="Events">What is told, in order.</param>
/// <param name="Before">The masking that it replaced, afterwards; null where there was none.</param>
public sealed record Decision(MaskingOrder Order, IReadOnlyList<IEvent> Events, MaskingOrder? Before = null);

/// <summary>The rules of individual masking: state, command and time in; new state and events, or a rejection, out.</summary>
public static class MaskingRules
{
    public const string Owner = "registration";
    private const string Lifted = "lifted";
    private const string Ended = "ended";
    private const string Expired = "expired";
    private const string Clock = "clock";

    /// <summary>The words of the triggers in events (rule M4).</summary>
    public static IReadOnlyDictionary<Trigger, string> TriggerWords { get; } = new Dictionary<Trigger, string>
    {
        [Trigger.Violence] = "violence",
        [Trigger.Threats] = "threats",
        [Trigger.Harassment] = "harassment",
        [Trigger.FoundedFear] = "founded-fear",
    };

    /// <summary>An activation names one of the four triggers; general unease is not one (rule M4).</summary>
    public static Decided<Trigger> TriggerOf(Trigger trigger)
    {
        if (trigger == Trigger.Unspecified)
            return Rejections.TriggerMissing.For("trigger");
        if (!TriggerWords.ContainsKey(trigger))
            return Rejections.CodeUnknown.For("trigger");
        return trigger;
    }

    /// <summary>
    /// In force at once (rule M3) for one patient and organisation (rule M1). A masking still in force is superseded and the later end
    /// counts (rules M7, M9); one whose end has passed has expired. <paramref name="current"/> is the active row of the two, or null.
    /// </summary>
    public static Decided<Decision> Activate(MaskingOrder? current, Activation command, DateTimeOffset at, MaskingDates dates)
    {
        var now = MaskingDates.RoundDown(at);
        if (dates.Ground(command.BehaviourOn, now).Rejection is { } tooEarlyOrLate)
            return tooEarlyOrLate;
        var end = dates.End(command.EndsAt, now);
        if (end.Rejection is { } wrongEnd)
            return wrongEnd;

        var superseded = current is not null && current.InForceAt(now);
        var order = new MaskingOrder
        {
            MaskingId = command.MaskingId,
            Patient = command.Patient,
            SealedCpr = command.SealedCpr,
            Cvr = command.Cvr,
            Trigger = command.Trigger,
            BehaviourOn = command.BehaviourOn,
            ActivatedAt = now,
            ActivatedBy = command.By.PersonId,
            EndsAt = superseded && current!.EndsAt > end.Value ? current.EndsAt : end.Value,
            SealedReason = command.SealedReason,
            DeadlineId = command.DeadlineId,
        };
        var activated = new RegistrationActivated
        {
            MaskingId = Text(order.MaskingId),
            PatientKey = order.Patient.ToString(),
            SealedCpr = order.SealedCpr,
            Cvr = order.Cvr.ToString(),
            Trigger = TriggerWords[order.Trigger],
            BehaviourOn = order.BehaviourOn,
            ActivatedAt = order.ActivatedAt,
            EndsAt = order.EndsAt,
            ActivatedBy = command.By.PersonId,
            ActivatorRole = command.By.Role,
            UnitSorId = command.By.UnitSorId,
            SealedReason = order.SealedReason,
            SupersededMaskingId = superseded ? Text(current!.MaskingId) : null,
        };
        if (current is null)
            return new Decision(order, [activated, DeadlineOf(order)]);
        if (superseded)
            return new Decision(
                order, [activated, Cancelled(current), DeadlineOf(order)], current with { State = MaskingState.Superseded, EndsAt = now });
        var expired = Close(current, MaskingState.Expired, Expired, current.EndsAt, Clock, null);
        return new Decision(order, [.. expired.Events, activated, DeadlineOf(order)], expired.Order);
    }

    /// <summary>The reason follows as soon as possible, once (rule M5).</summary>
    public static Decided<Decision> AddReason(MaskingOrder order, string sealedReason, string by, DateTimeOffset at)
    {
        if (!order.InForceAt(at))
            return Rejections.MaskingNotInForce;
        if (order.SealedReason is not null)
            return Rejections.ReasonAlreadyGiven;
        var added = new RegistrationReasonAdded
        {
            MaskingId = Text(order.MaskingId),
            PatientKey = order.Patient.ToString(),
            SealedReason = sealedReason,
            AddedBy = by,
            AddedAt = MaskingDates.RoundDown(at),
        };
        return new Decision(order with { SealedReason = sealedReason }, [added]);
    }

    /// <summary>The organisation's leadership ends a masking before its time: names show again at once.</summary>
    public static Decided<Decision> End(MaskingOrder order, Person leader, string sealedReason, DateTimeOffset at) => order.InForceAt(at)
        ? Close(order, MaskingState.Ended, Ended, MaskingDates.RoundDown(at), leader.PersonId, sealedReason)
        : Rejections.MaskingNotInForce;

    /// <summary>A decision to lift shows names again at once (rule A5). Null where that masking is not the active one any more.</summary>
    public static Decision? Lift(MaskingOrder order, string decidedBy, string? sealedReason, DateTimeOffset at) => order.InForceAt(at)
        ? Close(order, MaskingState.Lifted, Lifted, MaskingDates.RoundDown(at), decidedBy, sealedReason)
        : null;

    /// <summary>A further period, counted from the end that the decision extends (rule A9).</summary>
    public static Decided<Decision> Renew(
        MaskingOrder order, DateTimeOffset extendsEnd, string decidedBy, Guid deadlineId, DateTimeOffset at, MaskingDates dates)
    {
        if (!order.InForceAt(at))
            return Rejections.MaskingNotInForce;
        if (MaskingDates.RoundDown(extendsEnd) != order.EndsAt)
            return Rejections.EndNotCurrent.For("extends_end");
        var renewed = order with { EndsAt = DanishTime.AddDays(order.EndsAt, dates.PeriodDays), DeadlineId = deadlineId };
        var told = new RegistrationRenewed
        {
            MaskingId = Text(order.MaskingId),
            PatientKey = order.Patient.ToString(),
            Cvr = order.Cvr.ToString(),
            ExtendedEnd = order.EndsAt,
            EndsAt = renewed.EndsAt,
            DecidedBy = decidedBy,
            RenewedAt = MaskingDates.RoundDown(at),
        };
        return new Decision(renewed, [told, Cancelled(order), DeadlineOf(renewed)]);
    }

    /// <summary>
    /// An earlier end than the one in force (rule M9, as the national wire has it: the last end counts, and there is no other way to end there). The masking
    /// stays the one it is, with its case and its reason.
    /// </summary>
    public static Decided<Decision> Shorten(MaskingOrder order, DateTimeOffset endsAt, string by, Guid deadlineId, DateTimeOffset at, MaskingDates dates)
    {
        if (!order.InForceAt(at))
            return Rejections.MaskingNotInForce;
        var end = dates.End(endsAt, MaskingDates.RoundDown(at));
        if (end.Rejection is { } wrongEnd)
            return wrongEnd;
        if (end.Value >= order.EndsAt)
            return Rejections.EndNotCurrent.For("ends_at");
        var shortened = order with { EndsAt = end.Value, DeadlineId = deadlineId };
        var told = new RegistrationShortened
        {
            MaskingId = Text(order.MaskingId),
            PatientKey = order.Patient.ToString(),
            Cvr = order.Cvr.ToString(),
            ShortenedEnd = order.EndsAt,
            EndsAt = shortened.EndsAt,
            ShortenedBy = by,
            ShortenedAt = MaskingDates.RoundDown(at),
        };
        return new Decision(shortened, [told, Cancelled(order), DeadlineOf(shortened)]);
    }

    /// <summary>
    /// A masking in force goes on under the organisation that has replaced its own (decision 37), with its id, reason and end. Where that organisation masks the
    /// same patient itself, the later end counts and the other is superseded, as by a new activation (rule M7); of equal ends its own goes on.
    /// </summary>
    /// <param name="order">The masking of the replaced organisation, in force.</param>
    /// <param name="held">The same patient's masking of the other, in force; null where there is none.</param>
    /// <param name="cvr">The other.</param>
    /// <param name="at">Now.</param>
    public static Decision TakeOver(MaskingOrder order, MaskingOrder? held, CvrNumber cvr, DateTimeOffset at)
    {
        var now = MaskingDates.RoundDown(at);
        if (held is null)
            return new Decision(order with { Cvr = cvr }, [TakenOver(order, cvr, null, now)]);
        var (stays, goes) = order.EndsAt > held.EndsAt ? (order, held) : (held, order);
        return new Decision(
            stays with { Cvr = cvr }, [TakenOver(stays, cvr, goes, now), Cancelled(goes)], goes with { Cvr = cvr, State = MaskingState.Superseded, EndsAt = now });
    }

    /// <summary>A masking in force of an organisation that replaces another: unchanged, it covers the other's entries too (decision 37).</summary>
    public static Decision CoverMore(MaskingOrder held, DateTimeOffset at) => new(held, [TakenOver(held, held.Cvr, null, MaskingDates.RoundDown(at))]);

    /// <summary>One whose end had passed before its organisation was replaced (rule M6): it is over, and follows.</summary>
    public static Decision Passed(MaskingOrder order, CvrNumber cvr) => Close(order with { Cvr = cvr }, MaskingState.Expired, Expired, order.EndsAt, Clock, null);

    private static RegistrationTakenOver TakenOver(MaskingOrder order, CvrNumber cvr, MaskingOrder? superseded, DateTimeOffset now) => new()
    {
        MaskingId = Text(order.MaskingId),
        PatientKey = order.Patient.ToString(),
        FormerCvr = order.Cvr.ToString(),
        Cvr = cvr.ToString(),
        EndsAt = order.EndsAt,
        SupersededMaskingId = superseded is null ? null : Text(superseded.MaskingId),
        TakenOverAt = now,
    };

    /// <summary>The end has been reached (rule M6). Null where another deadline counts by now or the masking is over.</summary>
    public static Decision? Expire(MaskingOrder order, Guid deadlineId, DateTimeOffset at) =>
        IsDeadlineOf(order, deadlineId) && at >= order.EndsAt
            ? Close(order, MaskingState.Expired, Expired, order.EndsAt, Clock, null, cancel: false)
            : null;

    /// <summary>Whether a deadline is the one last set for a masking that has not ended.</summary>
    public static bool IsDeadlineOf(MaskingOrder order, Guid deadlineId) => order.State == MaskingState.InForce && order.DeadlineId == deadlineId;

    private static Decision Close(
        MaskingOrder order, MaskingState state, string cause, DateTimeOffset endedAt, string by, string? sealedReason, bool cancel = true)
    {
        var ended = new RegistrationEnded
        {
            MaskingId = Text(order.MaskingId),
            PatientKey = order.Patient.ToString(),
            Cvr = order.Cvr.ToString(),
            Cause = cause,
            EndedAt = endedAt,
            EndedBy = by,
            SealedReason = sealedReason,
        };
        return new Decision(order with { State = state, EndsAt = endedAt }, cancel ? [ended, Cancelled(order)] : [ended]);
    }

    private static DeadlineSet DeadlineOf(MaskingOrder order) => new()
    {
        DeadlineId = Text(order.DeadlineId),
        Owner = Owner,
        About = Text(order.MaskingId),
        Kind = DeadlineKinds.Expiry,
        DueAt = order.EndsAt,
    };

    private static DeadlineCancelled Cancelled(MaskingOrder order) =>
        new() { DeadlineId = Text(order.DeadlineId), About = Text(order.MaskingId) };

    private static string Text(Guid id) => id.ToString("D");
}
