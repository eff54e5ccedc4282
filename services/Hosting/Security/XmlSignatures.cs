using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Security.Cryptography.Xml;
using System.Xml;

namespace Sloring.Hosting;

/// <summary>Something in a signed text is not as it must be.</summary>
/// <param name="what">A word of ours that says what, never a value of the sender's.</param>
public sealed class NotValidException(string what) : Exception
{
    public string What { get; } = what;
}

/// <summary>
/// Foreign XML signatures. Their form is checked before they are verified, so that the verifier meets nothing but the two forms that are taken, and by an id it
/// finds only the very element that is read afterwards: nothing else of the envelope can be taken for it. Pure.
/// </summary>
public static class XmlSignatures
{
    private const string ExclusiveC14n = SignedXml.XmlDsigExcC14NTransformUrl;
    private const string EnvelopedSignature = SignedXml.XmlDsigEnvelopedSignatureTransformUrl;
    private const int SmallestRsaBits = 2048;
    private const int MostReferences = 8;

    // Lists of what is allowed, not of what is not: no SHA-1, no HMAC (whose key would be a public certificate), no XPath, no XSLT.
    private static readonly HashSet<string> SignatureMethods =
    [
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
    ];

    private static readonly HashSet<string> DigestMethods =
        ["http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2001/04/xmldsig-more#sha384", "http://www.w3.org/2001/04/xmlenc#sha512"];

    /// <summary>A certificate must have an RSA key of at least 2,048 bits.</summary>
    public static bool IsUsable(X509Certificate2 certificate)
    {
        using var key = certificate.GetRSAPublicKey();
        return key is not null && key.KeySize >= SmallestRsaBits;
    }

    /// <summary>Whether a file, PEM or DER, holds such a certificate.</summary>
    public static bool IsUsable(string file)
    {
        try
        {
            using var certificate = X509CertificateLoader.LoadCertificateFromFile(file);
            return IsUsable(certificate);
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>
    /// The one assertion of an envelope as its issuer has signed it: enveloped, as a whole, by a key that the issuer has by our settings. What comes back is a copy
    /// in a document of its own, and that copy is what the signature was verified over.
    /// </summary>
    /// <param name="assertion">Where it stands in its envelope.</param>
    /// <param name="issuers">Who may have signed it.</param>
    /// <param name="now">The time.</param>
    /// <exception cref="NotValidException">It is not so signed.</exception>
    public static XmlElement SignedAssertion(XmlElement assertion, IReadOnlyList<TrustedIssuer> issuers, DateTimeOffset now)
    {
        var alone = Alone(assertion);
        var signature = Single(alone.GetElementsByTagName("Signature", SoapNames.Signature).OfType<XmlElement>(), "signature");
        Require(signature.ParentNode == alone, "signature");
        var reference = Single(References(signature), "reference");
        Require(reference.GetAttribute("URI") == "#" + Id(alone), "reference");
        CheckReference(reference, [EnvelopedSignature, ExclusiveC14n]);
        var name = Single(alone.Elements(SoapNames.Saml, "Issuer"), "issuer").WholeText();
        var issuer = issuers.FirstOrDefault(issuer => issuer.Name == name);
        Require(issuer is not null, "issuer");
        Strip(signature);
        Require(issuer!.Certificates.Any(certificate => IsCurrent(certificate, now) && Verifies(signature, certificate, id => id == Id(alone) ? alone : null)), "signature");
        return alone;
    }

    /// <summary>
    /// The certificate that a message shows (KeyInfo) and has signed itself with (WS-Security): every one of <paramref name="parts"/>, found by wsu:Id. Whose
    /// certificate that is, the caller finds out: it is the sender's word.
    /// </summary>
    /// <param name="security">The header wsse:Security, with the one signature of the message.</param>
    /// <param name="isKnown">Whether anybody has this certificate: of nobody's the signature is not looked at.</param>
    /// <param name="parts">What must be signed: the elements that are read.</param>
    /// <exception cref="NotValidException">It is not so signed.</exception>
    public static X509Certificate2 SignedMessage(XmlElement security, Func<X509Certificate2, bool> isKnown, params IReadOnlyList<XmlElement> parts)
    {
        var envelope = security.OwnerDocument;
        var byId = new Dictionary<string, XmlElement>(StringComparer.Ordinal);
        foreach (var part in parts)
        {
            var id = part.GetAttribute("Id", SoapNames.Wsu);
            Require(id.Length > 0 && IsUnique(envelope, id) && byId.TryAdd(id, part), "id");
        }
        var signature = Single(security.Elements(SoapNames.Signature, "Signature"), "signature");
        var references = References(signature);
        Require(references.Count <= MostReferences, "reference");
        foreach (var reference in references)
        {
            CheckReference(reference, [ExclusiveC14n]);
            Require(reference.GetAttribute("URI") is ['#', .. var id] && byId.Remove(id), "reference");
        }
        // Each of them, and nothing else: what is not read need not be signed.
        Require(byId.Count == 0, "reference");
        var shown = Single(signature.Elements(SoapNames.Signature, "KeyInfo").SelectMany(info => info.Elements(SoapNames.Signature, "X509Data"))
            .SelectMany(data => data.Elements(SoapNames.Signature, "X509Certificate")), "certificate");
        var certificate = Certificate(shown);
        Strip(signature);
        Require(IsUsable(certificate) && isKnown(certificate), "certificate");
        Require(Verifies(signature, certificate, id => parts.FirstOrDefault(part => part.GetAttribute("Id", SoapNames.Wsu) == id)), "signature");
        return certificate;
    }

    /// <summary>The certificate in an element <c>ds:X509Certificate</c>.</summary>
    /// <exception cref="NotValidException">It holds none.</exception>
    public static X509Certificate2 Certificate(XmlElement element)
    {
        try
        {
            return X509CertificateLoader.LoadCertificate(Convert.FromBase64String(element.WholeText() ?? ""));
        }
        catch (Exception e) when (e is CryptographicException or FormatException)
        {
            throw new NotValidException("certificate");
        }
    }

    /// <summary>The texts of an attribute of an assertion.</summary>
    /// <exception cref="NotValidException">A value holds something else than text.</exception>
    public static IEnumerable<string> Values(XmlElement attribute) =>
        attribute.Elements(SoapNames.Saml, "AttributeValue").Select(value => value.WholeText() ?? throw new NotValidException("content"));

    /// <summary>All attributes of an assertion by name.</summary>
    public static ILookup<string, XmlElement> Attributes(XmlElement assertion) =>
        assertion.Elements(SoapNames.Saml, "AttributeStatement").SelectMany(statement => statement.Elements(SoapNames.Saml, "Attribute")).ToLookup(attribute => attribute.GetAttribute("Name"));

    /// <summary>An instant, which must say its zone: without one it would be read in this machine's.</summary>
    /// <exception cref="NotValidException">It is none.</exception>
    public static DateTimeOffset Instant(string text, string what)
    {
        try
        {
            Require(SoapXml.ToDateTime(text).Kind != DateTimeKind.Unspecified, what);
            return XmlConvert.ToDateTimeOffset(text);
        }
        catch (Exception e) when (e is FormatException or ArgumentOutOfRangeException)
        {
            throw new NotValidException(what);
        }
    }

    /// <summary>The one of them.</summary>
    /// <exception cref="NotValidException">There is none, or another too.</exception>
    public static T Single<T>(IEnumerable<T> items, string what)
    {
        using var each = items.GetEnumerator();
        Require(each.MoveNext(), what);
        var single = each.Current;
        Require(!each.MoveNext(), what);
        return single;
    }

    /// <exception cref="NotValidException">It does not hold.</exception>
    public static void Require(bool holds, string what)
    {
        if (!holds)
            throw new NotValidException(what);
    }

    /// <summary>The one assertion of the envelope, copied into a document of its own. Whatever could be mistaken for it makes it not valid.</summary>
    private static XmlElement Alone(XmlElement assertion)
    {
        var envelope = assertion.OwnerDocument;
        Require(envelope.GetElementsByTagName("Assertion", SoapNames.Saml).Count == 1, "assertion");
        Require(IsUnique(envelope, Id(assertion)), "id");
        foreach (XmlNode node in assertion.SelectNodes("descendant::node()")!)
            Require(node is XmlElement or XmlText or XmlWhitespace or XmlSignificantWhitespace, "content");

        var alone = new XmlDocument { PreserveWhitespace = true, XmlResolver = null };
        var copy = (XmlElement)alone.AppendChild(alone.ImportNode(assertion, deep: true))!;
        // Prefixes that are declared further out.
        for (var outer = assertion.ParentNode as XmlElement; outer is not null; outer = outer.ParentNode as XmlElement)
        {
            foreach (var declared in outer.Attributes.OfType<XmlAttribute>().Where(attribute => attribute.NamespaceURI == "http://www.w3.org/2000/xmlns/"))
            {
                if (!copy.HasAttribute(declared.Name) && !(declared.Name == "xmlns" && copy.Prefix.Length == 0))
                    copy.SetAttribute(declared.Name, declared.Value);
            }
        }
        return copy;
    }

    /// <summary>What a signature of the one outer form refers to.</summary>
    private static List<XmlElement> References(XmlElement signature)
    {
        var parts = signature.Elements().ToList();
        Require(parts.Count is 2 or 3 && parts[0].Is(SoapNames.Signature, "SignedInfo") && parts[1].Is(SoapNames.Signature, "SignatureValue")
            && (parts.Count == 2 || parts[2].Is(SoapNames.Signature, "KeyInfo")), "signature");
        var signed = parts[0].Elements().ToList();
        Require(signed.Count >= 3, "reference");
        Require(signed[0].Is(SoapNames.Signature, "CanonicalizationMethod") && Algorithm(signed[0]) == ExclusiveC14n && OnlyPrefixes(signed[0]), "canonicalization");
        Require(signed[1].Is(SoapNames.Signature, "SignatureMethod") && SignatureMethods.Contains(Algorithm(signed[1])) && !signed[1].Elements().Any(), "algorithm");
        Require(signed.Skip(2).All(reference => reference.Is(SoapNames.Signature, "Reference")), "reference");
        return signed[2..];
    }

    private static void CheckReference(XmlElement reference, string[] transformsInOrder)
    {
        var parts = reference.Elements().ToList();
        Require(parts.Count == 3 && parts[0].Is(SoapNames.Signature, "Transforms") && parts[1].Is(SoapNames.Signature, "DigestMethod")
            && parts[2].Is(SoapNames.Signature, "DigestValue"), "reference");
        var transforms = parts[0].Elements().ToList();
        Require(transforms.TrueForAll(transform => transform.Is(SoapNames.Signature, "Transform")) && transforms.Select(Algorithm).SequenceEqual(transformsInOrder)
            && transforms.TrueForAll(transform => Algorithm(transform) == ExclusiveC14n ? OnlyPrefixes(transform) : !transform.Elements().Any()), "transforms");
        Require(DigestMethods.Contains(Algorithm(parts[1])) && !parts[1].Elements().Any(), "algorithm");
    }

    /// <summary>Takes away what the verifier must not go by, all of it outside of what is signed: the sender's word of keys, and the ids that DGWS writes there, which .NET takes for an error.</summary>
    private static void Strip(XmlElement signature)
    {
        foreach (var info in signature.Elements(SoapNames.Signature, "KeyInfo").ToList())
            signature.RemoveChild(info);
        foreach (var attribute in signature.Attributes.OfType<XmlAttribute>().Where(attribute => attribute.NamespaceURI.Length == 0 && attribute.Name != "xmlns").ToList())
            signature.RemoveAttributeNode(attribute);
    }

    private static bool IsCurrent(X509Certificate2 certificate, DateTimeOffset now) =>
        certificate.NotBefore.ToUniversalTime() <= now.UtcDateTime && now.UtcDateTime < certificate.NotAfter.ToUniversalTime();

    private static bool Verifies(XmlElement signature, X509Certificate2 certificate, Func<string, XmlElement?> byId)
    {
        try
        {
            var verifier = new Verifier(signature.OwnerDocument, byId);
            verifier.LoadXml(signature);
            using var key = certificate.GetRSAPublicKey()!;
            return verifier.CheckSignature(key);
        }
        catch (Exception e) when (e is CryptographicException or FormatException or XmlException)
        {
            return false;
        }
    }

    private static bool IsUnique(XmlDocument envelope, string id) =>
        envelope.SelectNodes("//@*")!.OfType<XmlAttribute>().Count(attribute => IsId(attribute) && attribute.Value == id) == 1;

    private static bool IsId(XmlAttribute attribute) => attribute.LocalName.Equals("id", StringComparison.OrdinalIgnoreCase) || attribute.LocalName == "AssertionID";

    /// <summary>SAML writes ID, DGWS writes id.</summary>
    private static string Id(XmlElement assertion)
    {
        var id = Single(assertion.Attributes.OfType<XmlAttribute>().Where(IsId), "id");
        Require(id.NamespaceURI.Length == 0 && id.Value.Length > 0, "id");
        return id.Value;
    }

    private static string Algorithm(XmlElement element) => element.GetAttribute("Algorithm");

    /// <summary>Of exclusive canonicalization: nothing but a list of prefixes, which adds declarations and takes nothing away.</summary>
    private static bool OnlyPrefixes(XmlElement method) => method.Elements().All(child => child.Is(ExclusiveC14n, "InclusiveNamespaces"));

    /// <summary>A verifier that finds by id what it is told to find, wherever else an id may point.</summary>
    private sealed class Verifier : SignedXml
    {
        private readonly Func<string, XmlElement?> _byId;

        public Verifier(XmlDocument document, Func<string, XmlElement?> byId)
            : base(document)
        {
            _byId = byId;
            SafeCanonicalizationMethods.Clear();
            SafeCanonicalizationMethods.Add(ExclusiveC14n);
        }

        public override XmlElement? GetIdElement(XmlDocument? document, string idValue) => _byId(idValue);
    }
}
