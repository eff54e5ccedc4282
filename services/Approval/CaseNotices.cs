using Sloring.Approval.Domain;
using Sloring.Contracts.Events;
using Sloring.Hosting;

namespace Sloring.Approval;

/// <summary>A message to a person, to a level, or to both.</summary>
public sealed class CaseNotice
{
    public required string NoticeId { get; init; }

    public required string Kind { get; init; }

    public required string CaseId { get; init; }

    public required string Cvr { get; init; }

    public string? ToPerson { get; init; }

    /// <summary>Null beside a null person: every leader of the organisation, whose units the register does not know.</summary>
    public string? ToUnitSorId { get; init; }

    public required DateTimeOffset SentAt { get; init; }
}

internal static class CaseNotices
{
    /// <summary>Leaves a notice for people, and an event for the region's own systems.</summary>
    public static Task Notify(this WriteScope<ApprovalDb> scope, string kind, ApprovalCase @case, string? toPerson = null, string? toUnit = null)
    {
        var now = scope.Now;
        var notice = new CaseNotice
        {
            NoticeId = Guid.CreateVersion7(now).ToString("D"),
            Kind = kind,
            CaseId = @case.CaseId,
            Cvr = @case.Cvr,
            ToPerson = toPerson,
            ToUnitSorId = toUnit,
            SentAt = now,
        };
        scope.Db.Notices.Add(notice);
        return scope.Append(new NotificationRequested
        {
            NoticeId = notice.NoticeId,
            Kind = kind,
            CaseId = @case.CaseId,
            Cvr = @case.Cvr,
            ToPerson = toPerson,
            ToUnitSorId = toUnit,
            SentAt = now,
        });
    }
}
