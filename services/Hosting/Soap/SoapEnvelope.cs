using System.Xml;
using Sloring.Contracts;

namespace Sloring.Hosting;

/// <summary>The parts of a SOAP 1.1 envelope as it came: at most one Header, one Body with one element.</summary>
/// <param name="Headers">What stands in the Header.</param>
/// <param name="BodyPart">The element Body.</param>
/// <param name="Body">The one element in it.</param>
public sealed record SoapEnvelope(IReadOnlyList<XmlElement> Headers, XmlElement BodyPart, XmlElement Body)
{
    /// <summary>Reads an envelope.</summary>
    /// <param name="bytes">As they came.</param>
    /// <param name="understood">Namespaces of headers that the receiver knows, which may say mustUnderstand.</param>
    /// <exception cref="RejectedException">SLR-810, SLR-811, SLR-812.</exception>
    public static SoapEnvelope Parse(byte[] bytes, params ReadOnlySpan<string> understood)
    {
        var envelope = SoapXml.Read(bytes).DocumentElement!;
        if (envelope.LocalName == "Envelope" && envelope.NamespaceURI != SoapNames.Envelope)
            throw new RejectedException(Rejections.SoapVersionWrong);
        var parts = envelope.Elements().ToList();
        if (!envelope.Is(SoapNames.Envelope, "Envelope") || parts.Count is < 1 or > 2 || !parts[^1].Is(SoapNames.Envelope, "Body")
            || (parts.Count == 2 && !parts[0].Is(SoapNames.Envelope, "Header")) || parts[^1].Elements().Count() != 1)
            throw new RejectedException(Rejections.SoapMalformed);
        var headers = parts.Count == 2 ? parts[0].Elements().ToList() : [];
        foreach (var header in headers)
        {
            if (header.GetAttribute("mustUnderstand", SoapNames.Envelope) == "1" && !understood.Contains(header.NamespaceURI))
                throw new RejectedException(Rejections.SoapHeaderNotUnderstood);
        }
        return new SoapEnvelope(headers, parts[^1], parts[^1].Elements().Single());
    }

    /// <summary>A header that may stand there once; null where it does not.</summary>
    /// <exception cref="RejectedException">SLR-810: it stands there twice.</exception>
    public XmlElement? Header(string @namespace, string name) => Headers.Where(header => header.Is(@namespace, name)).ToList() switch
    {
        [] => null,
        [var single] => single,
        _ => throw new RejectedException(Rejections.SoapMalformed),
    };
}
