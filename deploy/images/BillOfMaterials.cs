using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Sloring.Images;

/// <summary>
/// What is in an image, in CycloneDX JSON. The tool CycloneDX knows of each NuGet package licence, hash and what it needs, from the project; which of them the image has is
/// read from the image: its deps.json, and in the layers of the base the runtime and Debian's or Ubuntu's packages. No time but the commit's, no random number.
/// </summary>
public static partial class BillOfMaterials
{
    /// <summary>The bill of an image by its name (repository and tag), from what the tool wrote for the service's project, and from the package-lock.json of what browsers load if it serves that.</summary>
    /// <exception cref="InvalidDataException">The image has a package that the tool does not know.</exception>
    public static JsonObject Of(OciImage image, JsonObject project, JsonObject? npm, string name, DateTimeOffset moment)
    {
        var (repository, tag) = (name.Split(':')[0], name.Split(':')[1]);
        var bill = project.DeepClone().AsObject();
        var metadata = bill["metadata"]!.AsObject();
        var service = (string)metadata["component"]!["name"]!;
        var own = (string)metadata["component"]!["bom-ref"]!;
        var purl = $"pkg:oci/{repository.Split('/')[^1]}@{image.Digest.Replace(":", "%3A", StringComparison.Ordinal)}?tag={tag}";
        metadata["timestamp"] = moment.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", null);
        metadata["component"] = new JsonObject
        {
            ["type"] = "container",
            ["bom-ref"] = purl,
            ["name"] = repository,
            ["version"] = tag,
            ["hashes"] = Hash("SHA-256", image.Digest.Split(':')[1]),
            ["purl"] = purl,
        };

        var libraries = Libraries(image, service);
        var known = bill["components"]!.AsArray().Select(component => component!.AsObject()).ToDictionary(component => $"{component["name"]}/{component["version"]}");
        if (libraries.Where(library => !known.ContainsKey(library)).ToList() is { Count: > 0 } missing)
            throw new InvalidDataException($"{name} has what the bill of its project lacks: {string.Join(", ", missing)}.");
        var files = BaseFiles(image);
        var others = Runtimes(files.Select(file => file.Name), (string)image.Config["architecture"]!).Concat(DebianPackages(files)).Concat(npm is null ? [] : NpmPackages(npm)).ToList();
        bill["components"] = new JsonArray([.. libraries.Order(StringComparer.Ordinal).Select(library => known[library].DeepClone()), .. others]);

        var refs = bill["components"]!.AsArray().Select(component => (string)component!["bom-ref"]!).ToHashSet();
        var needs = bill["dependencies"]!.AsArray().Select(one => (Ref: (string)one!["ref"]!, On: (one["dependsOn"]?.AsArray() ?? []).Select(on => (string)on!)));
        bill["dependencies"] = new JsonArray([.. needs.Where(one => one.Ref == own || refs.Contains(one.Ref)).Select(one => new JsonObject
        {
            ["ref"] = one.Ref == own ? purl : one.Ref,
            ["dependsOn"] = new JsonArray([.. one.On.Where(refs.Contains).Concat(one.Ref == own ? others.Select(other => (string)other["bom-ref"]!) : []).Select(on => (JsonNode)on)]),
        })]);
        return bill;
    }

    /// <summary>Packages and own libraries of the application, name/version, as its loader is told them.</summary>
    private static List<string> Libraries(OciImage image, string service)
    {
        var file = OciImage.Entries(image.Layers[^1]).Where(entry => entry.Name == $"app/{service}.deps.json").Select(OciImage.Content).Single();
        return [.. JsonNode.Parse(file)!["libraries"]!.AsObject().Select(library => library.Key).Where(library => library.Split('/')[0] != service)];
    }

    private static IEnumerable<JsonObject> Runtimes(IEnumerable<string> files, string architecture) =>
        files.Select(file => Runtime().Match(file)).Where(match => match.Success).Select(match => (Name: match.Groups[1].Value, Version: match.Groups[2].Value)).Distinct().Order()
            // Under these names advisories list them.
            .Select(runtime => Component("framework", runtime.Name, runtime.Version, $"pkg:nuget/{runtime.Name}.Runtime.linux-{(architecture == "amd64" ? "x64" : architecture)}@{runtime.Version}"));

    private static IEnumerable<JsonObject> DebianPackages(IEnumerable<(string Name, byte[]? Package)> layers)
    {
        // A later layer's file is the one that counts; images without a package manager have a file per package.
        var files = layers.Where(file => file.Package is not null).GroupBy(file => file.Name).ToDictionary(file => file.Key, file => Encoding.UTF8.GetString(file.Last().Package!));
        var release = Fields(files.GetValueOrDefault("usr/lib/os-release", ""), '=');
        var (system, version) = (release.GetValueOrDefault("ID", "debian"), release.GetValueOrDefault("VERSION_ID", "").Trim('"'));
        return files.Where(file => file.Key.StartsWith("var/", StringComparison.Ordinal)).SelectMany(file => file.Value.Split("\n\n")).Select(package => Fields(package, ':'))
            .Where(package => package.ContainsKey("Package") && package.GetValueOrDefault("Status", "installed").EndsWith("installed", StringComparison.Ordinal))
            .OrderBy(package => package["Package"], StringComparer.Ordinal).ThenBy(package => package["Architecture"], StringComparer.Ordinal)
            .Select(package => Component("library", package["Package"], package["Version"],
                $"pkg:deb/{system}/{package["Package"]}@{Uri.EscapeDataString(package["Version"])}?arch={package["Architecture"]}&distro={system}-{version}"));
    }

    private static IEnumerable<JsonObject> NpmPackages(JsonObject npm) => npm["packages"]!.AsObject().Where(package => package.Key != "").Select(package =>
    {
        var (name, version) = (package.Key[(package.Key.LastIndexOf("node_modules/", StringComparison.Ordinal) + "node_modules/".Length)..], (string)package.Value!["version"]!);
        var component = Component("library", name, version, $"pkg:npm/{name.Replace("@", "%40", StringComparison.Ordinal)}@{version}");
        component["hashes"] = Hash("SHA-512", Convert.ToHexString(Convert.FromBase64String(((string)package.Value["integrity"]!)["sha512-".Length..])));
        component["licenses"] = new JsonArray(new JsonObject { ["license"] = new JsonObject { ["name"] = (string)package.Value["license"]! } });
        return component;
    });

    /// <summary>Files of the base image's layers, with the content of those that tell of Debian's packages.</summary>
    private static List<(string Name, byte[]? Package)> BaseFiles(OciImage image) => [.. image.Layers.SkipLast(1).SelectMany(layer => OciImage.Entries(layer)
        .Select(entry => (Entry: entry, Name: entry.Name.TrimStart('.', '/'))).Select(file => (file.Name, DebianFile().IsMatch(file.Name) && file.Entry.DataStream is not null ? OciImage.Content(file.Entry) : null)))];

    private static JsonObject Component(string type, string name, string version, string purl) =>
        new() { ["type"] = type, ["bom-ref"] = purl, ["name"] = name, ["version"] = version, ["scope"] = "required", ["purl"] = purl };

    private static JsonArray Hash(string algorithm, string content) => new(new JsonObject { ["alg"] = algorithm, ["content"] = content });

    private static Dictionary<string, string> Fields(string text, char separator) => text.Split('\n').Where(line => line.Length > 0 && !char.IsWhiteSpace(line[0]) && line.Contains(separator, StringComparison.Ordinal))
        .Select(line => line.Split(separator, 2)).DistinctBy(field => field[0]).ToDictionary(field => field[0], field => field[1].Trim());

    [GeneratedRegex(@"(?:^|/)shared/(Microsoft\.\w+\.App)/(\d[^/]*)/")]
    private static partial Regex Runtime();

    [GeneratedRegex(@"^(?:usr/lib/os-release|var/lib/dpkg/(?:status|status\.d/[^/]+(?<!\.md5sums)))$")]
    private static partial Regex DebianFile();
}
