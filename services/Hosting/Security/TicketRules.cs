using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Security.Cryptography.Xml;
using System.Xml;
using Sloring.Contracts;

namespace Sloring.Hosting;

/// <summary>
/// The check of a security ticket: a SAML 2.0 assertion in a DGWS header (ID card, level 3 or 4). A pure function. What is used is read from a copy of the
/// assertion in a document of its own, and that copy is what the signature is verified over: nothing else of the envelope can be taken for it.
/// </summary>
public static class TicketRules
{
    private const string ExclusiveC14n = "http://www.w3.org/2001/10/xml-exc-c14n#";
    private const string EnvelopedSignature = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
    private const int SmallestRsaBits = 2048;

    // Lists of what is allowed, not of what is not: no SHA-1, no HMAC (whose key would be a public certificate), no XPath, no XSLT.
    private static readonly HashSet<string> SignatureMethods =
    [
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
    ];

    private static readonly HashSet<string> DigestMethods =
        ["http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2001/04/xmldsig-more#sha384", "http://www.w3.org/2001/04/xmlenc#sha512"];

    /// <summary>The ticket in a header <c>wsse:Security</c>.</summary>
    /// <param name="security">The header where it stands in its envelope; null where there is none.</param>
    /// <param name="policy">By what it is measured.</param>
    /// <param name="now">The time.</param>
    public static Decided<Ticket> Check(XmlElement? security, TicketPolicy policy, DateTimeOffset now)
    {
        if (security is null || !security.Elements(SoapNames.Saml, "Assertion").Any())
            return Rejections.TicketMissing;
        try
        {
            var assertion = Alone(security);
            Verify(assertion, policy, now);
            if (Conditions(assertion, policy, now) is { } untimely)
                return untimely;
            return Read(assertion);
        }
        catch (NotValid wrong)
        {
            return Rejections.TicketNotValid.For(wrong.What);
        }
    }

    /// <summary>A certificate of an issuer must have an RSA key of at least 2,048 bits.</summary>
    public static bool IsUsable(X509Certificate2 certificate)
    {
        using var key = certificate.GetRSAPublicKey();
        return key is not null && key.KeySize >= SmallestRsaBits;
    }

    /// <summary>The one assertion of the envelope, copied into a document of its own. Whatever could be mistaken for it makes the envelope's ticket not valid.</summary>
    private static XmlElement Alone(XmlElement security)
    {
        var envelope = security.OwnerDocument;
        var assertion = security.Elements(SoapNames.Saml, "Assertion").First();
        Require(envelope.GetElementsByTagName("Assertion", SoapNames.Saml).Count == 1, "assertion");
        var id = Id(assertion);
        Require(envelope.SelectNodes("//@*")!.OfType<XmlAttribute>().Count(attribute => IsId(attribute) && attribute.Value == id) == 1, "id");
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

    /// <summary>
    /// One signature, enveloped, over the assertion as a whole, by a key of the issuer that it names. Its form is checked before it is verified, so that the
    /// verifier meets nothing but that one form.
    /// </summary>
    private static void Verify(XmlElement assertion, TicketPolicy policy, DateTimeOffset now)
    {
        var signature = Single(assertion.GetElementsByTagName("Signature", SoapNames.Signature).OfType<XmlElement>(), "signature");
        Require(signature.ParentNode == assertion, "signature");
        var parts = signature.Elements().ToList();
        Require(parts.Count is 2 or 3 && parts[0].Is(SoapNames.Signature, "SignedInfo") && parts[1].Is(SoapNames.Signature, "SignatureValue")
            && (parts.Count == 2 || parts[2].Is(SoapNames.Signature, "KeyInfo")), "signature");
        var signed = parts[0].Elements().ToList();
        Require(signed.Count == 3, "reference");
        Require(signed[0].Is(SoapNames.Signature, "CanonicalizationMethod") && Algorithm(signed[0]) == ExclusiveC14n && OnlyPrefixes(signed[0]), "canonicalization");
        Require(signed[1].Is(SoapNames.Signature, "SignatureMethod") && SignatureMethods.Contains(Algorithm(signed[1])) && !signed[1].Elements().Any(), "algorithm");
        Require(signed[2].Is(SoapNames.Signature, "Reference") && signed[2].GetAttribute("URI") == "#" + Id(assertion), "reference");
        var reference = signed[2].Elements().ToList();
        Require(reference.Count == 3 && reference[0].Is(SoapNames.Signature, "Transforms") && reference[1].Is(SoapNames.Signature, "DigestMethod")
            && reference[2].Is(SoapNames.Signature, "DigestValue"), "reference");
        var transforms = reference[0].Elements().ToList();
        Require(transforms.Count == 2 && transforms.TrueForAll(transform => transform.Is(SoapNames.Signature, "Transform"))
            && Algorithm(transforms[0]) == EnvelopedSignature && !transforms[0].Elements().Any()
            && Algorithm(transforms[1]) == ExclusiveC14n && OnlyPrefixes(transforms[1]), "transforms");
        Require(DigestMethods.Contains(Algorithm(reference[1])) && !reference[1].Elements().Any(), "algorithm");

        var name = Single(assertion.Elements(SoapNames.Saml, "Issuer"), "issuer").WholeText();
        var issuer = policy.Issuers.FirstOrDefault(issuer => issuer.Name == name);
        Require(issuer is not null, "issuer");
        // The key is the issuer's by our settings. What KeyInfo says of keys is the sender's word.
        if (parts.Count == 3)
            signature.RemoveChild(parts[2]);
        // DGWS writes an id there, which .NET's verifier takes for an error. It is outside of what is signed.
        foreach (var attribute in signature.Attributes.OfType<XmlAttribute>().Where(attribute => attribute.NamespaceURI.Length == 0 && attribute.Name != "xmlns").ToList())
            signature.RemoveAttributeNode(attribute);
        Require(issuer!.Certificates.Any(certificate => IsCurrent(certificate, now) && SignedBy(assertion, signature, certificate)), "signature");
    }

    private static bool IsCurrent(X509Certificate2 certificate, DateTimeOffset now) =>
        certificate.NotBefore.ToUniversalTime() <= now.UtcDateTime && now.UtcDateTime < certificate.NotAfter.ToUniversalTime();

    private static bool SignedBy(XmlElement assertion, XmlElement signature, X509Certificate2 certificate)
    {
        try
        {
            var verifier = new OfAssertion(assertion);
            verifier.LoadXml(signature);
            using var key = certificate.GetRSAPublicKey()!;
            return verifier.CheckSignature(key);
        }
        catch (Exception e) when (e is CryptographicException or FormatException or XmlException)
        {
            return false;
        }
    }

    /// <summary>In force now, for us; null where it is.</summary>
    private static Rejection? Conditions(XmlElement assertion, TicketPolicy policy, DateTimeOffset now)
    {
        var conditions = Single(assertion.Elements(SoapNames.Saml, "Conditions"), "conditions");
        var (from, until) = (Instant(conditions, "NotBefore"), Instant(conditions, "NotOnOrAfter"));
        Require(from < until, "conditions");
        if (now + policy.Skew < from)
            return Rejections.TicketNotYetValid;
        if (now - policy.Skew >= until)
            return Rejections.TicketExpired;
        var restrictions = conditions.Elements().ToList();
        // A condition that is not understood is not met (SAML 2.0 core, 2.5.1).
        Require(restrictions.TrueForAll(condition => condition.Is(SoapNames.Saml, "AudienceRestriction")), "conditions");
        Require(restrictions.Count > 0 || !policy.AudienceRequired, "audience");
        Require(restrictions.TrueForAll(restriction => restriction.Elements(SoapNames.Saml, "Audience").Any(audience => audience.WholeText() == policy.Audience)), "audience");
        return null;
    }

    private static Decided<Ticket> Read(XmlElement assertion)
    {
        var attributes = assertion.Elements(SoapNames.Saml, "AttributeStatement").SelectMany(statement => statement.Elements(SoapNames.Saml, "Attribute"))
            .ToLookup(attribute => attribute.GetAttribute("Name"));
        var userType = UserTypeOf(
            [.. attributes["sosi:IDCardType"].SelectMany(Values)], [.. attributes["sosi:AuthenticationLevel"].SelectMany(Values)],
            attributes.Any(group => group.Key.StartsWith("medcom:User", StringComparison.Ordinal)));
        if (userType.Rejection is { } neitherOrBoth)
            return neitherOrBoth;
        var provider = Single(attributes["medcom:CareProviderID"], "care-provider");
        CvrNumber? cvr = null;
        if (provider.GetAttribute("NameFormat") == "medcom:cvrnumber")
            cvr = CvrNumber.TryParse(Single(Values(provider), "care-provider"), out var number) ? number : throw new NotValid("care-provider");
        var system = Value("medcom:ITSystemName");
        Require(system is { Length: > 0 and <= 256 }, "system");
        if (userType.Value == UserType.System)
            return new Ticket(UserType.System, cvr, system!, null, null, null);
        Require(CprNumber.TryParse(Value("medcom:UserCivilRegistrationNumber"), out var cpr), "person");
        // SEAL writes UserAuthorizationCode; other libraries leave "User" out.
        var authorisations = attributes["medcom:UserAuthorizationCode"].Concat(attributes["medcom:AuthorizationCode"]).SelectMany(Values).Distinct().ToList();
        Require(authorisations.Count <= 1, "authorisation");
        return new Ticket(UserType.HealthProfessional, cvr, system!, cpr, authorisations.FirstOrDefault(), Value("medcom:UserRole"));

        string? Value(string name) => attributes.Contains(name) ? Single(attributes[name].SelectMany(Values), name) : null;
    }

    /// <summary>
    /// Exactly one user type. A system's ticket has type "system" at level 3 and says nothing of a person; a health professional's has type "user" at
    /// level 4 and says who. (Inferred: the guide documents the two types and the two faults, not by what they are told apart.)
    /// </summary>
    public static Decided<UserType> UserTypeOf(IReadOnlyCollection<string> types, IReadOnlyCollection<string> levels, bool namesPerson)
    {
        var (system, user) = (types.Contains("system"), types.Contains("user") || namesPerson);
        if (system && user)
            return Rejections.UserTypeAmbiguous;
        if (types.Count != 1 || levels.Count != 1)
            return Rejections.UserTypeUnknown;
        return (system, user && types.Contains("user") && namesPerson, levels.First()) switch
        {
            (true, _, "3") => UserType.System,
            (_, true, "4") => UserType.HealthProfessional,
            _ => Rejections.UserTypeUnknown,
        };
    }

    private static IEnumerable<string> Values(XmlElement attribute) =>
        attribute.Elements(SoapNames.Saml, "AttributeValue").Select(value => value.WholeText() ?? throw new NotValid("content"));

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

    private static DateTimeOffset Instant(XmlElement conditions, string name)
    {
        try
        {
            var text = conditions.GetAttribute(name);
            // Without a zone it would be read in this machine's.
            Require(XmlConvert.ToDateTime(text, XmlDateTimeSerializationMode.RoundtripKind).Kind != DateTimeKind.Unspecified, "conditions");
            return XmlConvert.ToDateTimeOffset(text);
        }
        catch (Exception e) when (e is FormatException or ArgumentOutOfRangeException)
        {
            throw new NotValid("conditions");
        }
    }

    private static T Single<T>(IEnumerable<T> items, string what)
    {
        using var each = items.GetEnumerator();
        Require(each.MoveNext(), what);
        var single = each.Current;
        Require(!each.MoveNext(), what);
        return single;
    }

    private static void Require(bool holds, string what)
    {
        if (!holds)
            throw new NotValid(what);
    }

    /// <summary>Says by a word of ours, never by a value of the sender's, what was not valid.</summary>
    private sealed class NotValid(string what) : Exception
    {
        public string What { get; } = what;
    }

    /// <summary>A verifier that knows one element by id, the assertion, wherever else an id may point.</summary>
    private sealed class OfAssertion : SignedXml
    {
        private readonly XmlElement _assertion;

        public OfAssertion(XmlElement assertion)
            : base(assertion.OwnerDocument)
        {
            _assertion = assertion;
            SafeCanonicalizationMethods.Clear();
            SafeCanonicalizationMethods.Add(ExclusiveC14n);
        }

        public override XmlElement? GetIdElement(XmlDocument? document, string idValue) => idValue == Id(_assertion) ? _assertion : null;
    }
}
