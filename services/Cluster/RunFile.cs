using System.Globalization;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.Serialization;

namespace Sloring.Cluster;

/// <summary>dapr.yaml as far as it is used here: Dapr's multi-app run file, version 1. An unknown key is refused, since a mistyped one would do nothing.</summary>
public sealed partial class RunFile
{
    [YamlMember(Alias = "version")]
    public int Version { get; set; }

    [YamlMember(Alias = "common")]
    public RunSettings Common { get; set; } = new();

    [YamlMember(Alias = "apps")]
    public List<RunApp> Apps { get; set; } = [];

    /// <summary>Reads it, with every port of 5200–5299 moved by <paramref name="offset"/>.</summary>
    /// <exception cref="ClusterException">It is not as it should be.</exception>
    public static RunFile Read(string path, int offset = 0)
    {
        try
        {
            var file = new DeserializerBuilder().Build().Deserialize<RunFile>(Move(File.ReadAllText(path), offset));
            return file is { Version: 1, Apps.Count: > 0 } ? file : throw new ClusterException($"{path} must be of version 1 and list apps.");
        }
        catch (YamlException e)
        {
            throw new ClusterException($"{path} cannot be read: {e.InnerException?.Message ?? e.Message} (line {e.Start.Line}).", e);
        }
    }

    /// <summary>Moves every port of 5200–5299 in a text; that range is this platform's, so nothing else looks like it.</summary>
    public static string Move(string text, int offset) => offset == 0
        ? text
        : Port().Replace(text, port => (int.Parse(port.Value, CultureInfo.InvariantCulture) + offset).ToString(CultureInfo.InvariantCulture));

    [GeneratedRegex(@"(?<![\w.])52\d\d(?![\w.])")]
    private static partial Regex Port();
}

/// <summary>What may stand in <c>common</c> and in an app.</summary>
public class RunSettings
{
    [YamlMember(Alias = "resourcesPaths")]
    public List<string> ResourcesPaths { get; set; } = [];

    [YamlMember(Alias = "configFilePath")]
    public string? ConfigFilePath { get; set; }

    [YamlMember(Alias = "appProtocol")]
    public string? AppProtocol { get; set; }

    [YamlMember(Alias = "appLogDestination")]
    public string? AppLogDestination { get; set; }

    [YamlMember(Alias = "daprdLogDestination")]
    public string? DaprdLogDestination { get; set; }

    [YamlMember(Alias = "env")]
    public Dictionary<string, string> Env { get; set; } = [];
}

/// <summary>One process with its sidecar.</summary>
public sealed class RunApp : RunSettings
{
    [YamlMember(Alias = "appID")]
    public string AppId { get; set; } = "";

    [YamlMember(Alias = "appDirPath")]
    public string AppDirPath { get; set; } = "";

    [YamlMember(Alias = "command")]
    public List<string> Command { get; set; } = [];

    /// <summary>The port that the sidecar calls: HTTP/2 without TLS, for gRPC and events alike.</summary>
    [YamlMember(Alias = "appPort")]
    public int AppPort { get; set; }

    [YamlMember(Alias = "daprHTTPPort")]
    public int DaprHttpPort { get; set; }

    [YamlMember(Alias = "daprGRPCPort")]
    public int DaprGrpcPort { get; set; }

    [YamlMember(Alias = "daprInternalGRPCPort")]
    public int DaprInternalGrpcPort { get; set; }

    [YamlMember(Alias = "metricsPort")]
    public int MetricsPort { get; set; }
}
