using FsCheck;
using FsCheck.Fluent;
using Sloring.Approval.Domain;
using Sloring.Contracts;
using Sloring.Contracts.Approval.V1;
using Xunit;
using static Sloring.Tests.Unit.Approval.Cases;

namespace Sloring.Tests.Unit.Approval;

/// <summary>Random histories of one case against a model that knows only: open or not, decided or not, and the end.</summary>
public sealed class CaseHistoryTests
{
    private sealed record Move(int HoursLater, string What, string Who);

    // A4, A5, A7, A9, M5, M6, M7
    [Fact]
    public void Any_history_keeps_to_the_model() =>
        Prop.ForAll(Histories(), history => Plays(history.WithReason, history.Moves)).QuickCheckThrowOnFailure();

    private static bool Plays(bool withReason, Move[] moves)
    {
        var found = Open(reason: withReason ? "sealed" : null);
        var (now, model) = (found.ActivatedAt, new Model(found.EndsAt, withReason));
        foreach (var move in moves)
        {
            now = now.AddHours(move.HoursLater);
            var (took, expected) = (Take(found, move, now), model.Take(move.What, move.Who, now));
            Assert.True(took == expected, $"{move} at {now:u}: took {took}, the model {expected}");
            var state = ApprovalRules.StateAt(found, now);
            Assert.Equal(model.InForce(now), state is CaseState.Open or CaseState.Upheld);
            Assert.Equal(model.EndsAt, found.EndsAt);
            Assert.False(state == CaseState.Open && found.DecidedAs is not null, "open and decided at once");
            Assert.False(ApprovalRules.IsOverdue(found, now) && state != CaseState.Open, "overdue, but not open");
            Assert.Equal(model.Renewals, found.Renewals);
            Assert.Equal(found.Steps.Count, (found.DecidedAs is null ? 0 : 1) + found.Renewals);
        }
        return true;
    }

    private static bool Take(ApprovalCase found, Move move, DateTimeOffset now)
    {
        if (move.What == "reason")
        {
            found.SealedReason ??= "sealed";
            return true;
        }
        var command = Enum.Parse<CaseCommand>(move.What);
        if (command is CaseCommand.Supersede or CaseCommand.End or CaseCommand.Expire)
        {
            // Registration reports the end of a masking only from the end on.
            if (command != CaseCommand.Expire || found.EndsAt <= now)
                found.Follow(ApprovalRules.On(found.State, command).Next, now);
            return true;
        }
        var decided = ApprovalRules.Decide(command, found, new Decider(move.Who, OfLevel: true, MayDecideOwn: false), Chosen, now);
        if (decided.Rejection is not null)
            return false;
        if (command == CaseCommand.Renew)
            found.Renew(DanishTime.AddDays(found.EndsAt, 90), move.Who, now, "sealed");
        else if (command != CaseCommand.Ask)
            found.Decide(decided.Value, move.Who, now, "sealed");
        return true;
    }

    private sealed class Model(DateTimeOffset endsAt, bool withReason)
    {
        private bool _reason = withReason, _upheld, _closed;

        public DateTimeOffset EndsAt { get; private set; } = endsAt;

        public int Renewals { get; private set; }

        public bool InForce(DateTimeOffset now) => !_closed && now < EndsAt;

        public bool Take(string what, string who, DateTimeOffset now)
        {
            switch (what)
            {
                case "reason":
                    return _reason = true;
                case nameof(CaseCommand.Supersede) or nameof(CaseCommand.End):
                    _closed = true;
                    return true;
                case nameof(CaseCommand.Expire):
                    _closed |= now >= EndsAt;
                    return true;
                case nameof(CaseCommand.Ask):
                    return InForce(now);
                case nameof(CaseCommand.Uphold):
                    return InForce(now) && !_upheld && _reason && who != Nurse && (_upheld = true);
                case nameof(CaseCommand.Lift):
                    return InForce(now) && !_upheld && who != Nurse && (_closed = true);
                default:
                    if (!InForce(now) || !_upheld || who == Nurse || now < DanishTime.AddDays(EndsAt, -10))
                        return false;
                    (EndsAt, Renewals) = (DanishTime.AddDays(EndsAt, 90), Renewals + 1);
                    return true;
            }
        }
    }

    private static Arbitrary<(bool WithReason, Move[] Moves)> Histories()
    {
        var move =
            from hours in Gen.Frequency((5, Gen.Choose(0, 48)), (3, Gen.Choose(49, 400)), (2, Gen.Choose(1_900, 2_200)))
            from what in Gen.Frequency(
                (4, Gen.Constant("Uphold")), (6, Gen.Constant("Renew")), (1, Gen.Constant("Lift")), (1, Gen.Constant("Ask")),
                (2, Gen.Constant("reason")), (1, Gen.Constant("Supersede")), (1, Gen.Constant("End")), (1, Gen.Constant("Expire")))
            from who in Gen.Elements(Leader, Leader, "leader-2", Nurse)
            select new Move(hours, what, who);
        return Arb.From(
            from withReason in Gen.Elements(true, true, false)
            from moves in move.ArrayOf(25)
            select (withReason, moves));
    }
}
