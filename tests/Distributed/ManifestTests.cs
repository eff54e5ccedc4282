using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Sloring.Cluster;
using Sloring.Cluster.Commands;
using Sloring.Hosting;
using Xunit;
using YamlDotNet.RepresentationModel;

namespace Sloring.Tests.Distributed;

/// <summary>
/// deploy/k8s, rendered by kubectl: every manifest is what Kubernetes 1.35 and Dapr 1.17 say it may be, keeps the platform's own policies, and agrees with the code of the services that it
/// starts. No API server is to be had here: that a cluster takes and runs them is not shown by this.
/// </summary>
public sealed class ManifestTests(ConfigurationTests.NewCluster secrets) : IClassFixture<ConfigurationTests.NewCluster>
{
    private const int HealthPort = 8080, AppPort = 8081, HttpsPort = 8443, SidecarPort = 50002;

    public static TheoryData<string> Overlays => ["dev", "production"];

    public static TheoryData<string, string> Apps => new(ConfigurationTests.Services.Keys.SelectMany(app => Overlays.Select(overlay => (overlay.Data, app))));

    [Theory, MemberData(nameof(Overlays))]
    public async Task Manifest_FitsItsSchema(string overlay) =>
        Assert.Equal([], (await Manifests.Of(overlay)).SelectMany(manifest => Schemas.Faults(manifest).Select(fault => $"{manifest.Kind()} {manifest.Name()}: {fault}")));

    [Theory, MemberData(nameof(Overlays))]
    public async Task Manifest_KeepsThePolicies(string overlay) => Assert.Equal([], ManifestPolicies.Faults(await Manifests.Of(overlay)));

    /// <summary>The test of the tests: what is broken is found, by the schema or by a policy.</summary>
    [Theory]
    [InlineData("replicas: 3", "replicas: three", "/spec/replicas is not of type integer")]
    [InlineData("imagePullPolicy: IfNotPresent", "imagePolicy: IfNotPresent", "/imagePolicy is unknown")]
    [InlineData("protocol: UDP", "protcol: UDP", "/protcol is unknown")]
    [InlineData("kind: PodDisruptionBudget", "kind: PodDisruptionBudgett", "PodDisruptionBudgett is unknown")]
    [InlineData("containerPort: 8443", "containerPort: https", "/containerPort is not of type integer")]
    [InlineData("apiVersion: autoscaling/v2", "apiVersion: autoscaling/v9", "autoscaling/v9 is unknown")]
    [InlineData("periodSeconds: 10", "periodSeconds: \"10\"", "/periodSeconds is not of type integer")]
    [InlineData("scaleTargetRef:", "scaleTarget:", "/spec/scaleTargetRef is missing")]
    [InlineData("type: pubsub.rabbitmq", "kind: pubsub.rabbitmq", "/spec/type is missing")]
    [InlineData(":0.1.0-abc1234", ":latest", "one that changes")]
    [InlineData("runAsNonRoot: true", "runAsNonRoot: false", "may run as root")]
    [InlineData("readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "may write to its image")]
    [InlineData("allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true", "may gain privileges")]
    [InlineData("            memory: 768Mi\n", "            cpu: \"1\"\n", "a limit of memory")]
    [InlineData("readinessProbe:", "x-readinessProbe:", "lacks a probe")]
    [InlineData("targetPort: https", "targetPort: http", "a port that no container has")]
    [InlineData("serviceAccountName: approval", "serviceAccountName: nobody", "runs as nobody")]
    [InlineData("name: default-deny\n  namespace: sloring\nspec:\n  podSelector: {}\n  policyTypes:\n  - Ingress\n", "name: default-deny\n  namespace: sloring\nspec:\n  podSelector: {}\n  policyTypes:\n", "denies what no other allows")]
    public async Task BrokenManifest_IsFound(string from, string to, string fault)
    {
        var text = await Manifests.Text("production");
        Assert.Contains(from, text, StringComparison.Ordinal);
        var broken = Manifests.Read(text.Replace(from, to, StringComparison.Ordinal));
        Assert.Contains(broken.SelectMany(Schemas.Faults).Concat(ManifestPolicies.Faults(broken)), found => found.Contains(fault, StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(Overlays))]
    public async Task EveryService_HasADeployment_AndNobodyElse(string overlay) =>
        Assert.Equal(ConfigurationTests.Services.Keys.Order(StringComparer.Ordinal), (await Manifests.Of(overlay)).Where(manifest => manifest.Kind() == "Deployment").Select(manifest => manifest.Name()).Order(StringComparer.Ordinal));

    [Theory, MemberData(nameof(Apps))]
    public async Task Deployment_IsOfTheServiceWithItsName(string overlay, string app)
    {
        var deployment = await Deployment(overlay, app);
        var container = deployment["spec"]["template"]["spec"]["containers"].Items().Single();
        var annotations = deployment["spec"]["template"]["metadata"]["annotations"];
        Assert.EndsWith("/" + app, ((string)container["image"]!).Split(':')[0], StringComparison.Ordinal);
        Assert.Equal(app, (string?)annotations["dapr.io/app-id"]);
        Assert.Equal("h2c", (string?)annotations["dapr.io/app-protocol"]);
        Assert.Contains(await Manifests.Of(overlay), manifest => manifest.Kind() == "Configuration" && manifest.Name() == (string?)annotations["dapr.io/config"]);
        var ports = container["ports"].Items().ToDictionary(port => (string)port["name"]!, port => int.Parse((string)port["containerPort"]!, CultureInfo.InvariantCulture));
        Assert.Equal((HttpsPort, HealthPort), (ports["https"], ports["health"]));
        Assert.Equal($"{AppPort}", (string?)annotations["dapr.io/app-port"]);
        var settings = await Settings(overlay, app, "containers");
        Assert.Equal(($"http://0.0.0.0:{HealthPort}", $"http://127.0.0.1:{AppPort}", $"https://0.0.0.0:{HttpsPort}"), (settings["Listen__Http"], settings["Listen__Grpc"], settings["Listen__Https"]));
        Assert.All(["startupProbe", "livenessProbe", "readinessProbe"], probe => Assert.Equal("health", (string?)container[probe]["httpGet"]["port"]));
    }

    [Theory, MemberData(nameof(Apps))]
    public async Task Setting_IsOneThatAServiceReads(string overlay, string app) => ConfigurationTests.AreRead((await Settings(overlay, app, "containers")).Keys);

    [Theory, MemberData(nameof(Apps))]
    public async Task Settings_PassTheServicesOwnCheckAtStart(string overlay, string app)
    {
        await using var host = ConfigurationTests.Builder(await Process(overlay, app, "containers")).Build();
        host.Services.GetRequiredService<IStartupValidator>().Validate();
        Assert.Equal(("postgres", "dapr", "rabbitmq"), Switches(host));
    }

    [Theory, MemberData(nameof(Apps))]
    public async Task Migration_RunsBeforeEveryServiceWithADatabase_AndReadsItsPasswordAlone(string overlay, string app)
    {
        await using var host = await Host(overlay, app, "containers");
        var pod = (await Deployment(overlay, app))["spec"]["template"]["spec"];
        if (!host.Services.GetServices<IServiceJournal>().Any())
        {
            Assert.Null(pod.At("initContainers"));
            return;
        }
        var migrate = Assert.Single(pod["initContainers"].Items());
        Assert.Equal(((string?)pod["containers"][0]["image"], "--migrate"), ((string?)migrate["image"], (string?)Assert.Single(migrate["args"].Items())));
        var process = await Process(overlay, app, "initContainers");
        await using var migration = ConfigurationTests.Builder(process).Build();
        migration.Services.GetRequiredService<IStartupValidator>().Validate();
        Assert.Equal(("postgres", "embedded", "inmemory"), Switches(migration));
        var volume = pod["volumes"].Items().Single(volume => (string?)volume["name"] == "migration")["secret"];
        Assert.Equal($"postgres.{app}", (string?)Assert.Single(volume["items"].Items())["path"]);
        Assert.Contains($"postgres.{app}", secrets.InStore((string)volume["secretName"]!));
        Assert.Contains(migrate["volumeMounts"].Items(), mount => ((string?)mount["name"], (string?)mount["mountPath"]) == ("migration", process.Settings["Secrets__Folder"]));
    }

    /// <summary>Who may reach whose sidecar is who calls whom in the code, no more and no less; docs/flow.md says why.</summary>
    [Theory, MemberData(nameof(Overlays))]
    public async Task NetworkPolicies_AllowTheArrowsOfTheCode_AndNoOther(string overlay)
    {
        var arrows = new HashSet<(string, string)>();
        foreach (var app in ConfigurationTests.Services.Keys)
        {
            var process = await Process(overlay, app, "containers");
            await using var host = await Host(overlay, app, "containers");
            arrows.UnionWith(ConfigurationTests.Callees(process, host).Select(callee => (app, callee)));
        }
        var policies = (await Manifests.Of(overlay)).Where(manifest => manifest.Kind() == "NetworkPolicy").ToList();
        Assert.Equal(arrows.Order(), Allowed("egress", "to", (own, other) => (own, other)).Order());
        Assert.Equal(arrows.Order(), Allowed("ingress", "from", (own, other) => (other, own)).Order());

        IEnumerable<(string, string)> Allowed(string direction, string peer, Func<string, string, (string, string)> arrow) =>
            from policy in policies
            from rule in policy["spec"].At(direction).Items()
            where rule.At("ports").Items().Any(port => (string?)port["port"] == $"{SidecarPort}")
            from one in rule[peer].Items()
            from other in one["podSelector"]["matchExpressions"].Items().Single()["values"].Items()
            select arrow((string)policy["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/name"]!, (string)other!);
    }

    [Theory, MemberData(nameof(Overlays))]
    public async Task Secret_ThatAManifestNames_IsOneThatTheCommandWrites(string overlay)
    {
        var written = Written();
        var named = (await Manifests.Of(overlay)).SelectMany(Names).Distinct().ToList();
        Assert.True(named.Count > 8, $"only {named.Count} are named");
        Assert.Equal([], named.Where(name => !written.TryGetValue(name.Secret, out var keys) || (name.Key is not null && !keys.ContainsKey(name.Key))));

        static IEnumerable<(string Secret, string? Key)> Names(YamlNode node) => node switch
        {
            YamlMappingNode map => map.Children.SelectMany(pair => ((string?)pair.Key, pair.Value) switch
            {
                ("secretKeyRef", var reference) => [((string)reference["name"]!, (string?)reference["key"])],
                ("secret", YamlMappingNode volume) => volume.At("items").Items().Select(item => ((string)volume["secretName"]!, (string?)item["key"])).Append(((string)volume["secretName"]!, null)),
                ("dapr.io/api-token-secret" or "dapr.io/app-token-secret", var name) => [((string)name!, (string?)"token")],
                _ => Names(pair.Value),
            }),
            YamlSequenceNode list => list.SelectMany(Names),
            _ => [],
        };
    }

    [Fact]
    public async Task Restored_IsNotedBeforeAnyServiceWithAJournalStarts()
    {
        var manifests = await Manifests.Of(Manifests.Restored);
        Assert.Equal([], manifests.SelectMany(Schemas.Faults).Concat(ManifestPolicies.Faults(manifests)));
        var migrations = manifests.Where(manifest => manifest.Kind() == "Deployment").Where(deployment => deployment["spec"]["template"]["spec"].At("initContainers") is not null).ToList();
        Assert.Equal(ServiceNames.WithJournal.Order(StringComparer.Ordinal), migrations.Select(deployment => deployment.Name()).Order(StringComparer.Ordinal));
        Assert.All(migrations, deployment =>
        {
            var pod = deployment["spec"]["template"]["spec"];
            Assert.Equal(["--migrate", "--restored"], pod["initContainers"][0]["args"].Items().Select(argument => (string?)argument));
            // All keys: it writes to the journal.
            Assert.Null(pod["volumes"].Items().Single(volume => (string?)volume["name"] == "migration")["secret"].At("items"));
        });
    }

    [Fact]
    public async Task Production_HasThreeReplicas_OnDifferentNodes()
    {
        var manifests = await Manifests.Of("production");
        foreach (var deployment in manifests.Where(manifest => manifest.Kind() == "Deployment"))
        {
            var replicas = deployment["spec"].At("replicas") ?? manifests.Single(manifest => manifest.Kind() == "HorizontalPodAutoscaler" && (string?)manifest["spec"]["scaleTargetRef"]["name"] == deployment.Name())["spec"]["minReplicas"];
            Assert.Equal("3", (string?)replicas);
            Assert.Contains(deployment["spec"]["template"]["spec"]["topologySpreadConstraints"].Items(), spread =>
                ((string?)spread["topologyKey"], (string?)spread["whenUnsatisfiable"]) == ("kubernetes.io/hostname", "DoNotSchedule"));
        }
    }

    /// <summary>A handler that is cut off is done again by somebody else, but a citizen's request is not: both sidecar and kubelet wait for longer than the host does.</summary>
    [Theory, MemberData(nameof(Apps))]
    public async Task Shutdown_LeavesTimeForWhatIsUnderWay(string overlay, string app)
    {
        await using var host = await Host(overlay, app, "containers");
        var template = (await Deployment(overlay, app))["spec"]["template"];
        var drain = host.Configuration.GetValue<int>("Listen:DrainSeconds");
        var ending = drain + host.Services.GetRequiredService<IOptions<Microsoft.Extensions.Hosting.HostOptions>>().Value.ShutdownTimeout.TotalSeconds;
        var hook = int.Parse((string)template["spec"]["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]!, CultureInfo.InvariantCulture);
        var sidecar = int.Parse((string)template["metadata"]["annotations"]["dapr.io/graceful-shutdown-seconds"]!, CultureInfo.InvariantCulture);
        var blocked = (string)template["metadata"]["annotations"]["dapr.io/block-shutdown-duration"]!;
        var grace = int.Parse((string)template["spec"]["terminationGracePeriodSeconds"]!, CultureInfo.InvariantCulture);
        Assert.True(drain > 0, "nobody is sent elsewhere before it ends");
        Assert.True(sidecar > hook + ending && grace > sidecar + ending && blocked == $"{sidecar}s" && grace > 2 * sidecar, $"host {ending} s after {hook} s, sidecar {blocked} and {sidecar} s, pod {grace} s");
        // That it has gone is seen by its sidecar long before that time is over.
        Assert.Equal(("true", "/health/live"), ((string?)template["metadata"]["annotations"]["dapr.io/enable-app-health-check"], (string?)template["metadata"]["annotations"]["dapr.io/app-health-check-path"]));
    }

    private static (string, string, string) Switches(WebApplication host)
    {
        var switches = host.Services.GetRequiredService<IOptions<Switches>>().Value;
        return (switches.Database, switches.Events, switches.Edge);
    }

    private static async Task<YamlMappingNode> Deployment(string overlay, string app) =>
        (await Manifests.Of(overlay)).Single(manifest => manifest.Kind() == "Deployment" && manifest.Name() == app);

    /// <summary>A container's environment.</summary>
    private static async Task<Dictionary<string, string>> Settings(string overlay, string app, string containers)
    {
        var container = (await Deployment(overlay, app))["spec"]["template"]["spec"][containers][0];
        var settings = new Dictionary<string, string>();
        foreach (var from in container["envFrom"].Items())
        {
            foreach (var (name, value) in (YamlMappingNode)(await Map(overlay, (string)from["configMapRef"]["name"]!))["data"])
                settings[(string)name!] = (string)value!;
        }
        foreach (var setting in container["env"].Items().Where(setting => setting.At("value") is not null))
            settings[(string)setting["name"]!] = (string)setting["value"]!;
        return settings;
    }

    private static async Task<YamlMappingNode> Map(string overlay, string name) => (await Manifests.Of(overlay)).Single(manifest => manifest.Kind() == "ConfigMap" && manifest.Name() == name);

    /// <summary>A host as that container builds it, not started. What is mounted there comes from its ConfigMaps, secrets from a file.</summary>
    private async Task<WebApplication> Host(string overlay, string app, string containers) => ConfigurationTests.Builder(
        await Process(overlay, app, containers), ("Secrets:Store", ""), ("Secrets:Folder", ""), ("Secrets:File", secrets.Cluster.File)).Build();

    private async Task<DeployedProcess> Process(string overlay, string app, string containers)
    {
        var settings = await Settings(overlay, app, containers);
        var pod = (await Deployment(overlay, app))["spec"]["template"]["spec"];
        foreach (var volume in pod["volumes"].Items().Where(volume => volume.At("configMap") is not null))
        {
            var mount = (string)pod[containers][0]["volumeMounts"].Items().Single(mount => (string?)mount["name"] == (string?)volume["name"])["mountPath"]!;
            var folder = Directory.CreateDirectory(Path.Combine(secrets.Folder, overlay, (string)volume["name"]!)).FullName;
            foreach (var (name, value) in (YamlMappingNode)(await Map(overlay, (string)volume["configMap"]["name"]!))["data"])
                await File.WriteAllTextAsync(Path.Combine(folder, (string)name!), (string)value!, TestContext.Current.CancellationToken);
            foreach (var (name, value) in settings.Where(setting => setting.Value.StartsWith(mount + "/", StringComparison.Ordinal)).ToList())
                settings[name] = Path.Combine(folder, value[(mount.Length + 1)..]);
        }
        foreach (var (name, value) in settings.Where(setting => setting.Value.StartsWith("/etc/sloring/tls/", StringComparison.Ordinal)).ToList())
            settings[name] = Path.Combine(Certificate(), Path.GetFileName(value));
        return new DeployedProcess(app, app, CultureInfo.InvariantCulture.TextInfo.ToTitleCase(app), AppPort, 3500, 50001, 9090, settings);
    }

    /// <summary>The files of the Secret sloring-tls, as the command writes it.</summary>
    private string Certificate()
    {
        var folder = Path.Combine(secrets.Folder, "tls");
        if (!Directory.Exists(folder))
        {
            var next = Directory.CreateDirectory(folder + ".next").FullName;
            foreach (var (name, text) in Written()["sloring-tls"])
                File.WriteAllText(Path.Combine(next, name), (string?)text);
            Directory.Move(next, folder);
        }
        return folder;
    }

    /// <summary>What <c>./run cluster secrets</c> writes: the texts of each Secret.</summary>
    private Dictionary<string, JsonObject> Written() => JsonNode.Parse(KubernetesSecrets.Of(new LocalClusterOptions { Root = Repository.Root, Folder = secrets.Folder }))!["items"]!.AsArray()
        .ToDictionary(secret => (string)secret!["metadata"]!["name"]!, secret => secret!["stringData"]!.AsObject());
}
