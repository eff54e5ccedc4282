using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Security.Cryptography.Xml;
using System.Text;
using System.Xml;
using System.Xml.Linq;
using Microsoft.Extensions.Options;
using Sloring.Contracts;
using Sloring.Hosting;
using static Sloring.Tokens.TrustNames;

namespace Sloring.Tokens;

/// <summary>
/// Writes identity tokens as SAML 2.0 assertions: signed (RSA-SHA256), bound to the client's certificate (holder of key), and encrypted for the audience
/// (AES-256-GCM under RSA-OAEP) with the signature inside.
/// </summary>
internal sealed class IdentityAssertions
{
    private const int KeyBytes = 32;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private static readonly XNamespace Saml = SoapNames.Saml, Ds = SoapNames.Signature;
    private readonly WsTrustOptions _options;
    private readonly string _issuer;
    private readonly X509Certificate2 _signer;
    private readonly Dictionary<string, X509Certificate2> _audiences;

    /// <exception cref="InvalidOperationException">Certificate and key do not belong together: the message says what to set.</exception>
    public IdentityAssertions(IOptions<TokenServiceOptions> options, IOptions<TokenOptions> token, SecretStore secrets)
    {
        (_options, _issuer) = (options.Value.WsTrust, token.Value.Issuer);
        _audiences = options.Value.Audiences.Where(audience => audience.Certificate.Length > 0)
            .ToDictionary(audience => audience.Id, audience => X509CertificateLoader.LoadCertificateFromFile(audience.Certificate));
        try
        {
            _signer = X509Certificate2.CreateFromPem(File.ReadAllText(_options.Certificate), _options.Key.Length > 0 ? File.ReadAllText(_options.Key) : secrets.Text(WsTrustOptions.KeySecret));
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new InvalidOperationException(
                $"Tokens:WsTrust:Certificate and its private key (Tokens:WsTrust:Key, or the secret {WsTrustOptions.KeySecret}) do not belong together. Set both, RSA and PEM.");
        }
    }

    /// <summary>An audience must have a certificate, or be one that takes tokens in the clear.</summary>
    /// <exception cref="RejectedException">SLR-611.</exception>
    public void MustReach(AudienceOptions audience)
    {
        if (!_audiences.ContainsKey(audience.Id) && !audience.AllowUnencrypted)
            throw new RejectedException(Rejections.TargetInvalid.For("AppliesTo"));
    }

    /// <summary>The token: saml:EncryptedAssertion, or saml:Assertion for an audience without a certificate.</summary>
    public XElement Write(Granted granted, AudienceOptions audience, ClientOptions client, X509Certificate2 holder, DateTimeOffset from)
    {
        var signed = Sign(Unsigned(granted, audience, client, holder, from));
        return _audiences.TryGetValue(audience.Id, out var certificate) ? Encrypted(signed, certificate) : XElement.Parse(signed, LoadOptions.PreserveWhitespace);
    }

    /// <summary>
    /// That CPR number and OnBehalfOf of the answer are those of the request's claims is inferred; so are name, namespace and form of the blurring instructions.
    /// Base64 of XML is what the sibling attribute UserAuthorizations holds.
    /// </summary>
    private XElement Unsigned(Granted granted, AudienceOptions audience, ClientOptions client, X509Certificate2 holder, DateTimeOffset from) => new(Saml + "Assertion",
        new XAttribute(XNamespace.Xmlns + "saml", SoapNames.Saml), new XAttribute("ID", "_" + Guid.NewGuid().ToString("N")), new XAttribute("IssueInstant", Bst2Idws.Instant(from)), new XAttribute("Version", "2.0"),
        new XElement(Saml + "Issuer", _issuer),
        new XElement(Saml + "Subject",
            new XElement(Saml + "NameID", new XAttribute("Format", "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"), granted.Bootstrap.Subject),
            new XElement(Saml + "SubjectConfirmation", new XAttribute("Method", HolderOfKey), new XElement(Saml + "SubjectConfirmationData", X509(holder)))),
        new XElement(Saml + "Conditions", new XAttribute("NotBefore", Bst2Idws.Instant(from)), new XAttribute("NotOnOrAfter", Bst2Idws.Instant(from + granted.Life)),
            new XElement(Saml + "AudienceRestriction", new XElement(Saml + "Audience", audience.Id))),
        new XElement(Saml + "AttributeStatement",
            Attribute(CprAttribute, granted.Bootstrap.Citizen.Digits),
            granted.Relation is null ? null : Attribute(OnBehalfOfAttribute, granted.Relation.Urn),
            Attribute("urn:sloring:client", client.Id),
            Attribute(_options.BlurringAttribute, Convert.ToBase64String(Encoding.UTF8.GetBytes(Instructions(granted).ToString(SaveOptions.DisableFormatting))))));

    private XElement Instructions(Granted granted)
    {
        XNamespace ns = _options.BlurringNamespace;
        XElement Id(string name, string id, string classification, params object[] more) => new(ns + name, new XElement(ns + "id", id), new XElement(ns + "classification", classification), more);
        return new XElement(ns + "BlurringInstructions",
            Id("patientId", granted.Shown.Digits, "CPR"),
            granted.Instructions.Organisations.Select(masked => Id("organisationId", masked.Cvr, "CVR", new XElement(ns + "endDateTime", Bst2Idws.Instant(masked.EndsAt.ToDateTimeOffset())))),
            granted.Instructions.Units.Select(unit => Id("org", unit.Id, unit.Classification)),
            new XElement(ns + "salt", granted.Salt.Value));
    }

    private static XElement Attribute(string name, string value) => new(Saml + "Attribute", new XAttribute("Name", name), new XAttribute("NameFormat", "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"),
        new XElement(Saml + "AttributeValue", value));

    private static XElement X509(X509Certificate2 certificate) => new(Ds + "KeyInfo", new XAttribute(XNamespace.Xmlns + "ds", SoapNames.Signature),
        new XElement(Ds + "X509Data", new XElement(Ds + "X509Certificate", Convert.ToBase64String(certificate.RawData))));

    private string Sign(XElement assertion)
    {
        var document = new XmlDocument { PreserveWhitespace = true, XmlResolver = null };
        document.LoadXml(assertion.ToString(SaveOptions.DisableFormatting));
        using var key = _signer.GetRSAPrivateKey();
        var signer = new SignedXml(document) { SigningKey = key };
        signer.SignedInfo!.CanonicalizationMethod = SignedXml.XmlDsigExcC14NTransformUrl;
        signer.SignedInfo.SignatureMethod = SignedXml.XmlDsigRSASHA256Url;
        var reference = new Reference("#" + document.DocumentElement!.GetAttribute("ID")) { DigestMethod = SignedXml.XmlDsigSHA256Url };
        reference.AddTransform(new XmlDsigEnvelopedSignatureTransform());
        reference.AddTransform(new XmlDsigExcC14NTransform());
        signer.AddReference(reference);
        var shown = new KeyInfo();
        shown.AddClause(new KeyInfoX509Data(_signer));
        signer.KeyInfo = shown;
        signer.ComputeSignature();
        // Behind the issuer, where SAML's schema has it.
        document.DocumentElement.InsertAfter(document.ImportNode(signer.GetXml(), deep: true), document.DocumentElement.FirstChild);
        return document.OuterXml;
    }

    /// <summary>
    /// XML Encryption 1.1. OAEP with SHA-1 is what every peer has; it asks of the hash nothing that SHA-1 has lost.
    /// </summary>
    private static XElement Encrypted(string assertion, X509Certificate2 audience)
    {
        var (key, plain) = (RandomNumberGenerator.GetBytes(KeyBytes), Encoding.UTF8.GetBytes(assertion));
        var sealedBytes = new byte[NonceBytes + plain.Length + TagBytes];
        RandomNumberGenerator.Fill(sealedBytes.AsSpan(0, NonceBytes));
        using (var aes = new AesGcm(key, TagBytes))
            aes.Encrypt(sealedBytes.AsSpan(0, NonceBytes), plain, sealedBytes.AsSpan(NonceBytes, plain.Length), sealedBytes.AsSpan(NonceBytes + plain.Length));
        using var rsa = audience.GetRSAPublicKey()!;
        var wrapped = rsa.Encrypt(key, RSAEncryptionPadding.OaepSHA1);
        CryptographicOperations.ZeroMemory(key);
        CryptographicOperations.ZeroMemory(plain);
        return new XElement(Saml + "EncryptedAssertion", new XAttribute(XNamespace.Xmlns + "saml", SoapNames.Saml), new XElement(Xenc + "EncryptedData",
            new XAttribute(XNamespace.Xmlns + "xenc", XmlEncryption), new XAttribute("Type", XmlEncryption + "Element"),
            new XElement(Xenc + "EncryptionMethod", new XAttribute("Algorithm", "http://www.w3.org/2009/xmlenc11#aes256-gcm")),
            new XElement(Ds + "KeyInfo", new XAttribute(XNamespace.Xmlns + "ds", SoapNames.Signature), new XElement(Xenc + "EncryptedKey",
                new XElement(Xenc + "EncryptionMethod", new XAttribute("Algorithm", XmlEncryption + "rsa-oaep-mgf1p"),
                    new XElement(Ds + "DigestMethod", new XAttribute("Algorithm", "http://www.w3.org/2000/09/xmldsig#sha1"))),
                Cipher(wrapped))),
            Cipher(sealedBytes)));
    }

    private static XElement Cipher(byte[] bytes) => new(Xenc + "CipherData", new XElement(Xenc + "CipherValue", Convert.ToBase64String(bytes)));
}
