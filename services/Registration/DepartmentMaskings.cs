using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Sloring.Contracts;
using Sloring.Contracts.Registration.V1;
using Sloring.Hosting;
using Sloring.Registration.Domain;

namespace Sloring.Registration;

/// <summary>Department maskings: found for a caller, moved a step, shown, and what they cover (rule D4).</summary>
public sealed class DepartmentMaskings(
    Store<RegistrationDb> store, Organisations organisations, Sealer sealer, IOptions<RegistrationOptions> options)
{
    /// <summary>Seals grounds for the database and the journal.</summary>
    public string Seal(UnitGrounds grounds) => sealer.Seal(Convert.ToBase64String(grounds.ToByteArray()), SealedFor.Note);

    /// <summary>Loads a unit that the caller may see, takes a step and saves it.</summary>
    /// <exception cref="RejectedException">SLR-914, SLR-121, SLR-122.</exception>
    public Task<UnitResponse> Take(string unitMaskingId, UnitStep step, string reason, Caller caller, CancellationToken cancel)
    {
        var id = Texts.Uuid(unitMaskingId, "unit_masking_id");
        var sealedReason = reason.Length == 0 ? null : sealer.Seal(reason, SealedFor.Note);
        return store.Write(caller.Actor, async scope =>
        {
            var unit = await scope.Db.Units.Where(Seen(caller)).SingleOrDefaultAsync(u => u.UnitMaskingId == id, scope.Cancel)
                ?? throw new RejectedException(Rejections.UnitMaskingNotFound.For("unit_masking_id"));
            var decided = UnitRules.Take(unit, step, caller.Actor, sealedReason, scope.Now, options.Value.UnitReviewAfterDays).Value;
            scope.Db.Entry(unit).CurrentValues.SetValues(decided.Unit);
            return new UnitResponse { Unit = Show(decided.Unit), Position = await scope.Append(decided.Event) };
        }, cancel);
    }

    /// <summary>The national level sees every unit, others their own organisation's (rule D2: a region reviews its own hospitals).</summary>
    public static System.Linq.Expressions.Expression<Func<DepartmentMasking, bool>> Seen(Caller caller)
    {
        if (caller.Is(Roles.National))
            return _ => true;
        var cvr = caller.RequireCvr();
        return unit => unit.Cvr == cvr;
    }

    /// <summary>The unit's SOR id in the register, however it was nominated; null where the register has dropped its SHAK code.</summary>
    public string? RegisterIdOf(string? sorId, string? shak) => sorId ?? organisations.FindShak(shak)?.SorId;

    /// <summary>The SOR ids that a unit covers: itself and, where configured, all below it (rule D4).</summary>
    public IReadOnlyList<string> Covers(string unitSorId) => options.Value.UnitChildrenCovered
        ? [.. organisations.SelfAndChildren(unitSorId).Select(unit => unit.SorId).DefaultIfEmpty(unitSorId)]
        : [unitSorId];

    /// <summary>
    /// The SHAK prefix that a unit covers (rule D4). A unit nominated by SOR id covers its own code too, but not one that the register
    /// gives to another unit: a section must not mask the department that lent it its code.
    /// </summary>
    public string ShakPrefix(string? unitSorId, string? nominated)
    {
        if (nominated is not null || unitSorId is null)
            return nominated ?? "";
        if (organisations.Find(unitSorId)?.Shak is not { } own || organisations.FindShak(own)?.SorId != unitSorId)
            return "";
        // Sent only where it covers just the units that are covered; without it an entry that has a SHAK code alone is masked to be safe.
        var covered = Covers(unitSorId).ToHashSet();
        return organisations.All.All(unit => unit.Shak is null || unit.Shak.StartsWith(own, StringComparison.Ordinal) == covered.Contains(unit.SorId)) ? own : "";
    }

    public Unit Show(DepartmentMasking unit)
    {
        var shown = new Unit
        {
            UnitMaskingId = unit.UnitMaskingId.ToString("D"),
            SorId = unit.SorId ?? "",
            Shak = unit.Shak ?? "",
            Name = unit.Name,
            Cvr = unit.Cvr.ToString(),
            State = unit.State,
            Grounds = UnitGrounds.Parser.ParseFrom(Convert.FromBase64String(sealer.Open(unit.SealedGrounds, SealedFor.Note))),
            InForceFrom = unit.InForceFrom?.ToTimestamp(),
            ReviewOn = unit.ReviewOn?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) ?? "",
        };
        shown.CoversSorIds.AddRange(Covers(unit.UnitSorId));
        return shown;
    }
}
