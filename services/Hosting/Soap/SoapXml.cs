using System.Text.RegularExpressions;
using System.Xml;
using Sloring.Contracts;

namespace Sloring.Hosting;

/// <summary>Reads foreign XML: never a DTD, an entity of its own or an address; nothing deeper, larger or wider than a message of ours ever is.</summary>
public static partial class SoapXml
{
    /// <summary>Largest envelope, in bytes.</summary>
    public const int LargestBody = 1024 * 1024;

    // A ticket in an envelope is some ten deep and has some fifty elements; what reads it afterwards calls itself once per level.
    private const int Deepest = 40;
    private const int MostNodes = 20_000;
    private const int MostAttributes = 64;

    private static readonly XmlReaderSettings Settings = new()
    {
        DtdProcessing = DtdProcessing.Prohibit,
        XmlResolver = null,
        MaxCharactersInDocument = LargestBody,
        CheckCharacters = true,
    };

    /// <summary>The document, read once as a stream against the limits before any tree of it is made.</summary>
    /// <exception cref="RejectedException">SLR-810.</exception>
    public static XmlDocument Read(byte[] bytes)
    {
        try
        {
            using (var reader = XmlReader.Create(new MemoryStream(bytes, writable: false), Settings))
            {
                for (var nodes = 0; reader.Read();)
                {
                    if (reader.Depth > Deepest || (nodes += 1 + reader.AttributeCount) > MostNodes || reader.AttributeCount > MostAttributes
                        || reader.NodeType is XmlNodeType.ProcessingInstruction or XmlNodeType.DocumentType or XmlNodeType.EntityReference)
                        throw new RejectedException(Rejections.SoapMalformed);
                }
            }
            using var again = XmlReader.Create(new MemoryStream(bytes, writable: false), Settings);
            // Signatures are over every character, blanks too.
            var document = new XmlDocument { PreserveWhitespace = true, XmlResolver = null };
            document.Load(again);
            return document;
        }
        catch (XmlException)
        {
            throw new RejectedException(Rejections.SoapMalformed);
        }
    }

    /// <summary>An xs:dateTime; without a zone its kind is unspecified. XmlConvert alone takes a date, a year or a time for one too, and fills in what is missing by this machine's clock.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static DateTime ToDateTime(string? text) => text is not null && WholeDateTime.IsMatch(text)
        ? XmlConvert.ToDateTime(text, XmlDateTimeSerializationMode.RoundtripKind)
        : throw new FormatException();

    public static bool Is(this XmlNode node, string @namespace, string name) =>
        node is XmlElement && node.LocalName == name && node.NamespaceURI == @namespace;

    public static IEnumerable<XmlElement> Elements(this XmlNode node) => node.ChildNodes.OfType<XmlElement>();

    public static IEnumerable<XmlElement> Elements(this XmlNode node, string @namespace, string name) => node.Elements().Where(child => child.Is(@namespace, name));

    /// <summary>The text of an element as one whole; null where it holds anything but text.</summary>
    /// <remarks>Not the first text node: a comment inside a value must not cut it short. Comments outside of a ticket are allowed and say nothing.</remarks>
    public static string? WholeText(this XmlElement element) => element.ChildNodes.OfType<XmlNode>().All(child => child is XmlCharacterData)
        ? string.Concat(element.ChildNodes.OfType<XmlCharacterData>().Where(child => child is not XmlComment).Select(child => child.Value)).Trim()
        : null;

    [GeneratedRegex(@"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})?\z", RegexOptions.CultureInvariant)]
    private static partial Regex WholeDateTime { get; }
}
