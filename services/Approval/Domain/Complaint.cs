using Sloring.Contracts.Approval.V1;

namespace Sloring.Approval.Domain;

/// <summary>A complaint (klage) against a masking, with a state and an answer of its own (rule C3). The case goes its own way. Texts are sealed.</summary>
public sealed class CaseComplaint
{
    /// <summary>A UUID of the sender's making.</summary>
    public required string ComplaintId { get; init; }

    public required string CaseId { get; init; }

    public required string Cvr { get; init; }

    public required DateOnly ReceivedOn { get; init; }

    /// <summary>A role, never a name.</summary>
    public required Complainant Complainant { get; init; }

    public required string SealedText { get; init; }

    public required DateTimeOffset RegisteredAt { get; init; }

    public required string RegisteredBy { get; init; }

    public ComplaintState State { get; private set; } = ComplaintState.Received;

    public DateTimeOffset? TakenUpAt { get; private set; }

    public string? TakenUpBy { get; private set; }

    public ComplaintOutcome Outcome { get; private set; }

    public string? SealedAnswer { get; private set; }

    /// <summary>When it was answered or withdrawn.</summary>
    public DateTimeOffset? ClosedAt { get; private set; }

    public string? ClosedBy { get; private set; }

    /// <summary>Takes a step that <see cref="ComplaintRules"/> allows: under treatment, or withdrawn.</summary>
    public void Treat(ComplaintState next, string by, DateTimeOffset at)
    {
        State = next;
        if (next == ComplaintState.UnderTreatment)
            (TakenUpAt, TakenUpBy) = (at, by);
        else
            (ClosedAt, ClosedBy) = (at, by);
    }

    /// <summary>Takes the answer.</summary>
    public void Answer(ComplaintOutcome outcome, string sealedAnswer, string by, DateTimeOffset at) =>
        (State, Outcome, SealedAnswer, ClosedAt, ClosedBy) = (ComplaintState.Answered, outcome, sealedAnswer, at, by);
}
