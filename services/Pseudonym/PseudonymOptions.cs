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
}
