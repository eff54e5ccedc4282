using System.Text.Json;
using System.Text.Json.Nodes;
using Xunit;

namespace Sloring.Tests.Flow;

/// <summary>The token service against parts that nobody here wrote: jose signs, verifies and decrypts, openssl makes the certificates, node and curl show them. js-tokens/peer.mjs runs its cases once.</summary>
public sealed class TokenPeerTests(TokenPeerTests.Run run) : IClassFixture<TokenPeerTests.Run>
{
    [Theory] // E4, E8
    [InlineData("assertionsOfEveryAlgorithmAreTakenAndTheTokenVerifies"), InlineData("anotherClientsAssertionIsRefused"), InlineData("bootstrapTokenIsExchangedAndTheAudienceReadsIt")]
    [InlineData("bootstrapTokenOfAnotherIsRefused"), InlineData("certificateGetsATokenThatIsGoodWithItOnly"), InlineData("certificateOfAnotherIsRefused")]
    public void Case_GivesWhatTheForeignPeerExpects(string name)
    {
        Assert.True(run.Errors.TryGetValue(name, out var error), $"peer.mjs has no case '{name}'.");
        Assert.True(error is null, error);
    }

    [Fact]
    public void EveryCaseOfThePeer_IsATestHere() => Assert.Equal(6, run.Errors.Count);

    [Fact]
    public void Curl_GetsATokenWithACertificate() => Assert.Contains("access_token", run.FromCurl, StringComparison.Ordinal);

    public sealed class Run : IAsyncLifetime
    {
        private const string Audience = "https://audience.example/data";
        private const string Relation = "urn:dk:healthcare:saml:actThrough:ParentalCustody:cprNumberIdentifier:";

        private readonly string _folder = Directory.CreateTempSubdirectory("sloring-").FullName;

        public Dictionary<string, string?> Errors { get; private set; } = [];

        public string FromCurl { get; private set; } = "";

        public async ValueTask InitializeAsync()
        {
            var package = Path.Combine(Repository.Root, "tests", "Flow", "js-tokens");
            await ForeignProgram.Install(package);
            var peer = Path.Combine(package, "peer.mjs");
            await ForeignProgram.Run("node", "", peer, "keys", _folder);
            await MakeCertificates();
            var https = $"https://127.0.0.1:{Platform.FreePort()}";
            await using var flow = new SharedPlatform();
            await flow.Start(_ => { }, [.. Settings(https)]);
            var (shown, reader) = (People.NextCpr(), People.NextCpr());
            await flow.Activated(shown);
            var names = new Sloring.Tokens.IdentityProviderOptions();
            var output = await ForeignProgram.Run("node", "", peer, "run", _folder, new JsonObject
            {
                ["issuer"] = flow.Platform.HttpAddress,
                ["https"] = https,
                ["ahead"] = (long)flow.Platform.Clock.Offset.TotalSeconds,
                ["provider"] = "https://login.example",
                ["providerAudience"] = "https://sloring.example",
                ["audience"] = Audience,
                ["cprClaim"] = names.CprClaim,
                ["actsForClaim"] = names.OnBehalfOfClaim,
                ["relation"] = Relation + shown,
                ["shown"] = shown,
                ["reader"] = reader,
                ["masks"] = SharedPlatform.RegionH,
            }.ToJsonString());
            Errors = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize<JsonElement>(line))
                .ToDictionary(line => line.GetProperty("name").GetString()!, line => line.GetProperty("error").GetString());
            FromCurl = await ForeignProgram.Run("curl", "", "--silent", "--show-error", "--cacert", In("ca.pem"), "--cert", In("client.pem"), "--key", In("client.key"),
                "--data", "grant_type=client_credentials&client_id=peer-ca", https + "/connect/token");
        }

        public ValueTask DisposeAsync()
        {
            Directory.Delete(_folder, recursive: true);
            return ValueTask.CompletedTask;
        }

        private string In(string name) => Path.Combine(_folder, name);

        private IEnumerable<string> Settings(string https)
        {
            yield return "--Listen:Https=" + https;
            yield return "--Listen:Certificate=" + In("server.pem");
            yield return "--Listen:Key=" + In("server.key");
            yield return "--Tokens:MtlsAddress=" + https;
            yield return "--Tokens:ClientCaFile=" + In("ca.pem");
            yield return "--Tokens:IdentityProviders:0:Issuer=https://login.example";
            yield return "--Tokens:IdentityProviders:0:Audience=https://sloring.example";
            yield return "--Tokens:IdentityProviders:0:Jwks=" + In("provider.jwks.json");
            yield return "--Tokens:Audiences:0:Id=" + Audience;
            yield return "--Tokens:Audiences:0:Key=" + In("audience.jwk.json");
            var at = 90;
            foreach (var (id, method, setting, value) in (List<(string, string, string, string)>)
            [
                ("peer-es", "private_key_jwt", "Jwks", In("es.jwks.json")), ("peer-ps", "private_key_jwt", "Jwks", In("ps.jwks.json")), ("peer-rs", "private_key_jwt", "Jwks", In("rs.jwks.json")),
                ("peer-ca", "tls_client_auth", "CertificateSubject", "CN=peer,O=Foreign,C=DK"), ("peer-own", "self_signed_tls_client_auth", "Jwks", In("own.jwks.json")),
            ])
            {
                yield return $"--Tokens:Clients:{at}:Id={id}";
                yield return $"--Tokens:Clients:{at}:Roles:0={(id == "peer-es" ? "citizen-view" : "data-source")}";
                yield return $"--Tokens:Clients:{at}:Authentication={method}";
                yield return $"--Tokens:Clients:{at}:{setting}={value}";
                if (id == "peer-es")
                    yield return $"--Tokens:Clients:{at}:Audiences:0={Audience}";
                at++;
            }
        }

        /// <summary>An authority with a server and clients, one client that signs for itself, and what must not be taken: another's name, another authority's word, another use, an old one.</summary>
        private async Task MakeCertificates()
        {
            await Make("ca", "/CN=Authority", null, "basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign");
            await Make("elsewhere", "/CN=Authority", null, "basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign");
            await Make("server", "/C=DK/O=Foreign/CN=peer", "ca", "subjectAltName=IP:127.0.0.1", "extendedKeyUsage=serverAuth");
            await Make("client", "/C=DK/O=Foreign/CN=peer", "ca", "extendedKeyUsage=clientAuth");
            await Make("other", "/C=DK/O=Foreign/CN=another", "ca", "extendedKeyUsage=clientAuth");
            await Make("foreign", "/C=DK/O=Foreign/CN=peer", "elsewhere", "extendedKeyUsage=clientAuth");
            await Make("old", "/C=DK/O=Foreign/CN=peer", "ca", "extendedKeyUsage=clientAuth", days: -1);
            await Make("own", "/CN=own", null, "extendedKeyUsage=clientAuth");
            var thumbprint = (await ForeignProgram.Run("openssl", "", "x509", "-in", In("own.pem"), "-noout", "-fingerprint", "-sha256")).Split('=')[1].Trim().Replace(":", "", StringComparison.Ordinal);
            var key = JsonNode.Parse(await File.ReadAllTextAsync(In("es.jwk.json")))!.AsObject();
            key["x5t#S256"] = System.Buffers.Text.Base64Url.EncodeToString(Convert.FromHexString(thumbprint));
            await File.WriteAllTextAsync(In("own.jwks.json"), new JsonObject { ["keys"] = new JsonArray(key) }.ToJsonString());
        }

        private async Task Make(string name, string subject, string? authority, string extension, string? second = null, int days = 30)
        {
            await ForeignProgram.Run("openssl", "", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", In(name + ".key"));
            await ForeignProgram.Run("openssl", "", "req", "-new", "-key", In(name + ".key"), "-subj", subject, "-out", In(name + ".csr"));
            await File.WriteAllTextAsync(In(name + ".ext"), extension + "\n" + second + "\n");
            string[] signer = authority is null ? ["-signkey", In(name + ".key")] : ["-CA", In(authority + ".pem"), "-CAkey", In(authority + ".key"), "-CAcreateserial"];
            await ForeignProgram.Run("openssl", "", ["x509", "-req", "-in", In(name + ".csr"), "-days", $"{days}", "-extfile", In(name + ".ext"), "-out", In(name + ".pem"), .. signer]);
        }
    }
}
