using System.Globalization;
using System.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.Xml;
using System.Xml;
using Sloring.Hosting;

namespace Sloring.Embedded;

/// <summary>
/// An issuer of security tickets for trying the SOAP interfaces, where no issuer is configured: its key and certificate are made at the first start and lie in
/// the data folder, readable by their owner only.
/// </summary>
/// <param name="folder">The data folder.</param>
public sealed class DemoIssuer(string folder)
{
    /// <summary>As its tickets name it.</summary>
    public const string Name = "urn:sloring:demo-issuer";

    /// <summary>Certificate and key, PEM.</summary>
    public string File { get; } = Path.Combine(folder, "demo-issuer.pem");

    /// <summary>Makes key and certificate, once.</summary>
    public void Ensure() => DemoParties.EnsureKey(File, "sloring demo issuer", rsaBits: 3072);

    /// <summary>A signed ticket (saml:Assertion) as DGWS has it: of a system (level 3), or of a person using it (level 4).</summary>
    public string Ticket(DemoTicket ticket)
    {
        var document = new XmlDocument { PreserveWhitespace = true };
        document.LoadXml(ticket.Xml());
        using var key = RSA.Create();
        key.ImportFromPem(System.IO.File.ReadAllText(File));
        var signer = new SignedXml(document) { SigningKey = key };
        signer.SignedInfo!.CanonicalizationMethod = SignedXml.XmlDsigExcC14NTransformUrl;
        signer.SignedInfo.SignatureMethod = SignedXml.XmlDsigRSASHA256Url;
        var reference = new Reference("#IDCard") { DigestMethod = SignedXml.XmlDsigSHA256Url };
        reference.AddTransform(new XmlDsigEnvelopedSignatureTransform());
        reference.AddTransform(new XmlDsigExcC14NTransform());
        signer.AddReference(reference);
        signer.ComputeSignature();
        document.DocumentElement!.AppendChild(document.ImportNode(signer.GetXml(), deep: true));
        return document.OuterXml;
    }

    /// <summary>An envelope with a ticket, a DGWS header and a body.</summary>
    public static string Envelope(string ticket, string body, string? messageId = null) => $"""
        <soap:Envelope xmlns:soap="{SoapNames.Envelope}" xmlns:wsse="{SoapNames.Wsse}" xmlns:medcom="{SoapNames.Medcom}">
        <soap:Header>
        <wsse:Security>{ticket}</wsse:Security>
        <medcom:Header><medcom:Linking>
        <medcom:FlowID>{Guid.NewGuid():D}</medcom:FlowID><medcom:MessageID>{messageId ?? Guid.NewGuid().ToString("D")}</medcom:MessageID>
        </medcom:Linking></medcom:Header>
        </soap:Header>
        <soap:Body>{body}</soap:Body>
        </soap:Envelope>
        """;
}

/// <summary>What a demo ticket says.</summary>
/// <param name="Cvr">Its organisation.</param>
/// <param name="System">Its system.</param>
/// <param name="From">In force from.</param>
/// <param name="Audience">Whom it is for.</param>
public sealed record DemoTicket(string Cvr, string System, DateTimeOffset From, string Audience = "sloring")
{
    /// <summary>CPR number of a health professional; null for a system.</summary>
    public string? PersonCpr { get; init; }

    public string? AuthorisationId { get; init; }

    /// <summary>The issuer that it names.</summary>
    public string Issuer { get; init; } = DemoIssuer.Name;

    /// <summary>In force for.</summary>
    public TimeSpan Lifetime { get; init; } = TimeSpan.FromHours(1);

    internal string Xml() => $"""
        <saml:Assertion xmlns:saml="{SoapNames.Saml}" id="IDCard" Version="2.0" IssueInstant="{Instant(From)}">
        <saml:Issuer>{Escaped(Issuer)}</saml:Issuer>
        <saml:Subject><saml:NameID Format="medcom:cvrnumber">{Escaped(Cvr)}</saml:NameID></saml:Subject>
        <saml:Conditions NotBefore="{Instant(From)}" NotOnOrAfter="{Instant(From + Lifetime)}">
        <saml:AudienceRestriction><saml:Audience>{Escaped(Audience)}</saml:Audience></saml:AudienceRestriction>
        </saml:Conditions>
        <saml:AttributeStatement id="IDCardData">
        {Attribute("sosi:IDCardID", Guid.NewGuid().ToString("D"))}
        {Attribute("sosi:IDCardVersion", "1.0.1")}
        {Attribute("sosi:IDCardType", PersonCpr is null ? "system" : "user")}
        {Attribute("sosi:AuthenticationLevel", PersonCpr is null ? "3" : "4")}
        </saml:AttributeStatement>{Person}
        <saml:AttributeStatement id="SystemLog">
        {Attribute("medcom:ITSystemName", System)}
        {Attribute("medcom:CareProviderID", Cvr, " NameFormat=\"medcom:cvrnumber\"")}
        </saml:AttributeStatement>
        </saml:Assertion>
        """;

    private string Person => PersonCpr is null ? "" : $"""
        <saml:AttributeStatement id="UserLog">
        {Attribute("medcom:UserCivilRegistrationNumber", PersonCpr)}
        {(AuthorisationId is null ? "" : Attribute("medcom:UserAuthorizationCode", AuthorisationId))}
        {Attribute("medcom:UserRole", "7170")}
        </saml:AttributeStatement>
        """;

    private static string Attribute(string name, string value, string more = "") =>
        $"""<saml:Attribute Name="{name}"{more}><saml:AttributeValue>{Escaped(value)}</saml:AttributeValue></saml:Attribute>""";

    private static string Escaped(string text) => SecurityElement.Escape(text);

    private static string Instant(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
