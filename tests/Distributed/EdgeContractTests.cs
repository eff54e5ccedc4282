using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Sloring.Cluster;
using Sloring.Contracts.Edge;
using Sloring.Contracts.Effectuation.V1;
using Xunit;
using YamlDotNet.RepresentationModel;
using static Sloring.Tests.Distributed.EdgePlatform;

namespace Sloring.Tests.Distributed;

/// <summary>docs/asyncapi.yaml, the records of contracts/Edge and the platform say the same.</summary>
public sealed class EdgeContractTests(EdgePlatform edge) : IClassFixture<EdgePlatform>
{
    private static readonly JsonNode Document = Load();

    [Fact]
    public void EveryReference_Resolves()
    {
        var references = References(Document).ToList();
        Assert.True(references.Count > 20);
        Assert.All(references, reference => Assert.NotNull(Resolve(reference)));
        Assert.Equal("3.0.0", (string)Document["asyncapi"]!);
        Assert.All(Document["operations"]!.AsObject(), operation => Assert.Contains((string)operation.Value!["action"]!, (string[])["send", "receive"]));
    }

    [Fact]
    public void EverySchema_HasTheFieldsOfItsRecord()
    {
        foreach (var (name, schema) in Document["components"]!["schemas"]!.AsObject().Where(pair => (string)pair.Value!["type"]! == "object"))
        {
            var expected = Message(name) is { } message
                ? message.Fields.InDeclarationOrder().Select(field => field.JsonName)
                : EdgeJson.Options.GetTypeInfo(Record(name)).Properties.Select(property => property.Name);
            Assert.Equal(expected, schema!["properties"]!.AsObject().Select(property => property.Key));
        }
    }

    [Fact]
    public void EveryRecord_IsDescribed()
    {
        var records = typeof(EdgeJson).Assembly.GetTypes().Where(type => type.Namespace == typeof(EdgeJson).Namespace && type.IsPublic && type.GetMethod("<Clone>$") is not null);
        Assert.Equal([], records.Select(type => type.Name).Except(Document["components"]!["schemas"]!.AsObject().Select(pair => pair.Key)).Except([nameof(EdgeQueue)]));
    }

    [Fact]
    public void EveryExample_IsOfItsRecord()
    {
        foreach (var (name, message) in Document["components"]!["messages"]!.AsObject())
        {
            foreach (var example in message!["examples"]!.AsArray())
            {
                var read = JsonSerializer.Deserialize(example!["payload"]!.ToJsonString(), Record(name), EdgeJson.Options);
                Assert.True(JsonNode.DeepEquals(example["payload"], JsonSerializer.SerializeToNode(read, Record(name), EdgeJson.Options)), $"{name}: {JsonSerializer.Serialize(read, Record(name), EdgeJson.Options)}");
            }
        }
    }

    [Fact]
    public async Task EveryExampleThatOutsideSystemsSend_IsAccepted()
    {
        var activated = await Ask("ActivateMasking", "activate-masking", example =>
        {
            example["patientCpr"] = People.NextCpr();
            example.AsObject().Remove("reason");
        });
        var id = (string)activated["maskingId"]!;
        await Ask("AddReason", "add-reason", example => example["maskingId"] = id);
        await Ask("EndMasking", "end-masking", example => example["maskingId"] = id);

        var update = Document["components"]!["messages"]!["DataSourceUpdate"]!["examples"]![0]!["payload"]!;
        var queue = await edge.Source.Listen("kilde-hovedstaden", "sloring.masked-updates", $"{Hovedstaden}.kilde-hovedstaden");
        await edge.Source.Publish("sloring.updates", "data-source-update", update.ToJsonString(), From("kilde-hovedstaden"));
        await Eventually.True(() => Task.FromResult(edge.Source.Received(queue).Count > 0), "the example is answered");

        async Task<JsonNode> Ask(string message, string key, Action<JsonNode> adapt)
        {
            var example = Document["components"]!["messages"]![message]!["examples"]![0]!["payload"]!.DeepClone();
            adapt(example);
            var answer = JsonNode.Parse((string)(await edge.Adapter.Request("sloring.activations", key, example.ToJsonString(), From("epj-hovedstaden")))["body"]!)!;
            Assert.True((bool)answer["accepted"]!, answer.ToJsonString());
            return answer;
        }
    }

    [Fact]
    public void TheChannels_AreThoseOfThePlatform()
    {
        var channels = Document["channels"]!.AsObject().Where(c => c.Value!["bindings"] is not null)
            .Select(c => (Exchange: (string)c.Value!["bindings"]!["amqp"]!["exchange"]!["name"]!, Key: (string)c.Value["address"]!)).ToList();
        Assert.Equal(EdgeNames.Exchanges.Order(), channels.Select(c => c.Exchange).Distinct().Order());
        Assert.Equal(
            EdgeNames.Queues.Select(q => (q.Exchange, q.RoutingKey)).Order(),
            channels.Where(c => c.Exchange is EdgeNames.Activations or EdgeNames.Updates).Order());
    }

    [Fact]
    public void TheBrokersUsers_KnowTheExchangesByTheirNames()
    {
        var users = BrokerUsers.All(edge.Broker.Secrets);
        Assert.Subset(EdgeNames.Exchanges.ToHashSet(), users.SelectMany(user => user.Topics).Select(topic => topic.Exchange).ToHashSet());
        var adapter = users.Single(user => user.Name == "epj-hovedstaden");
        Assert.All(EdgeNames.Queues.Where(queue => queue.Exchange == EdgeNames.Activations), queue => Assert.Matches(adapter.Topics[0].Write, queue.RoutingKey));
    }

    [Fact]
    public void EntriesAndFindings_AreWrittenAsProtobufDoes()
    {
        var entry = new Entry
        {
            Id = "e\"1",
            Source = "EPJ",
            Cvr = "29190623",
            SorId = "1000111000016001",
            Shak = "130111",
            OrganisationName = "Æøå <b>&",
            OccurredAt = "2025-11-18T21:14:00+01:00",
            Activity = "a\\b\n",
            Text = "\u2028 \U0001F600",
            Staff =
            {
                new Staff { Role = "user", Name = "N", Cpr = "7101901234", AuthorisationId = "6QF17", UserId = "u", Email = "a@b.dk", ProfessionCode = "5166", Profession = "P", Pseudonym = "x", Masked = true },
                new Staff(),
            },
        };
        var finding = new Finding { EntryId = "e", Source = "EPJ", Kind = FindingKind.UnitMissing };
        foreach (var message in (IMessage[])[entry, new Entry(), finding, new Finding()])
        {
            var ours = JsonSerializer.Serialize(message, message.GetType(), EdgeJson.Options);
            Assert.True(JsonNode.DeepEquals(JsonNode.Parse(JsonFormatter.Default.Format(message)), message is Finding { Kind: FindingKind.Unspecified } ? new JsonObject() : JsonNode.Parse(ours)), ours);
            Assert.Equal(message, JsonSerializer.Deserialize(JsonFormatter.Default.Format(message), message.GetType(), EdgeJson.Options));
            Assert.Equal(message, JsonParser.Default.Parse(ours, message.Descriptor));
        }
        // Both of protobuf's names of a field, and null for absent.
        Assert.Equal(
            new Entry { SorId = "1", Staff = { new Staff { UserId = "u" } } },
            JsonSerializer.Deserialize<Entry>("""{"sor_id":"1","text":null,"staff":[{"user_id":"u","masked":null}]}""", EdgeJson.Options));
    }

    private static JsonNode Load()
    {
        var yaml = new YamlStream();
        using var file = new StreamReader(Path.Combine(Repository.Root, "docs", "asyncapi.yaml"));
        yaml.Load(file);
        return Convert(yaml.Documents[0].RootNode)!;
    }

    private static JsonNode? Convert(YamlNode node) => node switch
    {
        YamlMappingNode mapping => new JsonObject(mapping.Children.Select(pair => KeyValuePair.Create(((YamlScalarNode)pair.Key).Value!, Convert(pair.Value)))),
        YamlSequenceNode sequence => new JsonArray([.. sequence.Children.Select(Convert)]),
        YamlScalarNode { Style: YamlDotNet.Core.ScalarStyle.Plain } scalar => scalar.Value switch
        {
            "null" => null,
            "true" => true,
            "false" => false,
            var text when long.TryParse(text, out var number) => number,
            var text => text,
        },
        YamlScalarNode scalar => scalar.Value,
        _ => throw new InvalidOperationException(),
    };

    private static IEnumerable<string> References(JsonNode? node) => node switch
    {
        JsonObject o => o.SelectMany(pair => pair.Key == "$ref" ? [(string)pair.Value!] : References(pair.Value)),
        JsonArray a => a.SelectMany(References),
        _ => [],
    };

    private static JsonNode? Resolve(string reference) =>
        reference.StartsWith("#/", StringComparison.Ordinal) ? reference[2..].Split('/').Aggregate((JsonNode?)Document, (node, name) => node?[name]) : null;

    private static Type Record(string name) => typeof(EdgeJson).Assembly.GetType($"{typeof(EdgeJson).Namespace}.{name}", throwOnError: true)!;

    private static MessageDescriptor? Message(string name) => EffectuationReflection.Descriptor.MessageTypes.FirstOrDefault(message => message.Name == name);
}
