using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Xunit;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Sloring.Tests.Distributed;

/// <summary>
/// Holds a manifest against Kubernetes' own OpenAPI documents or the definitions of Dapr's resources, strictly: a field that no schema knows is a fault too, which an
/// API server would drop without a word.
/// </summary>
internal static partial class Schemas
{
    private static readonly Dictionary<string, JsonElement> Documents = [];

    /// <summary>What a manifest has that its kind does not allow, by where it stands.</summary>
    public static List<string> Faults(YamlMappingNode manifest)
    {
        var (version, kind) = ((string?)manifest["apiVersion"] ?? "", (string?)manifest["kind"] ?? "");
        var faults = new List<string>();
        if (version.StartsWith("dapr.io/", StringComparison.Ordinal))
            Dapr(manifest, version, kind, faults);
        else
            Kubernetes(manifest, version, kind, faults);
        return faults;
    }

    private static void Dapr(YamlMappingNode manifest, string version, string kind, List<string> faults)
    {
        var crd = Directory.EnumerateFiles(Folder("dapr-1.17"), "*.yaml").Select(path => Deployment.Yaml(File.ReadAllText(path))).SingleOrDefault(crd => (string?)crd["spec"]["names"]["kind"] == kind);
        var schema = crd is null ? null : ((YamlSequenceNode)crd["spec"]["versions"]).SingleOrDefault(v => $"dapr.io/{v["name"]}" == version)?["schema"]["openAPIV3Schema"];
        if (schema is null)
            faults.Add($"{version} {kind} is unknown");
        else
            Check(manifest, JsonSerializer.SerializeToElement(Plain(schema)), default, "", faults);
    }

    private static void Kubernetes(YamlMappingNode manifest, string version, string kind, List<string> faults)
    {
        var file = Path.Combine(Folder("kubernetes-1.35"), version.Contains('/', StringComparison.Ordinal) ? "apis" : "api", version + ".json");
        if (!File.Exists(file))
        {
            faults.Add($"{version} is unknown");
            return;
        }
        lock (Documents)
        {
            if (!Documents.ContainsKey(file))
                Documents[file] = JsonDocument.Parse(File.ReadAllText(file)).RootElement.GetProperty("components").GetProperty("schemas");
        }
        var group = version.Split('/') is [var name, var v] ? (name, v) : ("", version);
        var schema = Documents[file].EnumerateObject().Where(schema => schema.Value.TryGetProperty("x-kubernetes-group-version-kind", out var kinds) && kinds.EnumerateArray().Any(one =>
            (one.GetProperty("group").GetString(), one.GetProperty("version").GetString()) == group && one.GetProperty("kind").GetString() == kind)).Select(schema => schema.Value).FirstOrDefault();
        if (schema.ValueKind == JsonValueKind.Undefined)
            faults.Add($"{version} {kind} is unknown");
        else
            Check(manifest, schema, Documents[file], "", faults);
    }

    private static void Check(YamlNode node, JsonElement schema, JsonElement all, string at, List<string> faults)
    {
        while (Next(schema) is { } reference)
            schema = all.GetProperty(reference);
        if (schema.TryGetProperty("x-kubernetes-preserve-unknown-fields", out _))
            return;
        if (schema.TryGetProperty("oneOf", out var any))
        {
            if (!any.EnumerateArray().Any(one => Fits(node, one, all)))
                faults.Add($"{at} is none of what it may be");
            return;
        }
        switch (Text(schema, "type"), node)
        {
            case ("object", YamlMappingNode map):
                foreach (var (key, value) in map.Children)
                {
                    if (schema.TryGetProperty("properties", out var properties) && properties.TryGetProperty((string)key!, out var property))
                        Check(value, property, all, $"{at}/{key}", faults);
                    else if (schema.TryGetProperty("additionalProperties", out var others) && others.ValueKind == JsonValueKind.Object)
                        Check(value, others, all, $"{at}/{key}", faults);
                    else if (schema.TryGetProperty("properties", out _))
                        faults.Add($"{at}/{key} is unknown");
                }
                foreach (var required in schema.TryGetProperty("required", out var needed) ? needed.EnumerateArray().Select(name => name.GetString()!) : [])
                {
                    if (!map.Children.ContainsKey(new YamlScalarNode(required)))
                        faults.Add($"{at}/{required} is missing");
                }
                break;
            case ("array", YamlSequenceNode list):
                foreach (var (i, item) in list.Index())
                    Check(item, schema.GetProperty("items"), all, $"{at}/{i}", faults);
                break;
            case ("string", YamlScalarNode { Value: not null } scalar) when scalar.Style != ScalarStyle.Plain || !NotText().IsMatch(scalar.Value):
                if (schema.TryGetProperty("enum", out var values) && !values.EnumerateArray().Any(value => value.GetString() == scalar.Value))
                    faults.Add($"{at} may not be {scalar.Value}");
                break;
            case ("integer", YamlScalarNode { Style: ScalarStyle.Plain } number) when long.TryParse(number.Value, CultureInfo.InvariantCulture, out _):
            case ("number", YamlScalarNode { Style: ScalarStyle.Plain } real) when double.TryParse(real.Value, CultureInfo.InvariantCulture, out _):
            case ("boolean", YamlScalarNode { Style: ScalarStyle.Plain, Value: "true" or "false" }):
                break;
            default:
                faults.Add($"{at} is not of type {Text(schema, "type")}");
                break;
        }
    }

    private static bool Fits(YamlNode node, JsonElement schema, JsonElement all)
    {
        var faults = new List<string>();
        Check(node, schema, all, "", faults);
        return faults.Count == 0;
    }

    /// <summary>The name of the schema that this one refers to.</summary>
    private static string? Next(JsonElement schema)
    {
        if (schema.TryGetProperty("allOf", out var all) && all.GetArrayLength() == 1)
            schema = all[0];
        return Text(schema, "$ref")?["#/components/schemas/".Length..];
    }

    private static string? Text(JsonElement schema, string name) => schema.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static object? Plain(YamlNode node) => node switch
    {
        YamlMappingNode map => map.Children.ToDictionary(pair => (string)pair.Key!, pair => Plain(pair.Value)),
        YamlSequenceNode list => list.Select(Plain).ToList(),
        _ => (string?)node,
    };

    /// <summary>The schemas are not this project's: they stand beside it.</summary>
    private static string Folder(string name)
    {
        for (var at = new DirectoryInfo(Repository.Root); at is not null; at = at.Parent)
        {
            var folder = Path.Combine(at.FullName, "shared", "schemas", name);
            if (Directory.Exists(folder))
                return folder;
        }
        Assert.Skip($"The schemas are not beside this checkout (shared/schemas/{name}).");
        throw new UnreachableException();
    }

    /// <summary>What YAML reads as something else than a text when it stands without quotes.</summary>
    [GeneratedRegex(@"^(true|false|null|~|[-+]?[0-9]+(\.[0-9]+)?)$", RegexOptions.IgnoreCase)]
    private static partial Regex NotText();
}
