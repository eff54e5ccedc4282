using System.Globalization;
using System.Xml.Linq;
using Microsoft.AspNetCore.Http;
using Sloring.Contracts;
using static Sloring.Hosting.SoapNames;

namespace Sloring.Hosting;

/// <summary>The one place where an answer or a numbered rejection becomes an envelope.</summary>
public static class SoapFaults
{
    /// <summary>The national service's own fault strings, letter for letter; {0} is the client's key. Every other fault has the Danish text of its rejection.</summary>
    private static readonly Dictionary<string, string> National = new()
    {
        [Rejections.SaltNotWhitelisted.Code] = "Client persistent unique key '{0}' er ikke whitelisted for type SALT",
        [Rejections.UserTypeUnknown.Code] = "Brugertypen kan ikke bestemmes ud fra den medsendte sikkerhedsbillet",
        [Rejections.UserTypeAmbiguous.Code] = "Brugertypen kan ikke entydigt bestemmes ud fra den medsendte sikkerhedsbillet",
        [Rejections.NoSalt.Code] = "Ingen salt var fundet.",
        [Rejections.TicketExpired.Code] = "Sikkerhedsbilletten er udløbet",
        [Rejections.TicketNotYetValid.Code] = "Sikkerhedsbilletten er ikke gyldig endnu",
        [Rejections.TicketNotValid.Code] = "Sikkerhedsbilletten er ikke valid",
        [Rejections.TicketMissing.Code] = "Sikkerhedsbilletten mangler",
    };

    /// <summary>What is answered where reading or doing a message threw.</summary>
    public static Rejection Of(Exception e) => e switch
    {
        RejectedException rejected => rejected.Rejection,
        BadHttpRequestException => Rejections.SoapMalformed,
        _ => Rejections.Failed,
    };

    /// <summary>
    /// A fault. In its detail stand DGWS' own word (inferred: which one the national service sends is not documented) and the rejection's number and both texts.
    /// </summary>
    public static XDocument Fault(Rejection rejection, string? clientKey, SoapMessage? message, DateTimeOffset now) => Enveloped(message, null, now, new XElement(Soap + "Fault",
        new XElement("faultcode", "soap:" + FaultCode(rejection)),
        new XElement("faultstring", National.TryGetValue(rejection.Code, out var text) ? string.Format(CultureInfo.InvariantCulture, text, clientKey) : rejection.Da),
        Rejected(rejection, new XElement(Dgws + "FaultCode", DgwsWord(rejection)))));

    /// <summary>The detail of a fault: the rejection's number and both texts, behind what else the wire has there.</summary>
    public static XElement Rejected(Rejection rejection, XElement? before = null) => new("detail", before,
        new XElement(Detail + "Rejection", new XAttribute("xmlns", SoapNames.Rejection),
            new XElement(Detail + "Code", rejection.Code),
            rejection.Field is null ? null : new XElement(Detail + "Field", rejection.Field),
            new XElement(Detail + "Da", rejection.Da),
            new XElement(Detail + "En", rejection.En)));

    /// <summary>An answer to what was done.</summary>
    public static XDocument Answer(SoapMessage message, DateTimeOffset now, XElement body) => Enveloped(message, Finalized, now, body);

    private static XDocument Enveloped(SoapMessage? message, string? flowStatus, DateTimeOffset now, XElement body) => new(
        new XDeclaration("1.0", "UTF-8", null),
        new XElement(Soap + "Envelope",
            new XAttribute(XNamespace.Xmlns + "soap", SoapNames.Envelope), new XAttribute(XNamespace.Xmlns + "medcom", Medcom),
            new XAttribute(XNamespace.Xmlns + "wsse", Wsse), new XAttribute(XNamespace.Xmlns + "wsu", Wsu),
            message is null ? null : new XElement(Soap + "Header",
                new XElement(Security + "Security", new XElement(Utility + "Timestamp",
                    new XElement(Utility + "Created", now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)))),
                new XElement(Dgws + "Header",
                    new XElement(Dgws + "Linking",
                        message.FlowId is null ? null : new XElement(Dgws + "FlowID", message.FlowId),
                        new XElement(Dgws + "MessageID", Guid.NewGuid().ToString("D")),
                        message.MessageId is null ? null : new XElement(Dgws + "InResponseToMessageID", message.MessageId)),
                    flowStatus is null ? null : new XElement(Dgws + "FlowStatus", flowStatus))),
            new XElement(Soap + "Body", body)));

    private static string FaultCode(Rejection rejection) =>
        rejection.Code == Rejections.SoapVersionWrong.Code ? "VersionMismatch"
        : rejection.Code == Rejections.SoapHeaderNotUnderstood.Code ? "MustUnderstand"
        : rejection.Kind is RejectionKind.Unavailable or RejectionKind.Internal ? "Server" : "Client";

    private static string DgwsWord(Rejection rejection) =>
        rejection.Code == Rejections.TicketExpired.Code ? "expired_idcard"
        : rejection.Code == Rejections.SystemTicketRequired.Code ? "security_level_failed"
        : rejection.Kind switch
        {
            RejectionKind.Unauthenticated => "invalid_idcard",
            RejectionKind.Forbidden => "not_authorized",
            RejectionKind.Invalid or RejectionKind.TooMuch when rejection.Code[4] == '8' => "syntax_error",
            _ => "processing_problem",
        };
}
