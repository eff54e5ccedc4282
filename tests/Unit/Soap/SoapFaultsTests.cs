using System.Xml.Linq;
using Sloring.Contracts;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Unit.Soap;

/// <summary>Fault strings are the national service's where it has one, else the catalogue's.</summary>
public sealed class SoapFaultsTests
{
    [Theory]
    [InlineData("SLR-807", "Client persistent unique key '29190623-EPJ' er ikke whitelisted for type SALT", "Client")]
    [InlineData("SLR-805", "Brugertypen kan ikke bestemmes ud fra den medsendte sikkerhedsbillet", "Client")]
    [InlineData("SLR-806", "Brugertypen kan ikke entydigt bestemmes ud fra den medsendte sikkerhedsbillet", "Client")]
    [InlineData("SLR-401", "Ingen salt var fundet.", "Server")]
    [InlineData("SLR-803", "Sikkerhedsbilletten er udløbet", "Client")]
    [InlineData("SLR-804", "Sikkerhedsbilletten er ikke gyldig endnu", "Client")]
    [InlineData("SLR-802", "Sikkerhedsbilletten er ikke valid", "Client")]
    [InlineData("SLR-801", "Sikkerhedsbilletten mangler", "Client")]
    public void TheEightDocumentedFaults_AreLetterForLetter(string code, string text, string faultCode)
    {
        var fault = Fault(Rejections.All[code]);
        Assert.Equal((text, "soap:" + faultCode), ((string?)fault.Element("faultstring"), (string?)fault.Element("faultcode")));
        Assert.Equal(code, (string?)fault.Descendants(XName.Get("Code", SoapNames.Rejection)).Single());
    }

    [Fact]
    public void EveryOtherFault_HasTheCataloguesText()
    {
        string[] documented = ["SLR-807", "SLR-805", "SLR-806", "SLR-401", "SLR-803", "SLR-804", "SLR-802", "SLR-801"];
        Assert.All(Rejections.All.Values.ExceptBy(documented, rejection => rejection.Code), rejection => Assert.Equal(rejection.Da, (string?)Fault(rejection).Element("faultstring")));
        Assert.All(Rejections.All.Values, rejection => Assert.Equal(
            [rejection.Code, "f", rejection.Da, rejection.En],
            Fault(rejection.For("f")).Element("detail")!.Element(XName.Get("Rejection", SoapNames.Rejection))!.Elements().Select(e => e.Value)));
    }

    [Theory]
    [InlineData("SLR-811", "soap:VersionMismatch")]
    [InlineData("SLR-812", "soap:MustUnderstand")]
    [InlineData("SLR-908", "soap:Server")]
    public void SoapsOwnFaultCodes_AreUsed(string code, string faultCode) => Assert.Equal(faultCode, (string?)Fault(Rejections.All[code]).Element("faultcode"));

    private static XElement Fault(Rejection rejection) =>
        SoapFaults.Fault(rejection, "29190623-EPJ", null, DateTimeOffset.UnixEpoch).Descendants(XName.Get("Fault", SoapNames.Envelope)).Single();
}
