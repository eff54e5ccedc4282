using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Xml.Linq;
using Sloring.Contracts;
using Sloring.Embedded;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Flow;

/// <summary>Random and mutated bodies of every operation of the national wire, over HTTP, under a ticket that holds: an answer, or a fault with a number that we foresaw.</summary>
[Trait("kind", "fuzz")]
public sealed class SoapWireFuzzTests(SoapTests.Stage stage, ITestOutputHelper output) : IClassFixture<SoapTests.Stage>
{
    private const int Share = 20;
    private const string Registration = "/idsas-registration/20240124/registration", Lookup = "/idsas-lookup/20240124/lookup";

    private static readonly string[] Pieces =
    [
        "<!-- -->", "<![CDATA[", "]]>", "<?x y?>", "&amp;", "&x;", "&#0;", "&#x10FFFF;", "<x/>", "<a>", "</a>", " xmlns=\"\"", " xmlns:a=\"urn:a\"", "</soap:Body>", "<soap:Body>", "</soap:Envelope>", "\0", "\ufffe", "\"", "'", "<", ">",
        "<patientId/>", "<id/>", "<id>7101901234</id>", "<classification>CPR</classification>", "<classification>SOR</classification>", "CPR", "CVR", "SOR", "SHAK", "7101901234", "710190-1234", "29190623", "1000111000016001",
        "<endDateTime/>", "9999999999999-01-01T00:00:00", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "-1", "99999999999999999999", "DeleteBlurringRequest", "http://sundhedsdatastyrelsen.dk/identitetssloering/2023/06/01/",
        string.Concat(Enumerable.Repeat("<a>", 200)),
    ];

    [Fact]
    public async Task EveryOperation_AnswersWhateverComes()
    {
        var options = new SoapOptions();
        Operation Of(string name, string path, string cvr, string system, string body, bool first = false) => new(
            path, stage.Issuer.Ticket(new DemoTicket(cvr, system, stage.Flow.Now) { Lifetime = TimeSpan.FromHours(12) }), $"<{name}Request xmlns=\"{(first ? options.Namespace20230601 : options.Namespace20240124)}\">{body}</{name}Request>");
        const string Patient = "<patientId><id>7101901234</id><classification>CPR</classification></patientId>", Unit = "<org><id>1000111000016001</id><classification>SOR</classification></org>";
        var activation = $"{Patient}<endDateTime>{stage.Flow.Now.AddDays(30):yyyy-MM-dd'T'HH:mm:ss'Z'}</endDateTime>";
        Operation[] operations =
        [
            Of("CreateBlurring", Registration, "29190623", "EPJ Hovedstaden", activation),
            Of("CreateBlurring", "/idsas-registration/20230601/registration", "29190623", "EPJ Hovedstaden", activation, first: true),
            Of("CreateOrgBlurring", Registration, "33257872", "Afdelingssløring", Unit),
            Of("RemoveOrgBlurring", Registration, "33257872", "Afdelingssløring", Unit),
            Of("GetBlurredOrganisations", Lookup, "33257872", "http://system.nspop.dk/sts", Patient),
            Of("ListAllBlurredOrgs", Lookup, "33257872", "http://system.nspop.dk/sts", ""),
            Of("GetCurrentSalt", "/idsas-salt/20230601/salt", "29190623", "EPJ Hovedstaden", "", first: true),
        ];
        // Else the cases below would all end before an operation is reached.
        foreach (var operation in operations)
            Assert.DoesNotContain(await Send(operation.Path, Encoding.UTF8.GetBytes(DemoIssuer.Envelope(operation.Ticket, operation.Body))), (string[])["SLR-810", "SLR-811", "SLR-812", "SLR-813"]);

        var answered = 0;
        await Fuzzing.Begin(output.WriteLine, Share).Each(2, async random =>
        {
            var operation = random.Pick(operations);
            var id = new byte[16];
            random.NextBytes(id);
            var whole = DemoIssuer.Envelope(operation.Ticket, operation.Body, new Guid(id).ToString("D"));
            // Behind the ticket as a rule: before it, everything ends at the ticket.
            var from = random.Next(5) == 0 ? 0 : whole.IndexOf("<soap:Body>", StringComparison.Ordinal) + "<soap:Body>".Length;
            var envelope = (byte[])[.. Encoding.UTF8.GetBytes(whole[..from]), .. random.Mutated(Encoding.UTF8.GetBytes(whole[from..]), Pieces)];
            var code = await Send(operation.Path, envelope);
            if (code.Length == 0)
                Interlocked.Increment(ref answered);
            if (code is "SLR-908" or "SLR-909")
                throw new InvalidOperationException($"{code}: {Encoding.UTF8.GetString(envelope)}");
        });
        output.WriteLine($"{answered} were left whole enough to be answered");
        Assert.True(answered > 0 || Fuzzing.IsAlone);
    }

    /// <summary>Sends bytes; the number of the fault that comes, or nothing.</summary>
    private async Task<string> Send(string path, byte[] envelope)
    {
        using var content = new ByteArrayContent(envelope);
        content.Headers.ContentType = MediaTypeHeaderValue.Parse("text/xml; charset=utf-8");
        content.Headers.Add("SOAPAction", "\"\"");
        using var response = await stage.Http.PostAsync(new Uri(path, UriKind.Relative), content, TestContext.Current.CancellationToken);
        var answer = XDocument.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        var code = answer.Descendants(XName.Get("Code", SoapNames.Rejection)).SingleOrDefault()?.Value ?? "";
        Assert.Equal(code.Length == 0 ? HttpStatusCode.OK : HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.True(code.Length == 0 || Rejections.All.ContainsKey(code), code);
        return code;
    }

    private sealed record Operation(string Path, string Ticket, string Body);
}
