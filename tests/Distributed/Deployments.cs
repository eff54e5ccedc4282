using System.Globalization;
using Sloring.Cluster;
using YamlDotNet.RepresentationModel;

namespace Sloring.Tests.Distributed;

/// <summary>One process as a file of the repository describes it.</summary>
/// <param name="Name">Its own name; replicas are numbered.</param>
/// <param name="AppId">What replicas share.</param>
/// <param name="Project">Folder and assembly of the service, for example "Registration".</param>
/// <param name="AppPort">The port that the sidecar calls.</param>
/// <param name="SidecarHttp">The sidecar's HTTP port.</param>
/// <param name="SidecarGrpc">The sidecar's gRPC port.</param>
/// <param name="SidecarMetrics">The sidecar's metrics port.</param>
/// <param name="Settings">The service's environment.</param>
public sealed record DeployedProcess(
    string Name, string AppId, string Project, int AppPort, int SidecarHttp, int SidecarGrpc, int SidecarMetrics, IReadOnlyDictionary<string, string> Settings)
{
    /// <summary>Where paths in the settings start from.</summary>
    public string Folder => Path.Combine(Repository.Root, "services", Project);
}

/// <summary>The platform as one file describes it. A further form, for example manifests of a cluster, is a further reader here, and the tests of every form hold for it.</summary>
public sealed record Deployment(string AppProtocol, string Configuration, IReadOnlyList<DeployedProcess> Processes)
{
    public static IReadOnlyDictionary<string, Func<Deployment>> Forms { get; } = new Dictionary<string, Func<Deployment>> { ["dapr.yaml"] = FromDapr, ["tye.yaml"] = FromTye };

    private static Deployment FromDapr()
    {
        var run = RunFile.Read(Path.Combine(Repository.Root, "dapr.yaml"));
        return new Deployment(run.Common.AppProtocol!, Path.GetFileNameWithoutExtension(run.Common.ConfigFilePath!), [.. run.Apps.GroupBy(app => app.AppId)
            .SelectMany(replicas => replicas.Select((app, at) => new DeployedProcess(
                replicas.Count() == 1 ? app.AppId : $"{app.AppId}-{at + 1}", app.AppId, Path.GetFileName(app.AppDirPath), app.AppPort, app.DaprHttpPort, app.DaprGrpcPort, app.MetricsPort,
                run.Common.Env.Concat(app.Env).ToDictionary())))]);
    }

    private static Deployment FromTye()
    {
        var tye = Yaml(File.ReadAllText(Path.Combine(Repository.Root, "tye.yaml")));
        var dapr = tye["extensions"][0];
        var sidecars = (YamlMappingNode)dapr["services"];
        return new Deployment((string)dapr["app-protocol"]!, (string)dapr["config"]!, [.. ((YamlSequenceNode)tye["services"]).OfType<YamlMappingNode>()
            .Where(service => service.Children.ContainsKey("project"))
            .Select(service =>
            {
                var sidecar = sidecars[service["name"]];
                var settings = ((YamlSequenceNode)service["env"]).Select(setting => ((string)setting!).Split('=', 2)).Where(setting => setting.Length == 2)
                    .ToDictionary(setting => setting[0], setting => setting[1]);
                // Tye takes the first binding of protocol http for the app port.
                return new DeployedProcess((string)service["name"]!, (string)sidecar["app-id"]!, Path.GetFileName(Path.GetDirectoryName((string)service["project"]!)!),
                    Number(service["bindings"][0]["port"]), Number(sidecar["http-port"]), Number(sidecar["grpc-port"]), Number(sidecar["metrics-port"]), settings);
            })]);
    }

    public static YamlNode Yaml(string text)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(text));
        return yaml.Documents.Single().RootNode;
    }

    private static int Number(YamlNode node) => int.Parse((string)node!, CultureInfo.InvariantCulture);
}
