using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Xunit;

namespace Sloring.Tests.Distributed;

/// <summary>
/// What <c>./images</c> makes of a service as it was built for these tests, on a base image of the test's own: twice the same, and with a bill that names what is in it.
/// That two builds from source are the same too is what <c>./images --check</c> looks at.
/// </summary>
public sealed partial class ImageTests(ImageTests.Images images) : IClassFixture<ImageTests.Images>
{
    /// <summary>The commit's time in these tests: 2026-02-03 04:05:06 UTC.</summary>
    private const long Moment = 1770091506;

    private static readonly string Configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
    [Fact]
    public async Task Image_built_twice_is_the_same_byte_by_byte_and_dated_by_the_commit()
    {
        var (first, second) = (await images.Built("Scheduler"), await images.Build("Scheduler", "again"));
        Assert.Equal(BaseImage.Digest(File.ReadAllBytes(first.Archive)), BaseImage.Digest(File.ReadAllBytes(second.Archive)));
        Assert.Equal(File.ReadAllText(first.Bill), File.ReadAllText(second.Bill));

        var files = Read(File.OpenRead(first.Archive));
        JsonNode Blob(JsonNode? descriptor) => JsonNode.Parse(Bytes(descriptor))!;
        byte[] Bytes(JsonNode? descriptor)
        {
            var blob = files["blobs/" + ((string)descriptor!["digest"]!).Replace(':', '/')].Content;
            Assert.Equal((string)descriptor["digest"]!, BaseImage.Digest(blob));
            Assert.Equal((int)descriptor["size"]!, blob.Length);
            return blob;
        }
        var manifest = Blob(JsonNode.Parse(files["index.json"].Content)!["manifests"]![0]);
        var config = Blob(manifest["config"]);
        Assert.Equal(images.Onto.LayerDigest, (string)manifest["layers"]![0]!["digest"]!);
        Assert.Equal("1654", (string)config["config"]!["User"]!);
        Assert.Equal(["dotnet", "/app/Sloring.Scheduler.dll"], config["config"]!["Entrypoint"]!.AsArray().Select(part => (string)part!));
        Assert.Equal("2026-02-03T04:05:06Z", (string)config["created"]!);
        Assert.Equal(["2026-01-02T03:04:05Z", "2026-02-03T04:05:06Z"], config["history"]!.AsArray().Select(step => ((DateTimeOffset)step!["created"]!).ToString("yyyy-MM-ddTHH:mm:ssZ", null)));

        using var unzipped = new MemoryStream();
        new GZipStream(new MemoryStream(Bytes(manifest["layers"]![1])), CompressionMode.Decompress).CopyTo(unzipped);
        Assert.Equal((string)config["rootfs"]!["diff_ids"]![1]!, BaseImage.Digest(unzipped.ToArray()));
        unzipped.Position = 0;
        var application = Read(unzipped);
        Assert.All(application.Values, file => Assert.Equal(Moment, file.Entry.ModificationTime.ToUnixTimeSeconds()));
        var built = Path.Combine(Repository.Root, "services", "Scheduler", "bin", Configuration, "net10.0", "Sloring.Scheduler.dll");
        Assert.Equal(File.ReadAllBytes(built), application["app/Sloring.Scheduler.dll"].Content);
        Assert.Equal(1654, application["app/Sloring.Scheduler.dll"].Entry.Uid);

        // An older docker reads this file instead of the index.
        var forDocker = JsonNode.Parse(files["manifest.json"].Content)![0]!;
        Assert.Equal("sloring/scheduler:0.1.0-test", (string)forDocker["RepoTags"]![0]!);
        Assert.Equal(manifest["layers"]!.AsArray().Select(layer => "blobs/" + ((string)layer!["digest"]!).Replace(':', '/')), forDocker["Layers"]!.AsArray().Select(layer => (string)layer!));
    }

    [Theory]
    [InlineData("Scheduler")]
    [InlineData("Portal")]
    public async Task Bill_of_materials_names_what_the_image_has_and_nothing_else(string project)
    {
        var image = await images.Built(project);
        var bill = JsonNode.Parse(File.ReadAllText(image.Bill))!;
        var components = bill["components"]!.AsArray();
        IEnumerable<string> Named(Func<string, bool> purl) => components.Where(component => purl((string?)component!["purl"] ?? "")).Select(component => $"{component!["name"]}/{component["version"]}").Order();

        var files = Read(File.OpenRead(image.Archive));
        var manifest = files.Values.Select(file => file.Content).Where(content => content.AsSpan().StartsWith("{"u8)).Select(content => JsonNode.Parse(content)!).Single(json => json["layers"] is not null);
        var application = Read(new GZipStream(new MemoryStream(files["blobs/" + ((string)manifest["layers"]![1]!["digest"]!).Replace(':', '/')].Content), CompressionMode.Decompress));
        var libraries = JsonNode.Parse(application[$"app/Sloring.{project}.deps.json"].Content)!["libraries"]!.AsObject();
        IEnumerable<string> Libraries(string type) => libraries.Where(library => (string)library.Value!["type"]! == type).Select(library => library.Key).Order();
        Assert.NotEmpty(Libraries("package"));
        Assert.Equal(Libraries("package"), Named(purl => purl.StartsWith("pkg:nuget/", StringComparison.Ordinal) && !purl.Contains(".Runtime.linux-x64@", StringComparison.Ordinal)));
        Assert.Equal(Libraries("project").Where(library => !library.StartsWith($"Sloring.{project}/", StringComparison.Ordinal)), Named(purl => purl == ""));
        Assert.Equal(["Microsoft.AspNetCore.App/10.0.98", "Microsoft.NETCore.App/10.0.99"], Named(purl => purl.Contains(".Runtime.linux-x64@", StringComparison.Ordinal)));
        Assert.Equal(["pkg:deb/debian/libc6@2.36-9%2Bdeb12u10?arch=amd64&distro=debian-12", "pkg:deb/debian/libssl3@3.0.15?arch=amd64&distro=debian-12"],
            components.Select(component => (string?)component!["purl"] ?? "").Where(purl => purl.StartsWith("pkg:deb/", StringComparison.Ordinal)));

        // What the project takes from node_modules is what is served; the lock file says which version.
        var taken = NodeModule().Matches(File.ReadAllText(Path.Combine(Repository.Root, "services", project, $"Sloring.{project}.csproj"))).Select(match => match.Groups[1].Value).Distinct().Order();
        Assert.Equal(taken, Named(purl => purl.StartsWith("pkg:npm/", StringComparison.Ordinal)).Select(package => package.Split('/')[0]));
        Assert.Equal(project == "Portal", taken.Any());

        Assert.Equal(BaseImage.Digest(files.Values.Select(file => file.Content).Single(content => content.AsSpan().StartsWith("{"u8) && JsonNode.Parse(content)!["layers"] is not null)),
            "sha256:" + (string)bill["metadata"]!["component"]!["hashes"]![0]!["content"]!);
        Assert.Equal("2026-02-03T04:05:06Z", (string)bill["metadata"]!["timestamp"]!);
        Assert.Null(bill["serialNumber"]);
        var refs = components.Select(component => (string)component!["bom-ref"]!).Append((string)bill["metadata"]!["component"]!["bom-ref"]!).ToList();
        Assert.Distinct(refs);
        Assert.Equal(refs.Order(), bill["dependencies"]!.AsArray().SelectMany(one => one!["dependsOn"]!.AsArray().Select(on => (string)on!).Append((string)one["ref"]!)).Distinct().Order());

        var peer = Path.Combine(Repository.Root, "tests", "Distributed", "js-bill");
        await ForeignProgram.Install(peer);
        Assert.Equal("valid", (await ForeignProgram.Run("node", "", Path.Combine(peer, "validate.mjs"), image.Bill)).Trim());
        // That the library would have said so otherwise.
        bill["components"]![0]!["colour"] = "red";
        File.WriteAllText(image.Bill + ".red", bill.ToJsonString());
        Assert.Contains("colour", await ForeignProgram.Run("node", "", Path.Combine(peer, "validate.mjs"), image.Bill + ".red"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bill_that_lacks_a_package_of_the_image_is_refused()
    {
        var published = Path.GetDirectoryName((await images.Built("Scheduler")).Archive)!;
        var bill = JsonNode.Parse(File.ReadAllText(Path.Combine(published, "bill.json")))!;
        var components = bill["components"]!.AsArray();
        components.Remove(components.Single(component => (string)component!["name"]! == "Npgsql"));
        File.WriteAllText(Path.Combine(published, "lacking.json"), bill.ToJsonString());
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => Images.Pack(published, "lacking.json", "Scheduler"));
        Assert.Contains("lacks: Npgsql/", refused.Message, StringComparison.Ordinal);
    }

    private static Dictionary<string, (TarEntry Entry, byte[] Content)> Read(Stream tar)
    {
        var files = new Dictionary<string, (TarEntry, byte[])>();
        using var reader = new TarReader(tar);
        while (reader.GetNextEntry() is { } entry)
        {
            using var content = new MemoryStream();
            entry.DataStream?.CopyTo(content);
            files[entry.Name] = (entry, content.ToArray());
        }
        return files;
    }

    [GeneratedRegex(@"node_modules/(?!\.)([\w.@-]+)/")]
    private static partial Regex NodeModule();

    /// <summary>Images that were made for these tests, each service's once.</summary>
    public sealed class Images : IAsyncLifetime
    {
        private readonly string _folder = Directory.CreateTempSubdirectory("sloring-images-").FullName;
        private readonly Dictionary<string, Task<(string Archive, string Bill)>> _built = [];

        internal BaseImage Onto { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Onto = await BaseImage.Start();
            await ForeignProgram.Run("env", "", "-C", Repository.Root, "dotnet", "tool", "restore");
        }

        public async ValueTask DisposeAsync()
        {
            await Onto.DisposeAsync();
            Directory.Delete(_folder, recursive: true);
        }

        public Task<(string Archive, string Bill)> Built(string project) => _built.TryGetValue(project, out var built) ? built : _built[project] = Build(project, project);

        public async Task<(string Archive, string Bill)> Build(string project, string folder)
        {
            var to = Directory.CreateDirectory(Path.Combine(_folder, folder)).FullName;
            var source = Path.Combine(Repository.Root, "services", project);
            await ForeignProgram.Run("env", "", $"DOTNET_CONTAINER_INSECURE_REGISTRIES={Onto.Host}", "MSBUILDDISABLENODEREUSE=1", "dotnet", "publish", source, "-c", Configuration, "--no-build", "-t:PublishContainer", "-v", "quiet",
                "-p:SloringCommit=test", $"-p:ContainerBaseImage={Onto.Name}", $"-p:ContainerArchiveOutputPath={to}/published.tar");
            await ForeignProgram.Run("env", "", "-C", Repository.Root, "dotnet", "dotnet-CycloneDX", Path.Combine(source, $"Sloring.{project}.csproj"), "-o", to, "-fn", "bill.json", "-F", "Json", "-ns", "-dpr", "-rs", "-ipr");
            await Pack(to, "bill.json", project);
            var name = project.ToLowerInvariant();
            return (Path.Combine(to, name + ".tar"), Path.Combine(to, name + ".cdx.json"));
        }

        public static Task<string> Pack(string folder, string bill, string project) => ForeignProgram.Run("dotnet", "",
        [
            Path.Combine(AppContext.BaseDirectory, "Sloring.Images.dll"), Path.Combine(folder, "published.tar"), Path.Combine(folder, bill), $"sloring/{project.ToLowerInvariant()}:0.1.0-test", $"{Moment}", folder,
            .. project == "Portal" ? [Path.Combine(Repository.Root, "services", "Portal", "package-lock.json")] : Array.Empty<string>(),
        ]);
    }
}
