using System.Xml.Linq;

namespace Sloring.Hosting;

/// <summary>Namespaces of SOAP 1.1, DGWS 1.0.1 and SAML 2.0, as the national service writes them.</summary>
public static class SoapNames
{
    public const string Envelope = "http://schemas.xmlsoap.org/soap/envelope/";
    public const string Wsse = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
    public const string Wsu = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
    public const string Medcom = "http://www.medcom.dk/dgws/2006/04/dgws-1.0.xsd";
    public const string Saml = "urn:oasis:names:tc:SAML:2.0:assertion";
    public const string Signature = "http://www.w3.org/2000/09/xmldsig#";

    /// <summary>WS-Addressing 1.0. On the national wire its headers are read by nobody and never refused.</summary>
    public const string Addressing = "http://www.w3.org/2005/08/addressing";

    /// <summary>The same of the submission that came before.</summary>
    public const string Addressing2004 = "http://schemas.xmlsoap.org/ws/2004/08/addressing";

    /// <summary>The platform's own part of a fault's detail.</summary>
    public const string Rejection = "urn:sloring:rejection";

    /// <summary>FlowStatus of what was done, in the published spelling.</summary>
    public const string Finalized = "flow_finalized_succesfully";

    /// <summary>Namespaces of envelopes that are written.</summary>
    public static readonly XNamespace Soap = Envelope, Security = Wsse, Utility = Wsu;

    internal static readonly XNamespace Dgws = Medcom, Detail = Rejection;
}
