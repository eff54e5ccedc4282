using System.Security.Cryptography.X509Certificates;
using System.Xml;
using Sloring.Hosting;
using static Sloring.Hosting.XmlSignatures;

namespace Sloring.Tokens;

/// <summary>A RequestSecurityToken (WS-Trust 1.3, Issue) as it came: nothing in it is known to be true before <see cref="SignedBy"/>.</summary>
internal sealed class TrustRequest
{
    private const int LongestId = 256;
    private readonly XmlElement _security;
    private readonly IReadOnlyList<XmlElement> _parts;

    private TrustRequest(XmlElement security, IReadOnlyList<XmlElement> parts) => (_security, _parts) = (security, parts);

    /// <summary>wsa:MessageID.</summary>
    public string MessageId { get; private init; } = "";

    /// <summary>wsu:Timestamp/Created.</summary>
    public DateTimeOffset Created { get; private init; }

    /// <summary>wsu:Timestamp/Expires; null where there is none.</summary>
    public DateTimeOffset? Expires { get; private init; }

    /// <summary>For the answer; empty where there is none.</summary>
    public string Context { get; private init; } = "";

    /// <summary>The bootstrap token where it stands.</summary>
    public XmlElement Assertion { get; private init; } = null!;

    /// <summary>wsp:AppliesTo.</summary>
    public string Audience { get; private init; } = "";

    /// <summary>The claim CprNumberIdentifier; empty where there is none.</summary>
    public string Cpr { get; private init; } = "";

    /// <summary>The claim OnBehalfOf; empty where there is none.</summary>
    public string OnBehalfOf { get; private init; } = "";

    /// <summary>Reads an envelope.</summary>
    /// <exception cref="NotValidException">It is no request of that form.</exception>
    public static TrustRequest Read(SoapEnvelope envelope)
    {
        var action = Header(SoapNames.Addressing, "Action");
        Require(action.WholeText() == TrustNames.IssueAction, "Action");
        var messageId = Header(SoapNames.Addressing, "MessageID");
        Require(messageId.WholeText() is { Length: > 0 and <= LongestId }, "MessageID");
        var security = Header(SoapNames.Wsse, "Security");
        var timestamp = Single(security.Elements(SoapNames.Wsu, "Timestamp"), "Timestamp");
        var expires = timestamp.Elements(SoapNames.Wsu, "Expires").ToList();

        var request = envelope.Body;
        Require(request.Is(TrustNames.Trust, "RequestSecurityToken"), "RequestSecurityToken");
        Require(request.Elements(TrustNames.Trust, "TokenType").All(type => type.WholeText() == TrustNames.Saml2), "TokenType");
        Require(Single(request.Elements(TrustNames.Trust, "RequestType"), "RequestType").WholeText() == TrustNames.Issue, "RequestType");
        var actAs = Single(Single(request.Elements(TrustNames.ActAs, "ActAs"), "ActAs").Elements(), "ActAs");
        Require(actAs.Is(SoapNames.Saml, "Assertion"), "ActAs");
        var appliesTo = Single(request.Elements(TrustNames.Policy, "AppliesTo"), "AppliesTo");
        var address = Single(Single(appliesTo.Elements(SoapNames.Addressing, "EndpointReference"), "AppliesTo").Elements(SoapNames.Addressing, "Address"), "AppliesTo");
        return new TrustRequest(security, [action, messageId, timestamp, envelope.BodyPart])
        {
            MessageId = messageId.WholeText()!,
            Created = Instant(Single(timestamp.Elements(SoapNames.Wsu, "Created"), "Timestamp").WholeText() ?? "", "Timestamp"),
            Expires = expires.Count == 0 ? null : Instant(Single(expires, "Timestamp").WholeText() ?? "", "Timestamp"),
            Context = request.GetAttribute("Context") is { Length: <= LongestId } context ? context : throw new NotValidException("Context"),
            Assertion = actAs,
            Audience = address.WholeText() ?? "",
            Cpr = Claim(request, TrustNames.CprAttribute),
            OnBehalfOf = Claim(request, TrustNames.OnBehalfOfAttribute),
        };

        XmlElement Header(string @namespace, string name) => envelope.Header(@namespace, name) ?? throw new NotValidException(name);
    }

    /// <summary>The certificate that has signed all of it.</summary>
    /// <exception cref="NotValidException">None has.</exception>
    public X509Certificate2 SignedBy(Func<X509Certificate2, bool> isKnown) => SignedMessage(_security, isKnown, _parts);

    private static string Claim(XmlElement request, string uri)
    {
        var claims = request.Elements(TrustNames.Trust, "Claims").ToList();
        Require(claims.TrueForAll(claim => claim.GetAttribute("Dialect") == TrustNames.ClaimsDialect), "Claims");
        return claims.SelectMany(claim => claim.Elements(TrustNames.Claims, "ClaimType")).Where(type => type.GetAttribute("Uri") == uri).ToList() switch
        {
            [] => "",
            [var type] => Single(type.Elements(TrustNames.Claims, "Value"), "Claims").WholeText() ?? throw new NotValidException("Claims"),
            _ => throw new NotValidException("Claims"),
        };
    }
}
