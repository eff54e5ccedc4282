using Sloring.Contracts;

namespace Sloring.Client;

/// <summary>All that masking an entry needs to know, as of one journal position: immutable, swapped by reference.</summary>
public sealed class MaskingPicture
{
    private readonly ReadOnlyMemory<byte> _patientKeySecret;

    /// <param name="index">Maskings of single patients.</param>
    /// <param name="units">Department maskings.</param>
    /// <param name="position">Journal position applied.</param>
    /// <param name="patientKeySecret">Key of the patient keys in <paramref name="index"/>. Kept in memory only.</param>
    /// <param name="only">The one organisation that the picture tells of; null where it tells of all.</param>
    public MaskingPicture(MaskingIndex index, MaskedUnits units, long position, ReadOnlyMemory<byte> patientKeySecret, CvrNumber? only = null) =>
        (Index, Units, Position, _patientKeySecret, Only) = (index, units, position, patientKeySecret, only);

    /// <summary>
    /// The one organisation that the picture tells of; null where it tells of all. Entries of others are masked: whether they should be cannot be
    /// known from it.
    /// </summary>
    public CvrNumber? Only { get; }

    /// <summary>Maskings of single patients.</summary>
    public MaskingIndex Index { get; }

    /// <summary>Department maskings.</summary>
    public MaskedUnits Units { get; }

    /// <summary>Journal position applied.</summary>
    public long Position { get; }

    /// <summary>The patient's key in this picture. One HMAC: compute it once per request.</summary>
    public PatientKey KeyOf(CprNumber patient) => PatientKey.Compute(_patientKeySecret.Span, patient);

    internal MaskingPicture With(MaskingIndex index, MaskedUnits units, long position) => new(index, units, position, _patientKeySecret, Only);
}
