using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Sloring.Tokens;

/// <summary>
/// JWTs of others (RFC 7519 with RFC 8725): a client's assertion, a citizen's bootstrap token. The library checks the signature; what it passes over is refused
/// before that: a critical header that nobody here knows, a name that stands twice, an algorithm that is not the key's own.
/// </summary>
internal static class SignedJwt
{
    /// <summary>Characters of a token. A bootstrap token with many relations is some 4,000.</summary>
    private const int Longest = 12 * 1024;

    private static readonly JsonWebTokenHandler Handler = new() { MaximumTokenSizeInBytes = Longest };

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 8, AllowDuplicateProperties = false };

    /// <summary>The claims of a token that one of these keys has signed; null for anything else, whatever it is.</summary>
    public static async Task<JsonElement?> Verify(string token, IReadOnlyList<VerificationKey> keys)
    {
        var parts = token.Length <= Longest ? token.Split('.') : [];
        if (parts.Length != 3 || Json(parts[0]) is not { } header || Json(parts[1]) is not { } claims || Bytes(parts[2]) is not { Length: > 0 })
            return null;
        // "crit" demands what is not known here; "b64" would change what is signed.
        if (header.TryGetProperty("crit", out _) || header.TryGetProperty("b64", out _) || Text(header, "alg") is not { } algorithm)
            return null;
        var hasKeyId = header.TryGetProperty("kid", out _);
        var keyId = Text(header, "kid");
        // The key says which algorithm it is for. The header only chooses among keys, and a key id never chooses among clients.
        var fitting = keys.Where(key => key.Algorithm == algorithm && (!hasKeyId || key.Id == keyId)).Select(key => key.Key).ToList();
        if (fitting.Count == 0)
            return null;
        var result = await Handler.ValidateTokenAsync(token, new TokenValidationParameters
        {
            IssuerSigningKeys = fitting,
            ValidAlgorithms = [algorithm],
            TryAllIssuerSigningKeys = true,
            RequireSignedTokens = true,
            // Whose it is, for whom and until when, each kind of token has its own rules for.
            ValidateIssuer = false,
            ValidateAudience = false,
            ValidateLifetime = false,
            RequireExpirationTime = false,
        });
        return result.IsValid ? claims : null;
    }

    /// <summary>The claims of a token before anything is known of it: good for choosing whose keys to try, and for nothing else.</summary>
    public static JsonElement? Peek(string token) => token.Length <= Longest && token.Split('.') is { Length: 3 } parts ? Json(parts[1]) : null;

    /// <summary>A claim that is a text.</summary>
    public static string? Text(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>A claim that is one text or several; none when it is anything else.</summary>
    public static IReadOnlyList<string> Texts(JsonElement claims, string name) => claims.TryGetProperty(name, out var value) switch
    {
        true when value.ValueKind == JsonValueKind.String => [value.GetString()!],
        true when value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(one => one.ValueKind == JsonValueKind.String) => [.. value.EnumerateArray().Select(one => one.GetString()!)],
        _ => [],
    };

    /// <summary>A claim that is an instant: seconds since 1970, with or without a fraction.</summary>
    public static DateTimeOffset? Instant(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var seconds) && seconds is > 0 and < 1e11
            ? DateTimeOffset.UnixEpoch.AddSeconds(seconds)
            : null;

    private static JsonElement? Json(string part)
    {
        try
        {
            if (Bytes(part) is not { } bytes)
                return null;
            using var document = JsonDocument.Parse(bytes, Strict);
            // A text with half a surrogate is only found out when it is read, which must not be later.
            return document.RootElement.ValueKind == JsonValueKind.Object && Readable(document.RootElement) ? document.RootElement.Clone() : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static bool Readable(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().All(property => property.Name.Length >= 0 && Readable(property.Value)),
        JsonValueKind.Array => element.EnumerateArray().All(Readable),
        JsonValueKind.String => element.GetString() is not null,
        _ => true,
    };

    private static byte[]? Bytes(string part)
    {
        // No padding and no white space (RFC 7515, 2): one token, one way to write it.
        if (part.AsSpan().ContainsAnyExcept(Alphabet))
            return null;
        try
        {
            return Base64Url.DecodeFromChars(part);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static readonly System.Buffers.SearchValues<char> Alphabet =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
}

/// <summary>A public key of somebody else's, for one algorithm.</summary>
internal sealed class VerificationKey
{
    private const int ShortestRsa = 2048;
    private const int MostKeys = 20;

    private VerificationKey(JsonWebKey key)
    {
        (Key, Id, Algorithm, Thumbprint) = (key, key.Kid, key.Alg ?? "", key.X5tS256 ?? OfFirstCertificate(key));
        if (key is not ({ Kty: "EC", Crv: "P-256", Alg: "ES256" } or { Kty: "RSA", Alg: "PS256" or "RS256" }))
            throw new FormatException("a key is not EC P-256 with alg ES256, or RSA with alg PS256 or RS256");
        if (key.Kty == "RSA" && key.KeySize < ShortestRsa)
            throw new FormatException($"an RSA key is shorter than {ShortestRsa} bits");
        // A point that is not on the curve is found out here, and not when the first token comes.
        using var check = key.Kty == "EC"
            ? (AsymmetricAlgorithm)ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = Base64Url.DecodeFromChars(key.X), Y = Base64Url.DecodeFromChars(key.Y) } })
            : RSA.Create(new RSAParameters { Modulus = Base64Url.DecodeFromChars(key.N), Exponent = Base64Url.DecodeFromChars(key.E) });
    }

    /// <summary>As the library takes it.</summary>
    public SecurityKey Key { get; }

    /// <summary>Key id; null where the set gives none.</summary>
    public string? Id { get; }

    /// <summary>The one algorithm that it is for.</summary>
    public string Algorithm { get; }

    /// <summary>SHA-256 of the certificate of this key, base64url; null where the set names none.</summary>
    public string? Thumbprint { get; }

    /// <summary>Reads a JWK set.</summary>
    /// <exception cref="FormatException">It is not one of public keys that may be used here: the message says which rule it breaks, never a value.</exception>
    public static IReadOnlyList<VerificationKey> Set(string json)
    {
        try
        {
            var set = new JsonWebKeySet(json);
            if (set.Keys.Count is 0 or > MostKeys)
                throw new FormatException($"it must hold 1 to {MostKeys} keys");
            if (set.Keys.Any(key => key.HasPrivateKey || key.K is not null))
                throw new FormatException("it holds a private or secret key, which nobody but its owner may have");
            if (set.Keys.Where(key => key.Kid is not null).GroupBy(key => key.Kid).Any(same => same.Count() > 1))
                throw new FormatException("two keys have the same kid");
            return [.. set.Keys.Select(key => new VerificationKey(key))];
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException or JsonException or InvalidOperationException)
        {
            throw new FormatException("it is not a JWK set");
        }
    }

    /// <summary>
    /// Reads a provider's JWK set, which has its own purposes: keys that are not for signing, or for an algorithm that is not taken, are none of ours, and one
    /// that names no algorithm is for ES256 or RS256, as its kind is. One of ours that breaks a rule is passed over, and the others are good.
    /// </summary>
    /// <returns>The keys, and for each that was passed over the rule that it breaks, never a value.</returns>
    /// <exception cref="FormatException">No key in it may be used here.</exception>
    public static (IReadOnlyList<VerificationKey> Keys, IReadOnlyList<string> PassedOver) SetOfProvider(string json)
    {
        var (usable, passedOver) = (new List<VerificationKey>(), new List<string>());
        foreach (var key in KeysIn(json))
        {
            try
            {
                if (!IsForUs(key))
                    continue;
                var read = Set(new JsonObject { ["keys"] = new JsonArray(key.DeepClone()) }.ToJsonString())[0];
                if (usable.Count == MostKeys)
                    passedOver.Add($"it holds more than {MostKeys} keys");
                else if (read.Id is not null && usable.Exists(known => known.Id == read.Id))
                    passedOver.Add("two keys have the same kid");
                else
                    usable.Add(read);
            }
            catch (Exception e) when (e is FormatException or JsonException or InvalidOperationException)
            {
                passedOver.Add(e is FormatException ? e.Message : "a key cannot be read");
            }
        }
        return usable.Count > 0 ? (usable, passedOver) : throw new FormatException(passedOver is [var why, ..] ? why : "no key in it is for signing, EC P-256 or RSA");
    }

    private static List<JsonObject> KeysIn(string json)
    {
        try
        {
            return [.. JsonNode.Parse(json, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false })?["keys"]?.AsArray().OfType<JsonObject>() ?? []];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new FormatException("it is not a JWK set");
        }
    }

    private static bool IsForUs(JsonObject key)
    {
        if ((string?)key["use"] is not (null or "sig"))
            return false;
        key["alg"] ??= (string?)key["kty"] == "EC" ? "ES256" : "RS256";
        return ((string?)key["alg"] == "ES256" && (string?)key["crv"] == "P-256") || ((string?)key["alg"] is "PS256" or "RS256" && (string?)key["kty"] == "RSA");
    }

    private static string? OfFirstCertificate(JsonWebKey key) => key.X5c is { Count: > 0 } chain ? Base64Url.EncodeToString(SHA256.HashData(Convert.FromBase64String(chain[0]))) : null;
}
