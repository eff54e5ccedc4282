using FsCheck;
using FsCheck.Fluent;
using Sloring.Contracts;
using Sloring.Contracts.Registration.V1;
using Sloring.Registration.Domain;
using Xunit;

namespace Sloring.Tests.Unit.Registration;

/// <summary>Random histories against a model that keeps nothing but an end instant per patient and organisation.</summary>
public sealed class MaskingHistoryTests
{
    private static readonly DateTimeOffset Start = new(2024, 10, 1, 11, 59, 59, TimeSpan.Zero);

    private enum Act
    {
        Activate,
        ActivateShort,
        End,
        Lift,
        LiftOld,
        Renew,
        Fire,
        FireStale,
    }

    private sealed record Step(Act Act, int Who, int Hours);

    [Fact] // M1, M3, M6, M7, M9, A5, A9
    public void AtNoInstant_DoesTheRegisterDifferFromTheModel()
    {
        var step =
            from act in Gen.Elements(Enum.GetValues<Act>())
            from who in Gen.Choose(0, 3)
            from hours in Gen.Elements(0, 1, 30, 24 * 20, 24 * 60, 24 * 100)
            select new Step(act, who, hours);
        Prop.ForAll(step.ListOf().ToArbitrary(), history =>
        {
            var world = new World();
            foreach (var next in history)
                world.Take(next);
        }).QuickCheckThrowOnFailure();
    }

    private sealed class World
    {
        private readonly List<MaskingOrder> _rows = [];
        private readonly Dictionary<(PatientKey, CvrNumber), DateTimeOffset> _maskedUntil = [];
        private readonly List<(Guid MaskingId, Guid DeadlineId)> _deadlines = [];
        private DateTimeOffset _now = Start;

        public void Take(Step step)
        {
            // Between two steps nothing happens but time: looked at on both sides of every end that it passes.
            var then = _now.AddHours(step.Hours).AddTicks(7);
            foreach (var end in _maskedUntil.Values.Where(end => end > _now && end <= then).ToList())
            {
                Look(end.AddMilliseconds(-1));
                Look(end);
            }
            _now = then;
            Look(_now);
            Do(step);
            Look(_now);
        }

        private void Do(Step step)
        {
            var key = (new PatientKey(7, (ulong)(step.Who % 2)), new CvrNumber(step.Who < 2 ? 24256790u : 25469364u));
            var current = _rows.SingleOrDefault(row => (row.Patient, row.Cvr) == key && row.State == MaskingState.InForce);
            var modelled = _maskedUntil.TryGetValue(key, out var until) && until > _now;
            switch (step.Act)
            {
                case Act.Activate or Act.ActivateShort:
                    DateTimeOffset? asked = step.Act == Act.ActivateShort ? MaskingDates.RoundDown(_now).AddDays(3) : null;
                    var decided = MaskingRules.Activate(current, Command(key, asked), _now, MaskingDates.Guideline).Value;
                    Replace(current, decided.Before);
                    Keep(decided.Order);
                    var end = asked ?? DanishTime.AddDays(MaskingDates.RoundDown(_now), 90);
                    _maskedUntil[key] = modelled && until > end ? until : end;
                    break;
                case Act.End when current is not null:
                    Assert.Equal(modelled, MaskingRules.End(current, new Person("l", Person.Leader, null), "s", _now) is { Rejection: null } ended && Replace(current, ended.Value.Order));
                    _maskedUntil.Remove(key);
                    break;
                case Act.Lift when current is not null:
                    Assert.Equal(modelled, MaskingRules.Lift(current, "l", "s", _now) is { } lifted && Replace(current, lifted.Order));
                    _maskedUntil.Remove(key);
                    break;
                case Act.LiftOld:
                    Assert.All(_rows.Where(row => row.State != MaskingState.InForce), row => Assert.Null(MaskingRules.Lift(row, "l", "s", _now)));
                    break;
                case Act.Renew when current is not null:
                    var renewal = MaskingRules.Renew(current, current.EndsAt, "l", Guid.NewGuid(), _now, MaskingDates.Guideline);
                    Assert.Equal(modelled, renewal.Rejection is null && Replace(current, renewal.Value.Order));
                    if (modelled)
                        _maskedUntil[key] = DanishTime.AddDays(until, 90);
                    break;
                case Act.Fire when current is not null:
                    if (MaskingRules.Expire(current, current.DeadlineId, _now) is { } expired)
                        Replace(current, expired.Order);
                    break;
                case Act.FireStale:
                    foreach (var (masking, deadline) in _deadlines.ToList())
                        if (_rows.Single(row => row.MaskingId == masking) is var row && MaskingRules.Expire(row, deadline, _now) is { } late)
                            Replace(row, late.Order);
                    break;
            }
        }

        private void Look(DateTimeOffset at)
        {
            foreach (var patient in new[] { 0ul, 1ul })
                foreach (var cvr in new[] { 24256790u, 25469364u })
                {
                    var key = (new PatientKey(7, patient), new CvrNumber(cvr));
                    var model = _maskedUntil.TryGetValue(key, out var until) && at < until;
                    Assert.Equal(model, _rows.Any(row => (row.Patient, row.Cvr) == key && row.InForceAt(at)));
                    Assert.InRange(_rows.Count(row => (row.Patient, row.Cvr) == key && row.State == MaskingState.InForce), 0, 1);
                }
        }

        private bool Replace(MaskingOrder? before, MaskingOrder? after)
        {
            if (before is null || after is null)
                return false;
            _rows.Remove(before);
            Keep(after);
            return true;
        }

        private void Keep(MaskingOrder row)
        {
            _rows.Add(row);
            _deadlines.Add((row.MaskingId, row.DeadlineId));
        }

        private Activation Command((PatientKey Patient, CvrNumber Cvr) key, DateTimeOffset? endsAt) => new(
            Guid.NewGuid(), Guid.NewGuid(), key.Patient, "sealed", key.Cvr, Trigger.Violence, DanishTime.DayOf(_now), null, endsAt,
            new Person("p", Person.HealthWorker, null));
    }
}
