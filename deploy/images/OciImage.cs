using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Sloring.Images;

/// <summary>
/// A container image in one file, an OCI layout in a tar, as the SDK's container publishing writes it: the base image's layers, and the application's above them.
/// The SDK dates the image, each of its files and its history with the moment of building, and names headers in the layer after its own process (dotnet/sdk 55689, mended after
/// SDK 10.0.4xx): <see cref="At"/> gives the same image with one moment that is known beforehand instead.
/// </summary>
public sealed class OciImage
{
    private const string Index = "index.json", Layout = "oci-layout";
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private OciImage(JsonObject manifest, JsonObject config, IReadOnlyList<byte[]> layers) => (Manifest, Config, Layers) = (manifest, config, layers);

    public JsonObject Manifest { get; }

    public JsonObject Config { get; }

    /// <summary>Gzipped tars, the base image's first, the application's last.</summary>
    public IReadOnlyList<byte[]> Layers { get; }

    /// <summary>What a registry knows the image by: sha256:….</summary>
    public string Digest => DigestOf(Bytes(Manifest));

    /// <exception cref="InvalidDataException">The file is no image of one platform with an application on top.</exception>
    public static OciImage Read(string path)
    {
        var files = new Dictionary<string, byte[]>();
        using (var tar = new TarReader(File.OpenRead(path)))
        {
            while (tar.GetNextEntry() is { } entry)
            {
                if (entry.DataStream is not null)
                    files[entry.Name] = Content(entry);
            }
        }
        byte[] Blob(JsonNode? descriptor) => files.TryGetValue(PathOf((string)descriptor!["digest"]!), out var blob) ? blob : throw new InvalidDataException($"{path} lacks the blob {descriptor["digest"]}.");
        if (!files.TryGetValue(Index, out var index) || JsonNode.Parse(index)!["manifests"] is not JsonArray { Count: 1 } manifests)
            throw new InvalidDataException($"{path} is no OCI image of one platform.");
        var manifest = JsonNode.Parse(Blob(manifests[0]))!.AsObject();
        var image = new OciImage(manifest, JsonNode.Parse(Blob(manifest["config"]))!.AsObject(), [.. manifest["layers"]!.AsArray().Select(Blob)]);
        return Entries(image.Layers[^1]).Any(entry => entry.Name.StartsWith("app/", StringComparison.Ordinal)) ? image : throw new InvalidDataException($"{path} has no application in its last layer.");
    }

    /// <summary>The same image, built at that moment; the base image's layers and history stay as they are.</summary>
    public OciImage At(DateTimeOffset moment)
    {
        var tar = Tar(Entries(Layers[^1], keep: true).OrderBy(entry => entry.Name, StringComparer.Ordinal), moment);
        var layer = Gzip(tar);
        var config = Config.DeepClone().AsObject();
        config["created"] = Moment(moment);
        foreach (var step in config["history"]!.AsArray().Where(step => (string?)step!["author"] == ".NET SDK"))
            step!["created"] = Moment(moment);
        config["rootfs"]!["diff_ids"]!.AsArray()[^1] = DigestOf(tar);
        var manifest = Manifest.DeepClone().AsObject();
        void Describe(JsonNode descriptor, byte[] blob) => (descriptor["size"], descriptor["digest"]) = (blob.Length, DigestOf(blob));
        Describe(manifest["config"]!, Bytes(config));
        Describe(manifest["layers"]!.AsArray()[^1]!, layer);
        return new OciImage(manifest, config, [.. Layers.SkipLast(1), layer]);
    }

    /// <summary>Writes it under a name (repository and tag) in one file that is an OCI layout and what <c>docker load</c> of any age reads.</summary>
    public void Write(string path, string name, DateTimeOffset moment)
    {
        var (manifest, config) = (Bytes(Manifest), Bytes(Config));
        var index = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = "application/vnd.oci.image.index.v1+json",
            ["manifests"] = new JsonArray(new JsonObject
            {
                ["mediaType"] = (string)Manifest["mediaType"]!,
                ["size"] = manifest.Length,
                ["digest"] = Digest,
                ["platform"] = new JsonObject { ["architecture"] = (string)Config["architecture"]!, ["os"] = (string)Config["os"]! },
                ["annotations"] = new JsonObject { ["io.containerd.image.name"] = "docker.io/" + name, ["org.opencontainers.image.ref.name"] = name.Split(':')[^1] },
            }),
        };
        var forDocker = JsonSerializer.SerializeToNode(new[] { new { Config = PathOf(DigestOf(config)), RepoTags = new[] { name }, Layers = Layers.Select(layer => PathOf(DigestOf(layer))) } })!;
        IEnumerable<(string Name, byte[] Content)> files =
        [
            (Layout, Bytes(new JsonObject { ["imageLayoutVersion"] = "1.0.0" })), (Index, Bytes(index)), ("manifest.json", Bytes(forDocker)),
            .. Layers.Append(config).Append(manifest).Select(blob => (PathOf(DigestOf(blob)), blob)),
        ];
        File.WriteAllBytes(path, Tar(files.Select(file => new UstarTarEntry(TarEntryType.RegularFile, file.Name) { DataStream = new MemoryStream(file.Content) }), moment));
    }

    /// <summary>What lies in a layer, in its order; the content of each for as long as it is looked at, or for good if it is kept.</summary>
    public static IEnumerable<TarEntry> Entries(byte[] layer, bool keep = false)
    {
        using var tar = new TarReader(new GZipStream(new MemoryStream(layer), CompressionMode.Decompress));
        while (tar.GetNextEntry(copyData: keep) is { } entry)
            yield return entry;
    }

    public static byte[] Content(TarEntry entry)
    {
        using var content = new MemoryStream();
        entry.DataStream?.CopyTo(content);
        return content.ToArray();
    }

    private static byte[] Tar(IEnumerable<TarEntry> entries, DateTimeOffset moment)
    {
        using var bytes = new MemoryStream();
        // ustar has no headers of its own kind, which the writer would name after its process.
        using (var tar = new TarWriter(bytes, TarEntryFormat.Ustar))
        {
            foreach (var entry in entries)
            {
                if (entry.EntryType is not (TarEntryType.Directory or TarEntryType.RegularFile))
                    throw new InvalidDataException($"{entry.Name} is neither file nor folder.");
                var dated = new UstarTarEntry(entry.EntryType, entry.Name) { ModificationTime = moment, Mode = entry.Mode, Uid = entry.Uid, Gid = entry.Gid };
                if (entry.EntryType is TarEntryType.RegularFile)
                    dated.DataStream = entry.DataStream;
                tar.WriteEntry(dated);
            }
        }
        return bytes.ToArray();
    }

    private static byte[] Gzip(byte[] content)
    {
        using var bytes = new MemoryStream();
        using (var gzip = new GZipStream(bytes, CompressionLevel.Optimal))
            gzip.Write(content);
        return bytes.ToArray();
    }

    private static string Moment(DateTimeOffset moment) => moment.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", null);

    private static string DigestOf(byte[] blob) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(blob));

    private static string PathOf(string digest) => "blobs/" + digest.Replace(':', '/');

    private static byte[] Bytes(JsonNode json) => Encoding.UTF8.GetBytes(json.ToJsonString(Plain));
}
