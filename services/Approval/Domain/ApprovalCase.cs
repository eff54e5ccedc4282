using Sloring.Contracts.Approval.V1;

namespace Sloring.Approval.Domain;

/// <summary>A case (godkendelsessag): the leader's task to uphold or lift one masking. Texts and CPR number are sealed.</summary>
public sealed class ApprovalCase
{
    /// <summary>Equals the masking's id.</summary>
    public required string CaseId { get; init; }

    public required string PatientKey { get; init; }

    public required string SealedCpr { get; init; }

    public required string Cvr { get; set; }

    public required string Trigger { get; init; }

    public required DateOnly BehaviourOn { get; init; }

    public required DateTimeOffset ActivatedAt { get; init; }

    public required string ActivatedBy { get; init; }

    /// <summary>The unit whose leaders decide (rule A1); null where the register knows no unit of the organisation.</summary>
    public required string? LevelUnitSorId { get; set; }

    public required DateTimeOffset DecisionDue { get; init; }

    public required DateTimeOffset EndsAt { get; set; }

    /// <summary>When the expiry notice is due and from when a renewal may be decided (rules A8, A9), as the practice was when it was set; null for a case from before that was kept.</summary>
    public DateTimeOffset? RenewalFrom { get; set; }

    /// <summary>Null while missing (rule M5).</summary>
    public string? SealedReason { get; set; }

    /// <summary>The unit above, once the case was overdue (rule A3).</summary>
    public string? EscalatedUnitSorId { get; set; }

    /// <summary>As last told; what holds now is <see cref="ApprovalRules.StateAt"/>, since a masking ends by itself.</summary>
    public CaseState State { get; private set; } = CaseState.Open;

    /// <summary>Upheld or lifted, whatever became of the case later; null while undecided.</summary>
    public CaseState? DecidedAs { get; private set; }

    public DateTimeOffset? DecidedAt { get; private set; }

    /// <summary>Who upheld or last renewed: gets the expiry notice (rule A8).</summary>
    public string? UpheldBy { get; private set; }

    public int Renewals { get; private set; }

    /// <summary>When it was lifted, superseded, ended or expired.</summary>
    public DateTimeOffset? ClosedAt { get; private set; }

    public List<CaseStep> Steps { get; } = [];

    public List<CaseQuestion> Questions { get; } = [];

    /// <summary>
    /// Takes a leader's decision: uphold or lift (rules A5, A7: who, when, on what ground). Where a complaint led to a second one (rule C3), the first stays when the case was decided.
    /// </summary>
    public void Decide(CaseState decided, string by, DateTimeOffset at, string? sealedReason)
    {
        (State, DecidedAs, DecidedAt) = (decided, decided, DecidedAt ?? at);
        UpheldBy = decided == CaseState.Upheld ? by : null;
        ClosedAt = decided == CaseState.Lifted ? at : null;
        AddStep(decided == CaseState.Upheld ? "uphold" : "lift", by, at, sealedReason);
    }

    /// <summary>Takes a renewal that Registration has carried out (rule A9).</summary>
    public void Renew(DateTimeOffset endsAt, string by, DateTimeOffset at, string? sealedReason)
    {
        (EndsAt, UpheldBy) = (endsAt, by);
        Renewals++;
        AddStep("renew", by, at, sealedReason);
    }

    /// <summary>Follows the masking where it went without a decision here; a closed case stays as it is.</summary>
    public void Follow(CaseState next, DateTimeOffset at)
    {
        if (next == State)
            return;
        (State, ClosedAt) = (next, at);
    }

    private void AddStep(string kind, string by, DateTimeOffset at, string? sealedReason) => Steps.Add(
        new CaseStep { CaseId = CaseId, Number = Steps.Count + 1, Kind = kind, DecidedBy = by, DecidedAt = at, SealedReason = sealedReason });
}

/// <summary>A decision taken: "uphold", "lift" or "renew".</summary>
public sealed class CaseStep
{
    public required string CaseId { get; init; }

    /// <summary>From 1, in order.</summary>
    public required int Number { get; init; }

    public required string Kind { get; init; }

    public required string DecidedBy { get; init; }

    public required DateTimeOffset DecidedAt { get; init; }

    /// <summary>Null where no ground was given (uphold).</summary>
    public string? SealedReason { get; init; }
}

/// <summary>A question and its answer (rule A6), sealed.</summary>
public sealed class CaseQuestion
{
    public required string CaseId { get; init; }

    /// <summary>From 1, in order.</summary>
    public required int Number { get; init; }

    public required string AskedBy { get; init; }

    public required DateTimeOffset AskedAt { get; init; }

    public required string SealedText { get; init; }

    public string? AnsweredBy { get; set; }

    public DateTimeOffset? AnsweredAt { get; set; }

    public string? SealedAnswer { get; set; }
}
