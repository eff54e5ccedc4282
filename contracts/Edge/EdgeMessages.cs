using Sloring.Contracts.Effectuation.V1;

namespace Sloring.Contracts.Edge;

/// <summary>EPJ adapter → platform: start a masking. The organisation is the broker user's, never in the message (rule M2).</summary>
/// <param name="IdempotencyKey">8 to 64 characters; a repeat changes nothing (rule M9).</param>
/// <param name="PatientCpr">CPR number, 10 digits.</param>
/// <param name="Trigger">"violence", "threats", "harassment" or "founded-fear" (rule M4).</param>
/// <param name="BehaviourOn">yyyy-MM-dd (rule M8).</param>
/// <param name="Reason">The concrete reason, or null to follow later (rule M5).</param>
/// <param name="Activator">Who activates.</param>
/// <param name="EndsAt">An earlier or, where configuration allows, later end than 90 days (rule M10); null for 90 days.</param>
public sealed record ActivateMasking(
    string IdempotencyKey, string PatientCpr, string Trigger, string BehaviourOn, string? Reason, EdgeActivator Activator, DateTimeOffset? EndsAt = null);

/// <summary>EPJ adapter → platform: write the reason (rule M5).</summary>
/// <param name="MaskingId">The masking.</param>
/// <param name="Reason">1 to 4,000 characters.</param>
public sealed record AddReason(string MaskingId, string Reason);

/// <summary>EPJ adapter → platform: end a masking early, on behalf of a leader.</summary>
/// <param name="MaskingId">The masking.</param>
/// <param name="Reason">1 to 4,000 characters.</param>
/// <param name="Activator">The leader.</param>
public sealed record EndMasking(string MaskingId, string Reason, EdgeActivator Activator);

/// <summary>A person named by an EPJ adapter.</summary>
/// <param name="PersonId">The organisation's own id of the person; never a CPR number or a name.</param>
/// <param name="Role">"health-worker" or "leader".</param>
/// <param name="UnitSorId">SOR id of the unit, or null.</param>
public sealed record EdgeActivator(string PersonId, string Role, string? UnitSorId);

/// <summary>Data source → platform: entries of one CVR, at most 1,000, to be masked (rule E5).</summary>
/// <param name="UpdateId">The source's id of this update, 8 to 64 characters.</param>
/// <param name="Entries">Entries by patient.</param>
public sealed record DataSourceUpdate(string UpdateId, IReadOnlyList<PatientEntries> Entries);

/// <summary>Entries of one patient.</summary>
/// <param name="PatientCpr">CPR number, 10 digits.</param>
/// <param name="Entries">The entries.</param>
public sealed record PatientEntries(string PatientCpr, IReadOnlyList<Entry> Entries);

/// <summary>Platform → data source: the entries of an update, masked.</summary>
/// <param name="UpdateId">The update answered.</param>
/// <param name="Entries">Masked entries by patient.</param>
/// <param name="Findings">Findings on data quality.</param>
public sealed record MaskedUpdate(string UpdateId, IReadOnlyList<PatientEntries> Entries, IReadOnlyList<Finding> Findings);

/// <summary>Platform → data source: a masking started, ended or was extended: fetch anew (rule E6). Routed by CVR.</summary>
/// <param name="Cvr">The organisation, 8 digits.</param>
/// <param name="PatientKey">The patient under the receiving client's own key, 32 hex digits.</param>
/// <param name="EndsAt">When the masking ends, UTC; null where it has ended.</param>
/// <param name="Position">Journal position of the change.</param>
public sealed record MaskingDecisionChanged(string Cvr, string PatientKey, DateTimeOffset? EndsAt, long Position);
