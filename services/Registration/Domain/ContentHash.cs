using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Sloring.Registration.Domain;

/// <summary>
/// A keyed hash of a request's content (rule M9): tells a repeat from other content without keeping what was sent. Keyed, because a
/// plain hash of a CPR number can be reversed by trying all numbers.
/// </summary>
public static class ContentHash
{
    /// <summary>Hash of the parts in order; each counts with its length, so that no two lists of parts run together.</summary>
    public static string Of(ReadOnlySpan<byte> key, params ReadOnlySpan<string?> parts)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        Span<byte> length = stackalloc byte[4];
        foreach (var part in parts)
        {
            var bytes = Encoding.UTF8.GetBytes(part ?? "");
            BinaryPrimitives.WriteInt32BigEndian(length, part is null ? -1 : bytes.Length);
            hmac.AppendData(length);
            hmac.AppendData(bytes);
        }
        return Convert.ToHexStringLower(hmac.GetHashAndReset());
    }
}
