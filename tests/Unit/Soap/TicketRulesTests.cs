using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Security.Cryptography.Xml;
using System.Text.RegularExpressions;
using Sloring.Contracts;
using Sloring.Embedded;
using Sloring.Hosting;
using Xunit;
using static Sloring.Tests.Unit.Soap.Tickets;

namespace Sloring.Tests.Unit.Soap;

/// <summary>What a security ticket must be, and everything that somebody may make of one.</summary>
public sealed class TicketRulesTests
{
    private const string Sha1 = "http://www.w3.org/2000/09/xmldsig#sha1";
    private static readonly string Good = Trusted.Ticket(OfSystem);

    [Fact]
    public void ASystemsTicket_SaysWhoItIs()
    {
        var ticket = Check(Trusted.Ticket(OfSystem)).Value;
        Assert.Equal(new Ticket(UserType.System, CvrNumber.Parse("29190623"), "EPJ Hovedstaden", null, null, null, Now.AddMinutes(-5)), ticket);
    }

    [Fact]
    public void AHealthProfessionalsTicket_SaysWhoItIs_AndPrintsWithoutThePerson()
    {
        var ticket = Check(Trusted.Ticket(OfPerson)).Value;
        Assert.Equal((UserType.HealthProfessional, "6101701234", "6QF17", "7170"), (ticket.UserType, ticket.PersonCpr?.Digits, ticket.AuthorisationId, ticket.Role));
        Assert.DoesNotContain("6101701234", $"{ticket}", StringComparison.Ordinal);
    }

    [Theory] // the edges of the ticket's time, with a minute between the clocks
    [InlineData(-5 * 60 - 61, "SLR-804")]
    [InlineData(-5 * 60 - 60, null)]
    [InlineData(55 * 60 + 59, null)]
    [InlineData(55 * 60 + 60, "SLR-803")]
    public void ATicket_HoldsInItsTimeOnly(int secondsFromNow, string? code) =>
        Assert.Equal(code, Check(Trusted.Ticket(OfSystem), now: Now.AddSeconds(secondsFromNow)).Rejection?.Code);

    [Theory]
    [InlineData("", "SLR-801", null)]
    [InlineData("<x/>", "SLR-801", null)]
    public void NoTicket_IsMissing(string inSecurity, string code, string? field) => Assert.Equal((code, field), Refused(Check(inSecurity)));

    [Fact]
    public void NoSecurityHeader_IsMissing() => Assert.Equal(("SLR-801", null), Refused(TicketRules.Check(null, Policy, Now)));

    /// <summary>Hostile tickets: what was done, and by which check it is refused. Each starts from a good ticket that names another person than its forger wants.</summary>
    private static readonly Dictionary<string, (Func<string> InSecurity, string Field)> HostileTickets = new()
    {
        ["a value changed"] = (() => Good.Replace("29190623", "29190925", StringComparison.Ordinal), "signature"),
        ["a validity changed"] = (() => Regex.Replace(Good, "NotOnOrAfter=\"[^\"]*\"", "NotOnOrAfter=\"2036-01-01T00:00:00Z\""), "signature"),
        ["an attribute added"] = (() => Good.Replace("<saml:AttributeStatement id=\"SystemLog\">", "<saml:AttributeStatement id=\"SystemLog\"><saml:Attribute Name=\"x\"/>", StringComparison.Ordinal), "signature"),
        ["the signature value changed"] = (() => Regex.Replace(Good, "<SignatureValue>(.)", match => "<SignatureValue>" + (match.Groups[1].Value == "A" ? "B" : "A")), "signature"),
        ["no signature"] = (() => Regex.Replace(Good, "<Signature .*</Signature>", "", RegexOptions.Singleline), "signature"),
        ["signed by another issuer"] = (() => Untrusted.Ticket(OfSystem), "signature"),
        ["another issuer's name"] = (() => Trusted.Ticket(OfSystem with { Issuer = "urn:other" }), "issuer"),
        ["a stranger's key in KeyInfo"] = (() => WithKeyInfo(Untrusted.Ticket(OfSystem), Untrusted), "signature"),
        ["a signature of another ticket"] = (() => Regex.Replace(Trusted.Ticket(OfSystem with { Cvr = "29190925" }), "<Signature .*</Signature>", SignatureOf(Good), RegexOptions.Singleline), "signature"),
        ["two signatures"] = (() => Good.Replace("</saml:Assertion>", SignatureOf(Good) + "</saml:Assertion>", StringComparison.Ordinal), "signature"),
        ["two tickets, the forged first"] = (() => Forged + Good, "assertion"),
        ["two tickets, the forged last"] = (() => Good + Forged, "assertion"),
        ["the good ticket in a wrapper beside the forged"] = (() => Forged + $"<w>{Good}</w>", "assertion"),
        ["the good ticket within the forged"] = (() => ForgedWith(Good), "assertion"),
        ["the good ticket as an object of the forged's signature"] =
            (() => ForgedWith(SignatureOf(Good).Replace("</Signature>", $"<Object>{Good}</Object></Signature>", StringComparison.Ordinal)), "assertion"),
        ["the signature alone moved into the forged"] = (() => ForgedWith(SignatureOf(Good)), "signature"),
        ["the good ticket under another name, pointed at by the signature"] =
            (() => ForgedWith(SignatureOf(Good)) + Good.Replace("saml:Assertion", "saml:Evidence", StringComparison.Ordinal), "id"),
        ["the id again on another element"] = (() => Good + "<x id=\"IDCard\"/>", "id"),
        ["the id again as ID"] = (() => Good + "<x ID=\"IDCard\"/>", "id"),
        ["the id again as wsu:Id"] = (() => Good + $"<x xmlns:wsu=\"{SoapNames.Wsu}\" wsu:Id=\"IDCard\"/>", "id"),
        ["two ids"] = (() => Good.Replace("id=\"IDCard\"", "id=\"IDCard\" ID=\"Other\"", StringComparison.Ordinal), "id"),
        ["a comment that cuts a value"] = (() => Good.Replace("29190623</saml:AttributeValue>", "29190623<!-- -->7</saml:AttributeValue>", StringComparison.Ordinal), "content"),
        ["a signed value cut by a comment"] = (() => Trusted.Ticket(OfSystem with { System = "EPJ Hovedstaden.evil" })
            .Replace("EPJ Hovedstaden.evil", "EPJ Hovedstaden<!---->.evil", StringComparison.Ordinal), "content"),
        ["a CDATA section"] = (() => Good.Replace("EPJ Hovedstaden", "<![CDATA[EPJ Hovedstaden]]>", StringComparison.Ordinal), "content"),
        ["SHA-1 in the signature"] = (() => SignedWith(method: "http://www.w3.org/2000/09/xmldsig#rsa-sha1"), "algorithm"),
        ["SHA-1 in the digest"] = (() => SignedWith(digest: Sha1), "algorithm"),
        ["the issuer's certificate as an HMAC key"] = (() => SignedByHmac(), "algorithm"),
        ["inclusive canonicalization"] = (() => SignedWith(canonicalization: SignedXml.XmlDsigC14NTransformUrl), "canonicalization"),
        ["canonicalization with comments"] = (() => SignedWith(canonicalization: SignedXml.XmlDsigExcC14NWithCommentsTransformUrl), "canonicalization"),
        ["an XPath transform"] = (() => SignedWith(transforms: [new XmlDsigEnvelopedSignatureTransform(), XPath("not(ancestor-or-self::*[local-name()='AttributeStatement'])")]), "transforms"),
        ["an XSLT transform"] = (() => Good.Replace(SignedXml.XmlDsigEnvelopedSignatureTransformUrl, SignedXml.XmlDsigXsltTransformUrl, StringComparison.Ordinal), "transforms"),
        ["no transform"] = (() => Regex.Replace(Good, "<Transforms>.*</Transforms>", "<Transforms/>", RegexOptions.Singleline), "transforms"),
        ["a third transform"] = (() => SignedWith(transforms: [new XmlDsigEnvelopedSignatureTransform(), new XmlDsigExcC14NTransform(), new XmlDsigExcC14NTransform()]), "transforms"),
        ["a reference to the whole document"] = (() => SignedWith(uri: ""), "reference"),
        ["a reference to a part"] = (() => SignedWith(uri: "#IDCardData"), "reference"),
        ["a reference by XPointer"] = (() => Good.Replace("URI=\"#IDCard\"", "URI=\"#xpointer(id('IDCard'))\"", StringComparison.Ordinal), "reference"),
        ["a reference to an address"] = (() => Good.Replace("URI=\"#IDCard\"", "URI=\"http://127.0.0.1:9/ticket\"", StringComparison.Ordinal), "reference"),
        ["two references"] = (() => Regex.Replace(Good, "(<Reference .*</Reference>)", "$1$1", RegexOptions.Singleline), "reference"),
        ["no reference"] = (() => Regex.Replace(Good, "<Reference .*</Reference>", "", RegexOptions.Singleline), "reference"),
        ["a signature of a part of the ticket"] = (() => Good.Replace("<Signature ", "<saml:Advice><Signature ", StringComparison.Ordinal).Replace("</Signature>", "</Signature></saml:Advice>", StringComparison.Ordinal), "signature"),
        ["another audience"] = (() => Trusted.Ticket(OfSystem with { Audience = "another" }), "audience"),
        ["no audience"] = (() => Resigned(xml => Regex.Replace(xml, "<saml:AudienceRestriction>.*</saml:AudienceRestriction>", "", RegexOptions.Singleline)), "audience"),
        ["a second restriction to another audience"] = (() => Resigned(xml => xml.Replace(
            "</saml:Conditions>", "<saml:AudienceRestriction><saml:Audience>another</saml:Audience></saml:AudienceRestriction></saml:Conditions>", StringComparison.Ordinal)), "audience"),
        ["a condition that is not understood"] = (() => Resigned(xml => xml.Replace("</saml:Conditions>", "<saml:OneTimeUse/></saml:Conditions>", StringComparison.Ordinal)), "conditions"),
        ["no conditions"] = (() => Resigned(xml => Regex.Replace(xml, "<saml:Conditions.*</saml:Conditions>", "", RegexOptions.Singleline)), "conditions"),
        ["no end"] = (() => Resigned(xml => Regex.Replace(xml, " NotOnOrAfter=\"[^\"]*\"", "")), "conditions"),
        ["a date without a time"] = (() => Resigned(xml => Regex.Replace(xml, "NotOnOrAfter=\"[^\"]*\"", "NotOnOrAfter=\"2036-01-01Z\"")), "conditions"),
        ["a time without a zone"] = (() => Resigned(xml => Regex.Replace(xml, "NotOnOrAfter=\"([^\"]*)Z\"", "NotOnOrAfter=\"$1\"")), "conditions"),
        ["a name twice"] = (() => Resigned(xml => xml.Replace("<saml:AttributeStatement id=\"SystemLog\">",
            "<saml:AttributeStatement id=\"SystemLog\"><saml:Attribute Name=\"medcom:ITSystemName\"><saml:AttributeValue>x</saml:AttributeValue></saml:Attribute>", StringComparison.Ordinal)), "medcom:ITSystemName"),
        ["an organisation twice"] = (() => Resigned(xml => xml.Replace("29190623</saml:AttributeValue>", "29190623</saml:AttributeValue><saml:AttributeValue>29190925</saml:AttributeValue>", StringComparison.Ordinal)), "care-provider"),
        ["a value with elements"] = (() => Resigned(xml => xml.Replace("EPJ Hovedstaden", "EPJ <x>Hovedstaden</x>", StringComparison.Ordinal)), "content"),
        ["cut off"] = (() => Good[..Good.IndexOf("<saml:AttributeStatement", StringComparison.Ordinal)] + SignatureOf(Good) + "</saml:Assertion>", "signature"),
    };

    public static TheoryData<string> Hostile => new(HostileTickets.Keys);

    [Theory, MemberData(nameof(Hostile))]
    public void AHostileTicket_IsNotValid(string what)
    {
        var (make, field) = HostileTickets[what];
        Assert.Equal(("SLR-802", field), Refused(Check(make())));
    }

    [Fact]
    public void TheGoodTicketInTheBody_IsNotTakenForTheForgedOneInTheHeader() =>
        Assert.Equal(("SLR-802", "assertion"), Refused(Check(Forged, body: $"<b>{Good}</b>")));

    [Theory] // those that come back as wrong as they went: the tests' own tools make good tickets
    [InlineData("as it is")]
    [InlineData("signed anew")]
    [InlineData("the issuer's certificate in KeyInfo")]
    [InlineData("a stranger's certificate in KeyInfo")]
    [InlineData("another element's id")]
    [InlineData("a comment outside")]
    [InlineData("a signature of the message before it")]
    [InlineData("prefixes declared further out")]
    public void AGoodTicket_StaysGood(string how)
    {
        var ticket = how switch
        {
            "signed anew" => Resigned(xml => xml),
            "the issuer's certificate in KeyInfo" => WithKeyInfo(Good, Trusted),
            "a stranger's certificate in KeyInfo" => WithKeyInfo(Good, Untrusted),
            "another element's id" => Good + "<x id=\"Other\"/>",
            "a comment outside" => "<!-- a tool's remark -->" + Good,
            "a signature of the message before it" => SignatureOf(Good).Replace("#IDCard", "#Body", StringComparison.Ordinal) + Good,
            _ => Good,
        };
        var envelope = DemoIssuer.Envelope(ticket, Body);
        if (how == "prefixes declared further out")
        {
            var declared = $" xmlns:saml=\"{SoapNames.Saml}\"";
            envelope = envelope.Replace(declared, "", StringComparison.Ordinal).Replace("<soap:Envelope ", $"<soap:Envelope{declared} ", StringComparison.Ordinal);
        }
        Assert.Equal("EPJ Hovedstaden", CheckEnvelope(envelope).Value.System);
    }

    [Fact]
    public void WithoutRequiredAudience_ATicketThatNamesNoneIsGood_AndOneThatNamesAnotherIsNot()
    {
        var policy = Policy with { AudienceRequired = false };
        Assert.Null(Check(HostileTickets["no audience"].InSecurity(), policy).Rejection);
        Assert.Equal(("SLR-802", "audience"), Refused(Check(HostileTickets["another audience"].InSecurity(), policy)));
    }

    [Fact]
    public void WhileAnIssuerChangesItsCertificate_BothAreTrusted()
    {
        var both = Policy with { Issuers = [new TrustedIssuer(DemoIssuer.Name, [CertificateOf(Untrusted), CertificateOf(Trusted)])] };
        Assert.Null(Check(Good, both).Rejection);
        Assert.Null(Check(Untrusted.Ticket(OfSystem), both).Rejection);
    }

    [Fact]
    public void AnIssuer_SpeaksForItselfAlone()
    {
        var two = Policy with { Issuers = [.. Policy.Issuers, new TrustedIssuer("urn:other", [CertificateOf(Untrusted)])] };
        Assert.Equal(("SLR-802", "signature"), Refused(Check(Untrusted.Ticket(OfSystem), two)));
        Assert.Null(Check(Untrusted.Ticket(OfSystem with { Issuer = "urn:other" }), two).Rejection);
    }

    [Theory]
    [InlineData(-2, -1, "signature")]
    [InlineData(1, 2, "signature")]
    [InlineData(-1, 1, null)]
    public void AnIssuersCertificate_HoldsInItsTimeOnly(int fromDays, int toDays, string? field)
    {
        using var key = RSA.Create();
        key.ImportFromPem(File.ReadAllText(Trusted.File));
        using var certificate = new CertificateRequest("CN=issuer", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSelfSigned(Now.AddDays(fromDays), Now.AddDays(toDays));
        Assert.Equal(field, Check(Good, Policy with { Issuers = [new TrustedIssuer(DemoIssuer.Name, [certificate])] }).Rejection?.Field);
    }

    [Theory] // exactly one user type
    [InlineData("system", "3", false, null)]
    [InlineData("user", "4", true, null)]
    [InlineData("user", "4", false, "SLR-805")]
    [InlineData("user", "3", true, "SLR-805")]
    [InlineData("system", "4", false, "SLR-805")]
    [InlineData("system", "2", false, "SLR-805")]
    [InlineData("robot", "3", false, "SLR-805")]
    [InlineData("", "3", false, "SLR-805")]
    [InlineData("system,system", "3", false, "SLR-805")]
    [InlineData("system", "3,4", false, "SLR-805")]
    [InlineData("system", "3", true, "SLR-806")]
    [InlineData("system,user", "3,4", true, "SLR-806")]
    [InlineData("user,system", "4", false, "SLR-806")]
    public void AUserType_IsExactlyOne(string types, string levels, bool namesPerson, string? code) => Assert.Equal(
        code, TicketRules.UserTypeOf(types.Split(',', StringSplitOptions.RemoveEmptyEntries), levels.Split(','), namesPerson).Rejection?.Code);

    /// <summary>What a forger wants: another organisation, signed by a key of his own.</summary>
    private static string Forged => Untrusted.Ticket(OfSystem with { Cvr = "29190925" });

    private static string ForgedWith(string inside) =>
        Regex.Replace(Forged, "<Signature .*</Signature>", "", RegexOptions.Singleline).Replace("</saml:Assertion>", inside + "</saml:Assertion>", StringComparison.Ordinal);

    private static string SignatureOf(string ticket) => Regex.Match(ticket, "<Signature .*</Signature>", RegexOptions.Singleline).Value;

    private static string WithKeyInfo(string ticket, DemoIssuer issuer) => ticket.Replace(
        "</Signature>", $"<KeyInfo><X509Data><X509Certificate>{Convert.ToBase64String(CertificateOf(issuer).RawData)}</X509Certificate></X509Data></KeyInfo></Signature>", StringComparison.Ordinal);

    /// <summary>Another ticket, truly signed by the trusted issuer.</summary>
    private static string Resigned(Func<string, string> change) => SignedWith(change: change);

    private static string SignedWith(
        string method = SignedXml.XmlDsigRSASHA256Url, string digest = SignedXml.XmlDsigSHA256Url, string canonicalization = SignedXml.XmlDsigExcC14NTransformUrl,
        string uri = "#IDCard", Transform[]? transforms = null, Func<string, string>? change = null)
    {
        using var key = RSA.Create();
        key.ImportFromPem(File.ReadAllText(Trusted.File));
        return Signed(change, signer =>
        {
            signer.SigningKey = key;
            signer.SignedInfo!.SignatureMethod = method;
            signer.SignedInfo.CanonicalizationMethod = canonicalization;
        }, uri, digest, transforms, signer => signer.ComputeSignature());
    }

    private static string SignedByHmac()
    {
        using var mac = new HMACSHA256(CertificateOf(Trusted).RawData);
        return Signed(null, signer => signer.SignedInfo!.CanonicalizationMethod = SignedXml.XmlDsigExcC14NTransformUrl, "#IDCard", SignedXml.XmlDsigSHA256Url, null, signer => signer.ComputeSignature(mac));
    }

    private static string Signed(Func<string, string>? change, Action<SignedXml> with, string uri, string digest, Transform[]? transforms, Action<SignedXml> sign)
    {
        var unsigned = Regex.Replace(Good, "<Signature .*</Signature>", "", RegexOptions.Singleline);
        var document = Document(change is null ? unsigned : change(unsigned));
        var signer = new SignedXml(document);
        with(signer);
        var reference = new Reference(uri) { DigestMethod = digest };
        foreach (var transform in transforms ?? [new XmlDsigEnvelopedSignatureTransform(), new XmlDsigExcC14NTransform()])
            reference.AddTransform(transform);
        signer.AddReference(reference);
        sign(signer);
        document.DocumentElement!.AppendChild(document.ImportNode(signer.GetXml(), deep: true));
        return document.OuterXml;
    }

    private static XmlDsigXPathTransform XPath(string expression)
    {
        var transform = new XmlDsigXPathTransform();
        transform.LoadInnerXml(Document($"<x><XPath xmlns=\"{SoapNames.Signature}\">{expression}</XPath></x>").DocumentElement!.ChildNodes);
        return transform;
    }

    private static (string?, string?) Refused(Decided<Ticket> decided) => (decided.Rejection?.Code, decided.Rejection?.Field);
}
