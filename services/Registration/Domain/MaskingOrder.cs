using Sloring.Contracts;
using Sloring.Contracts.Registration.V1;

namespace Sloring.Registration.Domain;

/// <summary>
/// One masking (sløringsregistrering) of one patient by one organisation (rule M1), as the register keeps it. It knows nothing of
/// approval (rule A10).
/// </summary>
public sealed record MaskingOrder
{
    public required Guid MaskingId { get; init; }

    /// <summary>Keyed hash of the patient.</summary>
    public required PatientKey Patient { get; init; }

    public required string SealedCpr { get; init; }

    public required CvrNumber Cvr { get; init; }

    public required Trigger Trigger { get; init; }

    /// <summary>Danish day of the behaviour.</summary>
    public required DateOnly BehaviourOn { get; init; }

    /// <summary>In force from, a whole millisecond.</summary>
    public required DateTimeOffset ActivatedAt { get; init; }

    /// <summary>Person id.</summary>
    public required string ActivatedBy { get; init; }

    /// <summary>Ends or ended, a whole millisecond.</summary>
    public required DateTimeOffset EndsAt { get; init; }

    public MaskingState State { get; init; } = MaskingState.InForce;

    /// <summary>Null while the reason is missing (rule M5).</summary>
    public string? SealedReason { get; init; }

    /// <summary>The expiry deadline last set.</summary>
    public required Guid DeadlineId { get; init; }

    /// <summary>Journal position of the activation; the order of the list.</summary>
    public long Position { get; init; }

    /// <summary>Journal position at which the reason was written; 0 while it is missing.</summary>
    public long ReasonPosition { get; init; }

    /// <summary>In force now: the state alone is not enough, since expiry is read from the clock (rule M6).</summary>
    public bool InForceAt(DateTimeOffset now) => State == MaskingState.InForce && now < EndsAt;

    /// <summary>The state as a reader sees it now: a masking whose end has passed has expired, even where its deadline has not fired yet.</summary>
    public MaskingState StateAt(DateTimeOffset now) => State == MaskingState.InForce && now >= EndsAt ? MaskingState.Expired : State;
}

/// <summary>A renewal that was carried out (rule A9): kept so that a repeat answers the same.</summary>
public sealed record Renewal
{
    public required Guid MaskingId { get; init; }

    public required DateTimeOffset ExtendedEnd { get; init; }

    public required DateTimeOffset EndsAt { get; init; }

    public required long Position { get; init; }
}
