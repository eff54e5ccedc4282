using System.Net.Http.Json;
using System.Text.Json.Serialization;
using Grpc.Core;

namespace Sloring.Client;

/// <summary>
/// Access tokens of one outside client (OAuth 2.0 client credentials): fetched when first needed, kept until four fifths of their life have
/// passed. While the token service is away a token that is still valid goes on being used.
/// </summary>
/// <param name="http">Knows the token service's address (<see cref="HttpClient.BaseAddress"/>, ending in a slash).</param>
/// <param name="clientId">The client's id.</param>
/// <param name="clientSecret">The client's secret.</param>
/// <param name="clock">Its monotonic time stamps decide when to renew.</param>
public sealed class SloringTokens(HttpClient http, string clientId, string clientSecret, TimeProvider clock) : IDisposable
{
    private static readonly Uri TokenEndpoint = new("connect/token", UriKind.Relative);
    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _fetching = new(1, 1);
    private volatile Kept? _kept;

    /// <summary>Puts the token on gRPC calls. Over plain HTTP/2 the channel must allow it (UnsafeUseInsecureChannelCallCredentials): loopback only.</summary>
    public CallCredentials Credentials => CallCredentials.FromInterceptor(
        async (context, metadata) => metadata.Add("authorization", "Bearer " + await Get(context.CancellationToken)));

    /// <summary>A valid access token.</summary>
    /// <exception cref="HttpRequestException">There is none, and the token service gave none.</exception>
    public ValueTask<string> Get(CancellationToken cancel) =>
        _kept is { } kept && Age(kept) < kept.RenewAfter ? new ValueTask<string>(kept.Token) : new ValueTask<string>(Renewed(cancel));

    public void Dispose() => _fetching.Dispose();

    private TimeSpan Age(Kept kept) => clock.GetElapsedTime(kept.FetchedAt);

    private async Task<string> Renewed(CancellationToken cancel)
    {
        await _fetching.WaitAsync(cancel);
        try
        {
            if (_kept is { } kept && Age(kept) < kept.RenewAfter)
                return kept.Token; // somebody else has just fetched it
            _kept = await Fetch(cancel);
        }
        catch (Exception e) when (
            e is HttpRequestException or TaskCanceledException { InnerException: TimeoutException } && _kept is { } kept && Age(kept) < kept.ValidFor)
        {
            // Not lost: it is valid for a while yet. The callers of the next seconds need not wait for another refusal.
            var again = Age(kept) + AskAgainAfter;
            _kept = kept with { RenewAfter = again < kept.ValidFor ? again : kept.ValidFor };
        }
        finally
        {
            _fetching.Release();
        }
        return _kept!.Token;
    }

    private async Task<Kept> Fetch(CancellationToken cancel)
    {
        var askedAt = clock.GetTimestamp();
        using var form = new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["grant_type"] = "client_credentials",
            ["client_id"] = clientId,
            ["client_secret"] = clientSecret,
        });
        using var response = await http.PostAsync(TokenEndpoint, form, cancel);
        response.EnsureSuccessStatusCode();
        var answer = await response.Content.ReadFromJsonAsync<Answer>(cancel);
        if (answer is not { AccessToken.Length: > 0, ExpiresIn: > 0 })
            throw new HttpRequestException("The token service answered without a token.");
        var validFor = TimeSpan.FromSeconds(answer.ExpiresIn);
        return new Kept(answer.AccessToken, askedAt, validFor, RenewAfter: validFor * 0.8);
    }

    private sealed record Kept(string Token, long FetchedAt, TimeSpan ValidFor, TimeSpan RenewAfter);

    private sealed record Answer(
        [property: JsonPropertyName("access_token")] string? AccessToken,
        [property: JsonPropertyName("expires_in")] int ExpiresIn);
}
