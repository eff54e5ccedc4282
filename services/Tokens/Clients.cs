using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using Sloring.Hosting;

namespace Sloring.Tokens;

/// <summary>The configured clients with the hashes of their secrets.</summary>
public sealed class Clients
{
    private const int ShortestSecret = 32;
    private readonly Dictionary<string, Known> _byId = new(StringComparer.Ordinal);
    private readonly byte[] _ofNobody = RandomNumberGenerator.GetBytes(SHA256.HashSizeInBytes);

    /// <summary>Reads every client's secret once, so that a missing one stops the start and not the first request.</summary>
    /// <exception cref="InvalidOperationException">A secret is missing or too short: the message says which and what to set.</exception>
    public Clients(IOptions<TokenServiceOptions> options, SecretStore secrets)
    {
        foreach (var client in options.Value.Clients)
        {
            var secret = secrets.Text($"client/{client.Id}");
            if (secret.Length < ShortestSecret)
                throw new InvalidOperationException(
                    $"The secret client/{client.Id} is shorter than {ShortestSecret} characters. Set a random one: openssl rand -hex 32");
            _byId.Add(client.Id, new Known(client, HashOf(secret)));
        }
    }

    /// <summary>Finds the client whose secret this is. An unknown client costs the same work as a wrong secret.</summary>
    public bool TryAuthenticate(string id, string secret, [NotNullWhen(true)] out ClientOptions? client)
    {
        var known = _byId.GetValueOrDefault(id);
        // Both sides are hashed: equal lengths, so that the comparison's time says nothing about the secret, not even how long it is.
        // One fast hash is enough, since secrets are random texts and not words that people choose.
        var right = CryptographicOperations.FixedTimeEquals(HashOf(secret), known?.SecretHash ?? _ofNobody);
        client = right ? known?.Client : null;
        return client is not null;
    }

    private static byte[] HashOf(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));

    private sealed record Known(ClientOptions Client, byte[] SecretHash);
}
