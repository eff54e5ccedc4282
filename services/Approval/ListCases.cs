using Microsoft.EntityFrameworkCore;
using Sloring.Approval.Domain;
using Sloring.Contracts;
using Sloring.Contracts.Approval.V1;
using Sloring.Hosting;

namespace Sloring.Approval;

/// <summary>The work list, most urgent first: leaders see their level's cases, hospital management and region the organisation's (rule A1).</summary>
public sealed class ListCases(Store<ApprovalDb> store, Practices practices, TimeProvider clock)
{
    public async Task<ListCasesResponse> Handle(ListCasesRequest request, Caller caller, CancellationToken cancel)
    {
        var (size, after) = Paging.Of(request.PageSize, request.PageToken);
        var now = clock.GetUtcNow();
        var (found, practice) = await store.Read(
            async db =>
            {
                // The head of each part by its own index, then the head of those: however many cases of others there are, they are not read.
                var heads = Visible(db, caller).Select(part => First(After(Chosen(part, request, now), after), size + 1)).ToList();
                var rows = await First(heads.Aggregate(Queryable.Concat), size + 1)
                    .Select(c => new { Case = c, AwaitsAnswer = c.Questions.Any(question => question.AnsweredAt == null) }).ToListAsync(cancel);
                return (rows, await practices.Of(db, caller.RequireCvr().ToString(), cancel));
            },
            cancel);
        var page = found.Take(size).ToList();
        return new ListCasesResponse
        {
            Cases = { page.Select(row => CaseView.Summary(row.Case, row.AwaitsAnswer, caller, now, practice)) },
            NextPageToken = found.Count > size ? PageKey.Token(page[^1].Case.DecisionDue, page[^1].Case.CaseId) : "",
        };
    }

    /// <summary>The cases that the caller may see, in parts that share none: each has an index.</summary>
    /// <exception cref="RejectedException">SLR-903.</exception>
    internal static IReadOnlyList<IQueryable<ApprovalCase>> Visible(ApprovalDb db, Caller caller)
    {
        var cvr = caller.RequireCvr().ToString();
        var cases = db.Cases.Where(c => c.Cvr == cvr);
        if (SeesAll(caller))
            return [cases];
        var ofNoUnit = cases.Where(c => c.LevelUnitSorId == null);
        return caller.UnitSorId is { } unit
            ? [ofNoUnit, cases.Where(c => c.LevelUnitSorId == unit), cases.Where(c => c.EscalatedUnitSorId == unit && c.LevelUnitSorId != null && c.LevelUnitSorId != unit)]
            : [ofNoUnit];
    }

    /// <summary>Hospital management and region: the organisation's.</summary>
    internal static bool SeesAll(Caller caller) => caller.Is(Roles.HospitalManagement) || caller.Is(Roles.Region);

    private static IQueryable<ApprovalCase> Chosen(IQueryable<ApprovalCase> cases, ListCasesRequest request, DateTimeOffset now)
    {
        var inState = InState(cases, request.State, now);
        return request.OverdueOnly ? inState.Where(c => c.State == CaseState.Open && c.EndsAt > now && c.DecisionDue <= now) : inState;
    }

    private static IQueryable<ApprovalCase> First(IQueryable<ApprovalCase> cases, int count) => cases.OrderBy(c => c.DecisionDue).ThenBy(c => c.CaseId).Take(count);

    /// <summary>By the state that holds now: see <see cref="ApprovalRules.StateAt"/>.</summary>
    internal static IQueryable<ApprovalCase> InState(IQueryable<ApprovalCase> cases, CaseState state, DateTimeOffset now) => state switch
    {
        CaseState.Unspecified or CaseState.Open => cases.Where(c => c.State == CaseState.Open && c.EndsAt > now),
        CaseState.Upheld => cases.Where(c => c.State == CaseState.Upheld && c.EndsAt > now),
        CaseState.Expired => cases.Where(
            c => c.State == CaseState.Expired || ((c.State == CaseState.Open || c.State == CaseState.Upheld) && c.EndsAt <= now)),
        CaseState.Lifted or CaseState.Superseded or CaseState.Ended => cases.Where(c => c.State == state),
        _ => throw new RejectedException(Rejections.CodeUnknown.For("state")),
    };

    private static IQueryable<ApprovalCase> After(IQueryable<ApprovalCase> cases, string? after)
    {
        if (after is null)
            return cases;
        var (due, id) = PageKey.Parse(after);
        return cases.Where(c => c.DecisionDue > due || (c.DecisionDue == due && c.CaseId.CompareTo(id) > 0));
    }
}
