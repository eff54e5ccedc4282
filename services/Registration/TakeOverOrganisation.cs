using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Sloring.Contracts;
using Sloring.Contracts.Events;
using Sloring.Contracts.Registration.V1;
using Sloring.Hosting;
using Sloring.Registration.Domain;

namespace Sloring.Registration;

/// <summary>
/// Takes over another organisation's maskings when its CVR number is replaced (decision 37): told first, done in one transaction with the plan of what was told.
/// </summary>
public sealed class TakeOverOrganisation(Store<RegistrationDb> store, Organisations organisations, PatientKeys patients, TimeProvider clock)
{
    public Task<TakeOverOrganisationResponse> Handle(TakeOverOrganisationRequest request, Caller caller, CancellationToken cancel)
    {
        var (replaced, by) = (CvrNumber.Parse(request.ReplacedCvr, "replaced_cvr"), CvrNumber.Parse(request.ByCvr, "by_cvr"));
        if (replaced == by)
            throw new RejectedException(Rejections.TakeoverOfItself.For("by_cvr"));
        return request.Plan.Length == 0
            ? store.Read(db => Tell(db, replaced, by, cancel), cancel)
            : store.Write(caller.Actor, scope => Do(scope, replaced, by, request.Plan, caller.Actor), cancel);
    }

    private async Task<TakeOverOrganisationResponse> Tell(RegistrationDb db, CvrNumber replaced, CvrNumber by, CancellationToken cancel)
    {
        var done = await db.Takeovers.ToListAsync(cancel);
        if (Done(done, replaced, by) is { } before)
            return Answer(before);
        var now = clock.GetUtcNow();
        var (orders, held) = (await InForce(db, replaced).ToListAsync(cancel), await InForce(db, by).ToListAsync(cancel));
        var maskings = orders.Count(order => order.InForceAt(now));
        var both = orders.Where(order => order.InForceAt(now)).Select(order => order.Patient).Intersect(held.Where(order => order.InForceAt(now)).Select(order => order.Patient)).Count();
        return Answer(new Takeover
        {
            Replaced = replaced,
            By = by,
            Maskings = maskings,
            Merged = both,
            Held = held.Count(order => order.InForceAt(now)) - both,
            Over = orders.Count - maskings + await db.Maskings.CountAsync(order => order.Cvr == replaced && order.State != MaskingState.InForce, cancel),
            Units = await db.Units.CountAsync(unit => unit.Cvr == replaced, cancel),
        }, Plan(done, replaced, by, DanishTime.DayOf(now)));
    }

    private async Task<TakeOverOrganisationResponse> Do(WriteScope<RegistrationDb> scope, CvrNumber replaced, CvrNumber by, string plan, string actor)
    {
        var (db, now) = (scope.Db, scope.Now);
        var done = await db.Takeovers.ToListAsync(scope.Cancel);
        if (Done(done, replaced, by) is { } before)
            return Answer(before);
        var today = DanishTime.DayOf(now);
        if (plan != Plan(done, replaced, by, today) && plan != Plan(done, replaced, by, today.AddDays(-1)))
            throw new RejectedException(Rejections.PlanNotKnown.For("plan"));

        await scope.Append(new OrganisationReplaced { ReplacedCvr = replaced.ToString(), Cvr = by.ToString(), ReplacedAt = now });
        foreach (var earlier in done.Where(earlier => earlier.By == replaced))
            earlier.By = by;

        var over = await db.Maskings.Where(order => order.Cvr == replaced && order.State != MaskingState.InForce)
            .ExecuteUpdateAsync(set => set.SetProperty(order => order.Cvr, by), scope.Cancel);
        var orders = await InForce(db, replaced).ToListAsync(scope.Cancel);
        var held = await InForce(db, by).ToDictionaryAsync(order => order.Patient, scope.Cancel);
        foreach (var passed in orders.Concat(held.Values).Where(order => !order.InForceAt(now)))
            await scope.Change(passed, MaskingRules.Passed(passed, by), actor);
        over += orders.RemoveAll(order => !order.InForceAt(now));

        var (taken, merged) = (orders.Count, 0);
        var moves = new List<(MaskingOrder Before, Decision Decision)>(taken);
        foreach (var order in orders)
        {
            var own = held.GetValueOrDefault(order.Patient) is { } found && found.InForceAt(now) ? found : null;
            var decision = MaskingRules.TakeOver(order, own, by, now);
            moves.Add((decision.Order.MaskingId == own?.MaskingId ? own : order, decision));
            if (own is null)
                continue;
            merged++;
            db.Entry(decision.Before!.MaskingId == own.MaskingId ? own : order).CurrentValues.SetValues(decision.Before);
            held.Remove(order.Patient);
        }
        // Those that are over before those that take their places: the database allows one in force for a patient and organisation.
        await db.SaveChangesAsync(scope.Cancel);
        foreach (var (masking, decision) in moves)
            await scope.Change(masking, decision, actor);
        var covering = held.Values.Where(order => order.InForceAt(now)).ToList();
        foreach (var order in covering)
            await scope.Change(order, MaskingRules.CoverMore(order, now), actor);

        var units = await db.Units.Where(unit => unit.Cvr == replaced).ToListAsync(scope.Cancel);
        foreach (var unit in units)
        {
            var decision = UnitRules.TakeOver(unit, by, actor, now);
            db.Entry(unit).CurrentValues.SetValues(decision.Unit);
            await scope.Append(decision.Event);
        }

        var row = new Takeover { Replaced = replaced, By = by, Maskings = taken, Merged = merged, Held = covering.Count, Over = over, Units = units.Count };
        db.Takeovers.Add(row);
        row.Position = scope.Position;
        return Answer(row);
    }

    private static IQueryable<MaskingOrder> InForce(RegistrationDb db, CvrNumber cvr) => db.Maskings.Where(order => order.Cvr == cvr && order.State == MaskingState.InForce);

    /// <summary>The same takeover, done before; null where it is to be done.</summary>
    /// <exception cref="RejectedException">SLR-129.</exception>
    private static Takeover? Done(List<Takeover> done, CvrNumber replaced, CvrNumber by)
    {
        var before = done.Find(one => one.Replaced == replaced);
        return before?.By == by ? before
            : before is not null ? throw new RejectedException(Rejections.AlreadyReplaced.For("replaced_cvr"))
            : done.Exists(one => one.Replaced == by) ? throw new RejectedException(Rejections.AlreadyReplaced.For("by_cvr"))
            : null;
    }

    /// <summary>Shows that somebody has read, on this day, what would be done. Counts stand not in it: at a large organisation they change all the time.</summary>
    private string Plan(List<Takeover> done, CvrNumber replaced, CvrNumber by, DateOnly day) => Convert.ToHexStringLower(HMACSHA256.HashData(
        patients.FeedSecret("takeover"), Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{replaced}:{by}:{day:yyyy-MM-dd}:{done.Count}"))))[..32];

    private TakeOverOrganisationResponse Answer(Takeover takeover, string plan = "") => new()
    {
        Plan = plan,
        Done = plan.Length == 0,
        Maskings = takeover.Maskings,
        Merged = takeover.Merged,
        Held = takeover.Held,
        Over = takeover.Over,
        Units = takeover.Units,
        UnitsInRegister = organisations.All.Count(unit => unit.Cvr == takeover.Replaced),
        TopUnitSorId = organisations.Top(takeover.By)?.SorId ?? "",
        Position = takeover.Position,
    };
}
