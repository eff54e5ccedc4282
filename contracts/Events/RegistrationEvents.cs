namespace Sloring.Contracts.Events;

/// <summary>A masking is in force (rules M1–M9). Published by Registration.</summary>
[EventName("registration.activated.v1")]
public sealed record RegistrationActivated : IEvent
{
    /// <summary>Id of the masking, a UUID; also of its approval case.</summary>
    public required string MaskingId { get; init; }

    /// <summary>Keyed hash of the patient, 32 hex digits.</summary>
    public required string PatientKey { get; init; }

    /// <summary>The patient's CPR number, sealed.</summary>
    public required string SealedCpr { get; init; }

    /// <summary>The organisation, 8 digits.</summary>
    public required string Cvr { get; init; }

    /// <summary>"violence", "threats", "harassment" or "founded-fear" (rule M4).</summary>
    public required string Trigger { get; init; }

    /// <summary>Day of the behaviour in Denmark.</summary>
    public required DateOnly BehaviourOn { get; init; }

    /// <summary>In force from, UTC.</summary>
    public required DateTimeOffset ActivatedAt { get; init; }

    /// <summary>Ends by itself, UTC.</summary>
    public required DateTimeOffset EndsAt { get; init; }

    /// <summary>Person id of the activator.</summary>
    public required string ActivatedBy { get; init; }

    /// <summary>"health-worker" or "leader".</summary>
    public required string ActivatorRole { get; init; }

    /// <summary>SOR id of the activator's unit; null when unknown. Decides the approval level (rule A1).</summary>
    public string? UnitSorId { get; init; }

    /// <summary>The reason, sealed; null while missing (rule M5).</summary>
    public string? SealedReason { get; init; }

    /// <summary>The masking that this one superseded (rule M7).</summary>
    public string? SupersededMaskingId { get; init; }

    string IEvent.Subject => MaskingId;
    string? IEvent.Patient => PatientKey;
}

/// <summary>The reason of a masking was written afterwards (rule M5). Published by Registration.</summary>
[EventName("registration.reason-added.v1")]
public sealed record RegistrationReasonAdded : IEvent
{
    /// <summary>The masking.</summary>
    public required string MaskingId { get; init; }

    /// <summary>Keyed hash of the patient.</summary>
    public required string PatientKey { get; init; }

    /// <summary>The reason, sealed.</summary>
    public required string SealedReason { get; init; }

    /// <summary>Person id of the writer.</summary>
    public required string AddedBy { get; init; }

    /// <summary>When, UTC.</summary>
    public required DateTimeOffset AddedAt { get; init; }

    string IEvent.Subject => MaskingId;
    string? IEvent.Patient => PatientKey;
}

/// <summary>A masking has ended and names show again. Published by Registration.</summary>
[EventName("registration.ended.v1")]
public sealed record RegistrationEnded : IEvent
{
    /// <summary>The masking.</summary>
    public required string MaskingId { get; init; }

    /// <summary>Keyed hash of the patient.</summary>
    public required string PatientKey { get; init; }

    /// <summary>The organisation, 8 digits.</summary>
    public required string Cvr { get; init; }

    /// <summary>"lifted" (rule A5), "ended" (by the organisation) or "expired" (rule M6). A superseded masking does not end: the new one goes on.</summary>
    public required string Cause { get; init; }

    /// <summary>When, UTC.</summary>
    public required DateTimeOffset EndedAt { get; init; }

    /// <summary>Person id, or "clock" when it expired.</summary>
    public required string EndedBy { get; init; }

    /// <summary>Why, sealed; null when it expired.</summary>
    public string? SealedReason { get; init; }

    string IEvent.Subject => MaskingId;
    string? IEvent.Patient => PatientKey;
}

/// <summary>A masking was extended by one period (rule A9). Published by Registration.</summary>
[EventName("registration.renewed.v1")]
public sealed record RegistrationRenewed : IEvent
{
    /// <summary>The masking.</summary>
    public required string MaskingId { get; init; }

    /// <summary>Keyed hash of the patient.</summary>
    public required string PatientKey { get; init; }

    /// <summary>The organisation, 8 digits.</summary>
    public required string Cvr { get; init; }

    /// <summary>The end before, UTC.</summary>
    public required DateTimeOffset ExtendedEnd { get; init; }

    /// <summary>The new end, UTC.</summary>
    public required DateTimeOffset EndsAt { get; init; }

    /// <summary>Person id of the leader who decided.</summary>
    public required string DecidedBy { get; init; }

    /// <summary>When, UTC.</summary>
    public required DateTimeOffset RenewedAt { get; init; }

    string IEvent.Subject => MaskingId;
    string? IEvent.Patient => PatientKey;
}

/// <summary>A masking got an earlier end than it had, by the national service's wire (rule M9: the last end counts there). Published by Registration.</summary>
[EventName("registration.shortened.v1")]
public sealed record RegistrationShortened : IEvent
{
    /// <summary>The masking.</summary>
    public required string MaskingId { get; init; }

    /// <summary>Keyed hash of the patient.</summary>
    public required string PatientKey { get; init; }

    /// <summary>The organisation, 8 digits.</summary>
    public required string Cvr { get; init; }

    /// <summary>The end before, UTC.</summary>
    public required DateTimeOffset ShortenedEnd { get; init; }

    /// <summary>The new end, UTC.</summary>
    public required DateTimeOffset EndsAt { get; init; }

    /// <summary>Who did it: a person id, or "system:" and a client.</summary>
    public required string ShortenedBy { get; init; }

    /// <summary>When, UTC.</summary>
    public required DateTimeOffset ShortenedAt { get; init; }

    string IEvent.Subject => MaskingId;
    string? IEvent.Patient => PatientKey;
}

/// <summary>
/// An organisation's CVR number has been replaced by another's: its maskings are the other's from now, and what is masked for the other covers entries of both. Stands before
/// what it does to each masking. Published by Registration.
/// </summary>
[EventName("organisation.replaced.v1")]
public sealed record OrganisationReplaced : IEvent
{
    /// <summary>The organisation that is no more, 8 digits.</summary>
    public required string ReplacedCvr { get; init; }

    /// <summary>The one that has replaced it, 8 digits.</summary>
    public required string Cvr { get; init; }

    /// <summary>When, UTC.</summary>
    public required DateTimeOffset ReplacedAt { get; init; }

    string IEvent.Subject => ReplacedCvr;
}

/// <summary>A masking in force has another organisation, or its organisation has replaced another: it goes on, and covers more. Published by Registration.</summary>
[EventName("registration.taken-over.v1")]
public sealed record RegistrationTakenOver : IEvent
{
    /// <summary>The masking.</summary>
    public required string MaskingId { get; init; }

    /// <summary>Keyed hash of the patient.</summary>
    public required string PatientKey { get; init; }

    /// <summary>The organisation before, 8 digits: the same where the masking was its own already.</summary>
    public required string FormerCvr { get; init; }

    /// <summary>The organisation now, 8 digits.</summary>
    public required string Cvr { get; init; }

    /// <summary>Ends by itself, UTC: unchanged.</summary>
    public required DateTimeOffset EndsAt { get; init; }

    /// <summary>The same patient's masking of the other organisation, which ended earlier and is superseded (as by rule M7); null where there was none.</summary>
    public string? SupersededMaskingId { get; init; }

    /// <summary>When, UTC.</summary>
    public required DateTimeOffset TakenOverAt { get; init; }

    string IEvent.Subject => MaskingId;
    string? IEvent.Patient => PatientKey;
}

/// <summary>A step of a department masking (rules D1–D4): nominated, reviewed, confirmed or removed. Published by Registration.</summary>
[EventName("unit.changed.v1")]
public sealed record UnitChanged : IEvent
{
    /// <summary>Id of the department masking, a UUID.</summary>
    public required string UnitMaskingId { get; init; }

    /// <summary>The organisation, 8 digits.</summary>
    public required string Cvr { get; init; }

    /// <summary>SOR id, or null where a SHAK code was nominated.</summary>
    public string? SorId { get; init; }

    /// <summary>SHAK code, or null where a SOR id was nominated.</summary>
    public string? Shak { get; init; }

    /// <summary>"nominated", "recommended", "returned", "refused", "in-force" or "removed".</summary>
    public required string State { get; init; }

    /// <summary>Person id.</summary>
    public required string ChangedBy { get; init; }

    /// <summary>When, UTC.</summary>
    public required DateTimeOffset ChangedAt { get; init; }

    /// <summary>Grounds or reason of the step, sealed; null where none is needed.</summary>
    public string? SealedReason { get; init; }

    string IEvent.Subject => UnitMaskingId;
}
