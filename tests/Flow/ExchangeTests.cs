using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Sloring.Contracts;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Flow;

/// <summary>Token exchange (RFC 8693): from a citizen's bootstrap token to what a data source needs to mask by itself. The provider is this test's own.</summary>
public sealed class ExchangeTests(ExchangeTests.Stage stage) : IClassFixture<ExchangeTests.Stage>
{
    private const string Exchange = "urn:ietf:params:oauth:grant-type:token-exchange";
    private const string Jwt = "urn:ietf:params:oauth:token-type:jwt";
    private const string CprClaim = "dk:gov:saml:attribute:CprNumberIdentifier";
    private const string ActsForClaim = "dk:healthcare:saml:attribute:OnBehalfOf";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact] // E8, E3, M1
    public async Task OwnData_TokenHoldsWhoMasks_TheUnits_TheSalt_AndWhoseDataIsShown()
    {
        var cpr = People.NextCpr();
        await stage.Flow.Activated(cpr);
        var (status, answer) = await stage.Ask(stage.Bootstrap(cpr));
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal((Jwt, "N_A", 120), ((string?)answer["issued_token_type"], (string?)answer["token_type"], (int)answer["expires_in"]!));
        var claims = Stage.Claims(answer);
        Assert.Equal((stage.Flow.Platform.HttpAddress, Stage.Open, cpr, "citizen-1"), ((string?)claims["iss"], (string?)claims["aud"], (string?)claims["cpr"], (string?)claims["sub"]));
        Assert.Equal(120, (long)claims["exp"]! - (long)claims["iat"]!);
        Assert.Equal([SharedPlatform.RegionH], claims["masking"]!["organisations"]!.AsArray().Select(organisation => (string?)organisation!["cvr"]));
        Assert.InRange((long)claims["masking"]!["organisations"]![0]!["ends_at"]!, stage.Flow.Now.AddDays(89).ToUnixTimeSeconds(), stage.Flow.Now.AddDays(91).ToUnixTimeSeconds());
        Assert.Null(claims["act"]);
        var salt = await stage.Flow.Get("kilde-hovedstaden", "/v1/salt");
        Assert.Equal(((int)salt["saltId"]!, (string?)salt["value"]), ((int)claims["masking"]!["salt"]!["id"]!, (string?)claims["masking"]!["salt"]!["value"]));
        // Who asked for it stands in the audit trail: the client, not the token service alone (O3).
        var read = (await stage.Flow.Journal("effectuation", cpr)).Last(entry => entry.ToJsonString().Contains("GetMaskingInstructions", StringComparison.Ordinal));
        Assert.Equal("tokens", (string?)read["actor"]);
        Assert.Contains("\"app\"", read.ToJsonString().Replace("\\u0022", "\"", StringComparison.Ordinal).Replace("\\\"", "\"", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Theory] // D1
    [InlineData("sorId", "SOR", "1000121000016005")]
    [InlineData("shak", "SHAK", "1399201")]
    public async Task MaskedUnit_StandsInEveryToken(string name, string classification, string id)
    {
        var unit = (string)(await stage.Flow.Must("hospitalsledelse", "/v1/units", new JsonObject
        {
            ["idempotencyKey"] = "unit-" + Guid.NewGuid().ToString("N")[..16],
            [name] = id,
            ["grounds"] = new JsonObject { ["reportedIncidents"] = 14, ["workplaceAssessment"] = "APV 2026-3", ["severity"] = "Slag.", ["whyNotIndividual"] = "Hyppighed." },
        }))["unit"]!["unitMaskingId"]!;
        await stage.Flow.Must("region", $"/v1/units/{unit}/review", new JsonObject { ["review"] = "REVIEW_RECOMMENDED" });
        await stage.Flow.Must("national", $"/v1/units/{unit}/confirmation", new JsonObject());
        await stage.Flow.CaughtUp();
        var (_, answer) = await stage.Ask(stage.Bootstrap(People.NextCpr()));
        Assert.Contains(Stage.Claims(answer)["masking"]!["units"]!.AsArray(), one => ((string?)one!["classification"], (string?)one["id"]) == (classification, id));
    }

    [Theory] // E4
    [InlineData("urn:dk:healthcare:saml:actThroughProcurationBy:cprNumberIdentifier:", "power-of-attorney")]
    [InlineData("urn:dk:healthcare:saml:actThrough:WardCustody:cprNumberIdentifier:", "ward-custody")]
    [InlineData("urn:dk:healthcare:saml:actThrough:PartlyWardCustody:cprNumberIdentifier:", "partly-ward-custody")]
    [InlineData("urn:dk:healthcare:saml:actThrough:ParentalCustody:cprNumberIdentifier:", "parental-custody")]
    public async Task OnBehalfOfAnother_MaskingFollowsThePersonShown(string urn, string relation)
    {
        var (reader, shown) = (People.NextCpr(), People.NextCpr());
        await stage.Flow.Activated(shown);
        var bootstrap = stage.Bootstrap(reader, claims => claims[ActsForClaim] = new JsonArray(urn + People.NextCpr(), urn + shown));
        var claims = Stage.Claims((await stage.Ask(bootstrap, ("on_behalf_of", urn + shown))).Body);
        Assert.Equal(shown, (string?)claims["cpr"]);
        Assert.Equal([SharedPlatform.RegionH], claims["masking"]!["organisations"]!.AsArray().Select(organisation => (string?)organisation!["cvr"]));
        Assert.Equal((reader, relation, urn + shown), ((string?)claims["act"]!["cpr"], (string?)claims["act"]!["relation"], (string?)claims["act"]!["relation_urn"]));
        // The reader's own data, with the same bootstrap token: nobody masks towards them.
        var own = Stage.Claims((await stage.Ask(bootstrap)).Body);
        Assert.Equal((reader, 0), ((string?)own["cpr"], own["masking"]!["organisations"]!.AsArray().Count));
    }

    [Fact] // E4
    public async Task RelationThatTheBootstrapTokenDoesNotAssert_IsRefused_WhateverTheRequestSays()
    {
        const string Custody = "urn:dk:healthcare:saml:actThrough:ParentalCustody:cprNumberIdentifier:";
        var (reader, child, stranger) = (People.NextCpr(), People.NextCpr(), People.NextCpr());
        var bootstrap = stage.Bootstrap(reader, claims => claims[ActsForClaim] = Custody + child);
        Assert.Equal(HttpStatusCode.OK, (await stage.Ask(bootstrap, ("on_behalf_of", Custody + child))).Status);
        foreach (var asked in (string[])
            [Custody + stranger, child, "urn:dk:healthcare:saml:actThroughProcurationBy:cprNumberIdentifier:" + child, Custody, Custody.ToUpperInvariant() + child, Custody + child + " "])
            IsRefused("SLR-614", "invalid_request", await stage.Ask(bootstrap, ("on_behalf_of", asked)));
        // What it asserts must name a person, in a form that is known.
        foreach (var asserted in (string[])[Custody + "3002901234", "urn:example:friend:" + child])
            IsRefused("SLR-614", "invalid_request", await stage.Ask(stage.Bootstrap(reader, claims => claims[ActsForClaim] = asserted), ("on_behalf_of", asserted)));
    }

    public static TheoryData<string, string> WrongBootstraps => new()
    {
        { "issuer unknown", "SLR-612" }, { "issuer missing", "SLR-612" }, { "audience another", "SLR-612" }, { "audience missing", "SLR-612" }, { "expired", "SLR-612" }, { "no end", "SLR-612" },
        { "lives too long", "SLR-612" }, { "not yet", "SLR-612" }, { "from the future", "SLR-612" }, { "another's key", "SLR-612" }, { "no algorithm", "SLR-612" }, { "an access token", "SLR-612" },
        { "not a token", "SLR-612" }, { "no CPR number", "SLR-613" }, { "an impossible CPR number", "SLR-613" }, { "two CPR numbers", "SLR-613" },
    };

    [Theory, MemberData(nameof(WrongBootstraps))]
    public async Task WrongBootstrapToken_IsRefused(string what, string code)
    {
        var now = stage.Flow.Now.ToUnixTimeSeconds();
        var cpr = People.NextCpr();
        var token = stage.Bootstrap(cpr, claims =>
        {
            var (name, value) = what switch
            {
                "issuer unknown" => ("iss", "https://elsewhere.example"),
                "issuer missing" => ("iss", (JsonNode?)null),
                "audience another" => ("aud", "https://elsewhere.example"),
                "audience missing" => ("aud", null),
                "expired" => ("exp", now - 1),
                "no end" => ("exp", null),
                "lives too long" => ("exp", now + 7_200),
                "not yet" => ("nbf", now + 120),
                "from the future" => ("iat", now + 120),
                "no CPR number" => (CprClaim, null),
                "an impossible CPR number" => (CprClaim, "3002901234"),
                "two CPR numbers" => (CprClaim, new JsonArray(cpr, cpr)),
                _ => ("x", (JsonNode?)"y"),
            };
            if (value is null)
                claims.Remove(name);
            else
                claims[name] = value;
        });
        token = what switch
        {
            "another's key" => stage.Bootstrap(cpr, key: stage.Stranger),
            "no algorithm" => JwtKey.Part("""{"alg":"none"}""") + "." + token.Split('.')[1] + ".",
            "an access token" => await stage.Flow.Platform.Client.Token("borgervisning", Cancel),
            "not a token" => "abc",
            _ => token,
        };
        IsRefused(code, "invalid_request", await stage.Ask(token));
    }

    [Fact]
    public async Task AudienceThatIsNotTheClients_IsRefused()
    {
        var bootstrap = stage.Bootstrap(People.NextCpr());
        foreach (var audience in (string[])["https://unknown.example", Stage.NotForApp, ""])
            IsRefused("SLR-611", "invalid_target", await stage.Ask(bootstrap, ("audience", audience)));
        IsRefused("SLR-611", "invalid_target", await stage.Ask(bootstrap, ("resource", "https://data.example")));
        IsRefused("SLR-603", "invalid_request", await stage.Ask(bootstrap, ("actor_token", bootstrap)));
        IsRefused("SLR-603", "invalid_request", await stage.Ask(bootstrap, ("subject_token_type", "urn:ietf:params:oauth:token-type:saml2")));
        IsRefused("SLR-603", "invalid_request", await stage.Ask(bootstrap, ("requested_token_type", "urn:ietf:params:oauth:token-type:saml2")));
        IsRefused("SLR-603", "invalid_request", await stage.Ask("", ("subject_token", "")));
        IsRefused("SLR-604", "invalid_scope", await stage.Ask(bootstrap, ("scope", "citizen-view")));
        IsRefused("SLR-610", "unauthorized_client", await stage.Ask(bootstrap, ("client_id", "borgervisning"), ("client_secret", stage.Secret("borgervisning"))));
    }

    [Fact]
    public async Task IdentityToken_IsNoAccessToken_AndEndsWithTheBootstrapToken()
    {
        var (_, answer) = await stage.Ask(stage.Bootstrap(People.NextCpr(), claims => claims["exp"] = stage.Flow.Now.ToUnixTimeSeconds() + 20));
        Assert.InRange((int)answer["expires_in"]!, 1, 20);
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, stage.Flow.Platform.HttpAddress + "/v1/salt");
        request.Headers.Authorization = new("Bearer", (string)answer["access_token"]!);
        using var refused = await http.SendAsync(request, Cancel);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
    }

    [Fact]
    public async Task AudienceWithAKey_GetsATokenThatNobodyElseCanRead()
    {
        var cpr = People.NextCpr();
        var (status, answer) = await stage.Ask(stage.Bootstrap(cpr), ("audience", Stage.Closed));
        Assert.Equal(HttpStatusCode.OK, status);
        var parts = ((string)answer["access_token"]!).Split('.');
        Assert.Equal(5, parts.Length);
        var header = JsonNode.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(parts[0]))!;
        Assert.Equal(("ECDH-ES", "A256GCM", "JWT"), ((string?)header["alg"], (string?)header["enc"], (string?)header["cty"]));
        Assert.DoesNotContain(cpr, answer.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ProviderThatChangesItsKeys_IsAskedForThem_AndItsOtherKeysArePassedOver()
    {
        using var next = JwtKey.New(id: "key-2");
        await using var remote = new Stage();
        var published = remote.Published();
        await using var provider = await KeyServer.Start(() => published);
        await remote.Start(_ => { }, provider.Address);
        Assert.Equal(HttpStatusCode.OK, (await remote.Ask(remote.Bootstrap(People.NextCpr()))).Status);
        IsRefused("SLR-612", "invalid_request", await remote.Ask(remote.Bootstrap(People.NextCpr(), key: next)));

        published = JwtKey.Set(next);
        await Eventually.True(async () => (await remote.Ask(remote.Bootstrap(People.NextCpr(), key: next))).Status == HttpStatusCode.OK, "the new key is known");
        IsRefused("SLR-612", "invalid_request", await remote.Ask(remote.Bootstrap(People.NextCpr())));

        // Keys that cannot be fetched are no reason to believe a token.
        published = null;
        await Eventually.True(async () => (string?)(await remote.Ask(remote.Bootstrap(People.NextCpr(), key: remote.Stranger))).Body["code"] == "SLR-615", "the provider cannot be asked");
        Assert.Equal(HttpStatusCode.OK, (await remote.Ask(remote.Bootstrap(People.NextCpr(), key: next))).Status);
    }

    [Fact]
    public async Task ProviderThatDoesNotAnswer_KeepsNoOtherWaiting_AndIsLeftAloneForAMoment()
    {
        using var key = JwtKey.New("RS256");
        await using var remote = new Stage();
        var asked = 0;
        await using var silent = await KeyServer.Start(async cancel =>
        {
            Interlocked.Increment(ref asked);
            await Task.Delay(Timeout.InfiniteTimeSpan, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return null;
        });
        await using var provider = await KeyServer.Start(() => JwtKey.Set(key));
        const string Silent = "https://silent.example";
        await remote.Start(
            _ => { }, provider.Address, $"--Tokens:IdentityProviders:1:Issuer={Silent}", "--Tokens:IdentityProviders:1:Audience=https://sloring.example", "--Tokens:IdentityProviders:1:Jwks=" + silent.Address);
        var waiting = remote.Ask(OfSilent());
        await Eventually.True(() => Task.FromResult(Volatile.Read(ref asked) == 1), "the silent one is asked");
        Assert.Equal(HttpStatusCode.OK, (await remote.Ask(remote.Bootstrap(People.NextCpr(), key: key))).Status);
        Assert.False(waiting.IsCompleted, "nobody waited for it");
        Assert.Equal("SLR-615", (string?)(await waiting).Body["code"]);
        Assert.Equal("SLR-615", (string?)(await remote.Ask(OfSilent())).Body["code"]);
        Assert.Equal(1, Volatile.Read(ref asked));

        string OfSilent() => remote.Bootstrap(People.NextCpr(), claims => claims["iss"] = Silent, remote.Stranger);
    }

    [Fact] // E7
    public async Task EffectuationThatHearsNothing_NoTokenIsIssued()
    {
        await using var wire = new Wire();
        await using var stale = new Stage();
        await stale.Start(services => services
            .PostConfigure<ServiceAddresses>(addresses =>
            {
                wire.Target = new Uri(addresses["registration"]).Port;
                addresses["registration"] = wire.Address;
            })
            .PostConfigure<Effectuation.EffectuationOptions>(options => options.StalenessBoundSeconds = 2));
        Assert.Equal(HttpStatusCode.OK, (await stale.Ask(stale.Bootstrap(People.NextCpr()))).Status);
        wire.Broken = "cut";
        await Eventually.True(async () => (string?)(await stale.Ask(stale.Bootstrap(People.NextCpr()))).Body["code"] == "SLR-615", "no token is issued");
        var (status, answer) = await stale.Ask(stale.Bootstrap(People.NextCpr()));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "temporarily_unavailable", null), (status, (string?)answer["error"], answer["access_token"]));
    }

    private static void IsRefused(string code, string error, (HttpStatusCode Status, JsonNode Body) answer)
    {
        Assert.Equal((HttpStatusCode.BadRequest, error, code), (answer.Status, (string?)answer.Body["error"], (string?)answer.Body["code"]));
        Assert.Equal((Rejections.All[code].Da, Rejections.All[code].En), ((string?)answer.Body["da"], (string?)answer.Body["error_description"]));
    }

    /// <summary>A platform that trusts one identity provider, with an app that may get tokens for two of three audiences.</summary>
    public sealed class Stage : IAsyncLifetime, IAsyncDisposable
    {
        public const string Open = "https://open.example/data";
        public const string Closed = "https://closed.example/data";
        public const string NotForApp = "https://other.example/data";
        public const string Issuer = "https://login.example";

        private readonly JwtKey _provider = JwtKey.New("RS256");
        private readonly HttpClient _http = new();

        public JwtKey Stranger { get; } = JwtKey.New("RS256");

        public SharedPlatform Flow { get; } = new();

        public ValueTask InitializeAsync() => Start(_ => { });

        /// <summary>The provider's keys as a provider publishes them: with one for something else, and none that names an algorithm.</summary>
        public string? Published()
        {
            var key = _provider.Public();
            key.Remove("alg");
            var keys = new JsonArray(key, new JsonObject { ["kty"] = "RSA", ["use"] = "enc", ["alg"] = "RSA-OAEP", ["n"] = "AQAB", ["e"] = "AQAB" }, new JsonObject { ["kty"] = "OKP", ["crv"] = "Ed25519", ["x"] = "AA", ["alg"] = "EdDSA" });
            return new JsonObject { ["keys"] = keys }.ToJsonString();
        }

        public async ValueTask Start(Action<IServiceCollection> replace, string? providerKeys = null, params string[] more)
        {
            using var closed = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
            var point = closed.ExportParameters(false).Q;
            var key = new JsonObject { ["kty"] = "EC", ["crv"] = "P-256", ["x"] = System.Buffers.Text.Base64Url.EncodeToString(point.X), ["y"] = System.Buffers.Text.Base64Url.EncodeToString(point.Y) };
            await Flow.Start(replace, [.. Settings(providerKeys ?? JwtKey.Set(_provider)), $"--Tokens:Audiences:1:Id={Closed}", "--Tokens:Audiences:1:Key=" + key.ToJsonString(), .. more]);
        }

        /// <summary>What makes a platform exchange tokens.</summary>
        public static string[] Settings(string providerKeys) =>
        [
            $"--Tokens:IdentityProviders:0:Issuer={Issuer}", "--Tokens:IdentityProviders:0:Audience=https://sloring.example", "--Tokens:IdentityProviders:0:Jwks=" + providerKeys,
            $"--Tokens:Audiences:0:Id={Open}", "--Tokens:Audiences:0:AllowUnencrypted=true", $"--Tokens:Audiences:2:Id={NotForApp}", "--Tokens:Audiences:2:AllowUnencrypted=true",
            "--Tokens:Clients:90:Id=app", "--Tokens:Clients:90:Name=App", "--Tokens:Clients:90:Roles:0=citizen-view", $"--Tokens:Clients:90:Audiences:0={Open}", $"--Tokens:Clients:90:Audiences:1={Closed}",
        ];

        public string Secret(string client) =>
            JsonSerializer.Deserialize<Dictionary<string, string>>(File.ReadAllText(Path.Combine(Flow.Platform.Folder, "secrets.json")))!["client/" + client];

        public string Bootstrap(string cpr, Action<JsonObject>? change = null, JwtKey? key = null)
        {
            var now = Flow.Now.ToUnixTimeSeconds();
            var claims = new JsonObject { ["iss"] = Issuer, ["aud"] = "https://sloring.example", ["sub"] = "citizen-1", ["iat"] = now, ["exp"] = now + 600, [CprClaim] = cpr };
            change?.Invoke(claims);
            return (key ?? _provider).Sign(claims);
        }

        /// <summary>Exchanges as the app, for the audience that takes plain tokens, unless <paramref name="fields"/> say otherwise.</summary>
        public async Task<(HttpStatusCode Status, JsonNode Body)> Ask(string bootstrap, params (string Name, string Value)[] fields)
        {
            var form = new Dictionary<string, string>
            {
                ["grant_type"] = Exchange,
                ["client_id"] = "app",
                ["client_secret"] = Secret("app"),
                ["subject_token"] = bootstrap,
                ["subject_token_type"] = Jwt,
                ["audience"] = Open,
            };
            foreach (var (name, value) in fields)
                form[name] = value;
            using var content = new FormUrlEncodedContent(form);
            using var answer = await _http.PostAsync(new Uri(Flow.Platform.HttpAddress + "/connect/token"), content, Cancel);
            Assert.True(answer.Headers.CacheControl!.NoStore);
            return (answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!);
        }

        public static JsonNode Claims(JsonNode answer) => JsonNode.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(((string)answer["access_token"]!).Split('.')[1]))!;

        public async ValueTask DisposeAsync()
        {
            await Flow.DisposeAsync();
            _http.Dispose();
            _provider.Dispose();
            Stranger.Dispose();
        }
    }

    /// <summary>A provider's key address.</summary>
    private sealed class KeyServer(WebApplication app, string address) : IAsyncDisposable
    {
        public string Address => address;

        public static Task<KeyServer> Start(Func<string?> keys) => Start(_ => Task.FromResult(keys()));

        public static async Task<KeyServer> Start(Func<CancellationToken, Task<string?>> keys)
        {
            var address = $"http://127.0.0.1:{Platform.FreePort()}";
            var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
            builder.WebHost.UseKestrelCore().UseUrls(address);
            var app = builder.Build();
            app.Run(async http =>
            {
                var text = await keys(http.RequestAborted);
                http.Response.StatusCode = text is null ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status200OK;
                await http.Response.WriteAsync(text ?? "");
            });
            await app.StartAsync(Cancel);
            return new KeyServer(app, address + "/keys");
        }

        public ValueTask DisposeAsync() => app.DisposeAsync();
    }
}
