using System.Collections.Concurrent;
using System.Diagnostics;
using Xunit;
using static Sloring.Tests.Distributed.EdgePlatform;

namespace Sloring.Tests.Distributed;

/// <summary>What a message holds stands nowhere but in its queue: not in traces, in logs, or in exchanges of the library's own.</summary>
public sealed class EdgePrivacyTests(EdgePlatform edge) : IClassFixture<EdgePlatform>
{
    [Fact]
    public async Task NoTagOfATrace_AndNoLog_HoldsWhatAMessageHeld()
    {
        var said = new ConcurrentQueue<string>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = _ => true,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = a => said.Enqueue($"{a.Source.Name} {a.OperationName} {a.DisplayName} {a.StatusDescription} "
                + string.Join(' ', a.TagObjects.Concat(a.Events.SelectMany(e => e.Tags)).Select(t => $"{t.Key}={t.Value}")) + string.Join(' ', a.Baggage.Select(b => $"{b.Key}={b.Value}"))),
        };
        ActivitySource.AddActivityListener(listener);
        var (cpr, reason) = (People.NextCpr(), "Hemmelig" + Guid.NewGuid().ToString("N"));
        var good = Activation(cpr);
        good["reason"] = reason;
        var bad = good.DeepClone();
        bad["behaviourOn"] = reason;
        // What a careless system puts where it does not belong.
        var careless = new { userId = "epj-hovedstaden", messageId = cpr, type = cpr, appId = cpr, headers = new { patient = cpr, MessageId = cpr } };

        await edge.Adapter.Publish("sloring.activations", "activate-masking", good.ToJsonString(), careless);
        await edge.Adapter.Publish("sloring.activations", "activate-masking", bad.ToJsonString(), careless);
        await edge.Adapter.Publish("sloring.activations", "activate-masking", cpr + reason, careless);
        await edge.Source.Publish("sloring.updates", "data-source-update", Update(cpr, cvr: Midtjylland).ToJsonString(), From("kilde-hovedstaden"));
        for (var i = 0; i < 2; i++)
            await edge.NextError("registration.activate-masking");
        await edge.NextError("effectuation.data-source-update");
        await Eventually.True(() => Task.FromResult(said.Count(line => line.Contains("edge activate-masking", StringComparison.Ordinal)) >= 3), "the traces have ended");

        Assert.Contains(said, line => line.StartsWith("MassTransit ", StringComparison.Ordinal));
        string[] ours = [.. said.Where(line => !line.StartsWith("RabbitMQ.Client", StringComparison.Ordinal))];
        Assert.DoesNotContain(ours, line => line.Contains(cpr, StringComparison.Ordinal) || line.Contains(reason, StringComparison.Ordinal));
        Assert.DoesNotContain(said, line => line.Contains(reason, StringComparison.Ordinal));
        var logs = Directory.GetFiles(Repository.Captured, $"platform-{Environment.ProcessId}-*");
        Assert.NotEmpty(logs);
        Assert.All(logs, file =>
        {
            using var log = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
            var text = log.ReadToEnd();
            Assert.DoesNotContain(cpr, text, StringComparison.Ordinal);
            Assert.DoesNotContain(reason, text, StringComparison.Ordinal);
        });
    }

    [Theory] // a Fault<T> carries the body, to whoever listens
    [InlineData("MassTransit:Fault")]
    [InlineData("MassTransit:ReceiveFault")]
    [InlineData("MassTransit:Fault--Sloring.Contracts.Edge:ActivateMasking--")]
    [InlineData("registration.activate-masking_error")]
    [InlineData("registration.activate-masking_skipped")]
    public async Task NoFaultIsPublished(string exchange)
    {
        await edge.Adapter.Publish("sloring.activations", "activate-masking", "{}", From("epj-hovedstaden"));
        await edge.NextError("registration.activate-masking");
        await using var operators = await edge.Broker.Connect("sloring");
        Assert.Contains("404", (await Assert.ThrowsAsync<PeerException>(() => operators.Exchange(exchange))).Message, StringComparison.Ordinal);
    }
}
