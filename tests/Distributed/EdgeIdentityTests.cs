using System.Text.Json.Nodes;
using Xunit;
using static Sloring.Tests.Distributed.EdgePlatform;

namespace Sloring.Tests.Distributed;

/// <summary>The organisation comes from the broker's user alone (rule M2), and a user reaches nothing but its own.</summary>
public sealed class EdgeIdentityTests(EdgePlatform edge) : IClassFixture<EdgePlatform>
{
    [Fact]
    public async Task WithoutUserId_IsRefused()
    {
        await edge.Adapter.Publish("sloring.activations", "activate-masking", Activation(People.NextCpr()).ToJsonString());
        var error = await edge.NextError("registration.activate-masking");
        Assert.Equal(("SLR-918", null), ((string)error["headers"]!["sloring-code"]!, (string?)error["headers"]!["sloring-user"]));
    }

    [Fact]
    public async Task AUserThatIsNotMapped_IsRefused()
    {
        await edge.Operator.Publish("sloring.activations", "activate-masking", Activation(People.NextCpr()).ToJsonString(), From("sloring"));
        Assert.Equal("SLR-919", (string)(await edge.NextError("registration.activate-masking"))["headers"]!["sloring-code"]!);
    }

    [Theory] // the broker keeps most of these out; the platform does not rely on it
    [InlineData("kilde-hovedstaden", "sloring.activations", "activate-masking", "registration.activate-masking")]
    [InlineData("epj-hovedstaden", "sloring.updates", "data-source-update", "effectuation.data-source-update")]
    public async Task AUserOfAnotherRole_IsRefused(string user, string exchange, string key, string queue)
    {
        await using var operators = await edge.Broker.Connect("drift");
        await operators.Publish(exchange, key, Activation(People.NextCpr()).ToJsonString(), From(user));
        Assert.Equal("SLR-920", (string)(await edge.NextError(queue))["headers"]!["sloring-code"]!);
    }

    [Fact]
    public async Task AnotherUsersName_IsRefusedByTheBroker()
    {
        var refused = await Assert.ThrowsAsync<PeerException>(() =>
            edge.Adapter.Publish("sloring.activations", "activate-masking", Activation(People.NextCpr()).ToJsonString(), From("epj-midtjylland")));
        Assert.Contains("406", refused.Message, StringComparison.Ordinal);
    }

    [Fact] // M2
    public async Task TheOrganisation_IsTheUsers()
    {
        var cpr = People.NextCpr();
        await using var other = await edge.Broker.Connect("epj-midtjylland");
        var answer = JsonNode.Parse((string)(await other.Request("sloring.activations", "activate-masking", Activation(cpr).ToJsonString(), From("epj-midtjylland")))["body"]!)!;

        var found = await edge.Platform.Client.Must("epj-midtjylland", HttpMethod.Post, "/v1/maskings/search", new JsonObject { ["patientCpr"] = cpr }, TestContext.Current.CancellationToken);
        var listed = Assert.Single(found["maskings"]!.AsArray())!;
        Assert.Equal(((string)answer["maskingId"]!, Midtjylland), ((string)listed["maskingId"]!, (string)listed["cvr"]!));
    }

    [Theory]
    [InlineData("kilde-hovedstaden", "sloring.masked-updates", "29190925.kilde-midtjylland")]
    [InlineData("kilde-hovedstaden", "sloring.masking-decisions", "29190925.kilde-midtjylland")]
    [InlineData("kilde-hovedstaden", "sloring.masking-decisions", "29190925.kilde-hovedstaden")]
    [InlineData("kilde-hovedstaden", "sloring.masking-decisions", "29190623.*")]
    [InlineData("kilde-hovedstaden", "sloring.masking-decisions", "*.kilde-hovedstaden")]
    [InlineData("kilde-hovedstaden", "sloring.masked-updates", "#")]
    [InlineData("kilde-hovedstaden", "sloring.notifications", "29190623.leader-told")]
    [InlineData("kilde-hovedstaden", "sloring.activations", "activate-masking")]
    [InlineData("region-hovedstaden", "sloring.notifications", "29190925.leader-told")]
    [InlineData("region-hovedstaden", "sloring.notifications", "#")]
    [InlineData("region-hovedstaden", "sloring.masking-decisions", "29190623.kilde-hovedstaden")]
    public async Task ABindingToOthersKeys_IsRefusedByTheBroker(string user, string exchange, string key)
    {
        await using var peer = await edge.Broker.Connect(user);
        var refused = await Assert.ThrowsAsync<PeerException>(() => peer.Bind(user + ".snoop", exchange, key));
        Assert.Contains("403", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("epj-hovedstaden", "sloring.masking-decisions", "29190623.kilde-hovedstaden")]
    [InlineData("epj-hovedstaden", "sloring.updates", "data-source-update")]
    [InlineData("epj-hovedstaden", "", "registration.activate-masking")]
    [InlineData("epj-hovedstaden", "registration.activate-masking", "")]
    [InlineData("kilde-hovedstaden", "sloring.masked-updates", "29190925.kilde-midtjylland")]
    [InlineData("kilde-hovedstaden", "sloring.activations", "activate-masking")]
    [InlineData("kilde-hovedstaden", "", "effectuation.data-source-update.errors")]
    [InlineData("region-hovedstaden", "sloring.activations", "activate-masking")]
    [InlineData("drift", "sloring.masked-updates", "29190623.kilde-hovedstaden")]
    public async Task PublishingWhereOnlyOthersMay_IsRefusedByTheBroker(string user, string exchange, string key)
    {
        await using var peer = await edge.Broker.Connect(user);
        var refused = await Assert.ThrowsAsync<PeerException>(() => peer.Publish(exchange, key, "{}", From(user)));
        Assert.Contains("403", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("epj-hovedstaden", "registration.activate-masking.errors")]
    [InlineData("epj-hovedstaden", "registration.activate-masking")]
    [InlineData("kilde-hovedstaden", "effectuation.data-source-update.errors")]
    [InlineData("kilde-midtjylland", "kilde-hovedstaden.masked")]
    public async Task ReadingOthersQueues_IsRefusedByTheBroker(string user, string queue)
    {
        await edge.Source.Bind("kilde-hovedstaden.masked", "sloring.masked-updates", "29190623.kilde-hovedstaden");
        await using var peer = await edge.Broker.Connect(user);
        var refused = await Assert.ThrowsAsync<PeerException>(() => peer.Get(queue));
        Assert.Contains("403", refused.Message, StringComparison.Ordinal);
    }
}
