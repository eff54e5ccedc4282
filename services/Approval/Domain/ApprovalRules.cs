using Sloring.Contracts;
using Sloring.Contracts.Approval.V1;
using static Sloring.Contracts.Approval.V1.CaseState;

namespace Sloring.Approval.Domain;

/// <summary>What a person is to a case, looked up beforehand.</summary>
/// <param name="PersonId">The person.</param>
/// <param name="OfLevel">The person leads the unit that decides, or the one that the case was escalated to (rules A1, A3).</param>
/// <param name="MayDecideOwn">The organisation lets people decide on their own activation (rule A7).</param>
public sealed record Decider(string PersonId, bool OfLevel, bool MayDecideOwn)
{
    /// <summary>How the national wire names the same person; null where that is not known.</summary>
    public string? AlsoKnownAs { get; init; }
}

/// <summary>What a command does in a state: a next state, or a rejection.</summary>
public readonly record struct Outcome(CaseState Next, Rejection? Rejection);

/// <summary>The leader's decision and everything around it (rules A1–A9, M5, M7).</summary>
public static class ApprovalRules
{
    private static readonly Outcome Decided = new(default, Rejections.AlreadyDecided);
    private static readonly Outcome Closed = new(default, Rejections.CaseClosed);
    private static readonly Outcome Undecided = new(default, Rejections.RenewalNeedsUphold);
    private static readonly Outcome TooLate = new(default, Rejections.RenewalTooLate);

    /// <summary>
    /// State × command. Nothing but a leader's Lift lifts: passing the deadline is no command (rule A4). What Registration reports
    /// (the last three) is never refused, and moves no case that is closed already.
    /// </summary>
    private static readonly (CaseState State, Outcome[] Outcomes)[] Table =
    [
        //            Uphold       Lift         Ask          Answer       Renew        Supersede       End          Expire
        (Open,       [To(Upheld),  To(Lifted),  To(Open),    To(Open),    Undecided,   To(Superseded), To(Ended),   To(Expired)]),
        (Upheld,     [Decided,     Decided,     To(Upheld),  To(Upheld),  To(Upheld),  To(Superseded), To(Ended),   To(Expired)]),
        (Lifted,     [Decided,     Decided,     Closed,      Closed,      Closed,      To(Lifted),     To(Lifted),  To(Lifted)]),
        (Superseded, [Closed,      Closed,      Closed,      Closed,      Closed,      To(Superseded), To(Superseded), To(Superseded)]),
        (Ended,      [Closed,      Closed,      Closed,      Closed,      Closed,      To(Ended),      To(Ended),   To(Ended)]),
        (Expired,    [Closed,      Closed,      Closed,      Closed,      TooLate,     To(Expired),    To(Expired), To(Expired)]),
    ];

    /// <summary>The table's cell.</summary>
    public static Outcome On(CaseState state, CaseCommand command) => Table.First(row => row.State == state).Outcomes[(int)command];

    /// <summary>The state that holds now: a masking ends by itself (rule M6), a case without a decision does not (rule A4).</summary>
    public static CaseState StateAt(ApprovalCase @case, DateTimeOffset now) =>
        @case.State is Open or Upheld && @case.EndsAt <= now ? Expired : @case.State;

    /// <summary>Overdue is shown, never acted on by lifting (rules A3, A4).</summary>
    public static bool IsOverdue(ApprovalCase @case, DateTimeOffset now) => StateAt(@case, now) == Open && @case.DecisionDue <= now;

    /// <summary>
    /// Uphold, lift or renew by a leader, or a question: the next state, or why not (rules A1, A5, A6, A7, A9, M5). What was upheld can be lifted while a complaint is open (rule C3).
    /// </summary>
    public static Decided<CaseState> Decide(CaseCommand command, ApprovalCase @case, Decider decider, Practice practice, DateTimeOffset now, bool complained = false)
    {
        if (!decider.OfLevel)
            return Rejections.NotYourLevel;
        var state = StateAt(@case, now);
        var outcome = complained && (state, command) is (Upheld, CaseCommand.Lift) ? To(Lifted) : On(state, command);
        if (outcome.Rejection is not null)
            return outcome.Rejection;
        if (command is (CaseCommand.Uphold or CaseCommand.Lift or CaseCommand.Renew) && IsOwn(@case, decider) && !decider.MayDecideOwn)
            return Rejections.OwnActivation;
        if (command is CaseCommand.Uphold && @case.SealedReason is null)
            return Rejections.CannotUpholdWithoutReason;
        if (command is CaseCommand.Renew && now < Deadlines.RenewalFrom(@case, practice))
            return Rejections.RenewalTooEarly;
        return outcome.Next;
    }

    /// <summary>An answer to an open question (rule A6); who may see the case may answer, the activator above all.</summary>
    public static Decided<CaseQuestion> Answer(ApprovalCase @case, int questionNumber, DateTimeOffset now)
    {
        if (On(StateAt(@case, now), CaseCommand.Answer).Rejection is { } closed)
            return closed;
        var question = @case.Questions.Find(question => question.Number == questionNumber);
        if (question is null)
            return Rejections.QuestionNotFound;
        return question.AnsweredAt is null ? question : Rejections.QuestionAnswered;
    }

    /// <summary>Own activation (rule A7). Systems write person ids in either case: a difference there must not let anybody through.</summary>
    public static bool IsOwn(ApprovalCase @case, Decider decider) =>
        ((string?[])[decider.PersonId, decider.AlsoKnownAs]).Contains(@case.ActivatedBy, StringComparer.OrdinalIgnoreCase);

    private static Outcome To(CaseState next) => new(next, null);
}
