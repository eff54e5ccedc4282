using System.Text.Json.Nodes;
using Xunit;

namespace Sloring.Tests.Distributed;

/// <summary>The whole platform with the edge at a real broker, shared by the tests that do not break it; and what they say and see as foreign systems.</summary>
public sealed class EdgePlatform(EdgeBroker broker) : IAsyncLifetime
{
    public const string Hovedstaden = "29190623";
    public const string Midtjylland = "29190925";

    private readonly Dictionary<string, Peer> _peers = [];

    public EdgeBroker Broker => broker;

    public Platform Platform { get; private set; } = null!;

    public Peer Adapter => _peers["epj-hovedstaden"];

    public Peer Source => _peers["kilde-hovedstaden"];

    public Peer OtherSource => _peers["kilde-midtjylland"];

    public Peer Operator => _peers["sloring"];

    public async ValueTask InitializeAsync()
    {
        await broker.Start();
        Platform = await Platform.Start(broker.NewFolder(), [.. broker.Settings, "--Edge:Users:kilde-without-queue:Cvr=" + Midtjylland, "--Edge:Users:kilde-without-queue:Role=data-source"]);
        foreach (var user in (string[])["epj-hovedstaden", "kilde-hovedstaden", "kilde-midtjylland", "sloring"])
            _peers[user] = await broker.Connect(user);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var peer in _peers.Values)
            await peer.DisposeAsync();
        await Platform.DisposeAsync();
    }

    /// <summary>An activation as an adapter writes it.</summary>
    public static JsonObject Activation(string cpr, string? key = null) => new()
    {
        ["idempotencyKey"] = key ?? Guid.NewGuid().ToString("N"),
        ["patientCpr"] = cpr,
        ["trigger"] = "threats",
        ["behaviourOn"] = "2025-01-15",
        ["reason"] = "Truede med vold ved døren.",
        ["activator"] = new JsonObject { ["personId"] = "hw-1001", ["role"] = "health-worker", ["unitSorId"] = "1000111000016001" },
    };

    /// <summary>An update with so many entries of one patient.</summary>
    public static JsonObject Update(string cpr, int entries = 1, string cvr = Hovedstaden, string? id = null) => new()
    {
        ["updateId"] = id ?? Guid.NewGuid().ToString("D"),
        ["entries"] = new JsonArray(new JsonObject
        {
            ["patientCpr"] = cpr,
            ["entries"] = new JsonArray([.. Enumerable.Range(0, entries).Select(i => new JsonObject
            {
                ["id"] = $"e-{i}",
                ["source"] = "EPJ",
                ["cvr"] = cvr,
                ["sorId"] = "1000111000016001",
                ["activity"] = "Opslag i journal",
                ["staff"] = new JsonArray(new JsonObject { ["role"] = "user", ["name"] = People.Names[i % People.Names.Length], ["professionCode"] = "5166" }),
            })]),
        }),
    };

    public static object From(string user, object? also = null) => also is null ? new { userId = user } : new { userId = user, messageId = also };

    /// <summary>Activates by AMQP; gives the accepted answer.</summary>
    public async Task<JsonNode> Activate(string cpr, string? key = null)
    {
        var answer = await Adapter.Request("sloring.activations", "activate-masking", Activation(cpr, key).ToJsonString(), From("epj-hovedstaden"));
        return JsonNode.Parse((string)answer["body"]!)!;
    }

    /// <summary>The next message in a queue's errors.</summary>
    public async Task<JsonNode> NextError(string queue)
    {
        JsonNode? found = null;
        await Eventually.True(async () => (found = await Operator.Get(queue + ".errors")) is not null, $"{queue}.errors has a message");
        return found!["headers"]?["sloring-code"] is null ? throw new InvalidOperationException(found.ToJsonString()) : found;
    }
}
