using Sloring.Contracts;

namespace Sloring.Client;

/// <summary>Something that is masked changed: data sources that keep copies of masked data fetch them anew (rule E6).</summary>
/// <param name="Cvr">The organisation.</param>
/// <param name="Patient">The patient, under the feed's key; null where a unit of the organisation is concerned, and so every patient.</param>
/// <param name="EndsAtMs">End instant now, milliseconds since 1970 UTC; 0 where names show again; the greatest value where there is no end.</param>
public readonly record struct PictureChange(CvrNumber Cvr, PatientKey? Patient, long EndsAtMs)
{
    internal static PictureChange Of(PatientMasking masking) => new(masking.Cvr, masking.Patient, masking.EndsAtMs);

    internal static PictureChange OfUnit(CvrNumber cvr, bool removed) => new(cvr, null, removed ? 0 : long.MaxValue);
}
