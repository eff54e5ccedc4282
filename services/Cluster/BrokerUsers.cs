namespace Sloring.Cluster;

/// <summary>Who may do what at the broker: the one table. A user of an outside system has the name of its demo client, and its password.</summary>
public static class BrokerUsers
{
    private const string Nothing = "^$";

    /// <summary>Outside systems that have no tokens, only a place at the broker.</summary>
    public static readonly IReadOnlyList<string> BrokerOnly = ["region-hovedstaden", "region-midtjylland"];

    /// <summary>EPJ adapters.</summary>
    public static readonly IReadOnlyList<string> Adapters = ["epj-hovedstaden", "epj-midtjylland"];

    /// <summary>Data sources and their CVR numbers.</summary>
    public static readonly IReadOnlyDictionary<string, string> DataSources = new Dictionary<string, string>
    {
        ["kilde-hovedstaden"] = "29190623",
        ["kilde-midtjylland"] = "29190925",
    };

    public static IReadOnlyList<BrokerUser> All(ClusterSecrets secrets) =>
    [
        new BrokerUser("sloring", secrets["rabbitmq/sloring"], ".*", ".*", ".*"),
        new BrokerUser("dapr", secrets["rabbitmq/dapr"], ".*", ".*", ".*"),
        // Publishes; answers come by direct reply-to, which needs no permission.
        .. Adapters.Select(name => new BrokerUser(name, secrets["client/" + name], Nothing, @"^sloring\.", Nothing)),
        .. DataSources.Select(source => Reader(source.Key, secrets)),
        .. BrokerOnly.Select(name => Reader(name, secrets)),
    ];

    /// <summary>Has queues of its own, under its name.</summary>
    private static BrokerUser Reader(string name, ClusterSecrets secrets) =>
        new(name, secrets["client/" + name], $@"^{name}\.", $@"^(sloring\.|{name}\.)", $@"^(sloring\.|{name}\.)");
}
