using System.Globalization;
using System.Net;
using System.Text;
using System.Xml.Linq;
using Sloring.Embedded;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Flow;

/// <summary>What the national wire leaves unsaid, or may change, is a setting that works.</summary>
public sealed class SoapSettingsTests(SoapSettingsTests.Stage stage) : IClassFixture<SoapSettingsTests.Stage>
{
    private const string Registration = "/idsas-registration/20240124/registration";
    private const string Namespace = "urn:another-authority/2024/";
    private const string Outside = "https://sloring.example/wire";

    [Fact]
    public async Task AnotherNamespace_IsReadAnsweredAndDescribed()
    {
        Assert.Equal(("CreateBlurringResponse", Namespace), await Create(Namespace, days: 10));
        Assert.Equal(("SLR-813", SoapNames.Rejection), await Create(new SoapOptions().Namespace20240124, days: 10));
        var wsdl = await Wsdl();
        Assert.Equal(Namespace, wsdl.Root!.Attribute("targetNamespace")!.Value);
        Assert.DoesNotContain(new SoapOptions().Namespace20240124, wsdl.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheWsdl_NamesTheAddressOutside() =>
        Assert.Equal(Outside + Registration, (await Wsdl()).Descendants(XName.Get("address", "http://schemas.xmlsoap.org/wsdl/soap/")).Single().Attribute("location")!.Value);

    [Fact] // M10: the nearer of the two limits counts
    public async Task TheWiresOwnLimit_CountsWhereTheProcessAllowsMore()
    {
        Assert.Equal("CreateBlurringResponse", (await Create(Namespace, days: 29)).Name);
        Assert.Equal(("SLR-105", SoapNames.Rejection), await Create(Namespace, days: 31));
    }

    private async Task<XDocument> Wsdl() => XDocument.Parse(await stage.Http.GetStringAsync(new Uri(Registration + "?wsdl", UriKind.Relative), CancellationToken.None));

    /// <summary>Name and namespace of the answer's element; of a fault its number and the rejection's.</summary>
    private async Task<(string Name, string Namespace)> Create(string payload, int days)
    {
        var end = stage.Flow.Now.AddDays(days).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        var body = $"""
            <CreateBlurringRequest xmlns="{payload}"><patientId><id>{People.NextCpr()}</id><classification>CPR</classification></patientId><endDateTime>{end}</endDateTime></CreateBlurringRequest>
            """;
        var ticket = new DemoIssuer(stage.Flow.Platform.Folder).Ticket(new DemoTicket("29190623", "EPJ Hovedstaden", stage.Flow.Now));
        using var content = new StringContent(DemoIssuer.Envelope(ticket, body), Encoding.UTF8, "text/xml");
        using var response = await stage.Http.PostAsync(new Uri(Registration, UriKind.Relative), content, CancellationToken.None);
        var answer = XDocument.Parse(await response.Content.ReadAsStringAsync(CancellationToken.None));
        var element = response.StatusCode == HttpStatusCode.OK
            ? answer.Descendants(XName.Get("Body", SoapNames.Envelope)).Single().Elements().Single()
            : answer.Descendants(XName.Get("Code", SoapNames.Rejection)).Single();
        return (response.StatusCode == HttpStatusCode.OK ? element.Name.LocalName : element.Value, element.Name.NamespaceName);
    }

    public sealed class Stage : IAsyncLifetime
    {
        public SharedPlatform Flow { get; } = new();

        public HttpClient Http { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            await Flow.Start(_ => { }, $"--Soap:Namespace20240124={Namespace}", $"--Soap:PublicAddress={Outside}", "--Registration:LongestDays=90", "--Soap:LongestDays=30");
            Http = new HttpClient { BaseAddress = new Uri(Flow.Platform.HttpAddress) };
        }

        public ValueTask DisposeAsync()
        {
            Http.Dispose();
            return Flow.DisposeAsync();
        }
    }
}
