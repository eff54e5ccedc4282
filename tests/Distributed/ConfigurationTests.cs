using System.Reflection;
using System.Text.Json;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;
using Sloring.Approval;
using Sloring.Cluster;
using Sloring.Contracts.Edge;
using Sloring.Effectuation;
using Sloring.Hosting;
using Sloring.Portal;
using Sloring.Pseudonym;
using Sloring.Registration;
using Sloring.Scheduler;
using Sloring.Tokens;
using Xunit;
using YamlDotNet.RepresentationModel;

namespace Sloring.Tests.Distributed;

/// <summary>What the platform is started from (dapr.yaml, tye.yaml, components/, the secrets and broker users of the cluster) agrees with itself and with what the services read.</summary>
public sealed class ConfigurationTests(ConfigurationTests.NewCluster secrets) : IClassFixture<ConfigurationTests.NewCluster>
{
    /// <summary>The services by app id: what a process of each adds.</summary>
    internal static readonly Dictionary<string, Action<WebApplicationBuilder>> Services = new()
    {
        ["tokens"] = builder => builder.AddTokens(),
        ["registration"] = builder => builder.AddRegistration(),
        ["approval"] = builder => builder.AddApproval(),
        ["scheduler"] = builder => builder.AddScheduler(),
        ["pseudonym"] = builder => builder.AddPseudonym(),
        ["effectuation"] = builder => builder.AddEffectuation(),
        ["portal"] = builder => builder.AddPortal(),
    };

    /// <summary>Those that keep no journal, and so publish and hear nothing.</summary>
    private static readonly string[] NoJournal = ["tokens", "portal"];

    /// <summary>Sections of the settings and what reads them. Registration, Approval and the like are each their own service's.</summary>
    private static readonly Dictionary<string, Type> Sections = new()
    {
        ["Data"] = typeof(DataOptions),
        ["Secrets"] = typeof(SecretOptions),
        ["Token"] = typeof(TokenOptions),
        ["Tokens"] = typeof(TokenServiceOptions),
        ["Listen"] = typeof(ListenOptions),
        ["Limits"] = typeof(LimitOptions),
        ["Organisations"] = typeof(OrganisationOptions),
        ["Edge"] = typeof(EdgeOptions),
        ["Registration"] = typeof(RegistrationOptions),
        ["Approval"] = typeof(ApprovalOptions),
        ["Effectuation"] = typeof(EffectuationOptions),
        ["Pseudonym"] = typeof(PseudonymOptions),
        ["Portal"] = typeof(PortalOptions),
    };

    public static TheoryData<string> Forms => new(Deployment.Forms.Keys);

    public static TheoryData<string, string> Processes =>
        new(Deployment.Forms.SelectMany(form => form.Value().Processes.Select(process => (form.Key, process.Name))));

    [Fact]
    public void EveryForm_DescribesTheSameProcesses()
    {
        var first = Deployment.Forms["dapr.yaml"]();
        foreach (var (_, read) in Deployment.Forms)
        {
            var form = read();
            Assert.Equal((first.AppProtocol, first.Configuration), (form.AppProtocol, form.Configuration));
            Assert.Equal(first.Processes.Select(process => process with { Settings = Empty }), form.Processes.Select(process => process with { Settings = Empty }));
            Assert.All(first.Processes.Zip(form.Processes), pair => Assert.Equal(Sorted(pair.First.Settings), Sorted(pair.Second.Settings)));
        }
    }

    [Theory, MemberData(nameof(Forms))]
    public void App_IsAServiceOfTheCode_WithTheReplicasThatTheIssueAsksFor(string form)
    {
        var replicas = Deployment.Forms[form]().Processes.GroupBy(process => process.AppId).ToDictionary(group => group.Key, group => group.Count());
        Assert.Equal(Services.Keys.Order(StringComparer.Ordinal), replicas.Keys.Order(StringComparer.Ordinal));
        Assert.All(["registration", "scheduler", "effectuation"], app => Assert.Equal(2, replicas[app]));
    }

    [Theory, MemberData(nameof(Forms))]
    public void Port_IsUsedOnce_AndOfThePlatformsRange(string form)
    {
        var ports = Deployment.Forms[form]().Processes
            .SelectMany(process => new[] { new Uri(process.Settings["Listen__Http"]).Port, process.AppPort, process.SidecarHttp, process.SidecarGrpc, process.SidecarMetrics })
            .Concat(RunFile.Read(Path.Combine(Repository.Root, "dapr.yaml")).Apps.Select(app => app.DaprInternalGrpcPort))
            .Concat([LocalCluster.PostgresPort, LocalCluster.RabbitMqPort, LocalCluster.RabbitMqDistPort, LocalCluster.EpmdPort]).ToList();
        Assert.Equal(ports.Count, ports.Distinct().Count());
        Assert.All(ports, port => Assert.InRange(port, 5200, 5299));
    }

    [Theory, MemberData(nameof(Processes))]
    public void Program_IsOneOfTheRepository(string form, string name)
    {
        var process = Process(form, name);
        Assert.True(File.Exists(Path.Combine(process.Folder, $"Sloring.{process.Project}.csproj")), process.Project);
        if (RunFile.Read(Path.Combine(Repository.Root, "dapr.yaml")).Apps.First(app => app.AppId == process.AppId) is { } app)
            Assert.Equal(["dotnet", $"bin/Release/net10.0/Sloring.{process.Project}.dll"], app.Command);
    }

    [Theory, MemberData(nameof(Processes))]
    public void Setting_IsOneThatAServiceReads(string form, string name) => AreRead(Process(form, name).Settings.Keys);

    /// <summary>Each is a setting of the services, of the runtime, or of the library that logs.</summary>
    internal static void AreRead(IEnumerable<string> settings) => Assert.All(settings, key =>
    {
        if (key.StartsWith("DOTNET_", StringComparison.Ordinal) || key == "SSL_CERT_FILE" || key.StartsWith("OTEL_", StringComparison.Ordinal) || key.StartsWith("Logging__", StringComparison.Ordinal) || key == "Settings__File")
            return;
        var path = key.Split("__");
        if (path.Length == 1)
            Assert.Contains(path[0], typeof(Switches).GetProperties().Select(property => property.Name));
        else if (path[0] == "Services")
            Assert.Contains(path[1], Services.Keys);
        else
            Assert.Contains(path[1], Sections[path[0]].GetProperties().Select(property => property.Name));
    });

    [Theory, MemberData(nameof(Processes))]
    public void Settings_PassTheServicesOwnCheckAtStart(string form, string name)
    {
        using var app = Builder(Process(form, name)).Build();
        app.Services.GetRequiredService<IStartupValidator>().Validate();
        var switches = app.Services.GetRequiredService<IOptions<Switches>>().Value;
        Assert.Equal(("postgres", "dapr", "rabbitmq"), (switches.Database, switches.Events, switches.Edge));
    }

    [Theory, MemberData(nameof(Processes))]
    public void AppPort_IsTheServicesHttp2Port_AndItsServiceIsTheApps(string form, string name)
    {
        var process = Process(form, name);
        using var app = Build(process);
        Assert.Equal(process.AppPort, new Uri(app.Configuration["Listen:Grpc"]!).Port);
        Assert.Equal(NoJournal.Contains(process.AppId) ? [] : [process.AppId], app.Services.GetServices<IServiceJournal>().Select(journal => journal.Service));
    }

    [Theory, MemberData(nameof(Forms))]
    public void Protocol_IsTheOneThatServesEventsAndGrpcOnOnePort(string form) => Assert.Equal("h2c", Deployment.Forms[form]().AppProtocol);

    [Theory, MemberData(nameof(Processes))]
    public void Server_IsWhereTheClusterStartsIt(string form, string name)
    {
        var process = Process(form, name);
        using var app = Build(process);
        var database = new NpgsqlConnectionStringBuilder(app.Services.GetRequiredService<IOptions<DataOptions>>().Value.ConnectionString);
        Assert.Equal(("127.0.0.1", LocalCluster.PostgresPort), (database.Host, database.Port));
        Assert.Equal(LocalCluster.RabbitMqPort.ToString(System.Globalization.CultureInfo.InvariantCulture), app.Configuration["Edge:Port"]);
        Assert.Equal(new Uri(Deployment.Forms[form]().Processes.Single(p => p.AppId == "tokens").Settings["Listen__Http"]), new Uri(app.Configuration["Token:Issuer"]!));
    }

    [Fact]
    public void PubSub_IsTheOneThatServicesUse_AtTheClustersBroker()
    {
        var pubsub = Component("pubsub.yaml");
        Assert.Equal(Constant("DaprBus", "PubSub"), (string?)pubsub["metadata"]["name"]);
        var broker = Metadata(pubsub);
        Assert.Equal($"127.0.0.1:{LocalCluster.RabbitMqPort}", (string?)broker["hostname"]["value"]);
        Assert.Contains((string?)broker["username"]["value"], BrokerUsers.All(secrets.Cluster).Select(user => user.Name));
        Assert.Contains((string)broker["password"]["secretKeyRef"]["key"]!, secrets.InStore((string)broker["password"]["secretKeyRef"]["name"]!));
        Assert.Equal((string?)Component("secretstore.yaml")["metadata"]["name"], (string?)pubsub["auth"]["secretStore"]);
    }

    [Theory, MemberData(nameof(Forms))]
    public void PubSub_IsOpenToTheServicesThatHaveAJournal(string form) => Assert.Equal(
        Deployment.Forms[form]().Processes.Select(process => process.AppId).Distinct().Except(NoJournal).Order(StringComparer.Ordinal),
        ((YamlSequenceNode)Component("pubsub.yaml")["scopes"]).Select(app => (string)app!).Order(StringComparer.Ordinal));

    [Theory, MemberData(nameof(Forms))]
    public void Subscriber_MayHearWhatItsCodeSubscribesTo_AndNothingElse(string form)
    {
        var scopes = Metadata(Component("pubsub.yaml"))["subscriptionScopes"]["value"].ToString().Split(';').Select(entry => entry.Split('='))
            .ToDictionary(entry => entry[0], entry => entry[1].Split(',', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal).ToList());
        foreach (var process in Deployment.Forms[form]().Processes.DistinctBy(process => process.AppId).Where(process => !NoJournal.Contains(process.AppId)))
        {
            using var app = Build(process);
            var heard = app.Services.GetServices<Inbox>().SelectMany(inbox => inbox.Topics).Select(topic => topic.Type).Distinct().ToList();
            if (heard.Count > 0)
                heard.Add("dead-letters." + process.AppId);
            Assert.Equal(heard.Order(StringComparer.Ordinal), scopes[process.AppId]);
        }
    }

    [Theory, MemberData(nameof(Forms))]
    public void Caller_IsLetInByTheSidecars_WhoeverCallsAnotherService(string form)
    {
        var deployment = Deployment.Forms[form]();
        var allowed = ((YamlSequenceNode)Component(deployment.Configuration + ".yaml")["spec"]["accessControl"]["policies"]).Select(policy => (string)policy["appId"]!);
        var callers = deployment.Processes.DistinctBy(process => process.AppId).Where(process => Calls(process)).Select(process => process.AppId);
        Assert.Equal(callers.Order(StringComparer.Ordinal), allowed.Order(StringComparer.Ordinal));
    }

    [Theory, MemberData(nameof(Processes))]
    public void SecretStore_IsTheOneThatTheServiceReads(string form, string name)
    {
        var process = Process(form, name);
        var store = Component("secretstore.yaml");
        Assert.Equal((string?)store["metadata"]["name"], process.Settings["Secrets__Store"]);
        Assert.Equal(".data/cluster/dapr-secrets.json", (string?)Metadata(store)["secretsFile"]["value"]);
        Assert.NotEmpty(secrets.InStore(process.Settings["Secrets__Name"]));
        var scope = Component(Deployment.Forms[form]().Configuration + ".yaml")["spec"]["secrets"]["scopes"];
        Assert.Contains(process.Settings["Secrets__Name"], ((YamlSequenceNode)scope[0]["allowedSecrets"]).Select(secret => (string)secret!));
    }

    [Fact]
    public async Task Secret_ThatAServiceReads_IsMadeForTheCluster()
    {
        await using var platform = await Platform.Start();
        var activation = (System.Text.Json.Nodes.JsonObject)System.Text.Json.Nodes.JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(Repository.Root, "samples", "activation.json"), TestContext.Current.CancellationToken))!;
        activation["patientCpr"] = People.NextCpr();
        activation["behaviourOn"] = Contracts.DanishTime.DayOf(platform.Clock.GetUtcNow()).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);
        await platform.Client.Must("epj-hovedstaden", HttpMethod.Post, "/v1/maskings", activation, TestContext.Current.CancellationToken);
        var made = JsonSerializer.Deserialize<Dictionary<string, string>>(await File.ReadAllTextAsync(Path.Combine(platform.Folder, "secrets.json"), TestContext.Current.CancellationToken))!;
        var store = secrets.InStore("sloring");
        Assert.Equal([], made.Keys.Select(name => name.Replace('/', '.')).Except(store));
        Assert.Equal([], Services.Keys.Except(NoJournal).Select(service => "postgres." + service).Except(store));
        Assert.Contains("rabbitmq." + new EdgeOptions().User, store);
    }

    [Fact]
    public void SidecarTokens_StayOutOfTheSecretStore()
    {
        Assert.DoesNotContain(secrets.InStore("sloring"), name => name.StartsWith("dapr", StringComparison.Ordinal));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(secrets.Cluster.File));
    }

    [Fact]
    public void OutsideSystem_ThatTheEdgeKnows_HasAUserAtTheBroker()
    {
        using var app = Build(Process("dapr.yaml", "registration-1"));
        var users = BrokerUsers.All(secrets.Cluster).ToDictionary(user => user.Name);
        Assert.All(app.Services.GetRequiredService<IOptions<EdgeOptions>>().Value.Users.Keys, user => Assert.Contains(user, users.Keys));
        Assert.DoesNotContain("guest", users.Keys);
        Assert.All(users.Values.SelectMany(user => user.Topics), topic => Assert.Contains(topic.Exchange, EdgeNames.Exchanges));
    }

    [Fact]
    public void UnknownKey_IsRefused()
    {
        var path = Path.GetTempFileName();
        File.WriteAllText(path, "version: 1\napps:\n  - appID: x\n    appPrt: 1\n");
        Assert.Contains("appPrt", Assert.Throws<ClusterException>(() => RunFile.Read(path)).Message, StringComparison.Ordinal);
        File.Delete(path);
    }

    [Theory]
    [InlineData("http://127.0.0.1:5200/x", "http://127.0.0.1:5500/x")]
    [InlineData("Port=5271;Database=s", "Port=5571;Database=s")]
    [InlineData("\"5272\"", "\"5572\"")]
    [InlineData("29190623 1.5200 x5200 52000 v1.5271", "29190623 1.5200 x5200 52000 v1.5271")]
    public void Offset_MovesThePlatformsPorts_AndNothingElse(string text, string moved) => Assert.Equal(moved, RunFile.Move(text, 300));

    private static IReadOnlyDictionary<string, string> Empty { get; } = new Dictionary<string, string>();

    private static IEnumerable<KeyValuePair<string, string>> Sorted(IReadOnlyDictionary<string, string> settings) => settings.OrderBy(pair => pair.Key, StringComparer.Ordinal);

    private static DeployedProcess Process(string form, string name) => Deployment.Forms[form]().Processes.Single(process => process.Name == name);

    /// <summary>A host as that process builds it; not started, so nothing is connected to. Its secrets come from a file, since no sidecar runs here.</summary>
    private WebApplication Build(DeployedProcess process) => Builder(process, ("Secrets:Store", ""), ("Secrets:File", secrets.Cluster.File)).Build();

    internal static WebApplicationBuilder Builder(DeployedProcess process, params IEnumerable<(string Name, string Value)> instead)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = process.Folder });
        builder.Configuration.AddInMemoryCollection(process.Settings.ToDictionary(pair => pair.Key.Replace("__", ":", StringComparison.Ordinal), string? (pair) =>
            pair.Key.EndsWith("__File", StringComparison.Ordinal) ? Path.GetFullPath(pair.Value, process.Folder) : pair.Value));
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["DAPR_HTTP_PORT"] = $"{process.SidecarHttp}",
            ["DAPR_GRPC_PORT"] = $"{process.SidecarGrpc}",
            ["DAPR_API_TOKEN"] = "of the sidecar",
            ["APP_API_TOKEN"] = "of the app",
        });
        builder.Configuration.AddInMemoryCollection(instead.ToDictionary(pair => pair.Name, string? (pair) => pair.Value));
        builder.Configuration.AddSettingsFile();
        builder.AddHosting();
        Services[process.AppId](builder);
        return builder;
    }

    /// <summary>A service calls those whose clients it has, and heals from the journals of those that it listens to.</summary>
    private bool Calls(DeployedProcess process)
    {
        using var app = Build(process);
        return Callees(process, app).Any();
    }

    /// <summary>Those that a process calls. A client that calls for itself is kept under the caller's name, one that calls for a person under the callee's.</summary>
    internal static IEnumerable<string> Callees(DeployedProcess process, WebApplication app)
    {
        var clients = Builder(process).Services.Where(service => service.IsKeyedService && typeof(ClientBase).IsAssignableFrom(service.ServiceType))
            .Select(service => service.Lifetime == ServiceLifetime.Scoped ? (string)service.ServiceKey! : service.ServiceType.Namespace!.Split('.')[2].ToLowerInvariant());
        return clients.Concat(app.Services.GetServices<Inbox>().SelectMany(inbox => inbox.Topics).Select(topic => topic.Publisher)).Distinct();
    }

    private static string Constant(string type, string name) =>
        (string)typeof(IEventBus).Assembly.GetType("Sloring.Hosting." + type)!.GetField(name, BindingFlags.Static | BindingFlags.Public)!.GetRawConstantValue()!;

    private static YamlNode Component(string file) => Deployment.Yaml(File.ReadAllText(Path.Combine(Repository.Root, "components", file)));

    private static Dictionary<string, YamlNode> Metadata(YamlNode component) =>
        ((YamlSequenceNode)component["spec"]["metadata"]).ToDictionary(item => (string)item["name"]!);

    /// <summary>The secrets of a new cluster.</summary>
    public sealed class NewCluster : IDisposable
    {
        private readonly string _folder = Directory.CreateTempSubdirectory("sloring-").FullName;

        public NewCluster() => Cluster = LocalCluster.Describe(new LocalClusterOptions { Root = Repository.Root, Folder = _folder }).Secrets;

        public ClusterSecrets Cluster { get; }

        public string Folder => _folder;

        /// <summary>Keys of a secret of the store.</summary>
        public IEnumerable<string> InStore(string name) =>
            JsonSerializer.Deserialize<Dictionary<string, Dictionary<string, string>>>(File.ReadAllText(Path.Combine(_folder, "dapr-secrets.json")))![name].Keys;

        public void Dispose() => Directory.Delete(_folder, recursive: true);
    }
}
