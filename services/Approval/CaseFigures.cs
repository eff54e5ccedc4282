using Microsoft.EntityFrameworkCore;
using Sloring.Contracts.Approval.V1;
using Sloring.Hosting;

namespace Sloring.Approval;

/// <summary>How many cases wait, of all organisations together: one's own figures would tell of who is on its list.</summary>
internal sealed class CaseFigures(Store<ApprovalDb> store, TimeProvider clock) : Figures<CaseFigures.Seen>
{
    protected override Task<Seen> Read(CancellationToken cancel) => store.Read(async db =>
    {
        var now = clock.GetUtcNow();
        var open = ListCases.InState(db.Cases, CaseState.Open, now);
        return new Seen(await open.LongCountAsync(cancel), await open.LongCountAsync(c => c.DecisionDue <= now, cancel));
    }, cancel);

    protected override IEnumerable<Figure> Of(Seen seen) => [new Figure(Metrics.OpenCases, seen.Open), new Figure(Metrics.OverdueCases, seen.Overdue)];

    internal sealed record Seen(long Open, long Overdue);
}
