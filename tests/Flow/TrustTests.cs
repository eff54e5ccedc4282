using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using Microsoft.Extensions.DependencyInjection;
using Sloring.Contracts;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Flow;

/// <summary>The exchange over WS-Trust (Bst2Idws) with foreign systems at both ends: xml-crypto signs token and message, xmlsec1 opens the answer and verifies it.</summary>
public sealed class TrustTests(TrustTests.Stage stage) : IClassFixture<TrustTests.Stage>
{
    private const string Custody = "urn:dk:healthcare:saml:actThrough:ParentalCustody:cprNumberIdentifier:";

    private static readonly XNamespace Saml = SoapNames.Saml, Trust = "http://docs.oasis-open.org/ws-sx/ws-trust/200512", Blurring = "urn:dk:healthcare:saml:blurring_instructions_profile:1.0";

    [Fact] // M1, E3, E8
    public async Task OwnData_TokenIsSignedAndReadableForTheAudienceOnly_AndHoldsWhoMasks()
    {
        var cpr = People.NextCpr();
        await stage.Flow.Activated(cpr);
        var answer = await stage.Ask(cpr);
        Assert.DoesNotContain(cpr, answer, StringComparison.Ordinal);
        var response = XDocument.Parse(answer).Descendants(Trust + "RequestSecurityTokenResponseCollection").Single().Element(Trust + "RequestSecurityTokenResponse")!;
        Assert.NotNull(response.Element(Trust + "RequestedSecurityToken")!.Element(Saml + "EncryptedAssertion"));
        Assert.StartsWith("urn:uuid:", (string?)response.Attribute("Context"), StringComparison.Ordinal);
        await Assert.ThrowsAsync<InvalidOperationException>(() => stage.Open(answer, "stranger"));

        var token = await stage.Open(answer, "audience");
        Assert.Equal((stage.Flow.Platform.HttpAddress, "citizen-7", Stage.Audience), ((string?)token.Element(Saml + "Issuer"), (string?)token.Descendants(Saml + "NameID").Single(), (string?)token.Descendants(Saml + "Audience").Single()));
        Assert.Contains(stage.Shown("app"), token.Descendants(Saml + "SubjectConfirmationData").Single().Value, StringComparison.Ordinal);
        Assert.Equal(cpr, Attribute(token, "dk:gov:saml:attribute:CprNumberIdentifier"));
        Assert.Null(Attribute(token, "dk:healthcare:saml:attribute:OnBehalfOf"));
        var masking = Instructions(token);
        Assert.Equal((cpr, SharedPlatform.RegionH), ((string?)masking.Element(Blurring + "patientId")!.Element(Blurring + "id"), (string?)Assert.Single(masking.Elements(Blurring + "organisationId")).Element(Blurring + "id")));
        Assert.Equal((string?)(await stage.Flow.Get("kilde-hovedstaden", "/v1/salt"))["value"], (string?)masking.Element(Blurring + "salt"));
    }

    [Fact] // E4
    public async Task OnBehalfOfAnother_MaskingFollowsThePersonShown_AndOnlyWhomTheTokenNames()
    {
        var (reader, child) = (People.NextCpr(), People.NextCpr());
        await stage.Flow.Activated(child);
        var token = await stage.Open(await stage.Ask(reader, onBehalfOf: Custody + child, actsFor: Custody + child), "audience");
        Assert.Equal((reader, Custody + child), (Attribute(token, "dk:gov:saml:attribute:CprNumberIdentifier"), Attribute(token, "dk:healthcare:saml:attribute:OnBehalfOf")));
        var masking = Instructions(token);
        Assert.Equal(child, (string?)masking.Element(Blurring + "patientId")!.Element(Blurring + "id"));
        Assert.Single(masking.Elements(Blurring + "organisationId"));
        Assert.Equal(("SLR-614", "on_behalf_of"), Fault(await stage.Ask(reader, onBehalfOf: Custody + child, actsFor: Custody + People.NextCpr())));
    }

    [Theory]
    [InlineData("another audience", "SLR-611", "audience")]
    [InlineData("the body changed", "SLR-633", "signature")]
    [InlineData("the time changed", "SLR-633", "signature")]
    [InlineData("no signature", "SLR-633", "signature")]
    [InlineData("another part signed instead of the body", "SLR-633", "reference")]
    [InlineData("the body not signed", "SLR-633", "reference")]
    [InlineData("the time not signed", "SLR-633", "reference")]
    [InlineData("the signed body moved aside", "SLR-633", "reference")]
    [InlineData("SHA-1", "SLR-633", "algorithm")]
    [InlineData("the id of the body twice", "SLR-633", "id")]
    [InlineData("a stranger's certificate", "SLR-633", "certificate")]
    [InlineData("another provider's token", "SLR-612", "signature")]
    [InlineData("another provider's name", "SLR-612", "issuer")]
    [InlineData("a token for another", "SLR-612", "audience")]
    [InlineData("a message from an hour ago", "SLR-634", "Timestamp")]
    [InlineData("a token that has expired", "SLR-612", "conditions")]
    [InlineData("a token from the future", "SLR-612", "conditions")]
    [InlineData("a token that is not yet valid", "SLR-612", "conditions")]
    [InlineData("a token that lives too long", "SLR-612", "conditions")]
    [InlineData("a token with a condition of its own", "SLR-612", "audience")]
    [InlineData("a token of two people", "SLR-613", "ActAs")]
    [InlineData("a token confirmed until a while ago", "SLR-612", "subject")]
    [InlineData("a token confirmed from later on", "SLR-612", "subject")]
    [InlineData("a token confirmed for another recipient", "SLR-612", "subject")]
    [InlineData("another's bearer token", "SLR-612", "subject")]
    [InlineData("another kind of request", "SLR-632", "RequestType")]
    [InlineData("another action", "SLR-632", "Action")]
    [InlineData("a DTD", "SLR-810", null)]
    public async Task WrongRequest_IsRefused_AndItsFaultHoldsNothingOfIt(string what, string code, string? field)
    {
        var cpr = People.NextCpr();
        var answer = what switch
        {
            "another audience" => await stage.Ask(cpr, audience: "https://elsewhere.example"),
            "the body changed" => await stage.Ask(cpr, change: ["</wst:TokenType>", " </wst:TokenType>"]),
            "the time changed" => await stage.Ask(cpr, change: ["</wsu:Created>", " </wsu:Created>"]),
            "no signature" => await stage.Ask(cpr, unsigned: true),
            "the body not signed" => await stage.Ask(cpr, skip: "Body"),
            "the time not signed" => await stage.Ask(cpr, skip: "Timestamp"),
            "another part signed instead of the body" => await stage.Ask(cpr, change: ["URI=\"#body\"", "URI=\"#security\""]),
            "the signed body moved aside" => await stage.Ask(cpr, wrapped: Stage.Clear),
            "SHA-1" => await stage.Ask(cpr, change: ["http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2000/09/xmldsig#rsa-sha1"]),
            "the id of the body twice" => await stage.Ask(cpr, change: ["</wsse:Security>", "<x wsu:Id=\"body\"/></wsse:Security>"]),
            "a stranger's certificate" => await stage.Ask(cpr, app: "stranger"),
            "another provider's token" => await stage.Ask(cpr, provider: "stranger"),
            "another provider's name" => await stage.Ask(cpr, issuer: "https://elsewhere.example"),
            "a token for another" => await stage.Ask(cpr, providerAudience: "https://elsewhere.example"),
            "a message from an hour ago" => await stage.Ask(cpr, late: 3_600),
            "a token that has expired" => await stage.Ask(cpr, token: new { issued = -60, ends = -1 }),
            "a token from the future" => await stage.Ask(cpr, token: new { issued = 120 }),
            "a token that is not yet valid" => await stage.Ask(cpr, token: new { from = 120 }),
            "a token that lives too long" => await stage.Ask(cpr, token: new { ends = 3_700 }),
            "a token with a condition of its own" => await stage.Ask(cpr, token: new { condition = "<saml:OneTimeUse/>" }),
            "a token of two people" => await stage.Ask(cpr, token: new { cprs = new[] { cpr, cpr } }),
            "a token confirmed until a while ago" => await stage.Ask(cpr, token: new { confirmation = "NotOnOrAfter=\"-1\"" }),
            "a token confirmed from later on" => await stage.Ask(cpr, token: new { confirmation = "NotBefore=\"+120\"" }),
            "a token confirmed for another recipient" => await stage.Ask(cpr, token: new { confirmation = "Recipient=\"https://elsewhere.example\"" }),
            "another's bearer token" => await stage.Ask(cpr, token: new { bearer = true, confirmation = "NotOnOrAfter=\"+60\" Recipient=\"https://elsewhere.example\"" }),
            "another kind of request" => await stage.Ask(cpr, change: ["200512/Issue", "200512/Renew"]),
            "another action" => await stage.Ask(cpr, change: ["RST/Issue", "RST/Cancel"]),
            _ => await stage.Ask(cpr, change: ["<soap:Envelope ", "<!DOCTYPE x><soap:Envelope "]),
        };
        Assert.Equal((code, field), Fault(answer));
        Assert.DoesNotContain(cpr, answer, StringComparison.Ordinal);
    }

    [Fact] // decision 21: in the clear where operations allow it by name, and nowhere else
    public async Task AudienceWithoutACertificate_GetsATokenOnlyWhereItMayBeInTheClear()
    {
        var cpr = People.NextCpr();
        Assert.Equal(cpr, Attribute(await stage.Read(await stage.Ask(cpr, audience: Stage.Clear)), "dk:gov:saml:attribute:CprNumberIdentifier"));
        Assert.Equal(("SLR-611", "AppliesTo"), Fault(await stage.Ask(cpr, audience: Stage.JwtOnly)));
        // And the other way: a certificate is no key for JWT.
        using var http = new HttpClient();
        using var form = new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["grant_type"] = "urn:ietf:params:oauth:grant-type:token-exchange",
            ["client_id"] = "jwt-app",
            ["client_secret"] = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(stage.Flow.Platform.Folder, "secrets.json"), TestContext.Current.CancellationToken))!["client/jwt-app"]!.GetValue<string>(),
            ["subject_token"] = "x",
            ["subject_token_type"] = "urn:ietf:params:oauth:token-type:jwt",
            ["audience"] = Stage.Audience,
        });
        using var answer = await http.PostAsync(new Uri(stage.Flow.Platform.HttpAddress + "/connect/token"), form, TestContext.Current.CancellationToken);
        Assert.Contains("SLR-611", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact, Trait("kind", "fuzz")] // whatever comes, no fault of ours that we did not foresee, and the request itself is taken once
    public async Task MutatedRequests_AreAnsweredByFaultsOfOurs()
    {
        var request = await stage.Ask(People.NextCpr(), print: true);
        string[] pieces = ["<!-- -->", "<x/>", "</soap:Body>", "&amp;", "&x;", "\0", "wsu:Id=\"body\"", "<ds:Signature/>", "9999999999999-01-01T00:00:00Z", "<![CDATA[x]]>", "URI=\"\"", "=", ">"];
        var taken = 0;
        using var http = new HttpClient();
        await Fuzzing.Begin(TestContext.Current.TestOutputHelper!.WriteLine, share: 100).Each(1, async random =>
        {
            var text = new StringBuilder(request);
            // Never in the white space at the ends, which nobody signs.
            var at = random.Next(1, request.TrimEnd().Length - 1);
            if (random.Next(2) == 0)
                text.Remove(at, Math.Min(random.Next(1, 40), text.Length - at));
            text.Insert(at, pieces[random.Next(pieces.Length)]);
            using var content = new StringContent(text.ToString(), Encoding.UTF8, "text/xml");
            using var response = await http.PostAsync(new Uri(stage.Address), content, TestContext.Current.CancellationToken);
            var answer = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            var code = (string?)XDocument.Parse(answer).Descendants(XName.Get("Code", SoapNames.Rejection)).SingleOrDefault();
            // Where nothing is signed, a change makes no other request: that one is answered, once.
            Assert.True(code is null ? answer.Contains("EncryptedAssertion", StringComparison.Ordinal) && ++taken == 1 : code != "SLR-908" && Rejections.All.ContainsKey(code), $"{code}: {text}");
        });
    }

    [Fact]
    public async Task MessageThatIsSentAgain_IsRefused()
    {
        var sent = await stage.Ask(People.NextCpr(), twice: true);
        Assert.Equal(("SLR-634", "MessageID"), Fault(sent));
    }

    [Fact]
    public async Task ClaimForAnotherCitizen_IsRefused() =>
        Assert.Equal(("SLR-635", "Claims"), Fault(await stage.Ask(People.NextCpr(), claimed: People.NextCpr())));

    [Theory]
    [InlineData("what the provider calls the platform")]
    [InlineData("the issuer")]
    [InlineData("the address of WS-Trust")]
    public async Task ConfirmedForHereAndNow_IsTaken(string recipient)
    {
        var (cpr, here) = (People.NextCpr(), recipient switch { "the issuer" => stage.Flow.Platform.HttpAddress, "the address of WS-Trust" => stage.Address, _ => Stage.ProviderAudience });
        foreach (var bearer in (bool[])[true, false])
        {
            var answer = await stage.Ask(cpr, audience: Stage.Clear, token: new { bearer, from = -5, confirmation = $"NotBefore=\"-5\" NotOnOrAfter=\"+60\" Recipient=\"{here}\"" });
            Assert.Equal(cpr, Attribute(await stage.Read(answer), "dk:gov:saml:attribute:CprNumberIdentifier"));
        }
    }

    [Fact]
    public async Task MessageThatWasTakenJustBeforeARestart_IsRefusedAfterIt_AndWhatIsMaskedCannotBeKnown_IsAFaultOfOurs()
    {
        await using var wire = new Wire();
        await using var own = new Stage();
        await own.Start(services => services.PostConfigure<ServiceAddresses>(addresses =>
        {
            wire.Target = new Uri(addresses["effectuation"]).Port;
            addresses["effectuation"] = wire.Address;
        }));
        var request = await own.Ask(People.NextCpr(), print: true);
        Assert.Contains("EncryptedAssertion", await own.Send(request), StringComparison.Ordinal);
        wire.Broken = "cut";
        Assert.Equal(("SLR-615", null), Fault(await own.Ask(People.NextCpr())));
        wire.Broken = null;
        // Within the second of the message it could be taken again: no restart is as short as that outside of a test.
        await own.Flow.MoveTo(own.Flow.Now.AddSeconds(2));
        await own.Restart();
        Assert.Equal(("SLR-634", "Timestamp"), Fault(await own.Send(request)));
    }

    [Fact]
    public async Task RevokedClient_IsRefusedAtOnce()
    {
        try
        {
            await stage.Flow.Must("drift", "/v1/clients/app/revocation", new JsonObject());
            Assert.Equal(("SLR-609", null), Fault(await stage.Ask(People.NextCpr())));
        }
        finally
        {
            await stage.Flow.Must("drift", "/v1/clients/app/restoration", new JsonObject());
        }
        Assert.Contains("EncryptedAssertion", await stage.Ask(People.NextCpr()), StringComparison.Ordinal);
    }

    [Fact] // the authority's signature on the certificate, and the name in it
    public async Task ClientOfAnAuthority_SignsWithItsCertificate()
    {
        var cpr = People.NextCpr();
        Assert.Equal(cpr, Attribute(await stage.Open(await stage.Ask(cpr, app: "member"), "audience"), "dk:gov:saml:attribute:CprNumberIdentifier"));
        // The same name, by its own hand.
        Assert.Equal(("SLR-633", "certificate"), Fault(await stage.Ask(cpr, app: "pretender")));
    }

    [Fact]
    public async Task TokenBoundToAnothersKey_IsRefused() =>
        Assert.Equal(("SLR-612", "subject"), Fault(await stage.Ask(People.NextCpr(), holder: "stranger")));

    private static (string?, string?) Fault(string answer)
    {
        var fault = XDocument.Parse(answer).Descendants(XName.Get("Fault", SoapNames.Envelope)).Single();
        var (code, field) = ((string?)fault.Descendants(XName.Get("Code", SoapNames.Rejection)).Single(), (string?)fault.Descendants(XName.Get("Field", SoapNames.Rejection)).SingleOrDefault());
        // What is wrong with the request is the sender's to mend; what is away is not.
        var kind = Rejections.All[code!].Kind is RejectionKind.Unavailable or RejectionKind.Internal ? "wst:RequestFailed" : "wst:InvalidRequest";
        Assert.Equal((kind, Rejections.All[code!].Da), ((string?)fault.Element("faultcode"), (string?)fault.Element("faultstring")));
        return (code, field);
    }

    private static string? Attribute(XElement token, string name) => (string?)token.Descendants(Saml + "Attribute").SingleOrDefault(attribute => (string?)attribute.Attribute("Name") == name)?.Element(Saml + "AttributeValue");

    private static XElement Instructions(XElement token) =>
        XElement.Parse(Encoding.UTF8.GetString(Convert.FromBase64String(Attribute(token, "dk:healthcare:saml:attribute:BlurringInstructions")!)));

    public sealed class Stage : IAsyncLifetime
    {
        public const string Audience = "https://audience.example/data";

        /// <summary>Takes tokens in the clear.</summary>
        public const string Clear = "https://clear.example/data";

        /// <summary>Has a key for JWT alone.</summary>
        public const string JwtOnly = "https://jwt.example/data";
        private const string Provider = "https://login.example";
        public const string ProviderAudience = "https://bootstrap.example";
        private readonly string _folder = Directory.CreateTempSubdirectory("sloring-").FullName;

        public SharedPlatform Flow { get; } = new();

        public string Address => Flow.Platform.HttpAddress + "/sts/services/Bst2Idws";

        public ValueTask InitializeAsync() => Start(_ => { });

        public async ValueTask Start(Action<IServiceCollection> replace)
        {
            await ForeignSystems.Install();
            await Cluster.DebianPackages.EnsureXmlsec(CancellationToken.None);
            foreach (var name in (string[])["provider", "app", "audience", "sts", "stranger", "authority"])
                await Make(name);
            await Make("member", "authority");
            await Make("pretender", subject: "member");
            var app = new JsonObject { ["keys"] = new JsonArray(Key("app")) };
            await Flow.Start(
                replace,
                "--Tokens:WsTrust:Certificate=" + In("sts.pem"), "--Tokens:WsTrust:Key=" + In("sts.key"),
                "--Tokens:IdentityProviders:0:Issuer=" + Provider, "--Tokens:IdentityProviders:0:Audience=" + ProviderAudience, "--Tokens:IdentityProviders:0:Certificates:0=" + In("provider.pem"),
                "--Tokens:Audiences:0:Id=" + Audience, "--Tokens:Audiences:0:Certificate=" + In("audience.pem"),
                "--Tokens:Audiences:1:Id=" + Clear, "--Tokens:Audiences:1:AllowUnencrypted=true", "--Tokens:Audiences:2:Id=" + JwtOnly, "--Tokens:Audiences:2:Key=" + EcKey(),
                "--Tokens:Clients:90:Audiences:1=" + Clear, "--Tokens:Clients:90:Audiences:2=" + JwtOnly,
                "--Tokens:ClientCaFile=" + In("authority.pem"), "--Tokens:Clients:92:Id=member", "--Tokens:Clients:92:Roles:0=citizen-view", "--Tokens:Clients:92:Audiences:0=" + Audience,
                "--Tokens:Clients:92:Authentication=tls_client_auth", "--Tokens:Clients:92:CertificateSubject=CN=member,O=Foreign,C=DK",
                "--Tokens:Clients:91:Id=jwt-app", "--Tokens:Clients:91:Roles:0=citizen-view", "--Tokens:Clients:91:Audiences:0=" + Audience,
                "--Tokens:Clients:90:Id=app", "--Tokens:Clients:90:Roles:0=citizen-view", "--Tokens:Clients:90:Audiences:0=" + Audience,
                "--Tokens:Clients:90:Authentication=self_signed_tls_client_auth", "--Tokens:Clients:90:Jwks=" + app.ToJsonString());
        }

        public async ValueTask DisposeAsync()
        {
            await Flow.DisposeAsync();
            Directory.Delete(_folder, recursive: true);
        }

        /// <summary>A request of the app for a citizen, wrong in the way that a test asks for; gives the answer as it came.</summary>
        public Task<string> Ask(
            string cpr, string onBehalfOf = "", string? actsFor = null, string audience = Audience, string app = "app", string provider = "provider", string issuer = Provider,
            string providerAudience = ProviderAudience, string? claimed = null, string? holder = null, int late = 0, object? token = null, string[]? change = null, string? skip = null, bool unsigned = false, string? wrapped = null, bool twice = false, bool print = false) =>
            ForeignProgram.Run("node", JsonSerializer.Serialize(new
            {
                address = print ? "" : Address,
                provider = new { key = Text(provider + ".key"), certificate = Text(provider + ".pem"), issuer, audience = providerAudience },
                app = new { key = Text(app + ".key"), certificate = Text(app + ".pem") },
                holder = Text((holder ?? app) + ".pem"),
                audience,
                citizen = new { cpr, claimed = claimed ?? cpr, onBehalfOf, actsFor = actsFor is null ? Array.Empty<string>() : [actsFor] },
                ahead = (long)Flow.Platform.Clock.Offset.TotalSeconds,
                late,
                token,
                change,
                skip,
                unsigned,
                wrapped,
                twice,
            }), Path.Combine(Repository.Root, "tests", "Interop", "js-soap", "trust.mjs"));

        /// <summary>A request that <see cref="Ask"/> has printed.</summary>
        public async Task<string> Send(string request)
        {
            using var http = new HttpClient();
            using var content = new StringContent(request, Encoding.UTF8, "text/xml");
            using var answer = await http.PostAsync(new Uri(Address), content, TestContext.Current.CancellationToken);
            return await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        }

        /// <summary>The platform ends and begins again, at its addresses.</summary>
        public Task Restart() => Flow.Restart();

        /// <summary>The token of an answer, decrypted by xmlsec1 with somebody's key, its signature verified by xmlsec1.</summary>
        public async Task<XElement> Open(string answer, string reader)
        {
            var (encrypted, opened) = (In($"{Guid.NewGuid():N}.xml"), In($"{Guid.NewGuid():N}.xml"));
            await File.WriteAllTextAsync(encrypted, XDocument.Parse(answer, LoadOptions.PreserveWhitespace).Descendants(Saml + "EncryptedAssertion").Single().ToString(SaveOptions.DisableFormatting));
            await ForeignProgram.Run("xmlsec1", "", "--decrypt", "--privkey-pem", In(reader + ".key"), "--output", opened, encrypted);
            return await Verified(opened);
        }

        /// <summary>The token of an answer that holds it in the clear, its signature verified by xmlsec1.</summary>
        public async Task<XElement> Read(string answer)
        {
            var file = In($"{Guid.NewGuid():N}.xml");
            await File.WriteAllTextAsync(file, XDocument.Parse(answer, LoadOptions.PreserveWhitespace).Descendants(Saml + "Assertion").Single().ToString(SaveOptions.DisableFormatting));
            return await Verified(file);
        }

        private async Task<XElement> Verified(string file)
        {
            await ForeignProgram.Run("xmlsec1", "", "--verify", "--pubkey-cert-pem", In("sts.pem"), "--id-attr:ID", $"{SoapNames.Saml}:Assertion", file);
            return XDocument.Load(file).Descendants(Saml + "Assertion").Single();
        }

        /// <summary>The certificate of a party as XML shows it.</summary>
        public string Shown(string name)
        {
            using var certificate = X509CertificateLoader.LoadCertificateFromFile(In(name + ".pem"));
            return Convert.ToBase64String(certificate.RawData);
        }

        private string In(string name) => Path.Combine(_folder, name);

        private string Text(string name) => File.ReadAllText(In(name));

        private static string EcKey()
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var point = key.ExportParameters(includePrivateParameters: false).Q;
            return new JsonObject { ["kty"] = "EC", ["crv"] = "P-256", ["x"] = System.Buffers.Text.Base64Url.EncodeToString(point.X), ["y"] = System.Buffers.Text.Base64Url.EncodeToString(point.Y) }.ToJsonString();
        }

        private JsonObject Key(string name)
        {
            using var certificate = X509CertificateLoader.LoadCertificateFromFile(In(name + ".pem"));
            using var rsa = certificate.GetRSAPublicKey()!;
            var number = rsa.ExportParameters(includePrivateParameters: false);
            return new JsonObject
            {
                ["kty"] = "RSA",
                ["alg"] = "RS256",
                ["n"] = System.Buffers.Text.Base64Url.EncodeToString(number.Modulus),
                ["e"] = System.Buffers.Text.Base64Url.EncodeToString(number.Exponent),
                ["x5t#S256"] = System.Buffers.Text.Base64Url.EncodeToString(SHA256.HashData(certificate.RawData)),
            };
        }

        /// <summary>By openssl, in force for longer than any clock of these tests goes.</summary>
        private Task<string> Make(string name, string? authority = null, string? subject = null) => ForeignProgram.Run(
            "openssl", "",
            ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", $"/C=DK/O=Foreign/CN={subject ?? name}", "-keyout", In(name + ".key"), "-out", In(name + ".pem"),
                .. authority is null ? Array.Empty<string>() : ["-CA", In(authority + ".pem"), "-CAkey", In(authority + ".key"), "-addext", "extendedKeyUsage=clientAuth"]]);
    }
}
