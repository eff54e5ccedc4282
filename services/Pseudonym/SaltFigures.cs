using Microsoft.EntityFrameworkCore;
using Sloring.Hosting;
using Sloring.Pseudonym.Domain;

namespace Sloring.Pseudonym;

/// <summary>How old the salt in use is; nothing before the first is made.</summary>
internal sealed class SaltFigures(Store<PseudonymDb> store, TimeProvider clock) : Figures<SaltFigures.Seen>
{
    protected override async Task<Seen> Read(CancellationToken cancel) =>
        new(Salts.Periods(await store.Read(db => db.Salts.OrderBy(salt => salt.Id).ToListAsync(cancel), cancel)));

    protected override IEnumerable<Figure> Of(Seen seen) => seen.Periods.Count == 0
        ? []
        : [new Figure(Metrics.SaltAge, (clock.GetUtcNow() - SaltRules.Current(seen.Periods, clock.GetUtcNow()).Value.ValidFrom).TotalSeconds)];

    internal sealed record Seen(IReadOnlyList<SaltPeriod> Periods);
}
