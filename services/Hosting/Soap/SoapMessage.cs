using System.Xml;
using Sloring.Contracts;

namespace Sloring.Hosting;

/// <summary>An envelope as it came.</summary>
/// <param name="Security">The header wsse:Security; null where there is none.</param>
/// <param name="FlowId">FlowID of the DGWS header; null where there is none.</param>
/// <param name="MessageId">MessageID of the DGWS header; null where there is none, which is refused behind the ticket.</param>
/// <param name="Body">The one element of the body.</param>
public sealed record SoapMessage(XmlElement? Security, string? FlowId, string? MessageId, XmlElement Body)
{
    private const int LongestId = 256;

    /// <summary>Reads an envelope: SOAP 1.1, at most one Header, one Body with one element.</summary>
    /// <exception cref="RejectedException">SLR-810, SLR-811, SLR-812.</exception>
    public static SoapMessage Parse(byte[] bytes)
    {
        var envelope = SoapEnvelope.Parse(bytes, SoapNames.Wsse, SoapNames.Medcom, SoapNames.Addressing2004, SoapNames.Addressing);
        var linking = envelope.Header(SoapNames.Medcom, "Header")?.Elements().Where(child => child.Is(SoapNames.Medcom, "Linking")).ToList();
        var (flow, message) = linking?.Count == 1 ? (Id(linking[0], "FlowID"), Id(linking[0], "MessageID")) : default;
        var security = envelope.Header(SoapNames.Wsse, "Security");
        return new SoapMessage(security, flow, message, envelope.Body);
    }

    private static string? Id(XmlElement linking, string name) => linking.Elements(SoapNames.Medcom, name).ToList() switch
    {
        [] => null,
        [var single] when single.WholeText() is { Length: > 0 and <= LongestId } id => id,
        _ => throw new RejectedException(Rejections.SoapMalformed.For(name)),
    };
}
