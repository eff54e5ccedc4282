using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Sloring.Hosting;

namespace Sloring.Tokens;

/// <summary>Makes access tokens: JWTs of RFC 9068 (<c>typ</c> at+jwt), signed with ES256 by the key <c>token-signing-key</c> of the secret store.</summary>
public sealed class TokenSigner
{
    private const string SecretName = "token-signing-key";
    private readonly TokenOptions _token;
    private readonly TokenServiceOptions _options;
    private readonly TimeProvider _clock;
    private readonly JsonWebTokenHandler _handler = new() { SetDefaultTimesOnTokenCreation = false };
    private readonly SigningCredentials _credentials;

    /// <exception cref="InvalidOperationException">The key in the secret store is not a P-256 key in PKCS #8: the message says what to set.</exception>
    public TokenSigner(IOptions<TokenOptions> token, IOptions<TokenServiceOptions> options, SecretStore secrets, TimeProvider clock)
    {
        (_token, _options, _clock) = (token.Value, options.Value, clock);
        using var key = Import(secrets.Text(SecretName, NewKey));
        var point = key.ExportParameters(includePrivateParameters: true);
        var (x, y) = (Base64UrlEncoder.Encode(point.Q.X), Base64UrlEncoder.Encode(point.Q.Y));
        KeyId = Thumbprint(x, y);
        // A JsonWebKey rather than the ECDsa object: the library then opens one of its own per concurrent signature; an ECDsa object is
        // not promised to be safe between threads.
        _credentials = new SigningCredentials(
            new JsonWebKey { Kty = "EC", Crv = "P-256", X = x, Y = y, D = Base64UrlEncoder.Encode(point.D), Kid = KeyId }, SecurityAlgorithms.EcdsaSha256);
        Jwks = new JsonObject
        {
            ["keys"] = new JsonArray(new JsonObject
            {
                ["kty"] = "EC",
                ["crv"] = "P-256",
                ["x"] = x,
                ["y"] = y,
                ["kid"] = KeyId,
                ["use"] = "sig",
                ["alg"] = "ES256",
            }),
        }.ToJsonString();
    }

    /// <summary>RFC 7638 thumbprint of the public key.</summary>
    public string KeyId { get; }

    /// <summary>The public key as a JSON Web Key Set.</summary>
    public string Jwks { get; }

    /// <summary>Signs a token for <paramref name="subject"/>; issuer, audience, times and id are the signer's own.</summary>
    public string Sign(string subject, IEnumerable<KeyValuePair<string, object>> claims)
    {
        var now = _clock.GetUtcNow();
        return _handler.CreateToken(new SecurityTokenDescriptor
        {
            TokenType = "at+jwt",
            Issuer = _token.Issuer,
            Audience = _token.Audience,
            IssuedAt = now.UtcDateTime,
            NotBefore = now.UtcDateTime,
            Expires = now.UtcDateTime.AddSeconds(_options.LifetimeSeconds),
            SigningCredentials = _credentials,
            Claims = new Dictionary<string, object>(claims)
            {
                [JwtRegisteredClaimNames.Sub] = subject,
                [JwtRegisteredClaimNames.Jti] = Guid.NewGuid().ToString("N"),
            },
        });
    }

    private static string NewKey()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return key.ExportPkcs8PrivateKeyPem();
    }

    private static ECDsa Import(string pem)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(pem);
            if (key.ExportParameters(false).Curve.Oid.Value == "1.2.840.10045.3.1.7")
                return key;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            // The reason says nothing that the message below does not, and might quote the key.
        }
        key.Dispose();
        throw new InvalidOperationException(
            $"The secret {SecretName} is not a P-256 private key in PKCS #8 PEM. Make one: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256");
    }

    private static string Thumbprint(string x, string y) =>
        Base64UrlEncoder.Encode(SHA256.HashData(Encoding.UTF8.GetBytes($$"""{"crv":"P-256","kty":"EC","x":"{{x}}","y":"{{y}}"}""")));
}
