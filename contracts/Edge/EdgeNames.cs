namespace Sloring.Contracts.Edge;

/// <summary>A queue that the platform takes messages from.</summary>
/// <param name="Queue">Its name.</param>
/// <param name="Exchange">The topic exchange that outside systems publish to.</param>
/// <param name="RoutingKey">The routing key, which names the message.</param>
public sealed record EdgeQueue(string Queue, string Exchange, string RoutingKey)
{
    /// <summary>Where messages end that were refused, each with its number.</summary>
    public string Errors => Queue + ".errors";
}

/// <summary>Names of the edge: exchanges, queues and headers. Published names never change.</summary>
public static class EdgeNames
{
    /// <summary>EPJ adapters publish here.</summary>
    public const string Activations = "sloring.activations";

    /// <summary>Data sources publish here.</summary>
    public const string Updates = "sloring.updates";

    /// <summary>Answers to data sources, routing key <c>cvr.client</c>.</summary>
    public const string MaskedUpdates = "sloring.masked-updates";

    /// <summary>Maskings that started, ended or were extended, routing key <c>cvr.client</c>.</summary>
    public const string MaskingDecisions = "sloring.masking-decisions";

    /// <summary>Notifications for regions' systems, routing key <c>cvr.kind</c>.</summary>
    public const string Notifications = "sloring.notifications";

    public static readonly EdgeQueue ActivateMasking = new("registration.activate-masking", Activations, "activate-masking");

    public static readonly EdgeQueue AddReason = new("registration.add-reason", Activations, "add-reason");

    public static readonly EdgeQueue EndMasking = new("registration.end-masking", Activations, "end-masking");

    public static readonly EdgeQueue DataSourceUpdate = new("effectuation.data-source-update", Updates, "data-source-update");

    /// <summary>All queues.</summary>
    public static IReadOnlyList<EdgeQueue> Queues { get; } = [ActivateMasking, AddReason, EndMasking, DataSourceUpdate];

    /// <summary>All exchanges, each a durable topic exchange.</summary>
    public static IReadOnlyList<string> Exchanges { get; } = [Activations, Updates, MaskedUpdates, MaskingDecisions, Notifications];
}
