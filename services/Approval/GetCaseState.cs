using Microsoft.EntityFrameworkCore;
using Sloring.Contracts;
using Sloring.Contracts.Approval.V1;
using Sloring.Hosting;

namespace Sloring.Approval;

/// <summary>How a case stands, for whom <see cref="GetCase"/> shows it to: no patient and no text, so no audit entry.</summary>
public sealed class GetCaseState(Store<ApprovalDb> store, Practices practices, TimeProvider clock)
{
    public Task<CaseSummary> Handle(GetCaseStateRequest request, Caller caller, CancellationToken cancel)
    {
        var (caseId, cvr) = (Texts.Uuid(request.CaseId, "case_id").ToString("D"), caller.RequireCvr().ToString());
        return store.Read(
            async db =>
            {
                var row = await db.Cases.AsNoTracking().Where(c => c.CaseId == caseId && c.Cvr == cvr)
                    .Select(c => new { Case = c, AwaitsAnswer = c.Questions.Any(question => question.AnsweredAt == null) }).SingleOrDefaultAsync(cancel)
                    ?? throw new RejectedException(Rejections.CaseNotFound);
                return caller.MaySee(row.Case)
                    ? CaseView.Summary(row.Case, row.AwaitsAnswer, caller, clock.GetUtcNow(), await practices.Of(db, cvr, cancel))
                    : throw new RejectedException(Rejections.NotYourLevel);
            },
            cancel);
    }
}
