using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Sloring.Tests.Distributed;

/// <summary>A registry on loopback with one image to build on: a runtime's folder, two of Debian's packages and one that was removed.</summary>
internal sealed class BaseImage : IAsyncDisposable
{
    private readonly WebApplication _registry;

    private BaseImage(WebApplication registry, int port, string layer) => (_registry, Host, LayerDigest) = (registry, $"127.0.0.1:{port}", layer);

    /// <summary>Where the registry is, as the SDK wants it to be allowed to ask without TLS.</summary>
    public string Host { get; }

    public string Name => Host + "/base/aspnet:10.0";

    public string LayerDigest { get; }

    public static async Task<BaseImage> Start()
    {
        var tar = Tar(
            ("usr/share/dotnet/shared/Microsoft.NETCore.App/10.0.99/System.Runtime.dll", ""),
            ("usr/share/dotnet/shared/Microsoft.AspNetCore.App/10.0.98/Microsoft.AspNetCore.dll", ""),
            ("usr/lib/os-release", "PRETTY_NAME=\"Debian\"\nVERSION_ID=\"12\"\nID=debian\n"),
            ("var/lib/dpkg/status", "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.36-9+deb12u10\nDescription: C library\n Version: of a description\n\n" +
                "Package: libssl3\nStatus: install ok installed\nArchitecture: amd64\nVersion: 3.0.15\n\nPackage: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1.0\n"));
        using var gzipped = new MemoryStream();
        using (var gzip = new GZipStream(gzipped, CompressionLevel.Fastest))
            gzip.Write(tar);
        var layer = gzipped.ToArray();
        var config = JsonSerializer.SerializeToUtf8Bytes(new
        {
            architecture = "amd64",
            os = "linux",
            created = "2026-01-02T03:04:05Z",
            config = new { Env = new[] { "PATH=/usr/bin" } },
            rootfs = new { type = "layers", diff_ids = new[] { Digest(tar) } },
            history = new[] { new { created = "2026-01-02T03:04:05Z", created_by = "base" } },
        });
        const string type = "application/vnd.oci.image.manifest.v1+json";
        var manifest = JsonSerializer.SerializeToUtf8Bytes(new
        {
            schemaVersion = 2,
            mediaType = type,
            config = new { mediaType = "application/vnd.oci.image.config.v1+json", size = config.Length, digest = Digest(config) },
            layers = new[] { new { mediaType = "application/vnd.oci.image.layer.v1.tar+gzip", size = layer.Length, digest = Digest(layer) } },
        });
        var port = Platform.FreePort();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var registry = builder.Build();
        registry.Urls.Add($"http://127.0.0.1:{port}");
        registry.MapGet("/v2/", () => Results.Ok());
        registry.MapMethods("/v2/base/aspnet/manifests/{reference}", ["GET", "HEAD"], (HttpResponse response) =>
        {
            response.Headers["Docker-Content-Digest"] = Digest(manifest);
            return Results.Bytes(manifest, type);
        });
        registry.MapGet("/v2/base/aspnet/blobs/{digest}", (string digest) => Results.Bytes(new[] { config, layer }.Single(blob => Digest(blob) == digest), "application/octet-stream"));
        await registry.StartAsync();
        return new BaseImage(registry, port, Digest(layer));
    }

    public static string Digest(byte[] blob) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(blob));

    public ValueTask DisposeAsync() => _registry.DisposeAsync();

    private static byte[] Tar(params (string Name, string Content)[] files)
    {
        using var bytes = new MemoryStream();
        using (var tar = new TarWriter(bytes, TarEntryFormat.Ustar))
        {
            foreach (var (name, content) in files)
                tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content)) });
        }
        return bytes.ToArray();
    }
}
