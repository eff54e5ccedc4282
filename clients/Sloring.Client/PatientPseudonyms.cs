namespace Sloring.Client;

/// <summary>The pseudonyms towards one patient under one salt; made by <see cref="NationalPseudonym.For"/>. Holds the CPR number: never log it.</summary>
public readonly struct PatientPseudonyms
{
    private readonly byte[]? _suffix;

    internal PatientPseudonyms(byte[] suffix) => _suffix = suffix;

    /// <summary>The pseudonym of one person, a lower-case UUID. Allocates only the result.</summary>
    /// <param name="name">First name(s), then last name(s).</param>
    /// <exception cref="ArgumentException">The name is empty, or cannot be brought into normal form in this process.</exception>
    public string Of(ReadOnlySpan<char> name) =>
        NationalPseudonym.Of(name, _suffix ?? throw new InvalidOperationException("Made by NationalPseudonym.For."));
}
