using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Microsoft.EntityFrameworkCore;
using Sloring.Contracts;
using Sloring.Contracts.Scheduler.V1;
using Sloring.Hosting;
using Row = Sloring.Scheduler.Deadline;

namespace Sloring.Scheduler;

/// <summary>Deadlines for operators: of one subject, or the nearest; earliest due first.</summary>
public sealed class ListDeadlines(Store<SchedulerDb> store)
{
    public async Task<ListDeadlinesResponse> Handle(ListDeadlinesRequest request, Caller caller, CancellationToken cancel)
    {
        var (size, token) = Paging.Of(request.PageSize, request.PageToken);
        var after = After(token);
        if (request.Subject.Length > 0)
            Texts.Id(request.Subject, Rejections.IdInvalid, "subject");

        var found = await store.Read(async db =>
        {
            // Pending and done apart, each from its own index.
            var rows = await Page(db.Deadlines.Where(d => d.State == DeadlineState.Pending)).ToListAsync(cancel);
            if (request.IncludeDone)
                rows.AddRange(await Page(db.Deadlines.Where(d => d.State != DeadlineState.Pending)).ToListAsync(cancel));
            return rows.OrderBy(d => d.DueAt).ThenBy(d => d.Number).ToList();
        }, cancel);

        return new ListDeadlinesResponse
        {
            Deadlines = { found.Take(size).Select(Shown) },
            NextPageToken = found.Count > size ? Paging.Token(Key(found[size - 1])) : "",
        };

        IQueryable<Row> Page(IQueryable<Row> rows)
        {
            if (request.Subject.Length > 0)
                rows = rows.Where(d => d.Subject == request.Subject);
            if (after is var (dueAt, number))
                rows = rows.Where(d => d.DueAt >= dueAt && (d.DueAt > dueAt || d.Number > number));
            return rows.OrderBy(d => d.DueAt).ThenBy(d => d.Number).Take(size + 1);
        }
    }

    private static Contracts.Scheduler.V1.Deadline Shown(Row row) => new()
    {
        DeadlineId = row.Id.ToString(),
        Owner = row.Owner,
        Subject = row.Subject,
        Kind = row.Kind,
        DueAt = row.DueAt.ToTimestamp(),
        State = row.State switch { DeadlineState.Pending => "pending", DeadlineState.Fired => "fired", _ => "cancelled" },
        FiredAt = row.FiredAt?.ToTimestamp(),
    };

    private static string Key(Row row) => string.Create(CultureInfo.InvariantCulture, $"{row.DueAt.ToUnixTimeMilliseconds()}:{row.Number}");

    private static (DateTimeOffset DueAt, long Number)? After(string? token)
    {
        if (token is null)
            return null;
        var parts = token.Split(':');
        return parts.Length == 2 && long.TryParse(parts[0], CultureInfo.InvariantCulture, out var due) && long.TryParse(parts[1], CultureInfo.InvariantCulture, out var number)
            && due >= DateTimeOffset.MinValue.ToUnixTimeMilliseconds() && due <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
                ? (DateTimeOffset.FromUnixTimeMilliseconds(due), number)
                : throw new RejectedException(Rejections.PageInvalid.For("page_token"));
    }
}
