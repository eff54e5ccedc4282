using System.Xml.Linq;
using Sloring.Hosting;

namespace Sloring.Tokens;

/// <summary>Namespaces and words of WS-Trust 1.3 and XML Encryption, as Bst2Idws has them.</summary>
internal static class TrustNames
{
    public const string Trust = "http://docs.oasis-open.org/ws-sx/ws-trust/200512";
    public const string ActAs = "http://docs.oasis-open.org/ws-sx/ws-trust/200802";
    public const string Policy = "http://schemas.xmlsoap.org/ws/2004/09/policy";
    public const string Claims = "http://docs.oasis-open.org/wsfed/authorization/200706";
    public const string XmlEncryption = "http://www.w3.org/2001/04/xmlenc#";

    public const string Issue = Trust + "/Issue";
    public const string IssueAction = Trust + "/RST/Issue";
    public const string AnswerAction = Trust + "/RSTRC/IssueFinal";
    public const string Saml2 = "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLV2.0";
    public const string ClaimsDialect = Claims + "/authclaims";

    public const string Bearer = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
    public const string HolderOfKey = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key";

    public const string CprAttribute = "dk:gov:saml:attribute:CprNumberIdentifier";
    public const string OnBehalfOfAttribute = "dk:healthcare:saml:attribute:OnBehalfOf";

    public static readonly XNamespace Wst = Trust, Wsp = Policy, Wsa = SoapNames.Addressing, Xenc = XmlEncryption;
}
