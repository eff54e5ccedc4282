using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Xunit;

namespace Sloring.Tests.Flow;

/// <summary>
/// The token endpoint and the token checks of the services against random and mutated input: whatever comes, an answer comes, it is no 5xx, and nobody is let in who
/// has not shown who they are.
/// </summary>
[Trait("kind", "fuzz")]
public sealed class TokenFuzzTests(ITestOutputHelper output)
{
    private const int Workers = 8;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private static readonly string[] Fields =
    [
        "grant_type", "client_id", "client_secret", "scope", "client_assertion", "client_assertion_type", "subject_token", "subject_token_type", "requested_token_type", "audience", "on_behalf_of",
        "actor_token", "resource",
    ];

    [Fact]
    public async Task WhateverComes_IsAnswered_AndNeverByAnErrorOfOurs()
    {
        Assert.SkipWhen(TestDatabase.IsPostgres, "The database has no part in it: run once, on SQLite.");
        var fuzzing = Fuzzing.Begin(output.WriteLine);
        using var provider = JwtKey.New();
        using var client = JwtKey.New();
        await using var flow = new SharedPlatform();
        await flow.Start(_ => { },
        [
            .. ExchangeTests.Stage.Settings(JwtKey.Set(provider)), "--Tokens:Clients:91:Id=keyed", "--Tokens:Clients:91:Name=Keyed", "--Tokens:Clients:91:Roles:0=citizen-view", $"--Tokens:Clients:91:Audiences:0={ExchangeTests.Stage.Open}",
            "--Tokens:Clients:91:Authentication=private_key_jwt", "--Tokens:Clients:91:Jwks=" + JwtKey.Set(client), $"--Tokens:Audiences:1:Id={ExchangeTests.Stage.Closed}", "--Tokens:Audiences:1:AllowUnencrypted=true",
            "--Limits:AddressRequestsPerSecond=1000000", "--Limits:AddressBurst=1000000",
        ]);
        var secret = JsonSerializer.Deserialize<Dictionary<string, string>>(await File.ReadAllTextAsync(Path.Combine(flow.Platform.Folder, "secrets.json"), TestContext.Current.CancellationToken))!["client/app"];
        var access = await flow.Platform.Client.Token("drift", TestContext.Current.CancellationToken);

        var counts = new ConcurrentDictionary<HttpStatusCode, int>();
        using var http = new HttpClient { BaseAddress = new Uri(flow.Platform.HttpAddress), Timeout = Limit };
        await fuzzing.Each(Workers, async random =>
        {
            using var request = random.Next(5) == 0 ? WithToken(random, access) : new HttpRequestMessage(HttpMethod.Post, "/connect/token") { Content = Form(random, provider, client, secret, flow.Now, flow.Platform.HttpAddress) };
            using var answer = await http.SendAsync(request);
            var text = await answer.Content.ReadAsStringAsync();
            Assert.True((int)answer.StatusCode < 500, $"{(int)answer.StatusCode} {text}");
            if (answer.StatusCode == HttpStatusCode.OK)
                Assert.True(request.Method == HttpMethod.Get ? IsSignedAs(request, access) : IsTheirs(text), "somebody was let in");
            counts.AddOrUpdate(answer.StatusCode, 1, (_, count) => count + 1);
        });
        output.WriteLine(string.Join(", ", counts.OrderBy(pair => pair.Key).Select(pair => $"{(int)pair.Key}: {pair.Value}")));
        if (!Fuzzing.IsAlone)
        {
            Assert.Equal(fuzzing.Cases, counts.Values.Sum());
            // Mutations that reach no further than the first check prove little: some must get through, and some fail late.
            Assert.True(counts.GetValueOrDefault(HttpStatusCode.OK) > fuzzing.Cases / 1_000, "some mutated requests are still right");
            Assert.True(counts.GetValueOrDefault(HttpStatusCode.BadRequest) > fuzzing.Cases / 20 && counts.GetValueOrDefault(HttpStatusCode.Unauthorized) > fuzzing.Cases / 20, "and most are refused");
        }
        // It has survived.
        Assert.True(await flow.Platform.Client.IsReady(TestContext.Current.CancellationToken));
    }

    /// <summary>What was signed is as it was, whatever happened around it.</summary>
    private static bool IsSignedAs(HttpRequestMessage request, string access) =>
        request.Headers.GetValues("Authorization").Single().StartsWith("Bearer " + access[..access.LastIndexOf('.')], StringComparison.Ordinal);

    /// <summary>A token for one of the two clients whose secret or key is in the cases, with its role or for its audience.</summary>
    private static bool IsTheirs(string answer)
    {
        var claims = ExchangeTests.Stage.Claims(JsonNode.Parse(answer)!);
        return (string?)claims["client_id"] is "app" or "keyed" && ((string?)claims["aud"] == ExchangeTests.Stage.Open || ((string?)claims["aud"] == "sloring" && (string?)claims["roles"]!.AsArray().Single() == "citizen-view"));
    }

    /// <summary>A service called with a token that was good before something happened to it.</summary>
    private static HttpRequestMessage WithToken(Random random, string access)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "/v1/signing-keys");
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + Header(random.Next(4) == 0 ? JwtKey.Part(random.Pick(Mutation.Odd)) + "." + JwtKey.Part(random.Pick(Mutation.Odd)) + "." : random.Mutated(access)));
        return request;

        // What a header cannot hold never leaves the client.
        static string Header(string text) => string.Concat(text.Where(c => c is > ' ' and < '\u007f'));
    }

    private static HttpContent Form(Random random, JwtKey provider, JwtKey client, string secret, DateTimeOffset now, string issuer)
    {
        if (random.Next(20) == 0)
        {
            var bytes = new byte[random.Next(2_000)];
            random.NextBytes(bytes);
            var raw = new ByteArrayContent(bytes);
            raw.Headers.TryAddWithoutValidation("Content-Type", random.Pick(["application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=utf-16", "multipart/form-data; boundary=x", "text/plain", "x"]));
            return raw;
        }
        var exchanges = random.Next(2) == 0;
        var fields = new List<KeyValuePair<string, string>> { new("grant_type", exchanges ? "urn:ietf:params:oauth:grant-type:token-exchange" : "client_credentials") };
        if (random.Next(3) == 0)
        {
            fields.Add(new("client_id", "app"));
            fields.Add(new("client_secret", secret));
        }
        else
        {
            fields.Add(new("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
            var claims = new JsonObject { ["iss"] = "keyed", ["sub"] = "keyed", ["aud"] = issuer, ["jti"] = $"{random.NextInt64()}", ["iat"] = now.ToUnixTimeSeconds(), ["exp"] = now.ToUnixTimeSeconds() + 100 };
            fields.Add(new("client_assertion", Token(random, client, claims)));
        }
        if (exchanges)
        {
            var claims = new JsonObject
            {
                ["iss"] = ExchangeTests.Stage.Issuer,
                ["aud"] = "https://sloring.example",
                ["sub"] = "citizen-1",
                ["iat"] = now.ToUnixTimeSeconds(),
                ["exp"] = now.ToUnixTimeSeconds() + 600,
                ["dk:gov:saml:attribute:CprNumberIdentifier"] = "7101901234",
                ["dk:healthcare:saml:attribute:OnBehalfOf"] = new JsonArray("urn:dk:healthcare:saml:actThrough:ParentalCustody:cprNumberIdentifier:7201901234"),
            };
            fields.Add(new("subject_token", Token(random, provider, claims)));
            fields.Add(new("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"));
            fields.Add(new("audience", ExchangeTests.Stage.Open));
            if (random.Next(3) == 0)
                fields.Add(new("on_behalf_of", "urn:dk:healthcare:saml:actThrough:ParentalCustody:cprNumberIdentifier:7201901234"));
        }
        for (var changes = random.Next(3); changes > 0; changes--)
        {
            var at = random.Next(fields.Count);
            switch (random.Next(5))
            {
                case 0:
                    fields[at] = new(fields[at].Key, random.Mutated(fields[at].Value));
                    break;
                case 1:
                    fields[at] = new(fields[at].Key, random.Pick(Mutation.Odd));
                    break;
                case 2:
                    fields.Add(new(random.Pick(Fields), random.Next(2) == 0 ? random.Pick(Mutation.Odd) : fields[at].Value));
                    break;
                case 3 when fields.Count > 1:
                    fields.RemoveAt(at);
                    break;
                default:
                    fields[at] = new(random.Mutated(fields[at].Key), fields[at].Value);
                    break;
            }
        }
        return new FormUrlEncodedContent(fields.Select(field => new KeyValuePair<string, string>(WellFormed(field.Key), WellFormed(field.Value))));
    }

    /// <summary>A token of a key that is known: right, with odd claims or header, or with its text spoilt after it was signed.</summary>
    private static string Token(Random random, JwtKey key, JsonObject claims)
    {
        var header = new JsonObject { ["alg"] = key.Algorithm, ["kid"] = key.Id };
        foreach (var target in (JsonObject[])[claims, header])
        {
            if (random.Next(4) != 0)
                continue;
            var name = random.Next(4) == 0 ? random.Pick(["crit", "nbf", "kid", "b64", "cnf", "x5c", "jku"]) : target.ElementAt(random.Next(target.Count)).Key;
            target[name] = random.Next(7) switch
            {
                0 => null,
                1 => random.NextDouble() * Math.Pow(10, random.Next(-300, 300)),
                2 => new JsonArray(random.Pick(Mutation.Odd), random.Next(), null),
                3 => new JsonObject { ["x"] = random.Pick(Mutation.Odd) },
                4 => random.Next(2) == 0,
                5 => new string('x', random.Next(20_000)),
                _ => random.Pick(Mutation.Odd),
            };
        }
        return random.Next(6) switch
        {
            0 => key.SignText(random.Mutated(claims.ToJsonString()), header.ToJsonString()),
            1 => key.SignText(claims.ToJsonString(), random.Mutated(header.ToJsonString())),
            2 => random.Mutated(key.Sign(claims, header)),
            3 => JwtKey.Part(random.Pick(Mutation.Odd)) + "." + JwtKey.Part(claims.ToJsonString()) + "." + JwtKey.Part(random.Pick(Mutation.Odd)),
            _ => key.Sign(claims, header),
        };
    }

    private static string WellFormed(string text) => string.Concat(text.EnumerateRunes());
}
