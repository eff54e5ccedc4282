namespace Sloring.Client;

/// <summary>Whether a masking covers an entry.</summary>
public enum Cover
{
    /// <summary>No masking does: the entry is shown as it came.</summary>
    None,

    /// <summary>A masking of the patient by the entry's organisation, or of the entry's unit, does.</summary>
    Covered,

    /// <summary>One could, and the entry has no usable CVR number to tell (rule E5).</summary>
    OrganisationMissing,

    /// <summary>A department masking could, and the entry has no usable unit id to tell (rule E5).</summary>
    UnitMissing,
}
