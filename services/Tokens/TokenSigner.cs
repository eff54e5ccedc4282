using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Sloring.Contracts;
using Sloring.Hosting;

namespace Sloring.Tokens;

/// <summary>
/// Makes tokens: access tokens of RFC 9068 (<c>typ</c> at+jwt) and identity tokens, signed with ES256. The first key is <c>token-signing-key</c> of the secret
/// store; a rotation makes the next, which is listed for a while before it signs, and the one before stays listed until its last token has expired.
/// </summary>
public sealed class TokenSigner
{
    private const string SecretName = "token-signing-key";
    private const string SealedFor = "token-signing-key";
    private static readonly TimeSpan ClockLeeway = TimeSpan.FromSeconds(60);
    private readonly TokenOptions _token;
    private readonly TokenServiceOptions _options;
    private readonly TokenState _state;
    private readonly Sealer _sealer;
    private readonly TimeProvider _clock;
    private readonly JsonWebTokenHandler _handler = new() { SetDefaultTimesOnTokenCreation = false };
    private readonly Key _first;
    private readonly ConcurrentDictionary<string, Key> _opened = new();
    private readonly TimeSpan _overlap;

    /// <exception cref="InvalidOperationException">The key in the secret store is not a P-256 key in PKCS #8: the message says what to set.</exception>
    public TokenSigner(
        IOptions<TokenOptions> token, IOptions<TokenServiceOptions> options, SecretStore secrets, TokenState state, Sealer sealer, TimeProvider clock)
    {
        (_token, _options, _state, _sealer, _clock) = (token.Value, options.Value, state, sealer, clock);
        _first = Key.Of(secrets.Text(SecretName, NewKey));
        // A damaged or foreign file stops the start.
        Keys();
        _overlap = TimeSpan.FromSeconds(_options.Audiences.Select(audience => audience.LifetimeSeconds).Append(_options.LifetimeSeconds).Max()) + ClockLeeway;
    }

    /// <summary>How long a key set may be kept: a key is listed for longer than that before it signs.</summary>
    public int KeepKeysSeconds => Math.Max(1, _options.KeyLeadSeconds / 2);

    /// <summary>The public keys as a JSON Web Key Set: previous, current and next.</summary>
    public string Jwks()
    {
        var keys = Keys();
        var listed = KeyTurns.Listed(Turns(keys), _clock.GetUtcNow(), _overlap).Select(turn => turn.Id).ToHashSet();
        return new JsonObject { ["keys"] = new JsonArray([.. keys.Where(key => listed.Contains(key.Key.Id)).Select(key => key.Key.Public())]) }.ToJsonString();
    }

    /// <summary>The listed keys' turns, and which of them signs.</summary>
    public (IReadOnlyList<KeyTurn> Listed, KeyTurn Current) Turns()
    {
        var (turns, now) = (Turns(Keys()), _clock.GetUtcNow());
        return (KeyTurns.Listed(turns, now, _overlap), KeyTurns.Current(turns, now));
    }

    /// <summary>Makes the next key; it signs after Tokens:KeyLeadSeconds.</summary>
    /// <exception cref="RejectedException">SLR-617, SLR-619.</exception>
    public Task Rotate(CancellationToken cancel) => _state.Change(remembered =>
    {
        var (turns, now) = (Turns(Keys(remembered)), _clock.GetUtcNow());
        if (KeyTurns.IsUnderWay(turns, now))
            throw new RejectedException(Rejections.RotationUnderWay);
        var listed = KeyTurns.Listed(turns, now, _overlap).Select(turn => turn.From).ToHashSet();
        // Keys that nobody needs are forgotten. The turn of the last one must stay known, or the secret store's key would sign again.
        return remembered with
        {
            Keys = [.. remembered.Keys.Where(key => listed.Contains(key.From)), new RememberedKey(now.AddSeconds(_options.KeyLeadSeconds), _sealer.Seal(NewKey(), SealedFor))],
        };
    }, cancel);

    /// <summary>Seals remembered keys anew that lie under another sealing key than the current one, so that that one can go. Replicas may all do it.</summary>
    public async Task Reseal(CancellationToken cancel)
    {
        if (_state.Now().Keys.Any(IsUnderAnother))
        {
            await _state.Change(
                remembered => remembered with
                {
                    Keys = [.. remembered.Keys.Select(key => IsUnderAnother(key) ? key with { Sealed = _sealer.Seal(_sealer.Open(key.Sealed, SealedFor), SealedFor) } : key)],
                },
                cancel);
        }

        bool IsUnderAnother(RememberedKey key) => !key.Sealed.StartsWith(_sealer.CurrentPrefix, StringComparison.Ordinal);
    }

    /// <summary>When the newest key began to sign, or will; the secret store's is taken to be as old as what is remembered.</summary>
    public DateTimeOffset NewestFrom => _state.Now() is { Keys: [.., var newest] } ? newest.From : _state.Now().Began;

    /// <summary>Whether the current key has signed for longer than Tokens:RotateKeysAfterDays.</summary>
    public bool IsDue() => _options.RotateKeysAfterDays > 0 && _state.Remembers && _clock.GetUtcNow() >= NewestFrom.AddDays(_options.RotateKeysAfterDays);

    /// <summary>Signs an access token for the platform's services.</summary>
    public string SignAccess(string subject, IDictionary<string, object> claims) => Sign("at+jwt", subject, _token.Audience, TimeSpan.FromSeconds(_options.LifetimeSeconds), claims);

    /// <summary>Signs a token; issuer, times and id are the signer's own.</summary>
    public string Sign(string type, string? subject, string audience, TimeSpan life, IDictionary<string, object> claims)
    {
        claims[JwtRegisteredClaimNames.Jti] = Guid.NewGuid().ToString("N");
        if (subject is not null)
            claims[JwtRegisteredClaimNames.Sub] = subject;
        var now = _clock.GetUtcNow();
        var keys = Keys();
        var current = KeyTurns.Current(Turns(keys), now).Id;
        return _handler.CreateToken(new SecurityTokenDescriptor
        {
            TokenType = type,
            Issuer = _token.Issuer,
            Audience = audience,
            IssuedAt = now.UtcDateTime,
            NotBefore = now.UtcDateTime,
            Expires = now.UtcDateTime + life,
            SigningCredentials = keys.First(key => key.Key.Id == current).Key.Credentials,
            Claims = claims,
        });
    }

    private List<(Key Key, DateTimeOffset From)> Keys() => Keys(_state.Now());

    private List<(Key Key, DateTimeOffset From)> Keys(Remembered remembered) =>
        [(_first, DateTimeOffset.MinValue), .. remembered.Keys.Select(key => (_opened.GetOrAdd(key.Sealed, Open), key.From))];

    private Key Open(string sealedPem)
    {
        try
        {
            return Key.Of(_sealer.Open(sealedPem, SealedFor));
        }
        catch (CryptographicException)
        {
            throw new InvalidOperationException("A signing key in the file that Tokens:StateFile names was sealed with another sealing key. Give the secret store that key, or delete the file: then all clients are unrevoked.");
        }
    }

    private static List<KeyTurn> Turns(List<(Key Key, DateTimeOffset From)> keys) => [.. keys.Select(key => new KeyTurn(key.Key.Id, key.From))];

    private static string NewKey()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return key.ExportPkcs8PrivateKeyPem();
    }

    /// <summary>One signing key.</summary>
    private sealed record Key(string Id, string X, string Y, SigningCredentials Credentials)
    {
        public static Key Of(string pem)
        {
            using var key = Import(pem);
            var point = key.ExportParameters(includePrivateParameters: true);
            var (x, y) = (Base64UrlEncoder.Encode(point.Q.X), Base64UrlEncoder.Encode(point.Q.Y));
            var id = Thumbprint(x, y);
            // A JsonWebKey rather than the ECDsa object: the library then opens one of its own per concurrent signature; an ECDsa object is
            // not promised to be safe between threads.
            return new Key(id, x, y, new SigningCredentials(
                new JsonWebKey { Kty = "EC", Crv = "P-256", X = x, Y = y, D = Base64UrlEncoder.Encode(point.D), Kid = id }, SecurityAlgorithms.EcdsaSha256));
        }

        public JsonObject Public() => new()
        {
            ["kty"] = "EC",
            ["crv"] = "P-256",
            ["x"] = X,
            ["y"] = Y,
            ["kid"] = Id,
            ["use"] = "sig",
            ["alg"] = "ES256",
        };

        private static ECDsa Import(string pem)
        {
            var key = ECDsa.Create();
            try
            {
                key.ImportFromPem(pem);
                if (key.ExportParameters(false).Curve.Oid.Value == "1.2.840.10045.3.1.7")
                    return key;
            }
            catch (Exception e) when (e is CryptographicException or ArgumentException)
            {
                // The reason says nothing that the message below does not, and might quote the key.
            }
            key.Dispose();
            throw new InvalidOperationException(
                $"The secret {SecretName} is not a P-256 private key in PKCS #8 PEM. Make one: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256");
        }

        private static string Thumbprint(string x, string y) =>
            Base64UrlEncoder.Encode(SHA256.HashData(Encoding.UTF8.GetBytes($$"""{"crv":"P-256","kty":"EC","x":"{{x}}","y":"{{y}}"}""")));
    }
}

/// <summary>Changes the signing key on schedule, and seals it anew where the sealing key has changed.</summary>
internal sealed class RotateOnSchedule(TokenSigner signer, TokenState state, TimeProvider clock, ILogger<RotateOnSchedule> log) : BackgroundService
{
    private static readonly TimeSpan Look = TimeSpan.FromMinutes(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // From now on the age of the secret store's key is known, whatever restarts.
        if (state is { Remembers: true, IsThere: false })
            await state.Change(remembered => remembered, stoppingToken);
        using var timer = new PeriodicTimer(Look, clock);
        do
        {
            try
            {
                await signer.Reseal(stoppingToken);
                if (signer.IsDue())
                {
                    await signer.Rotate(stoppingToken);
                    log.LogInformation("The next signing key is listed, as the schedule has it");
                }
            }
            catch (RejectedException)
            {
                // Another replica was first.
            }
            catch (Exception e) when (e is IOException or InvalidOperationException or UnauthorizedAccessException)
            {
                Faults.Log(log, e, nameof(RotateOnSchedule));
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }
}
