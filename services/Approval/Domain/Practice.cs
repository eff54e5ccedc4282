namespace Sloring.Approval.Domain;

/// <summary>How one organisation has chosen to approve: its configuration, resolved for its CVR.</summary>
/// <param name="ApprovalLevel">"department", "hospital" or "region" (rule A1).</param>
/// <param name="MayDecideOwn">True where people may decide on their own activation (rule A7).</param>
/// <param name="WorkingDays">Its working days (rule A2).</param>
/// <param name="SmallestCell">Smaller counts are suppressed in the overview (rule O2).</param>
/// <param name="DecisionWorkingDays">Working days until a decision is due (rule A2).</param>
/// <param name="ExpiryNoticeDays">Days before the end at which the expiry notice is sent and renewal opens (rules A8, A9).</param>
public sealed record Practice(
    string ApprovalLevel, bool MayDecideOwn, WorkingDays WorkingDays, int SmallestCell, int DecisionWorkingDays, int ExpiryNoticeDays);
