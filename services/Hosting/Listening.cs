using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using IPNetwork = System.Net.IPNetwork;

namespace Sloring.Hosting;

/// <summary>Addresses that a process listens on. gRPC without TLS needs a port of its own.</summary>
public sealed class ListenOptions
{
    /// <summary>HTTP/1.1: JSON, OpenAPI, tokens, health.</summary>
    public string Http { get; set; } = "http://127.0.0.1:5080";

    /// <summary>HTTP/2 without TLS: gRPC.</summary>
    public string Grpc { get; set; } = "http://127.0.0.1:5081";

    /// <summary>HTTP/1.1 and HTTP/2 over TLS, all of the above; asks for a client certificate and goes on without one. Empty: none.</summary>
    public string Https { get; set; } = "";

    /// <summary>PEM file of the certificate for <see cref="Https"/>, the host's own first, then those that lead to a root.</summary>
    public string Certificate { get; set; } = "";

    /// <summary>PEM file of its private key. Empty: the secret <c>tls-key</c>.</summary>
    public string Key { get; set; } = "";

    /// <summary>
    /// For so many seconds after SIGTERM it goes on as before, and sends its callers elsewhere meanwhile: 0 to 60. For a process with others of its kind beside it; 0 ends at once.
    /// </summary>
    public int DrainSeconds { get; set; }

    /// <summary>
    /// Networks of proxies in front, for example 10.42.0.0/16: what they say in X-Forwarded-For is where a call comes from, for limits and the audit trail. None: nobody is believed.
    /// </summary>
    public IList<string> Proxies { get; } = [];

    internal ForwardedHeadersOptions Forwarded
    {
        get
        {
            var forwarded = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedFor, ForwardLimit = null };
            forwarded.KnownIPNetworks.Clear();
            forwarded.KnownProxies.Clear();
            foreach (var proxy in Proxies)
                forwarded.KnownIPNetworks.Add(IPNetwork.TryParse(proxy, out var network) ? network : throw new InvalidOperationException("Set each of Listen:Proxies to a network, for example 10.42.0.0/16."));
            return forwarded;
        }
    }

    internal TimeSpan Drain => DrainSeconds is >= 0 and <= 60 ? TimeSpan.FromSeconds(DrainSeconds) : throw new InvalidOperationException("Set Listen:DrainSeconds to 0 to 60.");
}

/// <summary>How a process listens: addresses, TLS, and how much it reads of whoever connects.</summary>
internal static class Listening
{
    /// <summary>The largest body of any request; each endpoint may set less. Streams of gRPC are limited message by message.</summary>
    public const int LargestBody = 16 * 1024 * 1024;

    private const int LargestHeaders = 32 * 1024;
    private const string KeySecret = "tls-key";

    public static void Listen(this KestrelServerOptions kestrel, ListenOptions listen)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = LargestBody;
        kestrel.Limits.MaxRequestHeadersTotalSize = LargestHeaders;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
        kestrel.Listen(Endpoint(listen.Http, "http"), options => options.Protocols = HttpProtocols.Http1);
        kestrel.Listen(Endpoint(listen.Grpc, "http"), options => options.Protocols = HttpProtocols.Http2);
        if (listen.Https.Length > 0)
        {
            var (certificate, chain) = Certificate(listen, kestrel.ApplicationServices.GetRequiredService<SecretStore>());
            kestrel.Listen(Endpoint(listen.Https, "https"), options => options.UseHttps(tls =>
            {
                (tls.ServerCertificate, tls.ServerCertificateChain) = (certificate, chain);
                tls.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
                // A certificate proves here that its owner holds the key, no more. Who that is, and by whose word, is for the token service to say.
                tls.AllowAnyClientCertificate();
            }));
        }
    }

    private static (X509Certificate2 Own, X509Certificate2Collection Chain) Certificate(ListenOptions listen, SecretStore secrets)
    {
        if (!File.Exists(listen.Certificate))
            throw new InvalidOperationException("Listen:Https is set: set Listen:Certificate to the PEM file of the host's certificate too.");
        if (listen.Key.Length > 0 && !File.Exists(listen.Key))
            throw new InvalidOperationException("Listen:Key does not name an existing file. Set it to the PEM file of the certificate's private key, or leave it out and add the secret tls-key.");
        try
        {
            var pem = File.ReadAllText(listen.Certificate);
            var chain = new X509Certificate2Collection();
            chain.ImportFromPem(pem);
            var own = X509Certificate2.CreateFromPem(pem, listen.Key.Length > 0 ? File.ReadAllText(listen.Key) : secrets.Text(KeySecret, () => throw new InvalidOperationException(
                "Listen:Https is set: set Listen:Key to the PEM file of the certificate's private key, or add the secret tls-key.")));
            return (own, [.. chain.Skip(1)]);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new InvalidOperationException("Listen:Certificate and its key (Listen:Key, or the secret tls-key) are not a certificate and its private key in PEM.");
        }
    }

    private static IPEndPoint Endpoint(string url, string scheme)
    {
        if (Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Scheme == scheme)
        {
            if (uri.Host == "localhost")
                return new IPEndPoint(IPAddress.Loopback, uri.Port);
            if (IPAddress.TryParse(uri.Host, out var address))
                return new IPEndPoint(address, uri.Port);
        }
        throw new InvalidOperationException(
            "Set Listen:Http and Listen:Grpc to http://, and Listen:Https to https://, an IP address and a port, for example http://127.0.0.1:5080.");
    }
}
