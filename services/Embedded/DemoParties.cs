using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Sloring.Hosting;
using Sloring.Tokens;

namespace Sloring.Embedded;

/// <summary>
/// Who stands outside of a platform that is tried, where nobody is configured: an issuer of SOAP tickets, a provider that signs citizens in, an app that shows
/// who it is by a key of its own (private_key_jwt), and the data source that it asks for. Their keys are made at the first start and lie in the data folder,
/// readable by their owner only.
/// </summary>
/// <param name="folder">The data folder.</param>
public sealed class DemoParties(string folder)
{
    /// <summary>Client id of the app.</summary>
    public const string App = "borgerapp";

    /// <summary>Id of the data source among Tokens:Audiences.</summary>
    public const string Audience = "https://audience.example/data";

    /// <summary>The provider, as its tokens name it.</summary>
    public const string Provider = "urn:sloring:demo-provider";

    /// <summary>Whom the provider's tokens are for.</summary>
    public const string ProviderAudience = "urn:sloring:demo";

    /// <summary>Who signs tickets.</summary>
    public DemoIssuer Issuer { get; } = new(folder);

    /// <summary>Key (RSA) and certificate of the provider, PEM.</summary>
    public string ProviderFile { get; } = Path.Combine(folder, "demo-provider.pem");

    /// <summary>Key (P-256) and certificate of the app, PEM.</summary>
    public string AppFile { get; } = Path.Combine(folder, "demo-app.pem");

    /// <summary>Key (P-256) and certificate of the data source, PEM: what opens identity tokens.</summary>
    public string AudienceFile { get; } = Path.Combine(folder, "demo-audience.pem");

    /// <summary>The platform's time, by the demo clock of the folder if there is one.</summary>
    public DateTimeOffset Now => new DemoClock(Path.Combine(folder, "demo-clock")).GetUtcNow();

    /// <summary>Makes all keys, once.</summary>
    public void Ensure()
    {
        Issuer.Ensure();
        EnsureKey(ProviderFile, "sloring demo provider", rsaBits: 2048);
        EnsureKey(AppFile, "sloring demo app");
        EnsureKey(AudienceFile, "sloring demo data source");
    }

    /// <summary>Settings with which a service trusts the issuer's tickets.</summary>
    public IEnumerable<(string Key, string Value)> TicketSettings() =>
    [
        ("Soap:Issuers:demo:Name", DemoIssuer.Name),
        ("Soap:Issuers:demo:Certificates:demo", Issuer.File),
    ];

    /// <summary>Settings with which the token service knows the app, and exchanges the provider's tokens for the data source.</summary>
    public IEnumerable<(string Key, string Value)> ExchangeSettings() =>
    [
        ("Tokens:IdentityProviders:demo:Issuer", Provider),
        ("Tokens:IdentityProviders:demo:Audience", ProviderAudience),
        ("Tokens:IdentityProviders:demo:Jwks", KeySet(ProviderFile, "RS256")),
        ("Tokens:Audiences:demo:Id", Audience),
        ("Tokens:Audiences:demo:Key", PublicKey(AudienceFile).ToJsonString()),
        ("Tokens:Clients:borgerapp:Id", App),
        ("Tokens:Clients:borgerapp:Name", "Demo: borgerens app"),
        ("Tokens:Clients:borgerapp:Roles:0", Roles.CitizenView),
        ("Tokens:Clients:borgerapp:Authentication", ClientMethods.Assertion),
        ("Tokens:Clients:borgerapp:Jwks", KeySet(AppFile, "ES256")),
        ("Tokens:Clients:borgerapp:Audiences:0", Audience),
    ];

    /// <summary>A client assertion (RFC 7523): the app shows who it is. Good once, for a minute.</summary>
    /// <param name="issuer">The token service, as it names itself.</param>
    public string Assertion(string issuer)
    {
        using var key = ECDsa.Create();
        key.ImportFromPem(File.ReadAllText(AppFile));
        return Sign(new ECDsaSecurityKey(key), SecurityAlgorithms.EcdsaSha256, new SecurityTokenDescriptor
        {
            Issuer = App,
            Audience = issuer,
            Claims = new Dictionary<string, object> { ["sub"] = App, ["jti"] = Guid.NewGuid().ToString("N") },
        }, TimeSpan.FromMinutes(1));
    }

    /// <summary>A bootstrap token: the provider says that this citizen has signed in, and for whom they may act.</summary>
    public string Bootstrap(DemoCitizen citizen)
    {
        using var key = RSA.Create();
        key.ImportFromPem(File.ReadAllText(ProviderFile));
        var names = new IdentityProviderOptions();
        return Sign(new RsaSecurityKey(key), SecurityAlgorithms.RsaSha256, new SecurityTokenDescriptor
        {
            Issuer = Provider,
            Audience = ProviderAudience,
            Claims = new Dictionary<string, object> { ["sub"] = citizen.Subject, [names.CprClaim] = citizen.Cpr, [names.OnBehalfOfClaim] = citizen.ActsFor.ToArray() },
        }, TimeSpan.FromMinutes(10));
    }

    /// <summary>Makes a key and a certificate of its own, once: written beside and renamed, for its owner alone from the first byte.</summary>
    /// <param name="file">Where both stand, PEM.</param>
    /// <param name="name">Common name in the certificate.</param>
    /// <param name="rsaBits">Bits of an RSA key; 0 for a P-256 key.</param>
    internal static void EnsureKey(string file, string name, int rsaBits = 0)
    {
        if (File.Exists(file))
            return;
        using var rsa = rsaBits > 0 ? RSA.Create(rsaBits) : null;
        using var ec = rsaBits > 0 ? null : ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = rsa is not null
            ? new CertificateRequest($"CN={name}", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest($"CN={name}", ec!, HashAlgorithmName.SHA256);
        // The demo clock goes months ahead, and is years behind in tests of old rules.
        using var certificate = request.CreateSelfSigned(new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(2050, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var next = $"{file}.{Guid.NewGuid():N}";
        var owner = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            owner.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var writer = new StreamWriter(next, owner))
            writer.Write($"{certificate.ExportCertificatePem()}\n{rsa?.ExportPkcs8PrivateKeyPem() ?? ec!.ExportPkcs8PrivateKeyPem()}\n");
        File.Move(next, file, overwrite: true);
    }

    private string Sign(SecurityKey key, string algorithm, SecurityTokenDescriptor token, TimeSpan life)
    {
        var now = Now.UtcDateTime;
        (token.IssuedAt, token.NotBefore, token.Expires) = (now, now, now + life);
        // A key that lives for one signature is not to be kept for the next.
        token.SigningCredentials = new SigningCredentials(key, algorithm) { CryptoProviderFactory = new CryptoProviderFactory { CacheSignatureProviders = false } };
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(token);
    }

    private static string KeySet(string file, string algorithm)
    {
        var key = PublicKey(file);
        key["alg"] = algorithm;
        return new JsonObject { ["keys"] = new JsonArray(key) }.ToJsonString();
    }

    /// <summary>The public key of a PEM file as a JWK.</summary>
    private static JsonObject PublicKey(string file)
    {
        using var certificate = X509CertificateLoader.LoadCertificateFromFile(file);
        using var rsa = certificate.GetRSAPublicKey();
        if (rsa?.ExportParameters(includePrivateParameters: false) is { } number)
            return new JsonObject { ["kty"] = "RSA", ["n"] = Base64Url.EncodeToString(number.Modulus), ["e"] = Base64Url.EncodeToString(number.Exponent) };
        using var ec = certificate.GetECDsaPublicKey()!;
        var point = ec.ExportParameters(includePrivateParameters: false).Q;
        return new JsonObject { ["kty"] = "EC", ["crv"] = "P-256", ["x"] = Base64Url.EncodeToString(point.X), ["y"] = Base64Url.EncodeToString(point.Y) };
    }
}

/// <summary>A citizen who has signed in at the demo's provider.</summary>
/// <param name="Cpr">Their CPR number.</param>
public sealed record DemoCitizen(string Cpr)
{
    /// <summary>The provider's own id of them.</summary>
    public string Subject { get; init; } = "demo-citizen";

    /// <summary>For whom they may act: URNs, docs/tokens.md.</summary>
    public IReadOnlyList<string> ActsFor { get; init; } = [];
}
