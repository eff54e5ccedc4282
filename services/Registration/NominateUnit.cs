using Microsoft.EntityFrameworkCore;
using Sloring.Contracts;
using Sloring.Contracts.Registration.V1;
using Sloring.Hosting;
using Sloring.Registration.Domain;

namespace Sloring.Registration;

/// <summary>A hospital's management nominates a unit (indstilling til afdelingssløring, rules D1, D2).</summary>
public sealed class NominateUnit(Store<RegistrationDb> store, Organisations organisations, DepartmentMaskings units, Repeats repeats)
{
    public async Task<UnitResponse> Handle(NominateUnitRequest request, Caller caller, CancellationToken cancel)
    {
        var cvr = caller.RequireCvr();
        if (UnitRules.NameOfUnit(request.SorId, request.Shak) is { } wrong)
            throw new RejectedException(wrong);
        var grounds = UnitRules.Grounds(request.Grounds).Value;
        var repeat = repeats.Of(cvr, request.IdempotencyKey, nameof(NominateUnit), request.SorId, request.Shak, grounds.ToString());
        var unit = UnitRules.Nominable(Find(request), cvr).Value;
        var nomination = new DepartmentMasking
        {
            UnitMaskingId = Guid.Empty,
            SorId = request.SorId.Length > 0 ? request.SorId : null,
            Shak = request.Shak.Length > 0 ? request.Shak : null,
            UnitSorId = unit.SorId,
            Name = unit.Name,
            Cvr = cvr,
            SealedGrounds = units.Seal(grounds),
        };

        return await store.Write(caller.Actor, async scope =>
        {
            if (await repeats.Answered<UnitResponse>(scope, repeat) is { } answered)
                return answered;
            var open = await scope.Db.Units.AnyAsync(u => u.UnitSorId == unit.SorId && UnitRules.Open.Contains(u.State), scope.Cancel);
            var decided = UnitRules.Nominate(
                nomination with { UnitMaskingId = Guid.CreateVersion7(scope.Now) }, open, caller.Actor, scope.Now).Value;
            var position = await scope.Append(decided.Event);
            scope.Db.Units.Add(decided.Unit with { Position = position });
            var answer = new UnitResponse { Unit = units.Show(decided.Unit), Position = position };
            repeats.Keep(scope, repeat, decided.Unit.UnitMaskingId, answer);
            return answer;
        }, cancel);
    }

    private RegisterUnit? Find(NominateUnitRequest request)
    {
        var found = request.SorId.Length > 0 ? organisations.Find(request.SorId) : organisations.FindShak(request.Shak);
        return found is null ? null : new RegisterUnit(found.SorId, found.Name, found.Cvr, IsTop: found.ParentSorId is null);
    }
}
