using System.Globalization;
using System.Text.Json;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Sloring.Sidecar;

/// <summary>What the YAML files of the resources folder and the configuration say to one app. What the stand-in cannot do is refused at the start, never passed over.</summary>
internal sealed class Resources
{
    private readonly Dictionary<string, SecretFile> _stores = [];
    private readonly List<YamlMappingNode> _secretScopes = [];

    /// <summary>The pub/sub component in scope; null where there is none.</summary>
    public PubSub? PubSub { get; private set; }

    public bool AnyPubSub { get; private set; }

    public IReadOnlyDictionary<string, SecretFile> Stores => _stores;

    public AccessControl? Access { get; private set; }

    /// <summary>Retries of deliveries to the app; none means one attempt.</summary>
    public RetryPolicy Redelivery { get; private set; } = RetryPolicy.None;

    /// <summary>Callee → (retries, timeout) of calls to it.</summary>
    public Dictionary<string, (RetryPolicy? Retry, TimeSpan? Timeout)> Calls { get; } = [];

    public static Resources Load(Flags flags)
    {
        if (!Directory.Exists(flags.Resources))
            throw new StartException($"--resources-path {flags.Resources} is no folder.");
        var documents = Directory.EnumerateFiles(flags.Resources, "*.y*ml").Order(StringComparer.Ordinal).SelectMany(Read)
            // What is not Dapr's daprd passes over: components/ has a file for kustomize too.
            .Where(d => d.Text("apiVersion")?.StartsWith("dapr.io/", StringComparison.Ordinal) == true).ToList();
        var mine = documents.Where(d => d.List("scopes") is not { } scopes || scopes.Contains(flags.AppId)).ToList();
        var resources = new Resources { AnyPubSub = documents.Any(d => d.Text("spec.type")?.StartsWith("pubsub.", StringComparison.Ordinal) == true) };
        if (flags.Config is { } config)
            resources.Configure(File.Exists(config) ? Read(config).Single() : throw new StartException($"--config {config} does not exist."));
        // Secret stores first: the others take secrets from them.
        foreach (var component in mine.Where(d => d.Text("kind") == "Component").OrderBy(d => d.Text("spec.type") == "secretstores.local.file" ? 0 : 1))
            resources.Add(component, flags.AppId);
        foreach (var resiliency in mine.Where(d => d.Text("kind") == "Resiliency"))
            resources.AddResiliency(resiliency);
        var unknown = mine.Select(d => d.Text("kind")).Except(["Component", "Resiliency", "Configuration"]).ToList();
        return unknown.Count == 0 ? resources : throw new StartException($"The stand-in does not read kind {string.Join(", ", unknown)}.");
    }

    public bool MayRead(string store, string name)
    {
        if (_secretScopes.FirstOrDefault(scope => scope.Text("storeName") == store) is not { } scope)
            return true;
        if (scope.List("allowedSecrets") is { Count: > 0 } allowed)
            return allowed.Contains(name);
        return scope.List("deniedSecrets")?.Contains(name) != true && !string.Equals(scope.Text("defaultAccess"), "deny", StringComparison.OrdinalIgnoreCase);
    }

    private void Add(YamlMappingNode component, string app)
    {
        var (name, type) = (component.Text("metadata.name")!, component.Text("spec.type"));
        var values = component.Nodes("spec.metadata").ToDictionary(item => item.Text("name")!, item => item.Text("secretKeyRef.name") is { } secret
            ? Secret(component.Text("auth.secretStore") ?? "kubernetes", secret, item.Text("secretKeyRef.key") ?? secret)
            : item.Text("value") ?? "");
        switch (type)
        {
            case "secretstores.local.file":
                _stores[name] = SecretFile.Read(values);
                break;
            case "pubsub.rabbitmq":
                PubSub = PubSub is null ? PubSub.Of(name, app, values) : throw new StartException("The stand-in takes one pub/sub component.");
                break;
            default:
                throw new StartException($"The stand-in has no component of type {type}.");
        }
    }

    private string Secret(string store, string name, string key) =>
        _stores.TryGetValue(store, out var file) && file.Get(name)?.TryGetValue(key, out var value) == true ? value
            : throw new StartException($"The secret '{name}', key '{key}', is not in the secret store '{store}'.");

    private void AddResiliency(YamlMappingNode resiliency)
    {
        if (resiliency.Map("spec.policies.circuitBreakers") is { Children.Count: > 0 })
            throw new StartException("The stand-in has no circuit breakers.");
        RetryPolicy? Retry(YamlMappingNode target) => target.Text("retry") is not { } name ? null
            : resiliency.Map("spec.policies.retries." + name) is { } policy ? RetryPolicy.Of(policy) : throw new StartException($"There is no retry policy '{name}'.");
        TimeSpan? Timeout(YamlMappingNode target) => target.Text("timeout") is { } name ? Yaml.Duration(resiliency.Text("spec.policies.timeouts." + name)!) : null;
        foreach (var (app, target) in resiliency.Maps("spec.targets.apps"))
            Calls[app] = (Retry(target), Timeout(target));
        foreach (var (component, target) in resiliency.Maps("spec.targets.components"))
        {
            if (target.Map("outbound") is not null || target.Text("inbound.timeout") is not null)
                throw new StartException("The stand-in has inbound retries of a component, no outbound policy and no inbound timeout.");
            if (component == PubSub?.Name && target.Map("inbound") is { } inbound)
                Redelivery = Retry(inbound) ?? RetryPolicy.None;
        }
    }

    private void Configure(YamlMappingNode config)
    {
        if (config.Map("spec.accessControl") is { } access)
            Access = AccessControl.Of(access);
        _secretScopes.AddRange(config.Nodes("spec.secrets.scopes"));
    }

    private static IEnumerable<YamlMappingNode> Read(string path)
    {
        try
        {
            var yaml = new YamlStream();
            using var reader = new StreamReader(path);
            yaml.Load(reader);
            return [.. yaml.Documents.Select(d => (YamlMappingNode)d.RootNode)];
        }
        catch (YamlException e)
        {
            throw new StartException($"{path} cannot be read (line {e.Start.Line}).");
        }
    }
}

/// <summary>Reading nodes by path.</summary>
internal static class Yaml
{
    public static YamlNode? At(this YamlMappingNode node, string path) => path.Split('.').Aggregate(
        (YamlNode?)node, (at, name) => (at as YamlMappingNode)?.Children.TryGetValue(new YamlScalarNode(name), out var next) == true ? next : null);

    public static string? Text(this YamlMappingNode node, string path) => (node.At(path) as YamlScalarNode)?.Value;

    public static YamlMappingNode? Map(this YamlMappingNode node, string path) => node.At(path) as YamlMappingNode;

    public static List<string>? List(this YamlMappingNode node, string path) => (node.At(path) as YamlSequenceNode)?.Children.Select(item => ((YamlScalarNode)item).Value!).ToList();

    public static IEnumerable<YamlMappingNode> Nodes(this YamlMappingNode node, string path) => (node.At(path) as YamlSequenceNode)?.Children.Cast<YamlMappingNode>() ?? [];

    public static IEnumerable<(string Name, YamlMappingNode Node)> Maps(this YamlMappingNode node, string path) =>
        node.Map(path)?.Children.Select(pair => (((YamlScalarNode)pair.Key).Value!, (YamlMappingNode)pair.Value)) ?? [];

    public static TimeSpan Duration(string text) => text switch
    {
        _ when text.EndsWith("ms", StringComparison.Ordinal) => TimeSpan.FromMilliseconds(Number(text[..^2])),
        _ when text.EndsWith('s') => TimeSpan.FromSeconds(Number(text[..^1])),
        _ when text.EndsWith('m') => TimeSpan.FromMinutes(Number(text[..^1])),
        _ => throw new StartException($"'{text}' is not a duration."),
    };

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}

/// <summary>How often and after which waits something is tried again; without end where <paramref name="MaxRetries"/> is -1.</summary>
internal sealed record RetryPolicy(int MaxRetries, TimeSpan First, double Factor, TimeSpan Longest)
{
    public static readonly RetryPolicy None = new(0, default, 1, default);

    /// <summary>daprd's exponential waits start at half a second and grow by half each, whatever `duration` says.</summary>
    public static RetryPolicy Of(YamlMappingNode policy)
    {
        var most = int.Parse(policy.Text("maxRetries") ?? "-1", CultureInfo.InvariantCulture);
        return policy.Text("policy") == "exponential"
            ? new RetryPolicy(most, TimeSpan.FromSeconds(0.5), 1.5, Yaml.Duration(policy.Text("maxInterval") ?? "60s"))
            : new RetryPolicy(most, Yaml.Duration(policy.Text("duration") ?? "5s"), 1, TimeSpan.MaxValue);
    }

    public TimeSpan Wait(int retry) => TimeSpan.FromTicks((long)Math.Min(Longest.Ticks, First.Ticks * Math.Pow(Factor, retry)));
}

/// <summary>pubsub.rabbitmq with daprd's defaults.</summary>
internal sealed record PubSub(
    string Name, string App, Uri Broker, string ConsumerId, bool Durable, bool DeleteWhenUnused, byte DeliveryMode, bool Confirm, bool AutoAck, bool Requeue,
    ushort Prefetch, bool Single, TimeSpan ReconnectWait, IReadOnlyDictionary<string, string> Scopes)
{
    private static readonly HashSet<string> ScopeKeys = ["allowedTopics", "protectedTopics", "publishingScopes", "subscriptionScopes"];

    public static PubSub Of(string name, string app, Dictionary<string, string> values)
    {
        string Text(string key, string otherwise) => values.Remove(key, out var value) && value.Length > 0 ? value : otherwise;
        bool Flag(string key, bool otherwise) => Text(key, "") is { Length: > 0 } text ? text is "true" or "1" or "yes" : otherwise;
        var scopes = values.Where(pair => ScopeKeys.Contains(pair.Key)).ToDictionary(pair => pair.Key, pair => pair.Value.Replace(" ", "", StringComparison.Ordinal));
        foreach (var key in scopes.Keys)
            values.Remove(key);
        var user = $"{Uri.EscapeDataString(Text("username", "guest"))}:{Uri.EscapeDataString(Text("password", "guest"))}";
        var parts = $"{Text("protocol", "amqp")}://{user}@{Text("hostname", "localhost")}/%2f";
        var component = new PubSub(
            name, app, new Uri(Text("connectionString", parts)), Text("consumerID", app), Flag("durable", true), Flag("deletedWhenUnused", true),
            byte.Parse(Text("deliveryMode", "0"), CultureInfo.InvariantCulture), Flag("publisherConfirm", false), Flag("autoAck", false), Flag("requeueInFailure", false),
            ushort.Parse(Text("prefetchCount", "0"), CultureInfo.InvariantCulture), Text("concurrencyMode", "parallel") == "single",
            TimeSpan.FromSeconds(int.Parse(Text("reconnectWaitSeconds", "3"), CultureInfo.InvariantCulture)), scopes);
        return values.Count == 0 ? component : throw new StartException($"The stand-in does not know {string.Join(", ", values.Keys)} of pubsub.rabbitmq.");
    }

    public bool MayPublish(string topic) => May("publishingScopes", topic);

    public bool MaySubscribe(string topic) => May("subscriptionScopes", topic);

    /// <summary>As daprd decides: an app without an entry may do anything with a topic that is not protected.</summary>
    private bool May(string scope, string topic)
    {
        List<string> Topics(string key) => [.. Scopes.GetValueOrDefault(key, "").Split(',', StringSplitOptions.RemoveEmptyEntries)];
        if (Topics("allowedTopics") is { Count: > 0 } allowed && !allowed.Contains(topic))
            return false;
        var own = Scopes.GetValueOrDefault(scope, "").Split(';').Select(entry => entry.Split('=')).FirstOrDefault(entry => entry.Length > 1 && entry[0] == App)?[1].Split(',');
        return own is null ? !Topics("protectedTopics").Contains(topic) : own.Contains(topic);
    }
}

/// <summary>secretstores.local.file.</summary>
internal sealed class SecretFile(Dictionary<string, Dictionary<string, string>> secrets)
{
    public IReadOnlyDictionary<string, Dictionary<string, string>> All => secrets;

    public Dictionary<string, string>? Get(string name) => secrets.GetValueOrDefault(name);

    public static SecretFile Read(Dictionary<string, string> values)
    {
        var (file, separator) = (values.GetValueOrDefault("secretsFile", ""), values.GetValueOrDefault("nestedSeparator", ":"));
        if (!File.Exists(file))
            throw new StartException($"secretsFile {file} does not exist.");
        using var json = JsonDocument.Parse(File.ReadAllText(file));
        var flat = json.RootElement.EnumerateObject().ToDictionary(p => p.Name, p => Flatten(p.Value, "", separator).ToDictionary());
        return new SecretFile(values.GetValueOrDefault("multiValued") == "true" ? flat
            : flat.SelectMany(p => p.Value.Select(v => (Key: v.Key.Length == 0 ? p.Key : p.Key + separator + v.Key, v.Value)))
                .ToDictionary(v => v.Key, v => new Dictionary<string, string> { [v.Key] = v.Value }));
    }

    private static IEnumerable<KeyValuePair<string, string>> Flatten(JsonElement value, string path, string separator) => value.ValueKind == JsonValueKind.Object
        ? value.EnumerateObject().SelectMany(p => Flatten(p.Value, path.Length == 0 ? p.Name : path + separator + p.Name, separator))
        : [new(path, value.ToString())];
}

/// <summary>Who may call this app. A caller's id is taken for proven, as mTLS would prove it.</summary>
internal sealed class AccessControl(bool allowed, Dictionary<string, (bool Default, List<(string Name, bool Allowed)> Operations)> callers)
{
    public static AccessControl Of(YamlMappingNode access)
    {
        static bool Allows(string? action, bool otherwise) => action is null ? otherwise : string.Equals(action, "allow", StringComparison.OrdinalIgnoreCase);
        var policies = access.Nodes("policies").ToList();
        if (policies.Any(policy => policy.Text("trustDomain") is null || policy.Text("namespace") is null || policy.Text("appId") is null))
            throw new StartException("Each access control policy needs appId, trustDomain and namespace.");
        var otherwise = Allows(access.Text("defaultAction"), otherwise: policies.Count == 0);
        return new AccessControl(otherwise, policies.ToDictionary(policy => policy.Text("appId")!, policy => (
            Allows(policy.Text("defaultAction"), otherwise),
            // The pitfall of h2c: names are put in lower case here, and compared as they are.
            policy.Nodes("operations").Select(o => (Name: "/" + o.Text("name")!.TrimStart('/').ToLowerInvariant(), Allows(o.Text("action"), otherwise: false))).ToList())));
    }

    public bool Allows(string caller, string operation)
    {
        if (!callers.TryGetValue(caller, out var policy))
            return allowed;
        var rule = policy.Operations.FirstOrDefault(o => o.Name == operation || (o.Name.EndsWith("/**", StringComparison.Ordinal) && operation.StartsWith(o.Name[..^2], StringComparison.Ordinal))
            || (o.Name.EndsWith("/*", StringComparison.Ordinal) && operation.StartsWith(o.Name[..^1], StringComparison.Ordinal) && !operation[(o.Name.Length - 1)..].Contains('/')));
        return rule.Name is null ? policy.Default : rule.Allowed;
    }
}
