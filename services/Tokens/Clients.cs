using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Options;
using Sloring.Hosting;

namespace Sloring.Tokens;

/// <summary>The configured clients with what shows that they are themselves: each has one way, and no other is open to it.</summary>
public sealed class Clients
{
    private const int ShortestSecret = 32;
    private static readonly Oid ForClients = new("1.3.6.1.5.5.7.3.2");
    private readonly Dictionary<string, Known> _byId = new(StringComparer.Ordinal);
    private readonly byte[] _ofNobody = RandomNumberGenerator.GetBytes(SHA256.HashSizeInBytes);
    private readonly X509Certificate2Collection _authorities = [];

    /// <summary>Reads every client's secret and keys once, so that a missing one stops the start and not the first request.</summary>
    /// <exception cref="InvalidOperationException">A secret is missing or too short: the message says which and what to set.</exception>
    public Clients(IOptions<TokenServiceOptions> options, SecretStore secrets)
    {
        Personas = [.. options.Value.Clients.Where(client => client.PersonId is not null)];
        if (options.Value.ClientCaFile.Length > 0)
            _authorities.ImportFromPemFile(options.Value.ClientCaFile);
        foreach (var client in options.Value.Clients)
        {
            var byKeys = client.Authentication is ClientMethods.Assertion or ClientMethods.OwnCertificate;
            _byId.Add(client.Id, new Known(
                client, client.Authentication == ClientMethods.Secret ? HashOf(SecretOf(client, secrets)) : null, byKeys ? VerificationKey.Set(TokenServiceOptionsCheck.TextOrFile(client.Jwks)) : []));
        }
    }

    /// <summary>Whether there is such a client.</summary>
    public bool Has(string id) => _byId.ContainsKey(id);

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

    /// <summary>The keys of a client whose assertions are taken; none of any other.</summary>
    internal IReadOnlyList<VerificationKey> AssertionKeys(string id) =>
        _byId.TryGetValue(id, out var known) && known.Client.Authentication == ClientMethods.Assertion ? known.Keys : [];

    /// <summary>The client of an id, if there is one.</summary>
    internal ClientOptions? Find(string id) => _byId.GetValueOrDefault(id)?.Client;

    /// <summary>The personas: clients that act as a named person, in the order of the settings.</summary>
    internal IReadOnlyList<ClientOptions> Personas { get; }

    /// <summary>The client of an id.</summary>
    internal ClientOptions this[string id] => _byId[id].Client;

    /// <summary>Finds the client that this certificate is registered for (RFC 8705, 2). That its owner holds the key, TLS has shown.</summary>
    internal bool TryAuthenticate(string id, X509Certificate2 certificate, DateTimeOffset now, [NotNullWhen(true)] out ClientOptions? client)
    {
        client = null;
        if (!_byId.TryGetValue(id, out var known) || now < certificate.NotBefore.ToUniversalTime() || now > certificate.NotAfter.ToUniversalTime())
            return false;
        var right = known.Client.Authentication switch
        {
            ClientMethods.OwnCertificate => IsRegistered(certificate, known.Keys),
            ClientMethods.Certificate => Names(certificate, known.Client) && IsOfAnAuthority(certificate, now),
            _ => false,
        };
        client = right ? known.Client : null;
        return right;
    }

    /// <summary>The one client that this certificate is registered for, whatever its id; null where it is nobody's. That the sender holds the key, the caller must see.</summary>
    internal ClientOptions? Of(X509Certificate2 certificate, DateTimeOffset now) =>
        _byId.Keys.Where(id => TryAuthenticate(id, certificate, now, out _)).Take(2).ToList() is [var id] ? _byId[id].Client : null;

    private static bool IsRegistered(X509Certificate2 certificate, IReadOnlyList<VerificationKey> keys)
    {
        var thumbprint = Encoding.ASCII.GetBytes(Base64Url.EncodeToString(SHA256.HashData(certificate.RawData)));
        return keys.Any(key => key.Thumbprint is not null && CryptographicOperations.FixedTimeEquals(thumbprint, Encoding.ASCII.GetBytes(key.Thumbprint)));
    }

    private static bool Names(X509Certificate2 certificate, ClientOptions client) => client.CertificateSubject.Length > 0
        ? certificate.SubjectName.Name == Subject(client.CertificateSubject)
        : certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(names => names.EnumerateDnsNames())
            .Any(name => string.Equals(name, client.CertificateDnsName, StringComparison.OrdinalIgnoreCase));

    /// <summary>A subject in the one way that this platform writes it; a name made of text would keep the writer's.</summary>
    /// <exception cref="FormatException">It is no name.</exception>
    internal static string Subject(string text)
    {
        try
        {
            return new X500DistinguishedName(new X500DistinguishedName(text).RawData).Name;
        }
        catch (CryptographicException)
        {
            throw new FormatException("it is not a distinguished name");
        }
    }

    /// <summary>Whether the chain leads to a configured authority. A certificate that its authority has revoked is stopped by revoking the client here.</summary>
    private bool IsOfAnAuthority(X509Certificate2 certificate, DateTimeOffset now)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_authorities);
        chain.ChainPolicy.ExtraStore.AddRange(_authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.ApplicationPolicy.Add(ForClients);
        chain.ChainPolicy.VerificationTime = now.UtcDateTime;
        return chain.Build(certificate);
    }

    private static string SecretOf(ClientOptions client, SecretStore secrets)
    {
        var secret = secrets.Text($"client/{client.Id}");
        return secret.Length >= ShortestSecret ? secret : throw new InvalidOperationException(
            $"The secret client/{client.Id} is shorter than {ShortestSecret} characters. Set a random one: openssl rand -hex 32");
    }

    private static byte[] HashOf(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));

    private sealed record Known(ClientOptions Client, byte[]? SecretHash, IReadOnlyList<VerificationKey> Keys);
}
