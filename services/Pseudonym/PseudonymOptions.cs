namespace Sloring.Pseudonym;

/// <summary>Settings under <c>Pseudonym</c>.</summary>
public sealed class PseudonymOptions
{
    /// <summary>Makes the first salt when one is first needed. Where false, SLR-401 until an operator rotates for the first time.</summary>
    public bool CreateFirstSalt { get; set; } = true;
}
