using Sloring.Contracts;

namespace Sloring.Client;

/// <summary>One masking as a feed tells it: one organisation's staff towards one patient (rule M1), until an end.</summary>
/// <param name="Patient">The patient, under the feed's key.</param>
/// <param name="Cvr">The organisation.</param>
/// <param name="EndsAtMs">End instant, milliseconds since 1970 UTC; 0 where it has ended.</param>
public readonly record struct PatientMasking(PatientKey Patient, CvrNumber Cvr, long EndsAtMs);
