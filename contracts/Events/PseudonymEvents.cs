namespace Sloring.Contracts.Events;

/// <summary>A salt exists that will replace the one in use; GetCurrentSalt hands it out beside that one. Published by Pseudonym. Deliberately absent: the salt.</summary>
[EventName("salt.announced.v1")]
public sealed record SaltAnnounced : IEvent
{
    /// <summary>Number of the announced salt.</summary>
    public required int SaltId { get; init; }

    /// <summary>In use from, UTC.</summary>
    public required DateTimeOffset ValidFrom { get; init; }

    string IEvent.Subject => "salt";
}

/// <summary>A new salt is in use; pseudonyms change. Published by Pseudonym. Deliberately absent: the salt.</summary>
[EventName("salt.rotated.v1")]
public sealed record SaltRotated : IEvent
{
    /// <summary>Number of the new salt, from 1.</summary>
    public required int SaltId { get; init; }

    /// <summary>In use from, UTC.</summary>
    public required DateTimeOffset ValidFrom { get; init; }

    string IEvent.Subject => "salt";
}

/// <summary>Somebody resolved a pseudonym (rules C2, O3). Audit only.</summary>
[EventName("audit.pseudonym-resolved.v1")]
public sealed record PseudonymResolved : IEvent
{
    /// <summary>Keyed hash of the patient.</summary>
    public required string PatientKey { get; init; }

    /// <summary>The pseudonym.</summary>
    public required string Pseudonym { get; init; }

    /// <summary>The stated purpose, sealed.</summary>
    public required string SealedPurpose { get; init; }

    /// <summary>How many candidates were tried.</summary>
    public required int Candidates { get; init; }

    /// <summary>How many matched.</summary>
    public required int Matches { get; init; }

    /// <summary>Client id of the calling system.</summary>
    public string? Client { get; init; }

    /// <summary>Network of the caller, for example "10.20.30.0/24".</summary>
    public string? From { get; init; }

    string IEvent.Subject => Pseudonym;
    string? IEvent.Patient => PatientKey;
}

/// <summary>Somebody read what is masked for a patient, a case about one, or pseudonyms towards one (rule O3). Audit only, in the journal of the service that answered.</summary>
[EventName("audit.masking-read.v1")]
public sealed record MaskingRead : IEvent
{
    /// <summary>Keyed hash of the patient; null for a list over many.</summary>
    public string? PatientKey { get; init; }

    /// <summary>The operation, for example "GetMaskingInstructions".</summary>
    public required string Operation { get; init; }

    /// <summary>Client id of the calling system.</summary>
    public required string Client { get; init; }

    /// <summary>Case or masking read; null where there is none.</summary>
    public string? About { get; init; }

    /// <summary>Of how many names pseudonyms were computed; null where none were.</summary>
    public int? Names { get; init; }

    /// <summary>Network of the caller, for example "10.20.30.0/24"; "amqp" for one that came over the broker.</summary>
    public string? From { get; init; }

    /// <summary>Why: the role, or roles, by which the caller was allowed to. Reads have no purpose in words; the role says what for.</summary>
    public string? Role { get; init; }

    string IEvent.Subject => About ?? Operation;
    string? IEvent.Patient => PatientKey;
}

/// <summary>An auditor searched a journal (rule O3). Audit only.</summary>
[EventName("audit.journal-searched.v1")]
public sealed record JournalSearched : IEvent
{
    /// <summary>Keyed hash of the patient searched for; null for all.</summary>
    public string? PatientKey { get; init; }

    /// <summary>Type prefix searched for.</summary>
    public string? TypePrefix { get; init; }

    /// <summary>Actor searched for.</summary>
    public string? Actor { get; init; }

    /// <summary>Why, as the auditor has stated it, sealed; null where nothing was stated.</summary>
    public string? SealedPurpose { get; init; }

    /// <summary>Client id of the calling system.</summary>
    public string? Client { get; init; }

    /// <summary>Network of the caller, for example "10.20.30.0/24".</summary>
    public string? From { get; init; }

    string IEvent.Subject => "journal";
    string? IEvent.Patient => PatientKey;
}

/// <summary>
/// What a journal was at one instant, signed (rule O3). Audit only; handed outside as well, since one that is kept only in the journal that it
/// speaks of goes when that is cut short.
/// </summary>
[EventName("audit.journal-checkpointed.v1")]
public sealed record JournalCheckpointed : IEvent
{
    /// <summary>Position of the entry before this one.</summary>
    public required long Position { get; init; }

    /// <summary>Hash of that entry, hex: it covers all that lies before.</summary>
    public required string Hash { get; init; }

    /// <summary>Service, position, hash and instant as a JWS in compact form, ES256, with the key's id.</summary>
    public required string Signed { get; init; }

    string IEvent.Subject => "journal";
}

/// <summary>
/// Entries were erased from the front of a journal after their retention (decision 33). Audit only; the newest one in a journal says where that begins.
/// </summary>
[EventName("audit.journal-erased.v1")]
public sealed record JournalErased : IEvent
{
    /// <summary>Position of the last erased entry.</summary>
    public required long Position { get; init; }

    /// <summary>Hash of that entry, hex: the first entry that is kept follows on it.</summary>
    public required string Hash { get; init; }

    /// <summary>What was written before this instant was to be erased, UTC.</summary>
    public required DateTimeOffset Before { get; init; }

    /// <summary>Hash of the first entry that the journal ever had, hex: its name, which no erasure changes.</summary>
    public required string Journal { get; init; }

    /// <summary>Service, position, hash and instant of the last erased entry as a JWS in compact form, ES256, type "journal-start", with the key's id.</summary>
    public required string Signed { get; init; }

    string IEvent.Subject => "journal";
}

/// <summary>Rows, or a message refused at the edge, were erased after their retention (decision 33). Audit only; one for each batch.</summary>
[EventName("audit.records-erased.v1")]
public sealed record RecordsErased : IEvent
{
    /// <summary>"maskings", "units", "cases", "deadlines" or "salts"; of a message that was refused at the edge the name of its error queue.</summary>
    public required string Kind { get; init; }

    /// <summary>What ended before this instant was to be erased, UTC.</summary>
    public required DateTimeOffset Before { get; init; }

    /// <summary>How many.</summary>
    public required int Rows { get; init; }

    string IEvent.Subject => Kind;
}

/// <summary>
/// The database was put back from a backup: what stood behind this place before is lost, and its positions are given out anew. Audit only, in every journal that was put
/// back; deliberately absent: how much was lost, which nobody here can know.
/// </summary>
[EventName("audit.journal-restored.v1")]
public sealed record JournalRestored : IEvent
{
    string IEvent.Subject => "journal";
}

/// <summary>Rows were brought under another sealing key, by an operator. Audit only.</summary>
[EventName("audit.rows-resealed.v1")]
public sealed record RowsResealed : IEvent
{
    /// <summary>Id of the key they are sealed under now.</summary>
    public required string KeyId { get; init; }

    /// <summary>How many texts.</summary>
    public required int Rows { get; init; }

    string IEvent.Subject => "keys";
}
