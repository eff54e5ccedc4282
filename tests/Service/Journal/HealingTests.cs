using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Service.Journal;

/// <summary>Whatever a bus does, every event is applied once (decision 3).</summary>
public sealed class HealingTests
{
    /// <summary>A promise to subscribers: what a bus has lost is applied within 5 s. Twice that here, for a machine that is busy with tests.</summary>
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(10);

    public static TheoryData<string> Buses => ["loses all", "doubles all", "turns pairs around", "loses every third"];

    [Theory]
    [MemberData(nameof(Buses))]
    public async Task AFaultyBus_LosesNothingAndDoublesNothing(string fault)
    {
        await using var platform = await Platform.StartWith(services => services.AddSingleton<IEventBus>(provider =>
            new FaultyBus(new EmbeddedBus(provider.GetServices<Inbox>()), fault)));
        var maskings = new List<string>();
        for (var i = 0; i < 7; i++)
        {
            var answer = await platform.Client.Must("epj-hovedstaden", HttpMethod.Post, "/v1/maskings", new JsonObject
            {
                ["idempotencyKey"] = $"healing-{i}-{Guid.NewGuid():N}",
                ["patientCpr"] = People.NextCpr(),
                ["trigger"] = "TRIGGER_THREATS",
                ["behaviourOn"] = "2025-01-15",
                ["activator"] = new JsonObject { ["personId"] = "hw-1001", ["role"] = "health-worker", ["unitSorId"] = "1000111000016001" },
            }, TestContext.Current.CancellationToken);
            maskings.Add((string)answer["maskingId"]!);
            // The reason travels behind the activation: turned around, it meets no case and must be tried again (M5).
            await platform.Client.Must("epj-hovedstaden", HttpMethod.Post, $"/v1/maskings/{maskings[^1]}/reason",
                new JsonObject { ["reason"] = "Truede personalet." }, TestContext.Current.CancellationToken);
        }

        await Eventually.True(async () => (await Listed(platform, "leder", "/v1/cases?page_size=500", "cases"))
            .Count(c => (bool?)c["reasonMissing"] != true) == maskings.Count, $"every case is open with its reason, though the bus {fault}", Bound);
        var cases = await Listed(platform, "leder", "/v1/cases?page_size=500", "cases");
        Assert.Equal(maskings.Order(), cases.Select(c => (string)c["caseId"]!).Order());
        var notices = await Listed(platform, "leder", "/v1/notices?page_size=500", "notices");
        Assert.Equal(maskings.Count, notices.Count(n => (string?)n["kind"] == "leader-told"));
        await Eventually.True(async () => (await Listed(platform, "drift", "/v1/deadlines?page_size=500", "deadlines")).Count(d => (string?)d["kind"] == "expiry") == maskings.Count,
            "one expiry deadline a masking", Bound);
    }

    private static async Task<List<JsonNode>> Listed(Platform platform, string client, string path, string field) =>
        (await platform.Client.Must(client, HttpMethod.Get, path, null, TestContext.Current.CancellationToken))[field]?.AsArray().Select(n => n!).ToList() ?? [];

    /// <summary>Hands events on to a real bus, wrongly.</summary>
    private sealed class FaultyBus(EmbeddedBus bus, string fault) : IEventBus
    {
        private readonly Lock _lock = new();
        private Delivery? _held;
        private int _count;

        public async Task Publish(Delivery delivery, CancellationToken cancel)
        {
            foreach (var next in Faulty(delivery))
                await bus.Publish(next, cancel);
        }

        private Delivery[] Faulty(Delivery delivery)
        {
            lock (_lock)
            {
                switch (fault)
                {
                    case "loses all":
                        return [];
                    case "doubles all":
                        return [delivery, delivery];
                    case "loses every third":
                        return ++_count % 3 == 0 ? [] : [delivery];
                    default:
                        if (_held is not { } held)
                        {
                            _held = delivery;
                            return [];
                        }
                        _held = null;
                        return [delivery, held];
                }
            }
        }
    }
}
