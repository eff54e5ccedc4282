using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Sloring.Contracts.Registration.V1;
using Sloring.Hosting;

namespace Sloring.Registration;

/// <summary>Department maskings, newest first.</summary>
public sealed class ListUnits(Store<RegistrationDb> store, DepartmentMaskings units)
{
    public async Task<ListUnitsResponse> Handle(ListUnitsRequest request, Caller caller, CancellationToken cancel)
    {
        var (size, after) = Paging.Of(request.PageSize, request.PageToken);
        var before = ListMaskings.PageEnd(after);
        var seen = DepartmentMaskings.Seen(caller);
        var found = await store.Read(
            db => db.Units.Where(seen).Where(u => u.Position < before && (!request.InForceOnly || u.State == UnitState.InForce))
                .OrderByDescending(u => u.Position).Take(size + 1).ToListAsync(cancel),
            cancel);
        return new ListUnitsResponse
        {
            Units = { found.Take(size).Select(units.Show) },
            NextPageToken = found.Count > size ? Paging.Token(found[size - 1].Position.ToString(CultureInfo.InvariantCulture)) : "",
        };
    }
}
