using Microsoft.EntityFrameworkCore;
using Sloring.Contracts.Registration.V1;
using Sloring.Hosting;

namespace Sloring.Registration;

/// <summary>
/// Erases maskings that ended long ago, with their renewals and the requests that were accepted about them. One in force is never touched, and neither is one whose end
/// has come but has not been told yet. A request that is repeated after all these years is a new one: who repeats does so within hours.
/// </summary>
public sealed class EraseMaskings : IErasableRows<RegistrationDb>
{
    private const int BatchSize = 500;

    public RecordKind Kind => RecordKind.Maskings;

    public Task<bool> Any(RegistrationDb db, DateTimeOffset before, CancellationToken cancel) => Ended(db, before).AnyAsync(cancel);

    public async Task<int> Erase(WriteScope<RegistrationDb> scope, DateTimeOffset before)
    {
        var ids = await Ended(scope.Db, before).OrderBy(m => m.EndsAt).Take(BatchSize).Select(m => m.MaskingId).ToListAsync(scope.Cancel);
        await scope.Db.Renewals.Where(r => ids.Contains(r.MaskingId)).ExecuteDeleteAsync(scope.Cancel);
        await scope.Db.Accepted.Where(a => ids.Contains(a.About)).ExecuteDeleteAsync(scope.Cancel);
        return await scope.Db.Maskings.Where(m => ids.Contains(m.MaskingId)).ExecuteDeleteAsync(scope.Cancel);
    }

    private static IQueryable<Domain.MaskingOrder> Ended(RegistrationDb db, DateTimeOffset before) =>
        db.Maskings.Where(m => m.State != MaskingState.InForce && m.EndsAt < before);
}
