using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Sloring.Hosting;
using Sloring.Pseudonym.Domain;

namespace Sloring.Pseudonym;

/// <summary>
/// Erases salts under which no pseudonym has been shown for long: who is behind one cannot be told any more, by nobody. Their numbers and periods stay, so that an access
/// request for such a period hears that it is erased, and not that nobody matches.
/// </summary>
public sealed class EraseSalts(IOptions<PseudonymOptions> options) : IErasableRows<PseudonymDb>
{
    public RecordKind Kind => RecordKind.Salts;

    public async Task<bool> Any(PseudonymDb db, DateTimeOffset before, CancellationToken cancel) => (await Over(db, before, cancel)).Count > 0;

    public async Task<int> Erase(WriteScope<PseudonymDb> scope, DateTimeOffset before)
    {
        var ids = await Over(scope.Db, before, scope.Cancel);
        return await scope.Db.Salts.Where(salt => ids.Contains(salt.Id)).ExecuteUpdateAsync(set => set.SetProperty(salt => salt.Sealed, ""), scope.Cancel);
    }

    private async Task<List<int>> Over(PseudonymDb db, DateTimeOffset before, CancellationToken cancel)
    {
        var salts = await db.Salts.AsNoTracking().OrderBy(salt => salt.Id).ToListAsync(cancel);
        var over = SaltRules.Over(Salts.Periods(salts), before, options.Value.Lag).Select(period => period.Id).ToHashSet();
        return [.. salts.Where(salt => !salt.IsErased && over.Contains(salt.Id)).Select(salt => salt.Id)];
    }
}
