using System.Xml.Linq;
using Microsoft.EntityFrameworkCore;
using Sloring.Contracts;
using Sloring.Contracts.Registration.V1;
using Sloring.Hosting;
using Sloring.Registration.Domain;

namespace Sloring.Registration;

/// <summary>
/// The national wire's department maskings: CreateOrgBlurring is the national confirmation of a unit that was nominated and recommended here (rules D2, D3; decision
/// 18), RemoveOrgBlurring its removal. What holds already is answered the same,
/// so that a call whose answer was lost can be repeated.
/// </summary>
public sealed class OrgBlurrings(Store<RegistrationDb> store, DepartmentMaskings units, Organisations organisations)
{
    public const string CreateName = "CreateOrgBlurring";
    public const string RemoveName = "RemoveOrgBlurring";

    public async Task<XElement> Create(SoapCall call, CancellationToken cancel)
    {
        var unit = UnitOf(call);
        await UnlessHolds(
            async db => await Find(db, unit, UnitState.InForce, cancel) is not null,
            async () => await units.Take(await Must(unit, UnitState.Recommended, cancel), UnitStep.Confirm, "", call.Caller, cancel), call.Caller, cancel);
        return new XElement(call.Payload + "CreateOrgBlurringResponse", "OK");
    }

    public async Task<XElement> Remove(SoapCall call, CancellationToken cancel)
    {
        var unit = UnitOf(call);
        await UnlessHolds(
            async db => await Find(db, unit, UnitState.InForce, cancel) is null && await Find(db, unit, UnitState.Removed, cancel) is not null,
            async () => await units.Take(await Must(unit, UnitState.InForce, cancel), UnitStep.Remove, RemoveName, call.Caller, cancel), call.Caller, cancel);
        return new XElement(call.Payload + "RemoveOrgBlurringResponse", "OK");
    }

    /// <summary>Of two calls at once the later finds nothing to do, where the other has done it: it looks in its turn among the writes, since what it met may not be committed yet.</summary>
    private async Task UnlessHolds(Func<RegistrationDb, Task<bool>> holds, Func<Task> step, Caller caller, CancellationToken cancel)
    {
        if (await store.Read(holds, cancel))
            return;
        try
        {
            await step();
        }
        catch (RejectedException)
        {
            if (!await store.Write(caller.Actor, scope => holds(scope.Db), cancel))
                throw;
        }
    }

    private async Task<string> Must(string unit, UnitState state, CancellationToken cancel) =>
        await store.Read(db => Find(db, unit, state, cancel), cancel) ?? throw new RejectedException(Rejections.UnitMaskingNotFound.For("org"));

    private static async Task<string?> Find(RegistrationDb db, string unit, UnitState state, CancellationToken cancel) =>
        (await db.Units.Where(u => u.UnitSorId == unit && u.State == state).Select(u => (Guid?)u.UnitMaskingId).FirstOrDefaultAsync(cancel))?.ToString("D");

    private string UnitOf(SoapCall call)
    {
        var id = call.Text("org", "id") ?? "";
        return call.Text("org", "classification") switch
        {
            "SOR" when !SorId.IsValid(id) => throw new RejectedException(Rejections.SorInvalid.For("id")),
            "SOR" => id,
            "SHAK" when !ShakCode.IsValid(id) => throw new RejectedException(Rejections.ShakInvalid.For("id")),
            "SHAK" => organisations.FindShak(id)?.SorId ?? throw new RejectedException(Rejections.UnitUnknown.For("id")),
            _ => throw new RejectedException(Rejections.CodeUnknown.For("classification")),
        };
    }
}
