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
                var cases = InState(Visible(db, caller), request.State, now);
                if (request.OverdueOnly)
                    cases = cases.Where(c => c.State == CaseState.Open && c.EndsAt > now && c.DecisionDue <= now);
                var rows = await After(cases, after).OrderBy(c => c.DecisionDue).ThenBy(c => c.CaseId).Take(size + 1)
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

    /// <summary>The cases that the caller may see.</summary>
    /// <exception cref="RejectedException">SLR-903.</exception>
    internal static IQueryable<ApprovalCase> Visible(ApprovalDb db, Caller caller)
    {
        var cvr = caller.RequireCvr().ToString();
        var cases = db.Cases.Where(c => c.Cvr == cvr);
        if (caller.Is(Roles.HospitalManagement) || caller.Is(Roles.Region))
            return cases;
        return caller.UnitSorId is { } unit
            ? cases.Where(c => c.LevelUnitSorId == null || c.LevelUnitSorId == unit || c.EscalatedUnitSorId == unit)
            : cases.Where(c => c.LevelUnitSorId == null);
    }

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
