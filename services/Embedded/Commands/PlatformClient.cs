using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Sloring.Hosting;
using Sloring.Tokens;

namespace Sloring.Embedded;

/// <summary>A running platform as its demo clients and personas use it: over HTTP, each with its own token.</summary>
public sealed class PlatformClient : IDisposable
{
    private readonly HttpClient _http;
    private readonly string _secretsFile;
    private readonly DemoParties _parties;
    private readonly Uri _tokenService;
    private readonly Dictionary<string, (string Token, long FetchedAt, TimeSpan RenewAfter)> _tokens = [];

    /// <param name="address">The platform's HTTP address.</param>
    /// <param name="secretsFile">The secrets file of its first start.</param>
    /// <param name="tokens">Address of the token service; null where it is the same.</param>
    /// <param name="parties">The demo's outside parties; null for those whose keys lie beside the secrets file.</param>
    public PlatformClient(string address, string secretsFile, string? tokens = null, DemoParties? parties = null)
    {
        _tokenService = new Uri(tokens ?? address);
        _http = new HttpClient(Outgoing.To(address)) { BaseAddress = new Uri(address), Timeout = TimeSpan.FromSeconds(60) };
        _secretsFile = secretsFile;
        _parties = parties ?? new DemoParties(Path.GetDirectoryName(Path.GetFullPath(secretsFile))!);
    }

    /// <summary>True once the platform answers that it is ready, and its broker is there too.</summary>
    public async Task<bool> IsReady(CancellationToken cancel)
    {
        try
        {
            using var response = await _http.GetAsync(new Uri("/health/ready", UriKind.Relative), cancel);
            return await response.Content.ReadAsStringAsync(cancel) == "Healthy";
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    /// <summary>An access token of a demo client.</summary>
    /// <exception cref="InvalidOperationException">There is no such client: the message lists those there are.</exception>
    public async Task<string> Token(string client, CancellationToken cancel)
    {
        if (_tokens.TryGetValue(client, out var known) && Stopwatch.GetElapsedTime(known.FetchedAt) < known.RenewAfter)
            return known.Token;
        var askedAt = Stopwatch.GetTimestamp();
        (string, string)[] credentials = client == DemoParties.App
            ? [("client_assertion_type", ClientMethods.AssertionType), ("client_assertion", await Assertion(cancel))]
            : [("client_id", client), ("client_secret", Secret(client))];
        using var form = new FormUrlEncodedContent([new("grant_type", "client_credentials"), .. credentials.Select(pair => new KeyValuePair<string, string>(pair.Item1, pair.Item2))]);
        using var response = await _http.PostAsync(new Uri(_tokenService, "/connect/token"), form, cancel);
        response.EnsureSuccessStatusCode();
        var answer = await response.Content.ReadFromJsonAsync<JsonObject>(cancel);
        var token = (string)answer!["access_token"]!;
        _tokens[client] = (token, askedAt, TimeSpan.FromSeconds((int)answer["expires_in"]!) * 0.8);
        return token;
    }

    /// <summary>What the demo app shows of itself instead of a secret: an assertion for this platform's token service, signed by the app's own key.</summary>
    /// <exception cref="InvalidOperationException">Its key is not there.</exception>
    public async Task<string> Assertion(CancellationToken cancel)
    {
        if (!File.Exists(_parties.AppFile))
            throw new InvalidOperationException($"{_parties.AppFile} does not exist. Start the platform in this folder first, with its demo clients.");
        var discovered = await _http.GetFromJsonAsync<JsonObject>(new Uri(_tokenService, "/.well-known/openid-configuration"), cancel);
        return _parties.Assertion((string)discovered!["issuer"]!);
    }

    /// <summary>Sends a request as a demo client; an error answer is returned, not thrown.</summary>
    public async Task<(HttpStatusCode Status, JsonNode Body)> Send(
        string client, HttpMethod method, string path, JsonNode? body, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await Token(client, cancel));
        if (body is not null)
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        using var response = await _http.SendAsync(request, cancel);
        var text = await response.Content.ReadAsStringAsync(cancel);
        return (response.StatusCode, text.Length == 0 ? new JsonObject() : JsonNode.Parse(text)!);
    }

    /// <summary>Sends a request that must be accepted.</summary>
    /// <exception cref="InvalidOperationException">It was rejected: number and text.</exception>
    public async Task<JsonNode> Must(string client, HttpMethod method, string path, JsonNode? body, CancellationToken cancel)
    {
        var (status, answer) = await Send(client, method, path, body, cancel);
        return status == HttpStatusCode.OK
            ? answer
            : throw new InvalidOperationException($"{method} {path} was answered {(int)status} {answer["code"]} {answer["en"]}");
    }

    /// <summary>Moves the demo clock; tokens made before have expired then.</summary>
    public async Task MoveClock(DateTimeOffset to, CancellationToken cancel)
    {
        await Must("drift", HttpMethod.Post, "/demo/clock", new JsonObject { ["to"] = to }, cancel);
        _tokens.Clear();
    }

    /// <summary>The platform's time.</summary>
    public async Task<DateTimeOffset> Now(CancellationToken cancel) =>
        (DateTimeOffset)(await Must("drift", HttpMethod.Get, "/demo/clock", null, cancel))["now"]!;

    private string Secret(string client)
    {
        if (!File.Exists(_secretsFile))
            throw new InvalidOperationException($"{_secretsFile} does not exist. Start the platform in this folder first.");
        var secrets = JsonSerializer.Deserialize<Dictionary<string, string>>(File.ReadAllText(_secretsFile))!;
        return secrets.TryGetValue("client/" + client, out var secret)
            ? secret
            : throw new InvalidOperationException($"There is no client '{client}'. There are: "
                + string.Join(", ", secrets.Keys.Where(key => key.StartsWith("client/", StringComparison.Ordinal)).Select(key => key[7..]).Append(DemoParties.App).Order(StringComparer.Ordinal)));
    }

    public void Dispose() => _http.Dispose();
}
