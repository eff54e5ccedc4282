using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.IdentityModel.Tokens;

namespace Sloring.Tokens;

/// <summary>
/// Encrypts a signed token for its audience: JWE compact form (RFC 7516) with ECDH-ES on P-256 and A256GCM (RFC 7518, 4.6 and 5.3). The library that signs has
/// neither of the two; both are a call each of the platform's own cryptography.
/// </summary>
internal sealed class Encryption
{
    private const string Content = "A256GCM";
    private const int KeyBytes = 32;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private readonly ECParameters _key;
    private readonly string? _keyId;

    private Encryption(ECParameters key, string? keyId) => (_key, _keyId) = (key, keyId);

    /// <summary>Reads an audience's public key.</summary>
    /// <exception cref="FormatException">It is not a public EC P-256 key: the message says which rule it breaks, never a value.</exception>
    public static Encryption ReadKey(string json)
    {
        try
        {
            var key = new JsonWebKey(json);
            if (key.HasPrivateKey)
                throw new FormatException("it is a private key, which nobody but the audience may have");
            if (key is not { Kty: "EC", Crv: "P-256", X: not null, Y: not null } || key.Use is not (null or "enc"))
                throw new FormatException("it is not an EC P-256 key for encryption");
            var point = new ECParameters
            {
                Curve = ECCurve.NamedCurves.nistP256,
                Q = new ECPoint { X = Base64Url.DecodeFromChars(key.X), Y = Base64Url.DecodeFromChars(key.Y) },
            };
            using var check = ECDiffieHellman.Create(point);
            return new Encryption(point, key.Kid);
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException or JsonException or InvalidOperationException)
        {
            throw new FormatException("it is not a JWK");
        }
    }

    /// <summary>Encrypts a signed token; each time under a key of its own.</summary>
    public string Encrypt(string signed)
    {
        using var audience = ECDiffieHellman.Create(_key);
        using var ours = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        var point = ours.ExportParameters(includePrivateParameters: false).Q;
        var header = new JsonObject
        {
            ["alg"] = "ECDH-ES",
            ["enc"] = Content,
            ["cty"] = "JWT",
            ["epk"] = new JsonObject { ["kty"] = "EC", ["crv"] = "P-256", ["x"] = Base64Url.EncodeToString(point.X), ["y"] = Base64Url.EncodeToString(point.Y) },
        };
        if (_keyId is not null)
            header["kid"] = _keyId;
        var associated = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header.ToJsonString()));
        var secret = ours.DeriveRawSecretAgreement(audience.PublicKey);
        var key = Derive(secret);
        CryptographicOperations.ZeroMemory(secret);
        var (plain, nonce, tag) = (Encoding.ASCII.GetBytes(signed), RandomNumberGenerator.GetBytes(NonceBytes), new byte[TagBytes]);
        var cipher = new byte[plain.Length];
        using (var aes = new AesGcm(key, TagBytes))
            aes.Encrypt(nonce, plain, cipher, tag, Encoding.ASCII.GetBytes(associated));
        CryptographicOperations.ZeroMemory(key);
        CryptographicOperations.ZeroMemory(plain);
        return $"{associated}..{Base64Url.EncodeToString(nonce)}.{Base64Url.EncodeToString(cipher)}.{Base64Url.EncodeToString(tag)}";
    }

    /// <summary>Concat KDF (RFC 7518, 4.6.2): one round of SHA-256 gives all 256 bits; neither party names itself.</summary>
    private static byte[] Derive(byte[] secret)
    {
        var name = Encoding.ASCII.GetBytes(Content);
        var input = new byte[4 + secret.Length + 4 + name.Length + 4 + 4 + 4];
        var at = 0;
        Number(1);
        Bytes(secret);
        Number(name.Length);
        Bytes(name);
        Number(0);
        Number(0);
        Number(KeyBytes * 8);
        var key = SHA256.HashData(input);
        CryptographicOperations.ZeroMemory(input);
        return key;

        void Number(int number)
        {
            BinaryPrimitives.WriteInt32BigEndian(input.AsSpan(at), number);
            at += 4;
        }

        void Bytes(byte[] bytes)
        {
            bytes.CopyTo(input, at);
            at += bytes.Length;
        }
    }
}
