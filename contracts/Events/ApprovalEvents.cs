namespace Sloring.Contracts.Events;

/// <summary>A case was opened at the level that the organisation has chosen (rule A1). Published by Approval.</summary>
[EventName("approval.case-opened.v1")]
public sealed record CaseOpened : IEvent
{
    /// <summary>The case; equals the masking's id.</summary>
    public required string CaseId { get; init; }

    /// <summary>Keyed hash of the patient.</summary>
    public required string PatientKey { get; init; }

    /// <summary>The organisation, 8 digits.</summary>
    public required string Cvr { get; init; }

    /// <summary>SOR id of the level that decides; null where the register knows no unit of the organisation.</summary>
    public string? LevelUnitSorId { get; init; }

    /// <summary>When a decision is due, UTC (rule A2).</summary>
    public required DateTimeOffset DecisionDue { get; init; }

    string IEvent.Subject => CaseId;
    string? IEvent.Patient => PatientKey;
}

/// <summary>A case is another organisation's, which has replaced its own, and is decided at a level there (rule A1). Published by Approval.</summary>
[EventName("approval.case-moved.v1")]
public sealed record CaseMoved : IEvent
{
    /// <summary>The case; equals the masking's id.</summary>
    public required string CaseId { get; init; }

    /// <summary>Keyed hash of the patient.</summary>
    public required string PatientKey { get; init; }

    /// <summary>The organisation now, 8 digits.</summary>
    public required string Cvr { get; init; }

    /// <summary>SOR id of the level that decides now; null where the register knows no unit of the organisation.</summary>
    public string? LevelUnitSorId { get; init; }

    string IEvent.Subject => CaseId;
    string? IEvent.Patient => PatientKey;
}

/// <summary>A leader decided: upheld, lifted (rule A5) or renewed (rule A9). Published by Approval.</summary>
[EventName("approval.decided.v1")]
public sealed record ApprovalDecided : IEvent
{
    /// <summary>The case; equals the masking's id.</summary>
    public required string CaseId { get; init; }

    /// <summary>Keyed hash of the patient.</summary>
    public required string PatientKey { get; init; }

    /// <summary>"upheld", "lifted" or "renewed".</summary>
    public required string Decision { get; init; }

    /// <summary>Person id of the leader.</summary>
    public required string DecidedBy { get; init; }

    /// <summary>When, UTC.</summary>
    public required DateTimeOffset DecidedAt { get; init; }

    /// <summary>The ground, sealed; null where none was given (upheld).</summary>
    public string? SealedReason { get; init; }

    string IEvent.Subject => CaseId;
    string? IEvent.Patient => PatientKey;
}

/// <summary>A case took another step that people asked for: a question or an answer (rule A6). Published by Approval.</summary>
[EventName("approval.case-noted.v1")]
public sealed record CaseNoted : IEvent
{
    /// <summary>The case.</summary>
    public required string CaseId { get; init; }

    /// <summary>Keyed hash of the patient.</summary>
    public required string PatientKey { get; init; }

    /// <summary>"question" or "answer".</summary>
    public required string Kind { get; init; }

    /// <summary>Person id.</summary>
    public required string NotedBy { get; init; }

    /// <summary>The text, sealed.</summary>
    public required string SealedText { get; init; }

    string IEvent.Subject => CaseId;
    string? IEvent.Patient => PatientKey;
}

/// <summary>People must be told: a leader, a level or an activator (rules A1, A3, A5, A8, M5). Published by Approval, for regions' systems.</summary>
[EventName("approval.notification-requested.v1")]
public sealed record NotificationRequested : IEvent
{
    /// <summary>Id of the notice, a UUID.</summary>
    public required string NoticeId { get; init; }

    /// <summary>"leader-told", "reason-missing", "decision-reminder", "decision-overdue", "expiry-notice", "lifted", "ended", "question", "answer" or "complaint".</summary>
    public required string Kind { get; init; }

    /// <summary>The case.</summary>
    public required string CaseId { get; init; }

    /// <summary>The organisation, 8 digits.</summary>
    public required string Cvr { get; init; }

    /// <summary>Person id of the recipient; null where it goes to a level.</summary>
    public string? ToPerson { get; init; }

    /// <summary>SOR id of the recipient level; null where it goes to a person alone.</summary>
    public string? ToUnitSorId { get; init; }

    /// <summary>When, UTC.</summary>
    public required DateTimeOffset SentAt { get; init; }

    string IEvent.Subject => CaseId;
}

/// <summary>A complaint against a masking took a step (rule C3). Audit only; deliberately absent: its texts.</summary>
[EventName("audit.complaint-changed.v1")]
public sealed record ComplaintChanged : IEvent
{
    /// <summary>The complaint.</summary>
    public required string ComplaintId { get; init; }

    /// <summary>The case of the masking complained of.</summary>
    public required string CaseId { get; init; }

    /// <summary>Keyed hash of the patient.</summary>
    public required string PatientKey { get; init; }

    /// <summary>"registered", "taken-up", "withdrawn" or "answered".</summary>
    public required string Step { get; init; }

    /// <summary>"upheld", "not-upheld" or "lifted"; null until it is answered.</summary>
    public string? Outcome { get; init; }

    /// <summary>Person id.</summary>
    public required string By { get; init; }

    string IEvent.Subject => CaseId;
    string? IEvent.Patient => PatientKey;
}

/// <summary>A region has chosen how its organisation approves (rules A1, A2, A7, A8): one entry for each setting that was changed. Audit only.</summary>
[EventName("audit.practice-changed.v1")]
public sealed record PracticeChanged : IEvent
{
    /// <summary>The organisation, 8 digits.</summary>
    public required string Cvr { get; init; }

    /// <summary>The version that the change made.</summary>
    public required int Version { get; init; }

    /// <summary>"approval-level", "may-decide-own", "extra-non-working-days", "decision-working-days" or "expiry-notice-days".</summary>
    public required string Setting { get; init; }

    /// <summary>What was chosen; null: as configured.</summary>
    public string? From { get; init; }

    /// <summary>What is chosen; null: as configured.</summary>
    public string? To { get; init; }

    /// <summary>Person id.</summary>
    public required string By { get; init; }

    string IEvent.Subject => Cvr;
}
