using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Sloring.Hosting;

/// <summary>Encrypts what must be kept and later shown to somebody: CPR numbers, reasons, notes, salts (AES-256-GCM, key id in front).</summary>
public sealed class Sealer(SecretStore secrets)
{
    private const string KeyId = "1";
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private readonly Lazy<byte[]> _key = new(() => secrets.Key("sealing-key-" + KeyId));

    /// <summary>Seals a text for one purpose: a sealed CPR cannot be passed off as a sealed reason.</summary>
    public string Seal(string text, string purpose)
    {
        var plain = Encoding.UTF8.GetBytes(text);
        var box = new byte[NonceBytes + plain.Length + TagBytes];
        RandomNumberGenerator.Fill(box.AsSpan(0, NonceBytes));
        using var aes = new AesGcm(_key.Value, TagBytes);
        aes.Encrypt(box.AsSpan(0, NonceBytes), plain, box.AsSpan(NonceBytes, plain.Length), box.AsSpan(NonceBytes + plain.Length), Encoding.UTF8.GetBytes(purpose));
        CryptographicOperations.ZeroMemory(plain);
        return string.Concat("s1.", KeyId, ".", Base64Url.EncodeToString(box));
    }

    /// <summary>Opens a sealed text.</summary>
    /// <exception cref="CryptographicException">It was altered, sealed for another purpose or under a key that is not here.</exception>
    public string Open(string sealedText, string purpose)
    {
        var parts = sealedText.Split('.');
        if (parts.Length != 3 || parts[0] != "s1" || parts[1] != KeyId)
            throw new CryptographicException("The text is not sealed under a key that is here.");
        var box = Base64Url.DecodeFromChars(parts[2]);
        var plain = new byte[box.Length - NonceBytes - TagBytes];
        using var aes = new AesGcm(_key.Value, TagBytes);
        aes.Decrypt(box.AsSpan(0, NonceBytes), box.AsSpan(NonceBytes, plain.Length), box.AsSpan(NonceBytes + plain.Length), plain, Encoding.UTF8.GetBytes(purpose));
        return Encoding.UTF8.GetString(plain);
    }
}

/// <summary>The purposes of sealed texts.</summary>
public static class SealedFor
{
    public const string Cpr = "cpr";
    public const string Reason = "reason";
    public const string Note = "note";
    public const string Purpose = "purpose";
    public const string Salt = "salt";
}
