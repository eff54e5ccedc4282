using Microsoft.EntityFrameworkCore;
using Sloring.Contracts;
using Sloring.Contracts.Approval.V1;
using Sloring.Hosting;
using CaseComplaint = Sloring.Approval.Domain.CaseComplaint;

namespace Sloring.Approval;

/// <summary>The organisation's complaints, without their texts (rule C3): first those that await an answer, longest waiting first; then the others, newest first.</summary>
public sealed class ListComplaints(Store<ApprovalDb> store)
{
    private const string OpenPart = "o|";
    private const string ClosedPart = "c|";

    public async Task<ListComplaintsResponse> Handle(ListComplaintsRequest request, Caller caller, CancellationToken cancel)
    {
        var (size, after) = Paging.Of(request.PageSize, request.PageToken);
        var (open, closed) = (KeyOf(after, OpenPart), KeyOf(after, ClosedPart));
        if (after is not null && open is null && closed is null)
            throw new RejectedException(Rejections.PageInvalid.For("page_token"));
        var cvr = caller.RequireCvr().ToString();
        var found = await store.Read(
            async db =>
            {
                var all = db.Complaints.AsNoTracking().Where(c => c.Cvr == cvr);
                var rows = closed is null ? await Open(all, open).Take(size + 1).ToListAsync(cancel) : [];
                if (rows.Count <= size)
                    rows.AddRange(await Closed(all, closed).Take(size + 1 - rows.Count).ToListAsync(cancel));
                return rows;
            },
            cancel);
        var page = found.Take(size).ToList();
        return new ListComplaintsResponse { Complaints = { page.Select(ComplaintView.Summary) }, NextPageToken = found.Count > size ? Token(page[^1]) : "" };
    }

    private static IQueryable<CaseComplaint> Open(IQueryable<CaseComplaint> all, (DateTimeOffset At, string Id)? after)
    {
        var open = all.Where(c => c.ClosedAt == null);
        if (after is var (at, id))
            open = open.Where(c => c.RegisteredAt > at || (c.RegisteredAt == at && c.ComplaintId.CompareTo(id) > 0));
        return open.OrderBy(c => c.RegisteredAt).ThenBy(c => c.ComplaintId);
    }

    private static IQueryable<CaseComplaint> Closed(IQueryable<CaseComplaint> all, (DateTimeOffset At, string Id)? after)
    {
        var closed = all.Where(c => c.ClosedAt != null);
        if (after is var (at, id))
            closed = closed.Where(c => c.ClosedAt < at || (c.ClosedAt == at && c.ComplaintId.CompareTo(id) < 0));
        return closed.OrderByDescending(c => c.ClosedAt).ThenByDescending(c => c.ComplaintId);
    }

    private static (DateTimeOffset At, string Id)? KeyOf(string? after, string part) =>
        after?.StartsWith(part, StringComparison.Ordinal) == true ? PageKey.Parse(after[part.Length..]) : null;

    private static string Token(CaseComplaint last) => last.ClosedAt is { } closedAt
        ? Paging.Token(ClosedPart + PageKey.Text(closedAt, last.ComplaintId))
        : Paging.Token(OpenPart + PageKey.Text(last.RegisteredAt, last.ComplaintId));
}
