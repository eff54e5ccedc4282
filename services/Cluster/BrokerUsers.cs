namespace Sloring.Cluster;

/// <summary>Who may do what at the broker: the one table, explained in docs/edge.md. A user of an outside system has the name of its demo client, and its password.</summary>
public static class BrokerUsers
{
    private const string Nothing = "^$";

    /// <summary>The edge's exchanges and queues, and the default exchange, by which answers and refused messages go.</summary>
    private const string Edge = @"^(sloring\.[a-z-]+|(registration|effectuation)\.[a-z-]+(\.errors)?|amq\.default)$";

    /// <summary>An exchange per topic, and a queue per app and topic: what components/pubsub.yaml lists, nothing of the edge, where CPR numbers pass.</summary>
    private const string Events = @"^([a-z]+-)?([a-z]+\.[a-z-]+\.v\d+|dead-letters\.[a-z]+)$";

    /// <summary>EPJ adapters.</summary>
    public static readonly IReadOnlyList<string> Adapters = ["epj-hovedstaden", "epj-midtjylland"];

    /// <summary>Data sources and their CVR numbers.</summary>
    public static readonly IReadOnlyDictionary<string, string> DataSources = new Dictionary<string, string>
    {
        ["kilde-hovedstaden"] = "29190623",
        ["kilde-midtjylland"] = "29190925",
    };

    /// <summary>Regions' own systems and their CVR numbers.</summary>
    public static readonly IReadOnlyDictionary<string, string> Regions = new Dictionary<string, string>
    {
        ["region-hovedstaden"] = "29190623",
        ["region-midtjylland"] = "29190925",
    };

    /// <summary>Outside systems that have no tokens, only a place at the broker.</summary>
    public static IReadOnlyList<string> BrokerOnly { get; } = [.. Regions.Keys];

    /// <summary>The operators' user: replays messages from the error queues as whoever sent them.</summary>
    public const string Replayer = "drift";

    public static IReadOnlyList<BrokerUser> All(ClusterSecrets secrets) =>
    [
        Only("sloring", secrets["rabbitmq/sloring"], Edge),
        Only("dapr", secrets["rabbitmq/dapr"], Events),
        .. Adapters.Select(name => Adapter(name, secrets["client/" + name])),
        .. DataSources.Select(source => DataSource(source.Key, source.Value, secrets["client/" + source.Key])),
        .. Regions.Select(region => Region(region.Key, region.Value, secrets["client/" + region.Key])),
        new BrokerUser(Replayer, secrets["client/" + Replayer], Nothing, @"^sloring\.(activations|updates)$", @"^(registration|effectuation)\.[a-z-]+\.errors$") { Tags = ["impersonator"] },
    ];

    private static BrokerUser Only(string name, string password, string what) => new(name, password, what, what, what);

    /// <summary>Publishes. Answers come by direct reply-to, which needs no permission.</summary>
    private static BrokerUser Adapter(string name, string password) => new(name, password, Nothing, @"^sloring\.activations$", Nothing)
    {
        Topics = [new TopicPermission("sloring.activations", "^(activate-masking|add-reason|end-masking)$", Nothing)],
    };

    /// <summary>Publishes updates, and binds queues under its own name to its own routing key: no other organisation's, and no wildcard that would cover one.</summary>
    private static BrokerUser DataSource(string name, string cvr, string password) => new(
        name, password, $@"^{name}\.", $@"^(sloring\.updates$|{name}\.)", $@"^(sloring\.masked-updates$|sloring\.masking-decisions$|{name}\.)")
    {
        Topics =
        [
            new TopicPermission("sloring.updates", "^data-source-update$", Nothing),
            new TopicPermission("sloring.masked-updates", Nothing, $@"^{cvr}\.{name}$"),
            new TopicPermission("sloring.masking-decisions", Nothing, $@"^{cvr}\.{name}$"),
        ],
    };

    /// <summary>Binds queues under its own name to its own CVR number's notifications, of one kind or of all.</summary>
    private static BrokerUser Region(string name, string cvr, string password) => new(
        name, password, $@"^{name}\.", $@"^{name}\.", $@"^(sloring\.notifications$|{name}\.)")
    {
        Topics = [new TopicPermission("sloring.notifications", Nothing, $@"^{cvr}\.([a-z-]+|\*|#)$")],
    };
}
