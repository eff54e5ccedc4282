using Google.Protobuf.WellKnownTypes;
using Microsoft.EntityFrameworkCore;
using Sloring.Contracts.Approval.V1;
using Sloring.Hosting;

namespace Sloring.Approval;

/// <summary>Notices to the caller and, for leaders, to the caller's level, newest first (rules A1, A3, A5, A6, A8, M5, C3).</summary>
public sealed class ListNotices(Store<ApprovalDb> store)
{
    public async Task<ListNoticesResponse> Handle(ListNoticesRequest request, Caller caller, CancellationToken cancel)
    {
        var (size, after) = Paging.Of(request.PageSize, request.PageToken);
        var (at, id) = after is null ? (DateTimeOffset.MaxValue, "") : PageKey.Parse(after);
        _ = caller.RequirePerson();
        var (cvr, persons) = (caller.RequireCvr().ToString(), caller.PersonIds);
        var (leads, unit) = (caller.Is(Roles.Leader), caller.UnitSorId);
        var (found, cases) = await store.Read(
            async db =>
            {
                var rows = await db.Notices
                    .Where(notice => notice.Cvr == cvr)
                    .Where(notice => persons.Contains(notice.ToPerson)
                        || (leads && notice.ToUnitSorId != null && notice.ToUnitSorId == unit)
                        || (leads && notice.ToUnitSorId == null && notice.ToPerson == null))
                    .Where(notice => notice.SentAt < at || (notice.SentAt == at && notice.NoticeId.CompareTo(id) < 0))
                    .OrderByDescending(notice => notice.SentAt).ThenByDescending(notice => notice.NoticeId)
                    .Take(size + 1).ToListAsync(cancel);
                var about = rows.Select(notice => notice.CaseId).Distinct().ToList();
                return (rows, await db.Cases.AsNoTracking().Where(c => about.Contains(c.CaseId)).ToListAsync(cancel));
            },
            cancel);
        var readable = cases.Where(caller.MayRead).Select(c => c.CaseId).ToHashSet();
        var page = found.Take(size).ToList();
        return new ListNoticesResponse
        {
            Notices = { page.Select(notice => Show(notice, readable.Contains(notice.CaseId))) },
            NextPageToken = found.Count > size ? PageKey.Token(page[^1].SentAt, page[^1].NoticeId) : "",
        };
    }

    private static Notice Show(CaseNotice notice, bool readable) => new()
    {
        NoticeId = notice.NoticeId,
        Kind = notice.Kind,
        CaseId = notice.CaseId,
        ToPerson = notice.ToPerson ?? "",
        ToUnitSorId = notice.ToUnitSorId ?? "",
        SentAt = notice.SentAt.ToTimestamp(),
        Readable = readable,
    };
}
