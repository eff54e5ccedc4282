using Sloring.Contracts;

namespace Sloring.Client;

/// <summary>All that masking an entry needs to know, as of one journal position: immutable, swapped by reference.</summary>
public sealed class MaskingPicture
{
    private readonly ReadOnlyMemory<byte> _patientKeySecret;
    private readonly IReadOnlyDictionary<CvrNumber, CvrNumber>? _replaced;

    /// <param name="index">Maskings of single patients.</param>
    /// <param name="units">Department maskings.</param>
    /// <param name="position">Journal position applied.</param>
    /// <param name="patientKeySecret">Key of the patient keys in <paramref name="index"/>. Kept in memory only.</param>
    /// <param name="only">The one organisation that the picture tells of; null where it tells of all.</param>
    /// <param name="replaced">Organisations that were replaced → the one that has their maskings now; null where none was.</param>
    public MaskingPicture(
        MaskingIndex index, MaskedUnits units, long position, ReadOnlyMemory<byte> patientKeySecret, CvrNumber? only = null,
        IReadOnlyDictionary<CvrNumber, CvrNumber>? replaced = null) =>
        (Index, Units, Position, _patientKeySecret, Only, _replaced) = (index, units, position, patientKeySecret, only, replaced);

    /// <summary>
    /// The one organisation that the picture tells of, with those that are the same; null where it tells of all. Entries of others are masked: whether they should be
    /// cannot be known from it.
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

    /// <summary>Whether two CVR numbers are the same organisation's: the same number, or one has replaced the other, or a third has replaced both.</summary>
    public bool AreSame(CvrNumber one, CvrNumber other) => one == other || (_replaced is not null && OrganisationOf(one) == OrganisationOf(other));

    internal MaskingPicture With(MaskingIndex index, MaskedUnits units, long position) => new(index, units, position, _patientKeySecret, Only, _replaced);

    private CvrNumber OrganisationOf(CvrNumber cvr) => _replaced!.TryGetValue(cvr, out var by) ? by : cvr;
}
