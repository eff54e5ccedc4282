using YamlDotNet.RepresentationModel;

namespace Sloring.Tests.Distributed;

/// <summary>What this platform asks of its manifests beyond what Kubernetes would take.</summary>
internal static class ManifestPolicies
{
    private static readonly string[] Workloads = ["Deployment", "StatefulSet", "Job", "DaemonSet"];

    /// <summary>How the names of settings end that are nobody's business.</summary>
    private static readonly string[] Secrets = ["token", "password", "secret", "key"];

    /// <summary>What is wrong, a line each; none where all is well.</summary>
    public static List<string> Faults(IReadOnlyList<YamlMappingNode> manifests)
    {
        var faults = new List<string>();
        foreach (var workload in manifests.Where(manifest => Workloads.Contains(manifest.Kind())))
        {
            var pod = workload["spec"]["template"]["spec"];
            var name = $"{workload.Kind()} {workload.Name()}";
            Check(pod.Text("securityContext", "runAsNonRoot") == "true", $"{name} may run as root");
            Check(pod.Text("securityContext", "seccompProfile", "type") == "RuntimeDefault", $"{name} has no seccomp profile");
            Check(workload.Text("spec", "template", "metadata", "annotations", "dapr.io/enabled") == "true" || pod.Text("automountServiceAccountToken") == "false", $"{name} has a token for the API server");
            foreach (var container in pod.At("containers").Items().Concat(pod.At("initContainers").Items()))
                Container($"{name}/{container["name"]}", container);
            foreach (var container in pod.At("containers").Items())
                Check(((string[])["startupProbe", "livenessProbe", "readinessProbe"]).All(probe => container.At(probe) is not null), $"{name}/{container["name"]} lacks a probe");
            References(name, workload);
        }
        foreach (var service in manifests.Where(manifest => manifest.Kind() == "Service"))
        {
            var ports = Selected(service["spec"]["selector"]).SelectMany(workload => workload["spec"]["template"]["spec"].At("containers").Items()).SelectMany(container => container.At("ports").Items())
                .Select(port => port.Text("name")).ToList();
            Check(service["spec"].At("ports").Items().All(port => ports.Contains(port.Text("targetPort"))), $"Service {service.Name()} leads to a port that no container has");
        }
        foreach (var budget in manifests.Where(manifest => manifest.Kind() == "PodDisruptionBudget"))
            Check(Selected(budget["spec"]["selector"]["matchLabels"]).Any(), $"PodDisruptionBudget {budget.Name()} is for nobody");
        Check(manifests.Any(manifest => manifest.Kind() == "NetworkPolicy" && ((YamlMappingNode)manifest["spec"]["podSelector"]).Children.Count == 0
            && manifest["spec"].At("policyTypes").Items().Select(type => (string?)type).Order(StringComparer.Ordinal).SequenceEqual(["Egress", "Ingress"])
            && manifest["spec"].At("ingress") is null && manifest["spec"].At("egress") is null), "no NetworkPolicy denies what no other allows");
        Check(manifests.All(manifest => manifest.Kind() != "Secret"), "a secret stands in the manifests");
        Check(manifests.All(manifest => manifest.Kind() is "Namespace" || manifest["metadata"].Text("namespace") == "sloring"), "something stands in another namespace");
        return faults;

        void Check(bool good, string fault)
        {
            if (!good)
                faults.Add(fault);
        }

        void Container(string name, YamlNode container)
        {
            var tag = ((string)container["image"]!).Split('/')[^1].Split(':') is [_, var given] ? given : "";
            Check(tag is not ("" or "latest"), $"{name}: its image has no tag, or one that changes");
            Check(container.At("resources", "limits", "memory") is not null && container.At("resources", "requests", "memory") is not null && container.At("resources", "requests", "cpu") is not null, $"{name} lacks requests or a limit of memory");
            Check(container.Text("securityContext", "allowPrivilegeEscalation") == "false", $"{name} may gain privileges");
            Check(container.Text("securityContext", "readOnlyRootFilesystem") == "true", $"{name} may write to its image");
            Check(container.At("securityContext", "capabilities", "drop").Items().Any(capability => (string?)capability == "ALL"), $"{name} keeps capabilities");
            Check(container.At("env").Items().All(setting => setting.At("valueFrom") is not null || !Secrets.Any(word => ((string)setting["name"]!).EndsWith(word, StringComparison.OrdinalIgnoreCase))), $"{name} has a secret in clear");
        }

        void References(string name, YamlNode workload)
        {
            var pod = workload["spec"]["template"]["spec"];
            var maps = pod.At("volumes").Items().Select(volume => volume.Text("configMap", "name"))
                .Concat(pod.At("containers").Items().Concat(pod.At("initContainers").Items()).SelectMany(container => container.At("envFrom").Items()).Select(from => from.Text("configMapRef", "name")));
            foreach (var map in maps.Where(map => map is not null))
                Check(manifests.Any(manifest => manifest.Kind() == "ConfigMap" && manifest.Name() == map), $"{name} reads the ConfigMap {map}, which is not there");
            if (pod.Text("serviceAccountName") is { } account)
                Check(manifests.Any(manifest => manifest.Kind() == "ServiceAccount" && manifest.Name() == account), $"{name} runs as {account}, who is not there");
            foreach (var container in pod.At("containers").Items().Concat(pod.At("initContainers").Items()))
            {
                foreach (var mount in container.At("volumeMounts").Items())
                {
                    var volumes = pod.At("volumes").Items().Concat(workload["spec"].At("volumeClaimTemplates").Items().Select(claim => claim["metadata"])).Select(volume => (string?)volume["name"]);
                    Check(volumes.Contains((string?)mount["name"]), $"{name} mounts {mount["name"]}, which is not there");
                }
            }
        }

        IEnumerable<YamlMappingNode> Selected(YamlNode labels) => manifests.Where(manifest => Workloads.Contains(manifest.Kind())
            && ((YamlMappingNode)labels).Children.All(label => manifest["spec"]["template"]["metadata"]["labels"].Text((string)label.Key!) == (string?)label.Value));
    }
}
