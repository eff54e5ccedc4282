using Microsoft.EntityFrameworkCore;
using Sloring.Hosting;
using Sloring.Registration.Domain;

namespace Sloring.Registration;

/// <summary>Erases department maskings that were removed, returned or refused long ago, with their grounds and the requests that were accepted about them.</summary>
public sealed class EraseUnits : IErasableRows<RegistrationDb>
{
    private const int BatchSize = 500;

    public RecordKind Kind => RecordKind.Units;

    public Task<bool> Any(RegistrationDb db, DateTimeOffset before, CancellationToken cancel) => Closed(db, before).AnyAsync(cancel);

    public async Task<int> Erase(WriteScope<RegistrationDb> scope, DateTimeOffset before)
    {
        var ids = await Closed(scope.Db, before).OrderBy(u => u.ClosedAt).Take(BatchSize).Select(u => u.UnitMaskingId).ToListAsync(scope.Cancel);
        await scope.Db.Accepted.Where(a => ids.Contains(a.About)).ExecuteDeleteAsync(scope.Cancel);
        return await scope.Db.Units.Where(u => ids.Contains(u.UnitMaskingId)).ExecuteDeleteAsync(scope.Cancel);
    }

    private static IQueryable<DepartmentMasking> Closed(RegistrationDb db, DateTimeOffset before) => db.Units.Where(u => u.ClosedAt < before);
}
