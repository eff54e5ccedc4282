using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Sloring.Tests;

/// <summary>Somebody else's key pair, and the JWTs that its owner makes: by hand, so that they can be wrong in any way.</summary>
public sealed class JwtKey : IDisposable
{
    private readonly ECDsa? _ec;
    private readonly RSA? _rsa;

    private JwtKey(string algorithm, string id)
    {
        (Algorithm, Id) = (algorithm, id);
        if (algorithm == "ES256")
            _ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        else
            _rsa = RSA.Create(2048);
    }

    public string Algorithm { get; }

    public string Id { get; }

    /// <summary>A new pair for ES256, PS256 or RS256.</summary>
    public static JwtKey New(string algorithm = "ES256", string id = "key-1") => new(algorithm, id);

    /// <summary>The public half as a JWK.</summary>
    public JsonObject Public()
    {
        var jwk = new JsonObject { ["alg"] = Algorithm, ["kid"] = Id, ["use"] = "sig" };
        if (_ec?.ExportParameters(false) is { } ec)
            (jwk["kty"], jwk["crv"], jwk["x"], jwk["y"]) = ("EC", "P-256", Base64Url.EncodeToString(ec.Q.X), Base64Url.EncodeToString(ec.Q.Y));
        else if (_rsa?.ExportParameters(false) is { } rsa)
            (jwk["kty"], jwk["n"], jwk["e"]) = ("RSA", Base64Url.EncodeToString(rsa.Modulus), Base64Url.EncodeToString(rsa.Exponent));
        return jwk;
    }

    /// <summary>A JWK set of public halves.</summary>
    public static string Set(params JwtKey[] keys) => new JsonObject { ["keys"] = new JsonArray([.. keys.Select(key => key.Public())]) }.ToJsonString();

    /// <summary>Signs claims with a header of one's own; left out, the right one.</summary>
    public string Sign(JsonNode claims, JsonObject? header = null) =>
        SignText(claims.ToJsonString(), (header ?? new JsonObject { ["alg"] = Algorithm, ["kid"] = Id, ["typ"] = "JWT" }).ToJsonString());

    /// <summary>Signs whatever text stands for claims and header.</summary>
    public string SignText(string claims, string header)
    {
        var signed = Part(header) + "." + Part(claims);
        return signed + "." + Base64Url.EncodeToString(Signature(Encoding.ASCII.GetBytes(signed)));
    }

    public static string Part(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    public void Dispose()
    {
        _ec?.Dispose();
        _rsa?.Dispose();
    }

    private byte[] Signature(byte[] bytes) => _ec is not null
        ? _ec.SignData(bytes, HashAlgorithmName.SHA256)
        : _rsa!.SignData(bytes, HashAlgorithmName.SHA256, Algorithm == "PS256" ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1);
}
