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
    private const string KeyName = "sealing-key";
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private readonly Lazy<KeyRing> _ring = new(() => new KeyRing(secrets, KeyName, () => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32))));
    private readonly ConcurrentDictionary<string, byte[]> _keys = new();

    /// <summary>How every text begins that is sealed under the current key.</summary>
    public string CurrentPrefix => Prefix(KeyId);

    /// <summary>Id of the current key.</summary>
    public string KeyId => _ring.Value.CurrentId;

    /// <summary>Makes sure that every key that is here is one, the current one and those of before, and gives their ids.</summary>
    /// <exception cref="InvalidOperationException">One is none, or the current one is missing: the message names the secret and says what to set.</exception>
    public IReadOnlyList<string> CheckKeys()
    {
        var ids = _ring.Value.Ids;
        foreach (var id in ids)
            Key(id);
        return ids;
    }

    /// <summary>The name of the secret that holds a key.</summary>
    public static string SecretOf(string id) => $"{KeyName}-{id}";

    /// <summary>Seals a text for one purpose: a sealed CPR cannot be passed off as a sealed reason.</summary>
    public string Seal(string text, string purpose) => Seal(text, purpose, KeyId);

    /// <summary>As <see cref="Seal(string, string)"/>, under any key that is here.</summary>
    internal string Seal(string text, string purpose, string id)
    {
        var plain = Encoding.UTF8.GetBytes(text);
        var box = new byte[NonceBytes + plain.Length + TagBytes];
        RandomNumberGenerator.Fill(box.AsSpan(0, NonceBytes));
        using var aes = new AesGcm(Key(id), TagBytes);
        aes.Encrypt(box.AsSpan(0, NonceBytes), plain, box.AsSpan(NonceBytes, plain.Length), box.AsSpan(NonceBytes + plain.Length), Encoding.UTF8.GetBytes(purpose));
        CryptographicOperations.ZeroMemory(plain);
        return Prefix(id) + Base64Url.EncodeToString(box);
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

    private static string Prefix(string id) => $"s1.{id}.";

    private byte[] Key(string id)
    {
        if (_keys.TryGetValue(id, out var key))
            return key;
        if (_ring.Value.Find(id) is null)
            throw new CryptographicException("The text is not sealed under a key that is here.");
        return _keys[id] = secrets.Key(SecretOf(id));
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

    /// <summary>What tells whether a key is still the one that a database was written with.</summary>
    public const string Check = "check";
}
