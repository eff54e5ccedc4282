using System.Collections.Frozen;
using System.IO.Compression;
using System.Security.Cryptography;
using Microsoft.AspNetCore.StaticFiles;
using Sloring.Contracts;

namespace Sloring.Portal;

/// <summary>
/// What pages load: read and compressed once, addressed by a hash of all of it, so that a browser may keep it for good and never mixes two versions.
/// </summary>
public sealed class Assets
{
    private readonly FrozenDictionary<string, Asset> _assets;

    public Assets()
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "portal");
        var types = new FileExtensionContentTypeProvider();
        var files = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(file => (Name: Path.GetRelativePath(folder, file).Replace(Path.DirectorySeparatorChar, '/'), Bytes: File.ReadAllBytes(file))).ToList();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        files.ForEach(file => hash.AppendData(file.Bytes));
        Version = Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 8));
        _assets = files.ToFrozenDictionary(file => file.Name, file => new Asset(
            types.TryGetContentType(file.Name, out var type) ? type : "application/octet-stream", file.Bytes, new Lazy<byte[]>(() => Compressed(file.Bytes))));
    }

    /// <summary>Changes with any of the files.</summary>
    public string Version { get; }

    /// <summary>Where a page finds a file.</summary>
    public string Address(string name) => $"/assets/{Version}/{name}";

    public IResult Serve(HttpContext http, string version, string path)
    {
        if (!_assets.TryGetValue(path, out var asset))
            throw new RejectedException(Rejections.NotHere);
        // While replicas of two versions run, a page of one may fetch from the other: what it gets is not kept.
        if (version == Version)
            http.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
        if (!asset.IsText || !http.Request.Headers.AcceptEncoding.ToString().Contains("br", StringComparison.Ordinal))
            return Results.Bytes(asset.Bytes, asset.Type);
        http.Response.Headers.ContentEncoding = "br";
        http.Response.Headers.Vary = "Accept-Encoding";
        return Results.Bytes(asset.Brotli.Value, asset.Type);
    }

    private static byte[] Compressed(byte[] bytes)
    {
        using var compressed = new MemoryStream();
        using (var brotli = new BrotliStream(compressed, CompressionLevel.SmallestSize))
            brotli.Write(bytes);
        return compressed.ToArray();
    }

    private sealed record Asset(string Type, byte[] Bytes, Lazy<byte[]> Brotli)
    {
        public bool IsText => Type.StartsWith("text/", StringComparison.Ordinal) || Type is "image/svg+xml";
    }
}
