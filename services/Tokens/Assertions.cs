using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using Sloring.Contracts;
using Sloring.Hosting;

namespace Sloring.Tokens;

/// <summary>
/// Client assertions (RFC 7523, 3): signed by the client's own key, for this token service, short, and good once. What was used is kept in this process only;
/// that an assertion is refused that was made before this process began makes once hold over a restart too. With several replicas, once is once per replica.
/// </summary>
internal sealed class Assertions(Clients clients, AssertionMemory memory, IOptions<TokenOptions> token, IOptions<TokenServiceOptions> options, TimeProvider clock)
{
    private static readonly TimeSpan LongestLife = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Leeway = TimeSpan.FromSeconds(30);

    /// <summary>Of a whole second, as the instants of assertions mostly are. No leeway: what was made before may have been used before.</summary>
    private readonly DateTimeOffset _began = DateTimeOffset.FromUnixTimeSeconds(clock.GetUtcNow().ToUnixTimeSeconds());

    /// <summary>The client that has made this assertion, and nobody else could have.</summary>
    /// <param name="assertion">As it came.</param>
    /// <param name="clientId">As the form names it; empty where it does not.</param>
    /// <exception cref="RejectedException">SLR-601 whatever is wrong before the signature has been checked; then SLR-605..SLR-608, SLR-616.</exception>
    public async Task<ClientOptions> Authenticate(string assertion, string clientId)
    {
        var named = SignedJwt.Peek(assertion) is { } unproved ? SignedJwt.Text(unproved, "sub") ?? "" : "";
        if ((clientId.Length > 0 && clientId != named) || await SignedJwt.Verify(assertion, clients.AssertionKeys(named)) is not { } claims)
            throw new RejectedException(Rejections.ClientInvalid);
        var (issued, ends) = (SignedJwt.Instant(claims, "iat"), SignedJwt.Instant(claims, "exp"));
        if (SignedJwt.Text(claims, "iss") != named || SignedJwt.Text(claims, "jti") is not { Length: >= 1 and <= 256 } id || issued is null || ends is null)
            throw new RejectedException(Rejections.AssertionClaimsInvalid);
        // Exactly one audience: an assertion that another server could be made to hand on is not taken.
        if (SignedJwt.Texts(claims, "aud") is not [var audience] || !IsHere(audience))
            throw new RejectedException(Rejections.AssertionForOther);
        var now = clock.GetUtcNow();
        if (now >= ends || issued > now + Leeway || SignedJwt.Instant(claims, "nbf") > now + Leeway || ends - now > LongestLife || issued < _began)
            throw new RejectedException(Rejections.AssertionNotNow);
        memory.Use(named, id, ends.Value, now);
        return clients[named];
    }

    private bool IsHere(string audience)
    {
        var issuer = token.Value.Issuer;
        return audience == issuer || audience == issuer.TrimEnd('/') + TokensModule.TokenPath
            || (options.Value.MtlsAddress.Length > 0 && audience == options.Value.MtlsAddress.TrimEnd('/') + TokensModule.TokenPath);
    }
}

/// <summary>What assertions have been used, until they would have expired anyway. Bounded per client, so that none can fill another's.</summary>
public sealed class AssertionMemory
{
    /// <summary>Of one client at a time. A client that uses its tokens again needs one assertion in five minutes.</summary>
    public const int MostPerClient = 10_000;

    private readonly UsedOnce _used = new(MostPerClient);

    /// <summary>Uses an assertion.</summary>
    /// <exception cref="RejectedException">SLR-608, or <paramref name="before"/>: used before; SLR-616: no room to remember it.</exception>
    public void Use(string client, string id, DateTimeOffset ends, DateTimeOffset now, Rejection? before = null)
    {
        if (_used.Use(client, id, ends, now) is var use && use != Usage.First)
            throw new RejectedException(use == Usage.Again ? before ?? Rejections.AssertionUsed : Rejections.TooManyAssertions);
    }
}

/// <summary>What a use of something that is good once was.</summary>
internal enum Usage
{
    First,
    Again,

    /// <summary>There is no room to remember it, so it is not used.</summary>
    NoRoom,
}

/// <summary>Remembers, in this process only, what was used that is good once, until it would have expired anyway.</summary>
/// <param name="mostPerClient">Of one client at a time, so that none can fill another's.</param>
internal sealed class UsedOnce(int mostPerClient)
{
    private readonly Dictionary<string, OfClient> _clients = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();

    public Usage Use(string client, string id, DateTimeOffset ends, DateTimeOffset now)
    {
        lock (_lock)
        {
            if (!_clients.TryGetValue(client, out var used))
                _clients[client] = used = new OfClient([], new());
            while (used.ByEnd.TryPeek(out var first, out var end) && end <= now)
            {
                used.ByEnd.Dequeue();
                used.Known.Remove(first);
            }
            var key = KeyOf(id);
            if (used.Known.Contains(key))
                return Usage.Again;
            if (used.Known.Count >= mostPerClient)
                return Usage.NoRoom;
            used.Known.Add(key);
            used.ByEnd.Enqueue(key, ends);
            return Usage.First;
        }
    }

    /// <summary>Sixteen bytes, however long the id is.</summary>
    private static UInt128 KeyOf(string id) => BinaryPrimitives.ReadUInt128BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(id)));

    private sealed record OfClient(HashSet<UInt128> Known, PriorityQueue<UInt128, DateTimeOffset> ByEnd);
}
