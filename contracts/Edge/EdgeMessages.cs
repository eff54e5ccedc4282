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

/// <summary>Data source → platform: entries of one CVR, at most 1,000, to be masked (rule E5); a patient without any counts as one.</summary>
/// <param name="UpdateId">The source's id of this update, 8 to 64 characters.</param>
/// <param name="Entries">Entries by patient.</param>
/// <param name="AfterPosition">Position of the decision that the source sends its entries anew for; masked by no picture from before it. Null for none.</param>
public sealed record DataSourceUpdate(string UpdateId, IReadOnlyList<PatientEntries> Entries, long? AfterPosition = null);

/// <summary>Entries of one patient.</summary>
/// <param name="PatientCpr">CPR number, 10 digits.</param>
/// <param name="Entries">The entries.</param>
public sealed record PatientEntries(string PatientCpr, IReadOnlyList<Entry> Entries);

/// <summary>Platform → data source: the entries of an update, masked.</summary>
/// <param name="UpdateId">The update answered.</param>
/// <param name="Entries">Masked entries by patient.</param>
/// <param name="Findings">Findings on data quality.</param>
/// <param name="Explanation">What the citizen is told (rule C1); null where nothing was masked.</param>
/// <param name="Position">Journal position of the oldest picture that decided.</param>
public sealed record MaskedUpdate(
    string UpdateId, IReadOnlyList<PatientEntries> Entries, IReadOnlyList<Finding> Findings, EdgeExplanation? Explanation = null, long Position = 0);

/// <summary>The general explanation for citizens (rule C1).</summary>
/// <param name="Da">Danish text.</param>
/// <param name="En">English text.</param>
/// <param name="Link">Address of the general information.</param>
public sealed record EdgeExplanation(string Da, string En, string Link);

/// <summary>Platform → data source: a masking started, ended or was extended: fetch anew (rule E6). Routed by CVR.</summary>
/// <param name="Cvr">The organisation, 8 digits.</param>
/// <param name="PatientKey">The patient under the receiving client's own key, 32 hex digits.</param>
/// <param name="EndsAt">When the masking ends, UTC; null where it has ended.</param>
/// <param name="Position">Journal position of the change.</param>
public sealed record MaskingDecisionChanged(string Cvr, string PatientKey, DateTimeOffset? EndsAt, long Position);

/// <summary>Platform → region's systems: people must be told (rules A1, A3, A5, A8, M5, C3). Routed by CVR and kind. Deliberately absent: the patient.</summary>
/// <param name="NoticeId">Id of the notice, a UUID; the same in a repeat.</param>
/// <param name="Kind">"leader-told", "reason-missing", "decision-reminder", "decision-overdue", "expiry-notice", "lifted", "ended", "question", "answer" or "complaint".</param>
/// <param name="CaseId">The case; equals the masking's id.</param>
/// <param name="Cvr">The organisation, 8 digits.</param>
/// <param name="ToPerson">Person id of the recipient; null where it goes to a level.</param>
/// <param name="ToUnitSorId">SOR id of the recipient level; null where it goes to a person alone, or to every leader of the organisation.</param>
/// <param name="SentAt">When, UTC.</param>
public sealed record NotificationRequested(
    string NoticeId, string Kind, string CaseId, string Cvr, string? ToPerson, string? ToUnitSorId, DateTimeOffset SentAt);

/// <summary>Platform → whoever asked for an answer with a direct reply-to: what became of a message.</summary>
/// <param name="Message">The routing key it came with, for example "activate-masking".</param>
/// <param name="Accepted">True where it was carried out; false with a rejection.</param>
/// <param name="MaskingId">The masking, a UUID.</param>
/// <param name="InForceFrom">Since when the masking is in force, UTC.</param>
/// <param name="EndsAt">When it ends, or has ended, UTC.</param>
/// <param name="Position">Journal position of the commit.</param>
/// <param name="SupersededMaskingId">The masking that this one superseded (rule M7); null where there was none.</param>
/// <param name="Rejection">Why not; null where it was accepted.</param>
public sealed record EdgeAnswer(
    string Message, bool Accepted, string? MaskingId = null, DateTimeOffset? InForceFrom = null, DateTimeOffset? EndsAt = null, long? Position = null,
    string? SupersededMaskingId = null, EdgeRejection? Rejection = null);

/// <summary>A numbered "no". No value of the message stands in it.</summary>
/// <param name="Code">"SLR-nnn".</param>
/// <param name="Da">Danish text.</param>
/// <param name="En">English text.</param>
/// <param name="Field">The field at fault, in snake_case; null where no single field is.</param>
public sealed record EdgeRejection(string Code, string Da, string En, string? Field = null)
{
    public static EdgeRejection Of(Rejection rejection) => new(rejection.Code, rejection.Da, rejection.En, rejection.Field);
}
