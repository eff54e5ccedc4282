using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Sloring.Tokens;
using Xunit;

namespace Sloring.Tests.Service.Tokens;

/// <summary>What operators do to the token service while everybody calls: keys are changed without one refused call, and a revoked client is out within seconds.</summary>
public sealed class RevocationAndKeysTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task KeyIsChanged_UnderLoad_NoCallIsRefused()
    {
        await using var host = await Start(leadSeconds: 3);
        var before = await Keys(host);
        Assert.Equal(["current"], before.Select(key => key.State));
        var old = await host.Token("source");

        var signers = new ConcurrentDictionary<string, bool>();
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var load = Enumerable.Range(0, 4).Select(worker => Task.Run(async () =>
        {
            var calls = 0;
            while (!enough.IsCancellationRequested)
            {
                var token = await host.Token("source");
                signers.TryAdd(KeyOf(token), true);
                // What was fetched before the change is as good as what comes after it.
                foreach (var one in (string[])[token, old])
                {
                    Assert.Equal(HttpStatusCode.OK, (await Salt(host, one)).Status);
                    calls++;
                }
            }
            return calls;
        }, Cancel)).ToList();

        var (status, answer) = await Operator(host, HttpMethod.Post, "/v1/signing-keys/rotation");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(["current", "next"], States(answer));
        // One change at a time: a second would leave the first no time to be heard of.
        Assert.Equal("SLR-619", (string?)(await Operator(host, HttpMethod.Post, "/v1/signing-keys/rotation")).Body["code"]);
        await Eventually.True(async () => (await Keys(host)).Select(key => key.State).SequenceEqual(["previous", "current"]), "the next key signs");
        var after = await host.Token("source");
        Assert.NotEqual(KeyOf(old), KeyOf(after));
        await Eventually.True(() => Task.FromResult(signers.Count == 2 || load.Any(worker => worker.IsCompleted)), "the load has tokens of both keys");
        await enough.CancelAsync();
        Assert.All(await Task.WhenAll(load), calls => Assert.True(calls > 0, "every worker has called"));

        // Long enough for the last token of the old key: it is listed no more, and what it signs is not believed.
        host.Clock.Move(TimeSpan.FromSeconds(400));
        Assert.Equal([KeyOf(after)], (await Keys(host)).Select(key => key.Id));
        Assert.Equal(HttpStatusCode.OK, (await Salt(host, await host.Token("source"))).Status);
    }

    [Fact]
    public async Task ChangedKey_OutlivesARestart_AndLiesSealed()
    {
        await using var host = await Start(leadSeconds: 1);
        await Operator(host, HttpMethod.Post, "/v1/signing-keys/rotation");
        await Eventually.True(async () => (await Keys(host)).Select(key => key.State).SequenceEqual(["previous", "current"]), "the next key signs");
        var token = await host.Token("source");

        await using var again = await Start(leadSeconds: 1, host);
        Assert.Equal(KeyOf(token), KeyOf(await again.Token("source")));
        var file = Path.Combine(host.Folder, "tokens.json");
        Assert.DoesNotContain("PRIVATE", await File.ReadAllTextAsync(file, Cancel), StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
    }

    [Fact]
    public async Task SealingKeyIsChanged_RememberedKeysAreSealedAnewAtTheStart_AndTheOldOneCanGo()
    {
        await using var host = await Start(leadSeconds: 1);
        await Operator(host, HttpMethod.Post, "/v1/signing-keys/rotation");
        await Eventually.True(async () => (await Keys(host)).Select(key => key.State).SequenceEqual(["previous", "current"]), "the next key signs");
        var (token, file) = (await host.Token("source"), Path.Combine(host.Folder, "tokens.json"));
        Assert.Contains("\"s1.1.", await File.ReadAllTextAsync(file, Cancel), StringComparison.Ordinal);

        Secrets(host, secrets => secrets["sealing-key-current"] = "2");
        await using var second = await Start(leadSeconds: 1, host);
        await Eventually.True(async () => await File.ReadAllTextAsync(file, Cancel) is var text && !text.Contains("s1.1.", StringComparison.Ordinal) && text.Contains("\"s1.2.", StringComparison.Ordinal), "the key is sealed anew");
        Assert.Equal(KeyOf(token), KeyOf(await second.Token("source")));

        Secrets(host, secrets => secrets.Remove("sealing-key-1"));
        await using var without = await Start(leadSeconds: 1, host);
        Assert.Equal(KeyOf(token), KeyOf(await without.Token("source")));
    }

    private static void Secrets(TokenHost host, Action<Dictionary<string, string>> change)
    {
        var secrets = host.Secrets();
        change(secrets);
        File.WriteAllText(host.SecretsFile, JsonSerializer.Serialize(secrets));
    }

    [Fact]
    public async Task KeyIsChanged_OnSchedule()
    {
        await using var host = await Start(leadSeconds: 1, settings: ("Tokens:RotateKeysAfterDays", "30"));
        await Eventually.True(() => Task.FromResult(File.Exists(Path.Combine(host.Folder, "tokens.json"))), "the age of the first key is known");
        var first = Assert.Single(await Keys(host)).Id;
        host.Clock.Move(TimeSpan.FromDays(31));
        // The schedule is looked at when a process starts, and every ten minutes; this clock moves no timer.
        await using var again = await Start(leadSeconds: 1, host, ("Tokens:RotateKeysAfterDays", "30"));
        await Eventually.True(async () => (await Keys(again)).Any(key => key.Id != first), "another key is listed");
    }

    [Fact]
    public async Task RevokedClient_GetsNoTokenAtOnce_AndItsTokensAreRefusedSoon()
    {
        await using var host = await Start();
        var (source, epj) = (await host.Token("source"), await host.Token("epj-midt"));
        Assert.Equal(HttpStatusCode.OK, (await Salt(host, source)).Status);

        var (status, answer) = await Operator(host, HttpMethod.Post, "/v1/clients/source/revocation");
        Assert.Equal((HttpStatusCode.OK, true), (status, (bool)answer["revoked"]!));
        using (var refused = await host.Ask(("grant_type", "client_credentials"), ("client_id", "source"), ("client_secret", host.Secret("source"))))
        {
            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
            var body = await TokenHost.Json(refused);
            Assert.Equal(("unauthorized_client", "SLR-609"), (body.GetProperty("error").GetString(), body.GetProperty("code").GetString()));
        }
        await Eventually.True(async () => (await Salt(host, source)).Code == "SLR-932", "the token is refused", TimeSpan.FromSeconds(10));
        // Nobody else is.
        Assert.Equal("SLR-902", (await Salt(host, epj)).Code);
        // The list is public, and names nobody.
        var list = await host.Http.GetStringAsync("/.well-known/revoked-clients.json", Cancel);
        Assert.DoesNotContain("source", list, StringComparison.Ordinal);
        Assert.Single(JsonNode.Parse(list)!["revoked"]!.AsArray());

        // Restored, it gets new tokens; a token from before stays what it was, stolen perhaps.
        (_, answer) = await Operator(host, HttpMethod.Post, "/v1/clients/source/restoration");
        Assert.False((bool?)answer["revoked"] ?? false);
        host.Clock.Move(TimeSpan.FromSeconds(1));
        await TakenAgain(host, await host.Token("source"));
        Assert.Equal("SLR-932", (await Salt(host, source)).Code);

        // The revocation outlives a restart.
        await Operator(host, HttpMethod.Post, "/v1/clients/source/revocation");
        await using var again = await Start(leadSeconds: 60, host);
        using var still = await again.Ask(("grant_type", "client_credentials"), ("client_id", "source"), ("client_secret", again.Secret("source")));
        Assert.Equal("SLR-609", (await TokenHost.Json(still)).GetProperty("code").GetString());
    }

    [Fact]
    public async Task TokenIssuedWhileTheRevocationWasWritten_OrByAClockThatIsAhead_IsRefusedToo_AndAfterARestoration()
    {
        await using var host = await Start();
        var (_, answer) = await Operator(host, HttpMethod.Post, "/v1/clients/source/revocation");
        Assert.StartsWith("9999-12-31T23:59:59", (string?)answer["refusedUpTo"], StringComparison.Ordinal);
        // As a replica makes it that has not seen the revocation yet, and whose clock is ahead of the one that wrote it.
        host.Clock.Move(TimeSpan.FromSeconds(2));
        var late = host.Services.GetRequiredService<TokenSigner>().SignAccess("source", new Dictionary<string, object> { ["client_id"] = "source", ["roles"] = new[] { "data-source" }, ["cvr"] = TokenHost.Cvr });
        await Eventually.True(async () => (await Salt(host, late)).Code == "SLR-932", "the token is refused", TimeSpan.FromSeconds(10));

        var restored = host.Clock.GetUtcNow();
        (_, answer) = await Operator(host, HttpMethod.Post, "/v1/clients/source/restoration");
        Assert.InRange(DateTimeOffset.Parse((string)answer["refusedUpTo"]!, CultureInfo.InvariantCulture), restored, host.Clock.GetUtcNow());
        host.Clock.Move(TimeSpan.FromSeconds(1));
        await TakenAgain(host, await host.Token("source"));
        Assert.Equal("SLR-932", (await Salt(host, late)).Code);
    }

    [Theory]
    [InlineData("cut")]
    [InlineData("silent")]
    public async Task TokenServiceThatIsAway_LeavesEverybodyInWhoHasAToken_WhateverOthersSend(string fault)
    {
        await using var wire = new Wire();
        await using var host = new TokenHost();
        wire.Target = host.Address.Port;
        // Keys and revocations are read over the wire; tokens are not.
        host.Set("Token:Address", wire.Address);
        host.Set("Token:RefreshSeconds", "1");
        host.Set("Token:Issuer", wire.Address);
        await host.InitializeAsync();
        var source = await host.Token("source");
        Assert.Equal(HttpStatusCode.OK, (await Salt(host, source)).Status);

        wire.Broken = fault;
        var parts = source.Split('.');
        var unknownKey = JwtKey.Part(JsonSerializer.Serialize(new { alg = "ES256", typ = "at+jwt", kid = new string('k', 43) })) + "." + parts[1] + "." + parts[2];
        var waiting = Enumerable.Range(0, 8).Select(_ => Salt(host, unknownKey)).ToList();
        // Longer than between two fetches, and for a silent one less than its limit.
        var began = Stopwatch.StartNew();
        await Eventually.True(async () =>
        {
            Assert.Equal(HttpStatusCode.OK, (await Salt(host, source).WaitAsync(TimeSpan.FromSeconds(5), Cancel)).Status);
            return began.Elapsed > TimeSpan.FromSeconds(3);
        }, "all calls are answered for three seconds");
        Assert.All(await Task.WhenAll(waiting), answer => Assert.Equal("SLR-901", answer.Code));
        Assert.Equal(HttpStatusCode.OK, (await Salt(host, source)).Status);
    }

    [Fact]
    public async Task OnlyOperatorsMay_AndOnlyWhatIsThere()
    {
        await using var host = await Start();
        foreach (var path in (string[])["/v1/clients/source/revocation", "/v1/clients/source/restoration", "/v1/signing-keys/rotation"])
            Assert.Equal("SLR-902", (string?)(await Send(host, await host.Token("leader-lis"), HttpMethod.Post, path)).Body["code"]);
        Assert.Equal("SLR-618", (string?)(await Operator(host, HttpMethod.Post, "/v1/clients/nobody/revocation")).Body["code"]);
        await using var forgetful = new TokenHost();
        await forgetful.InitializeAsync();
        foreach (var path in (string[])["/v1/clients/source/revocation", "/v1/signing-keys/rotation"])
            Assert.Equal("SLR-617", (string?)(await Operator(forgetful, HttpMethod.Post, path)).Body["code"]);
    }

    [Fact]
    public async Task DamagedState_StopsTheStart()
    {
        await using var host = new TokenHost();
        host.Set("Tokens:StateFile", Path.Combine(host.Folder, "tokens.json"));
        await File.WriteAllTextAsync(Path.Combine(host.Folder, "tokens.json"), "{\"keys\":", Cancel);
        var error = await Assert.ThrowsAsync<InvalidOperationException>(async () => await host.InitializeAsync());
        Assert.Contains("Tokens:StateFile", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Services hear of a restoration when they fetch the list again.</summary>
    private static Task TakenAgain(TokenHost host, string token) =>
        Eventually.True(async () => (await Salt(host, token)).Status == HttpStatusCode.OK, "the new token is taken", TimeSpan.FromSeconds(10));

    [Fact]
    public async Task WhatAnotherReplicaWrites_IsReadWithinSeconds_ThoughTheFileLooksUnchanged()
    {
        await using var host = await Start();
        await Operator(host, HttpMethod.Post, "/v1/clients/source/revocation");
        Assert.Null(await TokenOrNull(host, "source"));
        // As on a network file system, which answers from memory how large a file is and when it was written.
        var (file, other) = (Path.Combine(host.Folder, "tokens.json"), Path.Combine(host.Folder, "other.json"));
        var written = File.GetLastWriteTimeUtc(file);
        await File.WriteAllTextAsync(other, (await File.ReadAllTextAsync(file, Cancel)).Replace("\"source\"", "\"nobody\"", StringComparison.Ordinal), Cancel);
        File.SetLastWriteTimeUtc(other, written);
        File.Move(other, file, overwrite: true);
        await Eventually.True(async () => await TokenOrNull(host, "source") is not null, "the client gets tokens again", TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task StateThatIsGone_IsNotNobodyRevoked_NobodyGetsATokenAndItIsNotReady()
    {
        await using var host = await Start();
        await Operator(host, HttpMethod.Post, "/v1/clients/source/revocation");
        Assert.Equal(HttpStatusCode.OK, await Ready(host));
        var (file, away) = (Path.Combine(host.Folder, "tokens.json"), Path.Combine(host.Folder, "away.json"));
        File.Move(file, away);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, null, null), (await Ready(host), await TokenOrNull(host, "source"), await TokenOrNull(host, "epj-midt")));
        using (var list = await host.Http.GetAsync("/.well-known/revoked-clients.json", Cancel))
            Assert.Equal(HttpStatusCode.InternalServerError, list.StatusCode);

        File.Move(away, file);
        Assert.Equal(HttpStatusCode.OK, await Ready(host));
        Assert.Null(await TokenOrNull(host, "source"));
        Assert.NotNull(await TokenOrNull(host, "epj-midt"));
    }

    private static async Task<HttpStatusCode> Ready(TokenHost host)
    {
        using var answer = await host.Http.GetAsync("/health/ready", Cancel);
        return answer.StatusCode;
    }

    private static async Task<string?> TokenOrNull(TokenHost host, string client)
    {
        using var answer = await host.Ask(("grant_type", "client_credentials"), ("client_id", client), ("client_secret", host.Secret(client)));
        return (await TokenHost.Json(answer)).TryGetProperty("access_token", out var token) ? token.GetString() : null;
    }

    private static async Task<TokenHost> Start(int leadSeconds = 60, TokenHost? before = null, params (string Setting, string Value)[] settings)
    {
        var host = new TokenHost();
        host.Set("Tokens:StateFile", Path.Combine(before?.StateFolder ?? host.Folder, "tokens.json"));
        host.StateFolder = before?.StateFolder ?? host.Folder;
        host.Set("Tokens:KeyLeadSeconds", $"{leadSeconds}");
        host.Set("Token:RefreshSeconds", "1");
        foreach (var (setting, value) in settings)
            host.Set(setting, value);
        if (before is not null)
        {
            host.SecretsFile = before.SecretsFile;
            host.Clock.Move(before.Clock.GetUtcNow() - TimeProvider.System.GetUtcNow());
        }
        await host.InitializeAsync();
        return host;
    }

    private static async Task<(HttpStatusCode Status, JsonNode Body)> Operator(TokenHost host, HttpMethod method, string path) => await Send(host, await host.Token("operator"), method, path);

    private static async Task<(HttpStatusCode Status, JsonNode Body)> Send(TokenHost host, string token, HttpMethod method, string path)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var answer = await host.Http.SendAsync(request, Cancel);
        return (answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!);
    }

    private static async Task<(HttpStatusCode Status, string? Code)> Salt(TokenHost host, string token)
    {
        var (status, body) = await Send(host, token, HttpMethod.Get, "/v1/salt");
        return (status, (string?)body["code"]);
    }

    private static async Task<List<(string Id, string State)>> Keys(TokenHost host)
    {
        var (_, answer) = await Operator(host, HttpMethod.Get, "/v1/signing-keys");
        var listed = answer["keys"]!.AsArray().Select(key => ((string)key!["keyId"]!, (string)key["state"]!)).ToList();
        var published = JsonSerializer.Deserialize<JsonElement>(await host.Http.GetStringAsync("/.well-known/jwks.json", Cancel)).GetProperty("keys").EnumerateArray();
        Assert.Equal(listed.Select(key => key.Item1), published.Select(key => key.GetProperty("kid").GetString()));
        return listed;
    }

    private static IEnumerable<string?> States(JsonNode answer) => answer["keys"]!.AsArray().Select(key => (string?)key!["state"]);

    private static string KeyOf(string token) =>
        JsonSerializer.Deserialize<JsonElement>(System.Buffers.Text.Base64Url.DecodeFromChars(token.Split('.')[0])).GetProperty("kid").GetString()!;
}
