namespace Sloring.Pseudonym;

/// <summary>Settings under <c>Pseudonym</c>.</summary>
public sealed class PseudonymOptions
{
    /// <summary>Makes the first salt when one is first needed. Where false, SLR-401 until an operator rotates for the first time.</summary>
    public bool CreateFirstSalt { get; set; } = true;

    /// <summary>Days after which a salt is replaced by itself; 0: only an operator rotates.</summary>
    public int RotationDays { get; set; } = 90;

    /// <summary>Days that the next salt is announced ahead, so that all who keep the salt change at its instant.</summary>
    public int AnnounceDays { get; set; } = 7;

    /// <summary>Days after its replacement for which a salt may still have been shown: who keeps the salt must fetch it more often than that (rule C2).</summary>
    public int LagDays { get; set; } = 1;

    internal TimeSpan Lag => TimeSpan.FromDays(LagDays);
}
