using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.DataProtection;

namespace Sloring.Hosting;

/// <summary>
/// What a browser keeps for us (session, form tokens) is sealed under the platform's sealing keys: every replica opens what another sealed, a restart ends no
/// session, and nothing is written to a disk.
/// </summary>
internal sealed class SealedProtection(Sealer sealer, string purpose = "browser") : IDataProtector
{
    public IDataProtector CreateProtector(string within) => new SealedProtection(sealer, $"{purpose}/{within}");

    public byte[] Protect(byte[] plaintext) => Encoding.ASCII.GetBytes(sealer.Seal(Base64Url.EncodeToString(plaintext), purpose));

    public byte[] Unprotect(byte[] protectedData)
    {
        try
        {
            return Base64Url.DecodeFromChars(sealer.Open(Encoding.ASCII.GetString(protectedData), purpose));
        }
        catch (FormatException)
        {
            // Whoever asks expects this one of what somebody else made up.
            throw new CryptographicException("The text is not sealed.");
        }
    }
}
