using System.Buffers.Text;
using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Sloring.Hosting;

/// <summary>
/// What this process believes of tokens: the token service's public keys and its list of revoked clients, fetched every few seconds. A key that is not known
/// yet is looked for at once; the list is as old as the last fetch that worked, since a token service that is away must not stop the platform.
/// </summary>
internal sealed class TokenTrust : BaseConfigurationManager, IConfigurationManager<OpenIdConnectConfiguration>, IDisposable
{
    /// <summary>However many tokens with unknown keys come, the token service is asked no more often than this. Whoever has such a token waits: it may be of a new key.</summary>
    private static readonly TimeSpan BetweenFetches = TimeSpan.FromSeconds(1);

    /// <summary>A token that failed so soon after a key was missed may be the one that missed it.</summary>
    private static readonly TimeSpan MissedLately = TimeSpan.FromSeconds(2);

    /// <summary>Characters of a thumbprint (RFC 7638), which is what the token service calls its keys.</summary>
    private const int KeyIdLength = 43;

    private readonly TokenOptions _token;
    private readonly HttpClient _http;
    private readonly Uri _discovery;
    private readonly Lock _lock = new();
    private readonly AsyncLocal<bool> _waits = new();
    private Known? _known;
    private Task<Known>? _running;
    private Task<Known>? _queued;
    private long _beganAt;
    private long _missedAt;

    public TokenTrust(IOptions<TokenOptions> options)
    {
        _token = options.Value;
        var address = _token.Reached(_token.Issuer);
        _http = new HttpClient(Outgoing.To(address)) { Timeout = TimeSpan.FromSeconds(10), MaxResponseContentBufferSize = 1024 * 1024 };
        _discovery = OverTls(address.TrimEnd('/') + "/.well-known/openid-configuration");
        // A key that is listed no longer is believed no longer.
        UseLastKnownGoodConfiguration = false;
    }

    /// <summary>Told after each fetch.</summary>
    public event Action? Fetched;

    public async Task<OpenIdConnectConfiguration> GetConfigurationAsync(CancellationToken cancel) => (await Get(cancel)).Configuration;

    public override async Task<BaseConfiguration> GetBaseConfigurationAsync(CancellationToken cancel) => await GetConfigurationAsync(cancel);

    /// <summary>
    /// The framework asks for this whenever a token fails, and then for the configuration again, in the same flow. Only a token that names a key which is not known is
    /// worth waiting for; a token of a known key never waits, whatever others send and however long the token service is silent.
    /// </summary>
    public override void RequestRefresh() =>
        _waits.Value = Volatile.Read(ref _missedAt) is var missed and not 0 && TimeProvider.System.GetElapsedTime(missed) < MissedLately;

    /// <summary>The key that a token names, if it is known.</summary>
    public IEnumerable<SecurityKey> KeysOf(string? keyId, BaseConfiguration? configuration)
    {
        var known = configuration?.SigningKeys.Where(key => key.KeyId == keyId).ToList() ?? [];
        if (known.Count == 0 && keyId is { Length: KeyIdLength })
            Volatile.Write(ref _missedAt, TimeProvider.System.GetTimestamp());
        return known;
    }

    /// <summary>Whether tokens are refused that a client got at an instant, for itself or for a person; by the last list that was fetched.</summary>
    public bool IsRevoked(string clientId, string? personId, DateTimeOffset issuedAt)
    {
        return Volatile.Read(ref _known)?.Revoked is { Count: > 0 } revoked && (Has(clientId) || (personId is not null && Has(RevocationList.Person(personId))));

        bool Has(string id) => revoked.TryGetValue(NameOf(id), out var upTo) && issuedAt.ToUnixTimeSeconds() <= upTo;
    }

    /// <summary>Completes once the list has been fetched for the first time, however long the token service is away.</summary>
    public async Task Heard(CancellationToken cancel)
    {
        while (Volatile.Read(ref _known) is null)
        {
            await ((Task)Fetch().WaitAsync(cancel)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancel.ThrowIfCancellationRequested();
        }
    }

    /// <summary>What stands for a client in the list, which anybody may read: whose partners are revoked is nobody's business.</summary>
    internal static string NameOf(string clientId) => Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(clientId)));

    public void Dispose() => _http.Dispose();

    private async Task<Known> Get(CancellationToken cancel)
    {
        var known = Volatile.Read(ref _known);
        if (known is not null && !_waits.Value)
            return known;
        _waits.Value = false;
        try
        {
            return await Fetch().WaitAsync(cancel);
        }
        catch (Exception) when (known is not null && !cancel.IsCancellationRequested)
        {
            return known;
        }
    }

    /// <summary>One that has not begun yet: what runs already may have read the keys before whoever asks now has seen a new one.</summary>
    private Task<Known> Fetch()
    {
        lock (_lock)
            return _queued ??= Queued(_running);
    }

    private async Task<Known> Queued(Task? before)
    {
        await Task.Yield();
        if (before is not null)
            await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_beganAt != 0 && BetweenFetches - TimeProvider.System.GetElapsedTime(_beganAt) is var left && left > TimeSpan.Zero)
            await Task.Delay(left);
        lock (_lock)
            (_running, _queued, _beganAt) = (_queued, null, TimeProvider.System.GetTimestamp());
        var document = JsonSerializer.Deserialize<Document>(await _http.GetStringAsync(_discovery)) ?? throw new JsonException();
        var configuration = new OpenIdConnectConfiguration { Issuer = document.Issuer, JwksUri = document.Keys };
        foreach (var key in new JsonWebKeySet(await _http.GetStringAsync(OverTls(_token.Reached(document.Keys)))).GetSigningKeys())
            configuration.SigningKeys.Add(key);
        var revoked = document.Revocations is null ? null : JsonSerializer.Deserialize<RevocationList>(await _http.GetStringAsync(OverTls(_token.Reached(document.Revocations))));
        var known = new Known(configuration, (revoked?.Revoked ?? []).ToFrozenDictionary(one => one.Client, one => one.UpTo));
        Volatile.Write(ref _known, known);
        Fetched?.Invoke();
        return known;
    }

    /// <summary>Signing keys come over TLS, or from this machine.</summary>
    private static Uri OverTls(string address) => new Uri(address) is { } uri && (uri.Scheme == "https" || uri.IsLoopback)
        ? uri
        : throw new InvalidOperationException("Set Token:Address (or Token:Issuer) to an https:// address: keys may come without TLS from this machine only.");

    private sealed record Known(OpenIdConnectConfiguration Configuration, FrozenDictionary<string, long> Revoked);

    private sealed record Document(
        [property: JsonPropertyName("issuer")] string Issuer,
        [property: JsonPropertyName("jwks_uri")] string Keys,
        [property: JsonPropertyName("revocation_list_uri")] string? Revocations);

    /// <summary>Keeps what is believed no older than Token:RefreshSeconds.</summary>
    internal sealed class Following(TokenTrust trust, IOptions<TokenOptions> options, ILogger<TokenTrust> log) : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            var lost = false;
            // The machine's time: a moved demo clock makes no key older.
            using var timer = new PeriodicTimer(TimeSpan.FromSeconds(options.Value.RefreshSeconds));
            for (var first = true; first || await timer.WaitForNextTickAsync(stoppingToken); first = false)
            {
                try
                {
                    await trust.Fetch().WaitAsync(stoppingToken);
                    lost = false;
                }
                catch (Exception e) when (!stoppingToken.IsCancellationRequested)
                {
                    // At the start the token service may be starting too.
                    if (!lost && !first)
                        log.LogWarning("The token service's keys and revocations cannot be fetched ({Type}); those fetched last stay in use", e.GetType().Name);
                    lost |= !first;
                }
            }
        }
    }
}

/// <summary>Who is revoked, by the last list that was fetched; for what comes without a token of its own.</summary>
public sealed class Revocations
{
    private readonly TokenTrust _trust;

    internal Revocations(TokenTrust trust) => _trust = trust;

    /// <summary>Completes once it is known who is revoked, however long the token service is away.</summary>
    public Task Known(CancellationToken cancel) => _trust.Heard(cancel);

    /// <summary>Whether what a client got at an instant, for itself or for a person, is refused.</summary>
    public bool Refuse(string clientId, string? personId, DateTimeOffset given) => _trust.IsRevoked(clientId, personId, given);
}

/// <summary>The list of revoked clients, as the token service publishes it.</summary>
/// <param name="Revoked">Clients of which tokens are refused.</param>
public sealed record RevocationList([property: JsonPropertyName("revoked")] IReadOnlyList<RevokedClient> Revoked)
{
    /// <summary>What a person is called beside clients, whose ids hold no colon.</summary>
    public static string Person(string personId) => "person:" + personId;

    /// <summary>What a client of the national wire is called there; by its name in Soap:Clients.</summary>
    public static string SoapClient(string name) => "soap:" + name;

    /// <summary>Makes a list of ids, of clients and of people, and the instants up to which their tokens are refused.</summary>
    public static RevocationList Of(IEnumerable<KeyValuePair<string, DateTimeOffset>> revoked) =>
        new([.. revoked.Select(one => new RevokedClient(TokenTrust.NameOf(one.Key), one.Value.ToUnixTimeSeconds()))]);
}

/// <summary>One client of which tokens are refused.</summary>
/// <param name="Client">SHA-256 of the id of a client, or of <c>person:</c> and a person's, or of <c>soap:</c> and the name of a client of the national wire, base64url.</param>
/// <param name="UpTo">Tokens with <c>iat</c> up to this are refused; seconds since 1970. The end of the year 9999 while the client is revoked.</param>
public sealed record RevokedClient([property: JsonPropertyName("client")] string Client, [property: JsonPropertyName("up_to")] long UpTo);
