using System.Buffers;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Sloring.Contracts;

namespace Sloring.Client;

/// <summary>
/// The national pseudonym (rule E3): UUID version 5 in the namespace ns:OID over the UTF-8 bytes of
/// <c>FORNAVN(E)+EFTERNAVN(E)+CPR+SALT</c>. CPR is that of the patient whose data is shown, never of the person logged in (rule E4);
/// the salt's text is used exactly as received, not decoded.
/// </summary>
/// <remarks>
/// Where the national rule is silent, chosen here: white space around the name is dropped; every space inside becomes one <c>+</c>;
/// upper case is the invariant one, letter by letter, so <c>ß</c> stays; the text is hashed in Unicode normal form C.
/// </remarks>
[SkipLocalsInit]
public static class NationalPseudonym
{
    private const int NamespaceLength = 16;
    private const int OnStack = 384;

    /// <summary>ns:OID, 6ba7b812-9dad-11d1-80b4-00c04fd430c8, in network order. A .NET Guid in its own byte order gives another, wrong UUID.</summary>
    private static ReadOnlySpan<byte> OidNamespace =>
        [0x6b, 0xa7, 0xb8, 0x12, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8];

    /// <summary>The pseudonym of one person towards one patient, a lower-case UUID. Allocates only the result.</summary>
    /// <param name="name">First name(s), then last name(s).</param>
    /// <param name="patient">The patient whose data is shown.</param>
    /// <param name="salt">The salt's text, as received.</param>
    /// <exception cref="ArgumentException">The name is empty, or cannot be brought into normal form in this process.</exception>
    public static string Compute(ReadOnlySpan<char> name, CprNumber patient, ReadOnlySpan<char> salt)
    {
        var longest = SuffixLength(salt);
        var rented = longest > OnStack ? ArrayPool<byte>.Shared.Rent(longest) : null;
        Span<byte> suffix = rented ?? stackalloc byte[OnStack];
        try
        {
            return Of(name, suffix[..WriteSuffix(patient, salt, suffix)]);
        }
        finally
        {
            Return(rented);
        }
    }

    /// <summary>Encodes what all pseudonyms towards one patient share, once.</summary>
    public static PatientPseudonyms For(CprNumber patient, ReadOnlySpan<char> salt)
    {
        var suffix = new byte[SuffixLength(salt)];
        var written = WriteSuffix(patient, salt, suffix);
        return new PatientPseudonyms(written == suffix.Length ? suffix : suffix[..written]);
    }

    /// <summary>The pseudonym of a name, before an encoded <c>+CPR+SALT</c>.</summary>
    internal static string Of(ReadOnlySpan<char> name, ReadOnlySpan<byte> suffix)
    {
        name = name.Trim();
        if (name.IsEmpty)
            throw new ArgumentException("A pseudonym needs a name.", nameof(name));
        if (!NormalForm.IsCertain(name))
            name = NormalForm.UpperComposed(name);

        var longest = NamespaceLength + Encoding.UTF8.GetMaxByteCount(name.Length) + suffix.Length;
        var rented = longest > OnStack ? ArrayPool<byte>.Shared.Rent(longest) : null;
        Span<byte> input = rented ?? stackalloc byte[OnStack];
        try
        {
            OidNamespace.CopyTo(input);
            var end = NamespaceLength + WriteName(name, input[NamespaceLength..]);
            suffix.CopyTo(input[end..]);
            return UuidV5(input[..(end + suffix.Length)]).ToString();
        }
        finally
        {
            Return(rented);
        }
    }

    /// <summary>UUID version 5 (RFC 9562) of a name in a namespace.</summary>
    internal static Guid UuidV5(Guid space, ReadOnlySpan<byte> name)
    {
        var input = new byte[NamespaceLength + name.Length];
        space.TryWriteBytes(input, bigEndian: true, out _);
        name.CopyTo(input.AsSpan(NamespaceLength));
        return UuidV5(input);
    }

    /// <summary>
    /// One hash a thread, used again and again: most of what a one-shot SHA-1 of so few bytes costs is making and dropping its state.
    /// </summary>
    [ThreadStatic]
    private static IncrementalHash? _sha1;

    private static Guid UuidV5(ReadOnlySpan<byte> spaceAndName)
    {
        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
        var sha1 = _sha1 ??= IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
        sha1.AppendData(spaceAndName);
        sha1.GetHashAndReset(hash);
        hash[6] = (byte)((hash[6] & 0x0F) | 0x50);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new Guid(hash[..16], bigEndian: true);
    }

    private static int WriteName(ReadOnlySpan<char> name, Span<byte> destination)
    {
        if (Ascii.ToUpper(name, destination, out var written) != OperationStatus.Done && !TryWriteLatin1(name, destination, out written))
            written = WriteAny(name, destination);
        destination[..written].Replace((byte)' ', (byte)'+');
        return written;
    }

    /// <summary>Æ, Ø and Å are in every other Danish name: these letters are put in upper case and into UTF-8 without a detour.</summary>
    private static bool TryWriteLatin1(ReadOnlySpan<char> name, Span<byte> destination, out int written)
    {
        written = 0;
        foreach (var c in name)
        {
            if (c is 'µ' or >= 'ÿ')
                return false; // their upper case is no Latin-1 letter
            var upper = c is (>= 'a' and <= 'z') or (>= 'à' and <= 'þ' and not '÷') ? c - 0x20 : c;
            if (upper >= 0x80)
                destination[written++] = (byte)(0xC0 | (upper >> 6));
            destination[written++] = (byte)(upper < 0x80 ? upper : 0x80 | (upper & 0x3F));
        }
        return true;
    }

    private static int WriteAny(ReadOnlySpan<char> name, Span<byte> destination)
    {
        var rented = name.Length > OnStack ? ArrayPool<char>.Shared.Rent(name.Length) : null;
        Span<char> upper = rented ?? stackalloc char[OnStack];
        var written = Encoding.UTF8.GetBytes(upper[..name.ToUpperInvariant(upper)], destination);
        if (rented is not null)
            ArrayPool<char>.Shared.Return(rented, clearArray: true);
        return written;
    }

    private static int SuffixLength(ReadOnlySpan<char> salt) => 12 + Encoding.UTF8.GetByteCount(salt);

    private static int WriteSuffix(CprNumber patient, ReadOnlySpan<char> salt, Span<byte> destination)
    {
        destination[0] = (byte)'+';
        Encoding.ASCII.GetBytes(patient.Digits, destination[1..]);
        destination[11] = (byte)'+';
        return 12 + Encoding.UTF8.GetBytes(salt, destination[12..]);
    }

    /// <summary>Names and CPR numbers are not left behind in pooled memory.</summary>
    private static void Return(byte[]? rented)
    {
        if (rented is not null)
            ArrayPool<byte>.Shared.Return(rented, clearArray: true);
    }
}
