using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Sloring.Contracts;
using Xunit;

namespace Sloring.Tests.Service.Tokens;

/// <summary>private_key_jwt (RFC 7523): what a client's own assertion must be, rule by rule; another client's or a forged one tells no more than that it is wrong.</summary>
public sealed class AssertionTests(AssertionTests.Host own) : IClassFixture<AssertionTests.Host>
{
    private const string Type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    private readonly TokenHost _host = own.Tokens;

    [Theory]
    [InlineData("by-es256"), InlineData("by-ps256"), InlineData("by-rs256")]
    public async Task OwnAssertion_GetsTheClientsToken(string client)
    {
        var (status, body) = await Ask(own.Keys[client].Sign(Claims(client)));
        Assert.Equal(HttpStatusCode.OK, status);
        var token = (string)body["access_token"]!;
        Assert.Contains($"\"client_id\":\"{client}\"", Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(token.Split('.')[1])), StringComparison.Ordinal);
    }

    [Fact]
    public async Task TokenEndpointAsAudience_AndNoKeyId_IsTaken()
    {
        var claims = Claims("by-es256");
        claims["aud"] = new JsonArray(_host.Address.OriginalString + "/connect/token");
        var (status, _) = await Ask(own.Keys["by-es256"].Sign(claims, new JsonObject { ["alg"] = "ES256" }));
        Assert.Equal(HttpStatusCode.OK, status);
    }

    [Fact]
    public async Task UsedAgain_IsRefused_ThoughByManyAtOnce()
    {
        var assertion = own.Keys["by-es256"].Sign(Claims("by-es256"));
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Ask(assertion)));
        Assert.Single(answers, answer => answer.Status == HttpStatusCode.OK);
        Assert.All(answers.Where(answer => answer.Status != HttpStatusCode.OK), answer => IsRefused(Rejections.AssertionUsed, answer));
        // The same jti in another assertion is the same; another client's is not.
        var claims = Claims("by-es256");
        claims["jti"] = "once";
        Assert.Equal(HttpStatusCode.OK, (await Ask(own.Keys["by-es256"].Sign(claims))).Status);
        claims["exp"] = Now() + 200;
        IsRefused(Rejections.AssertionUsed, await Ask(own.Keys["by-es256"].Sign(claims)));
        var others = Claims("by-ps256");
        others["jti"] = "once";
        Assert.Equal(HttpStatusCode.OK, (await Ask(own.Keys["by-ps256"].Sign(others))).Status);
    }

    [Fact]
    public async Task UsedJustBeforeARestart_IsRefusedAfterIt()
    {
        using var key = JwtKey.New();
        await using var first = new TokenHost();
        first.KeyClient(5, "by-es256", "data-source", JwtKey.Set(key));
        await first.InitializeAsync();
        var claims = Claims("by-es256");
        (claims["aud"], claims["iat"]) = (first.Address.OriginalString, first.Clock.GetUtcNow().ToUnixTimeSeconds());
        var assertion = key.Sign(claims);
        Assert.Equal(HttpStatusCode.OK, (await Ask(first, assertion)).Status);

        await using var again = new TokenHost();
        again.KeyClient(5, "by-es256", "data-source", JwtKey.Set(key));
        again.Set("Token:Issuer", first.Address.OriginalString);
        again.Clock.Move(TimeSpan.FromSeconds(2));
        await again.InitializeAsync();
        IsRefused(Rejections.AssertionNotNow, await Ask(again, assertion));
        (claims["jti"], claims["iat"]) = ("anew", again.Clock.GetUtcNow().ToUnixTimeSeconds());
        Assert.Equal(HttpStatusCode.OK, (await Ask(again, key.Sign(claims))).Status);
    }

    public static TheoryData<string, string> WrongClaims => new()
    {
        { "iss another", "SLR-605" }, { "iss missing", "SLR-605" }, { "jti missing", "SLR-605" }, { "jti empty", "SLR-605" }, { "jti long", "SLR-605" }, { "jti number", "SLR-601" },
        { "exp missing", "SLR-605" }, { "iat missing", "SLR-605" }, { "exp text", "SLR-601" },
        { "aud missing", "SLR-606" }, { "aud another", "SLR-606" }, { "aud ours and another", "SLR-606" }, { "aud the services'", "SLR-606" },
        { "expired", "SLR-607" }, { "lives too long", "SLR-607" }, { "not yet", "SLR-607" }, { "from the future", "SLR-607" }, { "older than the process", "SLR-607" },
    };

    [Theory, MemberData(nameof(WrongClaims))]
    public async Task WrongClaim_IsRefusedByItsNumber_AndUsesNothingUp(string what, string code)
    {
        var claims = Claims("by-es256");
        var id = (string)claims["jti"]!;
        (string Name, JsonNode? Value) wrong = what switch
        {
            "iss another" => ("iss", "by-ps256"),
            "jti empty" => ("jti", ""),
            "jti long" => ("jti", new string('j', 257)),
            "jti number" => ("jti", 7),
            "exp text" => ("exp", "tomorrow"),
            "aud another" => ("aud", "https://elsewhere.example"),
            "aud ours and another" => ("aud", new JsonArray(_host.Address.OriginalString, "https://elsewhere.example")),
            "aud the services'" => ("aud", "sloring"),
            "expired" => ("exp", Now() - 1),
            "lives too long" => ("exp", Now() + 320),
            "not yet" => ("nbf", Now() + 60),
            "from the future" => ("iat", Now() + 60),
            "older than the process" => ("iat", Now() - 3_600),
            _ => (what.Split(' ')[0], null),
        };
        if (wrong.Value is null)
            claims.Remove(wrong.Name);
        else
            claims[wrong.Name] = wrong.Value;
        var answer = await Ask(own.Keys["by-es256"].Sign(claims));
        Assert.Equal(code, (string?)answer.Body["code"]);
        IsRefused(Rejections.All[code], answer);
        var right = Claims("by-es256");
        right["jti"] = id;
        Assert.Equal(HttpStatusCode.OK, (await Ask(own.Keys["by-es256"].Sign(right))).Status);
    }

    public static TheoryData<string> Forgeries =>
    [
        "no algorithm", "HS256 with the public key", "another's key", "another's key under our key id", "unknown key id", "algorithm of another key", "changed claims",
        "critical header", "unencoded payload", "name twice", "no signature", "padded", "a list", "not JSON", "half a surrogate", "unknown client", "a client with a secret", "client_id of another",
    ];

    [Theory, MemberData(nameof(Forgeries))]
    public async Task Forgery_IsRefused_AndSaysNoMore(string what)
    {
        var (key, claims) = (own.Keys["by-es256"], Claims("by-es256"));
        var right = key.Sign(claims);
        var parts = right.Split('.');
        JsonObject Header(string alg, string? kid = "key-1") => kid is null ? new JsonObject { ["alg"] = alg } : new JsonObject { ["alg"] = alg, ["kid"] = kid };
        var assertion = what switch
        {
            "no algorithm" => JwtKey.Part("""{"alg":"none"}""") + "." + parts[1] + ".",
            "HS256 with the public key" => Hmac(Header("HS256").ToJsonString(), claims.ToJsonString(), Encoding.UTF8.GetBytes(key.Public().ToJsonString())),
            "another's key" => own.Keys["by-other"].Sign(claims),
            "another's key under our key id" => own.Keys["by-other"].Sign(claims, Header("ES256")),
            "unknown key id" => key.Sign(claims, Header("ES256", "key-9")),
            "algorithm of another key" => own.Keys["by-rs256"].Sign(Claims("by-ps256"), Header("RS256")),
            "changed claims" => parts[0] + "." + JwtKey.Part(claims.ToJsonString().Replace("by-es256", "by-es257", StringComparison.Ordinal)) + "." + parts[2],
            "critical header" => key.Sign(claims, new JsonObject { ["alg"] = "ES256", ["kid"] = "key-1", ["crit"] = new JsonArray("exp") }),
            "unencoded payload" => key.Sign(claims, new JsonObject { ["alg"] = "ES256", ["kid"] = "key-1", ["b64"] = false }),
            "name twice" => key.SignText(claims.ToJsonString().Replace("{", "{\"sub\":\"by-other\",", StringComparison.Ordinal), Header("ES256").ToJsonString()),
            "no signature" => parts[0] + "." + parts[1] + ".",
            "padded" => right + "=",
            "a list" => key.SignText("[1]", Header("ES256").ToJsonString()),
            "not JSON" => key.SignText("sub=by-es256", Header("ES256").ToJsonString()),
            "half a surrogate" => key.SignText(claims.ToJsonString().Replace("{", "{\"x\":\"\\ud800\",", StringComparison.Ordinal), Header("ES256").ToJsonString()),
            "unknown client" => key.Sign(Claims("nobody")),
            "a client with a secret" => key.Sign(Claims("epj-midt")),
            _ => right,
        };
        IsRefused(Rejections.ClientInvalid, await Ask(assertion, what == "client_id of another" ? "by-ps256" : null));
    }

    [Fact]
    public async Task ClientWithAKey_HasNoSecret_AndOtherWaysBesideAnAssertionAreRefused()
    {
        Assert.DoesNotContain(_host.Secrets().Keys, name => name.StartsWith("client/by-", StringComparison.Ordinal));
        var assertion = own.Keys["by-es256"].Sign(Claims("by-es256"));
        foreach (var fields in (List<(string, string)[]>)
        [
            [("client_assertion", assertion), ("client_assertion_type", Type), ("client_secret", "x")],
            [("client_assertion", assertion)],
            [("client_assertion_type", Type)],
            [("client_assertion", assertion), ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer")],
        ])
        {
            using var answer = await _host.Ask([("grant_type", "client_credentials"), .. fields]);
            Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
            Assert.Equal("SLR-603", (await TokenHost.Json(answer)).GetProperty("code").GetString());
        }
    }

    [Fact]
    public async Task Logs_HoldNoAssertionAndNotWhoFailed()
    {
        IsRefused(Rejections.ClientInvalid, await Ask(own.Keys["by-es256"].Sign(Claims("by-ps256"))));
        IsRefused(Rejections.AssertionClaimsInvalid, await Ask(own.Keys["by-ps256"].Sign(new JsonObject { ["sub"] = "by-ps256" })));
        Assert.Contains("/connect/token", _host.Logged, StringComparison.Ordinal);
        Assert.DoesNotContain("by-", _host.Logged, StringComparison.Ordinal);
    }

    private long Now() => _host.Clock.GetUtcNow().ToUnixTimeSeconds();

    private JsonObject Claims(string client) => new()
    {
        ["iss"] = client,
        ["sub"] = client,
        ["aud"] = _host.Address.OriginalString,
        ["jti"] = Guid.NewGuid().ToString("N"),
        ["iat"] = Now(),
        ["exp"] = Now() + 60,
    };

    private Task<(HttpStatusCode Status, JsonNode Body)> Ask(string assertion, string? clientId = null) => Ask(_host, assertion, clientId);

    private static async Task<(HttpStatusCode Status, JsonNode Body)> Ask(TokenHost host, string assertion, string? clientId = null)
    {
        (string, string)[] named = clientId is null ? [] : [("client_id", clientId)];
        using var answer = await host.Ask([("grant_type", "client_credentials"), ("client_assertion_type", Type), ("client_assertion", assertion), .. named]);
        return (answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!);
    }

    private static void IsRefused(Rejection rejection, (HttpStatusCode Status, JsonNode Body) answer)
    {
        Assert.Equal((HttpStatusCode.Unauthorized, "invalid_client", rejection.Code), (answer.Status, (string?)answer.Body["error"], (string?)answer.Body["code"]));
        Assert.Equal((rejection.Da, rejection.En), ((string?)answer.Body["da"], (string?)answer.Body["error_description"]));
    }

    private static string Hmac(string header, string claims, byte[] key)
    {
        var signed = JwtKey.Part(header) + "." + JwtKey.Part(claims);
        return signed + "." + System.Buffers.Text.Base64Url.EncodeToString(HMACSHA256.HashData(key, Encoding.ASCII.GetBytes(signed)));
    }

    /// <summary>A token service with a client per algorithm.</summary>
    public sealed class Host : IAsyncLifetime
    {
        public TokenHost Tokens { get; } = new();

        public Dictionary<string, JwtKey> Keys { get; } = new()
        {
            ["by-es256"] = JwtKey.New(),
            ["by-ps256"] = JwtKey.New("PS256"),
            ["by-rs256"] = JwtKey.New("RS256"),
            ["by-other"] = JwtKey.New(id: "key-2"),
        };

        public async ValueTask InitializeAsync()
        {
            foreach (var ((id, key), at) in Keys.Select((pair, at) => (pair, at)))
                Tokens.KeyClient(10 + at, id, "data-source", JwtKey.Set(key));
            await Tokens.InitializeAsync();
        }

        public async ValueTask DisposeAsync()
        {
            await Tokens.DisposeAsync();
            foreach (var key in Keys.Values)
                key.Dispose();
        }
    }
}
