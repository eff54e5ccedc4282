using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Sloring.Hosting;

/// <summary>
/// Encrypts what must be kept and later shown to somebody: CPR numbers, reasons, notes, salts (AES-256-GCM, key id in front). Keys are
/// <c>sealing-key-&lt;id&gt;</c> of the secret store: what is sealed is sealed under the current one, what is opened under any.
/// </summary>
public sealed class Sealer(SecretStore secrets)
{
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private readonly Lazy<KeyRing> _ring = new(() => new KeyRing(secrets, "sealing-key", () => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32))));
    private readonly ConcurrentDictionary<string, byte[]> _keys = new();

    /// <summary>How every text begins that is sealed under the current key.</summary>
    public string CurrentPrefix => $"s1.{KeyId}.";

    /// <summary>Id of the current key.</summary>
    public string KeyId => _ring.Value.CurrentId;

    /// <summary>Seals a text for one purpose: a sealed CPR cannot be passed off as a sealed reason.</summary>
    public string Seal(string text, string purpose)
    {
        var plain = Encoding.UTF8.GetBytes(text);
        var box = new byte[NonceBytes + plain.Length + TagBytes];
        RandomNumberGenerator.Fill(box.AsSpan(0, NonceBytes));
        using var aes = new AesGcm(Key(KeyId), TagBytes);
        aes.Encrypt(box.AsSpan(0, NonceBytes), plain, box.AsSpan(NonceBytes, plain.Length), box.AsSpan(NonceBytes + plain.Length), Encoding.UTF8.GetBytes(purpose));
        CryptographicOperations.ZeroMemory(plain);
        return CurrentPrefix + Base64Url.EncodeToString(box);
    }

    /// <summary>Opens a sealed text.</summary>
    /// <exception cref="CryptographicException">It was altered, sealed for another purpose or under a key that is not here.</exception>
    public string Open(string sealedText, string purpose)
    {
        if (sealedText.Split('.') is not ["s1", var id, var text])
            throw new CryptographicException("The text is not sealed.");
        var key = Key(id);
        var box = Base64Url.DecodeFromChars(text);
        if (box.Length < NonceBytes + TagBytes)
            throw new CryptographicException("The text is not sealed.");
        var plain = new byte[box.Length - NonceBytes - TagBytes];
        using var aes = new AesGcm(key, TagBytes);
        aes.Decrypt(box.AsSpan(0, NonceBytes), box.AsSpan(NonceBytes, plain.Length), box.AsSpan(NonceBytes + plain.Length), plain, Encoding.UTF8.GetBytes(purpose));
        return Encoding.UTF8.GetString(plain);
    }

    private byte[] Key(string id) => _keys.TryGetValue(id, out var key)
        ? key
        : _keys[id] = Base64Url.DecodeFromChars(_ring.Value.Find(id) ?? throw new CryptographicException("The text is not sealed under a key that is here."));
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
