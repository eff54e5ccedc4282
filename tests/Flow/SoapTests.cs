using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using Sloring.Contracts;
using Sloring.Embedded;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Flow;

/// <summary>The national service's wire over HTTP: what a foreign library would not send, and what becomes of it.</summary>
public sealed class SoapTests(SoapTests.Stage stage) : IClassFixture<SoapTests.Stage>
{
    private const string Registration = "/idsas-registration/20240124/registration";
    private const string Lookup = "/idsas-lookup/20240124/lookup";
    private const string Salt = "/idsas-salt/20230601/salt";

    [Fact] // M9
    public async Task ARepeatedMessage_ChangesNothing_AlsoWithANewerTicket()
    {
        var (cpr, id, end) = (People.NextCpr(), Guid.NewGuid().ToString("D"), stage.Flow.Now.AddDays(30));
        Assert.Equal("OK", await stage.Answered(Registration, Create(cpr, end), id));
        Assert.Equal("OK", await stage.Answered(Registration, Create(cpr, end), id));
        Assert.Single(await Activations(cpr));
        Assert.Equal("SLR-107", await stage.Refused(Registration, Create(cpr, end.AddDays(1)), id));
        Assert.Equal("SLR-107", await stage.Refused(Registration, Create(People.NextCpr(), end), id));
        Assert.Single(await Activations(cpr));
    }

    [Fact] // M7
    public async Task ALaterEnd_IsANewActivation()
    {
        var cpr = People.NextCpr();
        await stage.Answered(Registration, Create(cpr, stage.Flow.Now.AddDays(30)));
        await stage.Answered(Registration, Create(cpr, stage.Flow.Now.AddDays(60)));
        var activations = await Activations(cpr);
        Assert.Equal(2, activations.Count);
        Assert.Contains(activations, e => (string?)JsonNode.Parse((string)e["data"]!)!["supersededMaskingId"] == (string?)activations.Except([e]).Single()["subject"]);
    }

    [Fact] // M9, M6: the last end counts, and there is no other way to end on this wire
    public async Task AnEarlierEnd_ShortensTheMasking_AndItsCaseFollows()
    {
        var cpr = People.NextCpr();
        await stage.Answered(Registration, Create(cpr, stage.Flow.Now.AddDays(30)));
        await stage.Flow.Seen(cpr, SharedPlatform.RegionH, masked: true);
        var id = (string)Assert.Single(await Activations(cpr))["subject"]!;
        await stage.Flow.CaseThere("leder", id);

        var end = stage.Flow.Now.AddMinutes(30);
        await stage.Answered(Registration, Create(cpr, end));

        await Eventually.True(async () => (await CaseEnd(id) - end).Duration() < TimeSpan.FromSeconds(1), "the case ends when its masking does");
        Assert.Single(await Activations(cpr));
        Assert.True(await stage.Flow.IsMasked(cpr, SharedPlatform.RegionH));
        await stage.Flow.MoveTo(end);
        await stage.Flow.Seen(cpr, SharedPlatform.RegionH, masked: false);
        await Eventually.True(async () => await stage.Flow.CaseState("leder", id) == "CASE_STATE_EXPIRED", "the case is closed");

        async Task<DateTimeOffset> CaseEnd(string caseId) =>
            DateTimeOffset.Parse((string)(await stage.Flow.Case("leder", caseId))["summary"]!["endsAt"]!, CultureInfo.InvariantCulture);
    }

    [Theory] // M10
    [InlineData("2026-13-01T00:00:00Z", "SLR-916")]
    [InlineData("tomorrow", "SLR-916")]
    [InlineData("23:59:00", "SLR-916")] // .NET reads each of these for a time, by today's date or the first of something
    [InlineData("2026-12-24", "SLR-916")]
    [InlineData("2026-12-24Z", "SLR-916")]
    [InlineData("2027", "SLR-916")]
    [InlineData("--12-24", "SLR-916")]
    [InlineData("---24", "SLR-916")]
    [InlineData("", "SLR-916")]
    [InlineData("0001-01-01T00:00:00", "SLR-916")]
    [InlineData("9999-12-31T23:59:59", "SLR-105")]
    [InlineData("2020-01-01T00:00:00", "SLR-106")]
    public async Task AWrongEnd_IsRefused(string end, string code) => Assert.Equal(code, await stage.Refused(Registration, CreateText(People.NextCpr(), end)));

    [Fact] // M10: a time without a zone is Danish
    public async Task AnEndWithoutAZone_IsDanishTime()
    {
        var (cpr, danish) = (People.NextCpr(), TimeZoneInfo.FindSystemTimeZoneById("Europe/Copenhagen"));
        var end = TimeZoneInfo.ConvertTime(stage.Flow.Now.AddDays(20), danish).DateTime;
        await stage.Answered(Registration, CreateText(cpr, end.ToString("yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture)));
        var activated = JsonNode.Parse((string)Assert.Single(await Activations(cpr))["data"]!)!;
        Assert.Equal(TimeZoneInfo.ConvertTimeToUtc(end, danish), DateTime.Parse((string)activated["endsAt"]!, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal), TimeSpan.FromSeconds(1));
    }

    [Fact] // A6, A7: whoever activates by a ticket is known by the authorisation id
    public async Task WhoActivatedByATicket_IsTheSamePersonAtTheCase()
    {
        var (cpr, theirs) = (People.NextCpr(), People.NextCpr());
        await stage.AnsweredTo(ByPerson("7PL42"), Registration, Create(cpr, stage.Flow.Now.AddDays(30)));
        await stage.AnsweredTo(ByPerson("6qf17"), Registration, Create(theirs, stage.Flow.Now.AddDays(30)));
        var (own, nurses) = (await MaskingOf(cpr), await MaskingOf(theirs));
        await stage.Flow.CaseThere("leder", own);
        await stage.Flow.CaseThere("leder", nurses);

        // The leader has activated one of them; another of the level decides on it.
        await stage.Flow.Refused("SLR-203", "leder", $"/v1/cases/{own}/decision", new JsonObject { ["decision"] = "DECISION_LIFT", ["reason"] = "Ved en fejl." });
        await stage.Flow.Decide("leder-2", own, "LIFT", "Ved en fejl.");

        // The nurse reads the own case, is told, answers, and finds it among the own maskings.
        Assert.Equal(nurses, (string?)(await stage.Flow.Case("sygeplejerske", nurses))["summary"]!["caseId"]);
        await stage.Flow.Refused("SLR-201", "laege", $"/v1/cases/{nurses}/questions/1/answer", new JsonObject { ["text"] = "Nej." });
        await stage.Flow.Must("leder", $"/v1/cases/{nurses}/questions", new JsonObject { ["text"] = "Hvad skete der?" });
        await Eventually.True(async () => (await stage.Flow.Notices("sygeplejerske", nurses)).Contains("question"), "the nurse is asked");
        await stage.Flow.Must("sygeplejerske", $"/v1/cases/{nurses}/questions/1/answer", new JsonObject { ["text"] = "Trusler." });
        Assert.Contains(nurses, (await stage.Flow.Must("sygeplejerske", "/v1/maskings/search", new JsonObject { ["mineOnly"] = true }))["maskings"]!.AsArray().Select(masking => (string?)masking!["maskingId"]));

        string ByPerson(string authorisation) =>
            stage.Issuer.Ticket(new DemoTicket("29190623", "EPJ Hovedstaden", stage.Flow.Now) { PersonCpr = People.NextCpr(), AuthorisationId = authorisation });

        async Task<string> MaskingOf(string patient) => (string)Assert.Single(await Activations(patient))["subject"]!;
    }

    [Fact] // the national fault comes first, and a fault is answered under the message's ids as an answer is
    public async Task WithoutTicketOrMessageId_ItIsRefusedInThatOrder()
    {
        var body = Create(People.NextCpr(), stage.Flow.Now.AddDays(1));
        var bare = await stage.Send(Registration, $"""<s:Envelope xmlns:s="{SoapNames.Envelope}"><s:Body>{body}</s:Body></s:Envelope>""");
        Assert.Equal("SLR-801", Code(bare));
        Assert.Contains("<faultstring>Sikkerhedsbilletten mangler</faultstring>", bare, StringComparison.Ordinal);
        var envelope = DemoIssuer.Envelope(stage.Ticket(), body, "message-1");
        Assert.Equal("SLR-814", Code(await stage.Send(Registration, envelope.Replace("<medcom:MessageID>message-1</medcom:MessageID>", "", StringComparison.Ordinal))));
        var refused = XDocument.Parse(await stage.Send(Registration, DemoIssuer.Envelope(stage.Ticket(), CreateText(People.NextCpr(), "tomorrow"), "message-2")));
        Assert.Equal("message-2", refused.Descendants(XName.Get("InResponseToMessageID", SoapNames.Medcom)).Single().Value);
        Assert.Empty(refused.Descendants(XName.Get("FlowStatus", SoapNames.Medcom)));
    }

    [Fact] // M2: the system's name is the sender's word within its own organisation
    public async Task AKnownSystemsName_UnderAnotherOrganisation_IsAnotherClient()
    {
        var ticket = stage.Issuer.Ticket(new DemoTicket("29190925", "EPJ Hovedstaden", stage.Flow.Now));
        Assert.Equal("SLR-808", Code(await stage.Send(Registration, DemoIssuer.Envelope(ticket, Create(People.NextCpr(), stage.Flow.Now.AddDays(1))))));
    }

    [Fact] // O3: from where, as coarse as everywhere
    public async Task ALookup_StandsInTheJournal_FromANetwork()
    {
        var cpr = People.NextCpr();
        var ticket = stage.Issuer.Ticket(new DemoTicket("33257872", "http://system.nspop.dk/sts", stage.Flow.Now));
        await stage.AnsweredTo(ticket, Lookup, $"""
            <GetBlurredOrganisationsRequest xmlns="{new SoapOptions().Namespace20240124}"><patientId><id>{cpr}</id><classification>CPR</classification></patientId></GetBlurredOrganisationsRequest>
            """);
        var read = JsonNode.Parse((string)Assert.Single(await stage.Flow.Journal("effectuation", cpr), e => e.ToJsonString().Contains("GetMaskingInstructions", StringComparison.Ordinal))["data"]!)!;
        Assert.Equal("127.0.0.0/24", (string?)read["from"]);
    }

    [Fact] // D3: an answer that was lost, and two at once
    public async Task DepartmentMaskings_AreConfirmedAndRemovedOnce_HoweverOftenTheyAreAskedFor()
    {
        const string Unit = "1000111000016001";
        var nominated = await stage.Flow.Must("hospitalsledelse", "/v1/units", RejectionTests.Nomination(Unit));
        await stage.Flow.Must("region", $"/v1/units/{(string)nominated["unit"]!["unitMaskingId"]!}/review", new JsonObject { ["review"] = "REVIEW_RECOMMENDED" });
        Assert.Equal("SLR-121", Code(await Ask("RemoveOrgBlurring")));
        foreach (var operation in (string[])["CreateOrgBlurring", "RemoveOrgBlurring"])
        {
            Assert.All(await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Ask(operation))), answer => Assert.Null(Code(answer)));
            Assert.Null(Code(await Ask(operation)));
        }
        Assert.Equal("SLR-121", Code(await Ask("CreateOrgBlurring")));

        Task<string> Ask(string operation) => stage.Send(Registration, DemoIssuer.Envelope(
            stage.Issuer.Ticket(new DemoTicket("33257872", "Afdelingssløring", stage.Flow.Now)),
            $"""<{operation}Request xmlns="{new SoapOptions().Namespace20240124}"><org><id>{Unit}</id><classification>SOR</classification></org></{operation}Request>"""));
    }

    [Theory]
    [InlineData("<CreateBlurringRequest xmlns=\"{0}\"/>", "SLR-906")]
    [InlineData("<CreateBlurringRequest><patientId/></CreateBlurringRequest>", "SLR-813")]
    [InlineData("<CreateBlurringRequest xmlns=\"http://sundhedsdatastyrelsen.dk/identitetssloering/2023/06/01/\"/>", "SLR-813")]
    [InlineData("<DeleteBlurringRequest xmlns=\"{0}\"/>", "SLR-813")]
    [InlineData("<GetCurrentSaltRequest xmlns=\"{0}\"/>", "SLR-813")]
    public async Task AnotherBody_IsRefused(string body, string code) =>
        Assert.Equal(code, await stage.Refused(Registration, body.Replace("{0}", new SoapOptions().Namespace20240124, StringComparison.Ordinal)));

    [Fact]
    public async Task TooLarge_IsRefused_AndSoIsADtd()
    {
        var large = DemoIssuer.Envelope(stage.Ticket(), $"<x>{new string('x', SoapXml.LargestBody)}</x>");
        Assert.Equal("SLR-907", Code(await stage.Send(Registration, large)));
        Assert.Equal("SLR-810", Code(await stage.Send(Registration, "<!DOCTYPE x>" + DemoIssuer.Envelope(stage.Ticket(), Create(People.NextCpr(), stage.Flow.Now.AddDays(1))))));
    }

    [Theory]
    [InlineData(Registration)]
    [InlineData("/idsas-registration/20230601/registration")]
    [InlineData(Lookup)]
    [InlineData(Salt)]
    public async Task TheWsdl_NamesTheAddressAsked(string path)
    {
        var wsdl = XDocument.Parse(await stage.Http.GetStringAsync(new Uri(path + "?WSDL", UriKind.Relative), CancellationToken.None));
        Assert.Equal(stage.Flow.Platform.HttpAddress + path, wsdl.Descendants(XName.Get("address", "http://schemas.xmlsoap.org/wsdl/soap/")).Single().Attribute("location")!.Value);
        using var other = await stage.Http.GetAsync(new Uri(path, UriKind.Relative), CancellationToken.None);
        Assert.Equal(HttpStatusCode.NotFound, other.StatusCode);
        Assert.Contains("SLR-917", await other.Content.ReadAsStringAsync(CancellationToken.None), StringComparison.Ordinal);
    }

    [Fact] // docs/soap.md
    public async Task TheEnvelopeCommand_SignsWhatThePlatformTakes()
    {
        var envelope = await ForeignProgram.Run(
            "dotnet", "", Repository.EmbeddedProgram, "envelope", "soap-epj-hovedstaden", Path.Combine(Repository.Root, "samples", "soap", "create-blurring.xml"),
            $"--Data:Folder={stage.Flow.Platform.Folder}");
        Assert.Contains(">OK<", await stage.Send(Registration, envelope.Trim()), StringComparison.Ordinal);
    }

    [Fact] // xmlsec1 has another opinion than .NET, or it has not
    public async Task WhatXmlsec1Signs_IsAccepted_AndItAcceptsWhatWeSign()
    {
        await Cluster.DebianPackages.EnsureXmlsec(CancellationToken.None);
        var folder = Directory.CreateTempSubdirectory("xmlsec-");
        try
        {
            var (mine, theirs) = (Path.Combine(folder.FullName, "ours.xml"), Path.Combine(folder.FullName, "theirs.xml"));
            var ours = stage.Ticket();
            await File.WriteAllTextAsync(mine, ours, CancellationToken.None);
            await Verify(mine);
            await File.WriteAllTextAsync(mine, ours.Replace("29190623", "29190925", StringComparison.Ordinal), CancellationToken.None);
            await Assert.ThrowsAsync<InvalidOperationException>(() => Verify(mine));

            // The same form, to be filled in.
            var template = XDocument.Parse(ours, LoadOptions.PreserveWhitespace);
            foreach (var value in template.Descendants().Where(e => e.Name.LocalName is "DigestValue" or "SignatureValue"))
                value.Value = "";
            await File.WriteAllTextAsync(mine, template.ToString(SaveOptions.DisableFormatting), CancellationToken.None);
            await ForeignProgram.Run("xmlsec1", "", "--sign", "--privkey-pem", stage.Issuer.File, "--id-attr:id", $"{SoapNames.Saml}:Assertion", "--output", theirs, mine);
            var signed = XDocument.Load(theirs, LoadOptions.PreserveWhitespace).Root!.ToString(SaveOptions.DisableFormatting);
            var answer = await stage.Send(Registration, DemoIssuer.Envelope(signed, Create(People.NextCpr(), stage.Flow.Now.AddDays(30))));
            Assert.Contains(">OK<", answer, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        Task<string> Verify(string file) => ForeignProgram.Run("xmlsec1", "", "--verify", "--pubkey-cert-pem", stage.Issuer.File, "--id-attr:id", $"{SoapNames.Saml}:Assertion", file);
    }

    private async Task<List<JsonNode>> Activations(string cpr) =>
        [.. (await stage.Flow.Journal("registration", cpr)).Where(e => (string?)e["type"] == "registration.activated.v1")];

    private static string Create(string cpr, DateTimeOffset end) => CreateText(cpr, end.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));

    private static string CreateText(string cpr, string end) => $"""
        <CreateBlurringRequest xmlns="{new SoapOptions().Namespace20240124}"><patientId><id>{cpr}</id><classification>CPR</classification></patientId><endDateTime>{end}</endDateTime></CreateBlurringRequest>
        """;

    /// <summary>The number of a fault; null of an answer.</summary>
    private static string? Code(string answer) => XDocument.Parse(answer).Descendants(XName.Get("Code", SoapNames.Rejection)).SingleOrDefault()?.Value;

    public sealed class Stage : IAsyncLifetime
    {
        public SharedPlatform Flow { get; } = new();

        public HttpClient Http { get; private set; } = null!;

        public DemoIssuer Issuer => new(Flow.Platform.Folder);

        public async ValueTask InitializeAsync()
        {
            await Flow.InitializeAsync();
            Http = new HttpClient { BaseAddress = new Uri(Flow.Platform.HttpAddress) };
        }

        public ValueTask DisposeAsync()
        {
            Http.Dispose();
            return Flow.DisposeAsync();
        }

        public string Ticket() => Issuer.Ticket(new DemoTicket("29190623", "EPJ Hovedstaden", Flow.Now));

        /// <summary>The text of the answer's body; the call must be done.</summary>
        public Task<string> Answered(string path, string body, string? messageId = null) => AnsweredTo(Ticket(), path, body, messageId);

        /// <summary>The same, with another ticket.</summary>
        public async Task<string> AnsweredTo(string ticket, string path, string body, string? messageId = null)
        {
            var answer = await Send(path, DemoIssuer.Envelope(ticket, body, messageId));
            Assert.Null(Code(answer));
            return XDocument.Parse(answer).Descendants(XName.Get("Body", SoapNames.Envelope)).Single().Value;
        }

        /// <summary>The number of the fault; the call must be refused.</summary>
        public async Task<string> Refused(string path, string body, string? messageId = null) =>
            Code(await Send(path, DemoIssuer.Envelope(Ticket(), body, messageId))) ?? throw new InvalidOperationException("It was accepted.");

        /// <summary>The answer as it came: done with status 200, or one of our faults with status 500, which holds nothing of what was sent.</summary>
        public async Task<string> Send(string path, string envelope)
        {
            using var content = new StringContent(envelope, Encoding.UTF8, "text/xml");
            content.Headers.Add("SOAPAction", "\"\"");
            using var response = await Http.PostAsync(new Uri(path, UriKind.Relative), content);
            var answer = await response.Content.ReadAsStringAsync();
            Assert.Equal(("text/xml", "utf-8"), (response.Content.Headers.ContentType?.MediaType, response.Content.Headers.ContentType?.CharSet));
            Assert.Equal(Code(answer) is null ? HttpStatusCode.OK : HttpStatusCode.InternalServerError, response.StatusCode);
            Assert.True(Code(answer) is null || Rejections.All.ContainsKey(Code(answer)!), answer);
            Assert.DoesNotContain("   at ", answer, StringComparison.Ordinal);
            return answer;
        }
    }
}
