using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Authentication;
using Sloring.Hosting;

namespace Sloring.Portal;

/// <summary>
/// What a sign-in must know when it comes back, above all which page was asked for: sealed, in the address. The framework's own way would be half as long again and more,
/// and a token service takes so much and no more.
/// </summary>
internal sealed class SignInState(Sealer sealer) : ISecureDataFormat<AuthenticationProperties>
{
    private const string Purpose = "portal-sign-in";

    public string Protect(AuthenticationProperties data) => Protect(data, null);

    /// <summary>Bytes as characters, since nearly all of them are some: base64 within base64 would take a third more.</summary>
    public string Protect(AuthenticationProperties data, string? purpose) => sealer.Seal(Encoding.Latin1.GetString(PropertiesSerializer.Default.Serialize(data)), $"{Purpose} {purpose}");

    public AuthenticationProperties? Unprotect(string? protectedText) => Unprotect(protectedText, null);

    /// <summary>Null for what was not sealed here; the sign-in then begins anew.</summary>
    public AuthenticationProperties? Unprotect(string? protectedText, string? purpose)
    {
        try
        {
            return PropertiesSerializer.Default.Deserialize(Encoding.Latin1.GetBytes(sealer.Open(protectedText ?? "", $"{Purpose} {purpose}")));
        }
        catch (Exception e) when (e is CryptographicException or FormatException)
        {
            return null;
        }
    }
}
