using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Sloring.Contracts;
using Xunit;

namespace Sloring.Tests.Service.Tokens;

/// <summary>The token endpoint as a client meets it. Tokens are checked with System.Security.Cryptography alone, not with the library that makes them.</summary>
public sealed class IssueTokenTests(TokenHost host) : IClassFixture<TokenHost>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    // M2: the CVR travels in the token and nowhere else.
    [Fact]
    public async Task PersonaAsks_TokenNamesPersonCvrRolesAndUnit()
    {
        using var answer = await host.Ask(Credentials("leader-lis"));
        var body = await TokenHost.Json(answer);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("application/json", answer.Content.Headers.ContentType!.MediaType);
        Assert.True(answer.Headers.CacheControl!.NoStore);
        Assert.Equal("Bearer", body.GetProperty("token_type").GetString());
        Assert.Equal(300, body.GetProperty("expires_in").GetInt32());
        Assert.False(body.TryGetProperty("scope", out _));

        var (header, claims) = await Verify(body.GetProperty("access_token").GetString()!);
        Assert.Equal("at+jwt", header.GetProperty("typ").GetString());
        Assert.Equal("ES256", header.GetProperty("alg").GetString());
        Assert.Equal(host.Address.OriginalString, claims.GetProperty("iss").GetString());
        Assert.Equal("sloring", claims.GetProperty("aud").GetString());
        Assert.Equal("p-17", claims.GetProperty("sub").GetString());
        Assert.Equal("p-17", claims.GetProperty("person").GetString());
        Assert.Equal("leader-lis", claims.GetProperty("client_id").GetString());
        Assert.Equal(TokenHost.Cvr, claims.GetProperty("cvr").GetString());
        Assert.Equal(TokenHost.Unit, claims.GetProperty("unit").GetString());
        Assert.Equal(["leader", "health-worker"], claims.GetProperty("roles").EnumerateArray().Select(role => role.GetString()));
        Assert.Equal(300, claims.GetProperty("exp").GetInt64() - claims.GetProperty("iat").GetInt64());
        Assert.Equal(claims.GetProperty("iat").GetInt64(), claims.GetProperty("nbf").GetInt64());
        Assert.InRange(claims.GetProperty("iat").GetInt64() - host.Clock.GetUtcNow().ToUnixTimeSeconds(), -30, 0);
        Assert.False(claims.TryGetProperty("scope", out _));
    }

    [Fact]
    public async Task SystemAsks_OneRoleIsStillAnArrayAndTheSubjectIsTheClient()
    {
        var (_, claims) = await Verify(await host.Token("operator"));

        Assert.Equal("operator", claims.GetProperty("sub").GetString());
        Assert.Equal(JsonValueKind.Array, claims.GetProperty("roles").ValueKind);
        Assert.False(claims.TryGetProperty("cvr", out _));
        Assert.False(claims.TryGetProperty("person", out _));
        Assert.False(claims.TryGetProperty("unit", out _));
    }

    [Fact]
    public async Task AskedTwice_TokensDiffer()
    {
        var (_, first) = await Verify(await host.Token("epj-midt"));
        var (_, second) = await Verify(await host.Token("epj-midt"));

        Assert.NotEqual(first.GetProperty("jti").GetString(), second.GetProperty("jti").GetString());
    }

    [Fact]
    public async Task ManyAskAtOnce_EverySignatureIsRight()
    {
        var tokens = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => host.Token("epj-midt")));
        foreach (var token in tokens)
            await Verify(token);
    }

    [Fact]
    public async Task SecretInBasicHeader_TokenIsIssued()
    {
        using var answer = await host.Ask(Basic("epj-midt", host.Secret("epj-midt")), ("grant_type", "client_credentials"));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task SecretInBasicHeaderIsPercentEncoded_TokenIsIssued()
    {
        var encoded = Convert.ToBase64String(Encoding.UTF8.GetBytes("epj%2Dmidt:" + host.Secret("epj-midt").Replace("-", "%2D", StringComparison.Ordinal)));
        using var answer = await host.Ask(new AuthenticationHeaderValue("Basic", encoded), ("grant_type", "client_credentials"));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task ScopeOfOwnRole_TokenIsNarrowed()
    {
        using var answer = await host.Ask([.. Credentials("leader-lis"), ("scope", "health-worker")]);
        var body = await TokenHost.Json(answer);
        var (_, claims) = await Verify(body.GetProperty("access_token").GetString()!);

        Assert.Equal("health-worker", body.GetProperty("scope").GetString());
        Assert.Equal("health-worker", claims.GetProperty("scope").GetString());
        Assert.Equal("health-worker", Assert.Single(claims.GetProperty("roles").EnumerateArray()).GetString());
    }

    [Theory]
    [InlineData("national")]
    [InlineData("leader national")]
    [InlineData("leader  health-worker")]
    [InlineData(" ")]
    public async Task ScopeBeyondOwnRoles_IsRefused(string scope)
    {
        using var answer = await host.Ask([.. Credentials("leader-lis"), ("scope", scope)]);
        await AssertRefused(answer, HttpStatusCode.BadRequest, "invalid_scope", Rejections.ScopeInvalid);
    }

    [Fact]
    public async Task WrongSecretAndUnknownClient_AnswerAlike()
    {
        using var wrong = await host.Ask(("grant_type", "client_credentials"), ("client_id", "epj-midt"), ("client_secret", new string('x', 43)));
        using var unknown = await host.Ask(("grant_type", "client_credentials"), ("client_id", "nobody"), ("client_secret", new string('x', 43)));
        using var none = await host.Ask(("grant_type", "client_credentials"));
        using var other = await host.Ask(("grant_type", "client_credentials"), ("client_id", "operator"), ("client_secret", host.Secret("epj-midt")));

        foreach (var answer in new[] { wrong, unknown, none, other })
            await AssertRefused(answer, HttpStatusCode.Unauthorized, "invalid_client", Rejections.ClientInvalid);
        Assert.Equal(await wrong.Content.ReadAsStringAsync(Cancel), await unknown.Content.ReadAsStringAsync(Cancel));
    }

    [Theory]
    [InlineData("Basic", "not base64")]
    [InlineData("Basic", "bm9jb2xvbg==")]
    [InlineData("Basic", "/////w==")]
    [InlineData("Basic", null)]
    [InlineData("Bearer", "abc")]
    public async Task UnreadableAuthorization_IsAnInvalidClient(string scheme, string? parameter)
    {
        using var answer = await host.Ask(new AuthenticationHeaderValue(scheme, parameter), ("grant_type", "client_credentials"));
        await AssertRefused(answer, HttpStatusCode.Unauthorized, "invalid_client", Rejections.ClientInvalid);
    }

    [Fact]
    public async Task TwoWaysOfAuthenticating_AreRefused()
    {
        using var answer = await host.Ask(Basic("epj-midt", host.Secret("epj-midt")), Credentials("epj-midt"));
        await AssertRefused(answer, HttpStatusCode.BadRequest, "invalid_request", Rejections.TokenRequestInvalid);
    }

    [Theory]
    [InlineData("password")]
    [InlineData("refresh_token")]
    [InlineData("CLIENT_CREDENTIALS")]
    public async Task OtherGrant_IsUnsupported(string grant)
    {
        using var answer = await host.Ask([.. Credentials("epj-midt").Skip(1), ("grant_type", grant)]);
        await AssertRefused(answer, HttpStatusCode.BadRequest, "unsupported_grant_type", Rejections.GrantUnsupported);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task GrantMissingOrTwice_IsAnInvalidRequest(bool twice)
    {
        (string, string)[] grants = twice ? [("grant_type", "client_credentials"), ("grant_type", "client_credentials")] : [];
        using var answer = await host.Ask([.. Credentials("epj-midt").Skip(1), .. grants]);
        await AssertRefused(answer, HttpStatusCode.BadRequest, "invalid_request", Rejections.TokenRequestInvalid);
    }

    [Theory]
    [InlineData("application/json", """{"grant_type":"client_credentials"}""")]
    [InlineData("text/plain", "grant_type=client_credentials")]
    [InlineData("multipart/form-data; boundary=x", "--x--")]
    [InlineData(null, "grant_type=client_credentials")]
    [InlineData("application/x-www-form-urlencoded", "&&&===%%%")]
    public async Task BodyOfAnotherKind_IsRefused(string? contentType, string body)
    {
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        content.Headers.Remove("Content-Type");
        if (contentType is not null)
            content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        using var answer = await host.Http.PostAsync("/connect/token", content, Cancel);

        Assert.InRange((int)answer.StatusCode, 400, 401);
        Assert.Contains((await TokenHost.Json(answer)).GetProperty("error").GetString(), (string[])["invalid_request", "invalid_client"]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task OverLongBody_IsRefused(bool chunked)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/connect/token");
        request.Content = new FormUrlEncodedContent([.. Credentials("epj-midt").Select(f => KeyValuePair.Create(f.Item1, f.Item2)), KeyValuePair.Create("x", new string('x', 40_000))]);
        request.Headers.TransferEncodingChunked = chunked;
        using var answer = await host.Http.SendAsync(request, Cancel);
        await AssertRefused(answer, HttpStatusCode.RequestEntityTooLarge, "invalid_request", Rejections.TooLarge);
    }

    [Fact]
    public async Task ManyFields_AreRefused()
    {
        using var answer = await host.Ask([.. Enumerable.Range(0, 1_500).Select(i => ("f" + i, "")), .. Credentials("epj-midt")]);
        await AssertRefused(answer, HttpStatusCode.BadRequest, "invalid_request", Rejections.TokenRequestInvalid);
    }

    [Fact]
    public async Task UnknownFields_ArePassedOver()
    {
        using var answer = await host.Ask([.. Credentials("epj-midt"), ("resource", "x")]);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task OtherMethod_IsNotAllowed()
    {
        using var answer = await host.Http.GetAsync("/connect/token?grant_type=client_credentials", Cancel);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, answer.StatusCode);
        Assert.Equal("POST", Assert.Single(answer.Content.Headers.Allow));
    }

    [Theory]
    [InlineData("/.well-known/openid-configuration")]
    [InlineData("/.well-known/oauth-authorization-server")]
    public async Task Discovery_LeadsToTokenEndpointAndKeys(string path)
    {
        var document = JsonSerializer.Deserialize<JsonElement>(await host.Http.GetStringAsync(path, Cancel));

        Assert.Equal(host.Address.OriginalString, document.GetProperty("issuer").GetString());
        Assert.Equal(host.Address.OriginalString + "/connect/token", document.GetProperty("token_endpoint").GetString());
        var keys = await host.Http.GetStringAsync(document.GetProperty("jwks_uri").GetString(), Cancel);
        Assert.DoesNotContain("\"d\"", keys, StringComparison.Ordinal);
    }

    // Hosting checks the token against the discovery document, as every service does.
    [Fact]
    public async Task IssuedToken_OpensItsOwnOperationsOnlyAndOnlyForItsLifetime()
    {
        await using var own = new TokenHost();
        await own.InitializeAsync();
        var (source, epj) = (await own.Token("source"), await own.Token("epj-midt"));

        Assert.Equal(HttpStatusCode.OK, await Salt(own, source));
        Assert.Equal(HttpStatusCode.Forbidden, await Salt(own, epj));
        Assert.Equal(HttpStatusCode.Unauthorized, await Salt(own, null));
        Assert.Equal(HttpStatusCode.Unauthorized, await Salt(own, await host.Token("source")));
        own.Clock.Move(TimeSpan.FromSeconds(330));
        Assert.Equal(HttpStatusCode.Unauthorized, await Salt(own, source));
        Assert.Equal(HttpStatusCode.OK, await Salt(own, await own.Token("source")));
    }

    [Fact]
    public async Task WhateverIsAsked_LogsHoldNoTokenAndNoSecret()
    {
        var token = await host.Token("leader-lis");
        using var wrong = await host.Ask(("grant_type", "client_credentials"), ("client_id", "my-secret-in-the-wrong-field"), ("client_secret", "another-secret-text"));
        await Salt(host, token);

        var log = host.Logged;
        Assert.Contains("/connect/token", log, StringComparison.Ordinal);
        foreach (var part in token.Split('.'))
            Assert.DoesNotContain(part, log, StringComparison.Ordinal);
        foreach (var secret in host.Secrets().Values.Append("my-secret-in-the-wrong-field").Append("another-secret-text"))
            Assert.DoesNotContain(secret, log, StringComparison.Ordinal);
    }

    private (string, string)[] Credentials(string client) => [("grant_type", "client_credentials"), ("client_id", client), ("client_secret", host.Secret(client))];

    private static AuthenticationHeaderValue Basic(string id, string secret) =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{id}:{secret}")));

    private static async Task<HttpStatusCode> Salt(TokenHost of, string? token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/salt");
        request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        using var answer = await of.Http.SendAsync(request, Cancel);
        return answer.StatusCode;
    }

    private static async Task AssertRefused(HttpResponseMessage answer, HttpStatusCode status, string error, Rejection rejection)
    {
        Assert.Equal(status, answer.StatusCode);
        Assert.True(answer.Headers.CacheControl!.NoStore);
        Assert.Equal(status == HttpStatusCode.Unauthorized, answer.Headers.WwwAuthenticate.Any(way => way.Scheme == "Basic"));
        var body = await TokenHost.Json(answer);
        Assert.Equal(error, body.GetProperty("error").GetString());
        Assert.Equal(rejection.En, body.GetProperty("error_description").GetString());
        Assert.Equal(rejection.Code, body.GetProperty("code").GetString());
        Assert.Equal(rejection.Da, body.GetProperty("da").GetString());
    }

    private async Task<(JsonElement Header, JsonElement Claims)> Verify(string token)
    {
        var keys = JsonSerializer.Deserialize<JsonElement>(await host.Http.GetStringAsync("/.well-known/jwks.json", Cancel));
        var key = Assert.Single(keys.GetProperty("keys").EnumerateArray());
        var (x, y) = (key.GetProperty("x").GetString()!, key.GetProperty("y").GetString()!);
        var thumbprint = SHA256.HashData(Encoding.ASCII.GetBytes("{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"" + x + "\",\"y\":\"" + y + "\"}"));
        Assert.Equal(Convert.ToHexString(thumbprint), Convert.ToHexString(FromBase64Url(key.GetProperty("kid").GetString()!)));

        var parts = token.Split('.');
        Assert.Equal(3, parts.Length);
        using var ecdsa = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = FromBase64Url(x), Y = FromBase64Url(y) } });
        Assert.True(ecdsa.VerifyData(
            Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), FromBase64Url(parts[2]), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation));
        var header = JsonSerializer.Deserialize<JsonElement>(FromBase64Url(parts[0]));
        Assert.Equal(key.GetProperty("kid").GetString(), header.GetProperty("kid").GetString());
        return (header, JsonSerializer.Deserialize<JsonElement>(FromBase64Url(parts[1])));
    }

    private static byte[] FromBase64Url(string text) =>
        Convert.FromBase64String(text.Replace('-', '+').Replace('_', '/').PadRight((text.Length + 3) / 4 * 4, '='));
}
