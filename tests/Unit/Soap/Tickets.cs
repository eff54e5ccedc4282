using System.Security.Cryptography.X509Certificates;
using System.Xml;
using Sloring.Contracts;
using Sloring.Embedded;
using Sloring.Hosting;

namespace Sloring.Tests.Unit.Soap;

/// <summary>Tickets of an issuer that is trusted and of one that is not, with keys made once for all tests.</summary>
internal static class Tickets
{
    private static readonly Lazy<DemoIssuer> Issuer = new(Made), Stranger = new(Made);

    public static readonly DateTimeOffset Now = new(2026, 5, 1, 8, 0, 0, TimeSpan.Zero);

    public static DemoIssuer Trusted => Issuer.Value;

    public static DemoIssuer Untrusted => Stranger.Value;

    public static DemoTicket OfSystem { get; } = new("29190623", "EPJ Hovedstaden", Now.AddMinutes(-5));

    public static DemoTicket OfPerson { get; } = OfSystem with { PersonCpr = "6101701234", AuthorisationId = "6QF17" };

    public static X509Certificate2 CertificateOf(DemoIssuer issuer) => X509CertificateLoader.LoadCertificateFromFile(issuer.File);

    public static TicketPolicy Policy { get; } = new([new TrustedIssuer(DemoIssuer.Name, [CertificateOf(Trusted)])], "sloring", AudienceRequired: true, TimeSpan.FromSeconds(60));

    public const string Body = """<b:GetCurrentSaltRequest xmlns:b="http://sundhedsdatastyrelsen.dk/identitetssloering/2023/06/01/"/>""";

    /// <summary>What the check says of an envelope with this content of wsse:Security.</summary>
    public static Decided<Ticket> Check(string inSecurity, TicketPolicy? policy = null, DateTimeOffset? now = null, string body = Body) =>
        CheckEnvelope(DemoIssuer.Envelope(inSecurity, body), policy, now);

    public static Decided<Ticket> CheckEnvelope(string envelope, TicketPolicy? policy = null, DateTimeOffset? now = null) =>
        TicketRules.Check(SoapMessage.Parse(System.Text.Encoding.UTF8.GetBytes(envelope)).Security, policy ?? Policy, now ?? Now);

    public static XmlDocument Document(string xml)
    {
        var document = new XmlDocument { PreserveWhitespace = true };
        document.LoadXml(xml);
        return document;
    }

    private static DemoIssuer Made()
    {
        var issuer = new DemoIssuer(Directory.CreateTempSubdirectory("issuer-").FullName);
        issuer.Ensure();
        return issuer;
    }
}
