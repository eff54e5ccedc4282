using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Sloring.Cluster.Commands;

/// <summary>
/// <c>./run cluster secrets</c>: the Secrets that deploy/k8s names, for kubectl. Those of the same folder are the same each time. A production's own come from its own store; the names and
/// keys are these.
/// </summary>
public static class KubernetesSecrets
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>The Secrets of a cluster as one Kubernetes List.</summary>
    /// <param name="options">Whose settings and folder.</param>
    public static string Of(LocalClusterOptions options)
    {
        var cluster = LocalCluster.Describe(options);
        var secrets = cluster.Secrets;
        var apps = cluster.Processes.Select(process => process.AppId).Distinct().ToList();
        var roles = apps.Where(app => secrets.Store.ContainsKey($"postgres.{app}")).ToDictionary(app => app, app => secrets[$"postgres/{app}"]);
        var (certificate, key) = Certificate(apps);
        return new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "List",
            ["items"] = new JsonArray(
                Secret("sloring", "Opaque", secrets.Store),
                Secret("sloring-dapr-api", "Opaque", new Dictionary<string, string> { ["token"] = secrets[ClusterSecrets.DaprApiToken] }),
                Secret("sloring-dapr-app", "Opaque", new Dictionary<string, string> { ["token"] = secrets[ClusterSecrets.AppApiToken] }),
                Secret("sloring-tls", "kubernetes.io/tls", new Dictionary<string, string> { ["tls.crt"] = certificate, ["tls.key"] = key, ["ca.crt"] = certificate }),
                Secret("sloring-servers", "Opaque", new Dictionary<string, string>
                {
                    [ClusterSecrets.Superuser] = secrets[ClusterSecrets.Superuser],
                    ["postgres.sql"] = string.Concat(PostgresServer.Roles("sloring", roles).Concat(PostgresServer.Schemas(roles.Keys)).Select(statement => statement + ";\n")),
                    ["rabbitmq.json"] = RabbitMqServer.Definitions(BrokerUsers.All(secrets)),
                })),
        }.ToJsonString(Indented);
    }

    private static JsonObject Secret(string name, string type, IReadOnlyDictionary<string, string> texts) => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "Secret",
        ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = "sloring" },
        ["type"] = type,
        ["stringData"] = new JsonObject(texts.Select(text => KeyValuePair.Create(text.Key, (JsonNode?)text.Value))),
    };

    /// <summary>One certificate for all services by their names in the cluster, which they trust because they have it. For a year: whoever wants more has an authority.</summary>
    private static (string Certificate, string Key) Certificate(IEnumerable<string> apps)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=sloring", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var name in apps.SelectMany(app => (string[])[$"{app}.sloring.svc", $"{app}.sloring.svc.cluster.local"]).Append("localhost"))
            names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, pathLengthConstraint: 0, critical: true));
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddYears(1));
        return (certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }
}
