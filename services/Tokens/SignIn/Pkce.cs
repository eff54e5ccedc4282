using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Sloring.Tokens;

/// <summary>Proof that whoever redeems a code is whoever asked for it (RFC 7636), by SHA-256 only.</summary>
public static class Pkce
{
    private const int ChallengeLength = 43;

    /// <summary>Whether a text may be a challenge: base64url of 32 bytes.</summary>
    public static bool IsChallenge(string challenge) =>
        challenge.Length == ChallengeLength && challenge.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

    /// <summary>Whether a verifier is the one of a challenge.</summary>
    public static bool Fits(string verifier, string challenge) =>
        verifier is { Length: >= 43 and <= 128 } && verifier.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_' or '~')
        && CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Challenge(verifier)), Encoding.ASCII.GetBytes(challenge));

    /// <summary>The challenge of a verifier.</summary>
    public static string Challenge(string verifier) => Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier)));
}
