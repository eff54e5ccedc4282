using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Sloring.Approval;
using Sloring.Contracts.Events;
using Sloring.Hosting;
using Sloring.Registration;
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
            maskings.Add(await Activated(platform));
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

    [Fact]
    public async Task AnEventThatCanNeverBeApplied_HoldsUpNoneBehindIt_AlsoAfterARestart()
    {
        var platform = await Platform.StartWith(services => services.AddSingleton<IEventBus>(provider => new FaultyBus(new EmbeddedBus(provider.GetServices<Inbox>()), "loses all")));
        try
        {
            var never = await platform.Services.GetRequiredService<Store<RegistrationDb>>().Write(
                "test", scope => scope.Append(new RegistrationReasonAdded { MaskingId = Guid.NewGuid().ToString("D"), PatientKey = new string('0', 32), SealedReason = "", AddedBy = "test", AddedAt = scope.Now }),
                TestContext.Current.CancellationToken);
            var maskings = new List<string>();
            for (var run = 0; run < 2; run++)
            {
                maskings.Add(await Activated(platform));
                maskings.Add(await Activated(platform));
                await Eventually.True(
                    async () => (await Listed(platform, "leder", "/v1/cases?page_size=500", "cases")).Count == maskings.Count, "every case behind it is open", Bound);
                // It is still owed: nothing beyond it counts as done for a process that starts anew.
                var cursor = await platform.Services.GetRequiredService<Store<ApprovalDb>>().Read(
                    db => db.Cursors.Where(c => c.Publisher == "registration").Select(c => c.Position).SingleOrDefaultAsync(), TestContext.Current.CancellationToken);
                Assert.True(cursor < never, $"{cursor} {never}");
                platform = await platform.Restart();
            }
        }
        finally
        {
            await platform.DisposeAsync();
        }
    }

    private static async Task<string> Activated(Platform platform) =>
        (string)(await platform.Client.Must("epj-hovedstaden", HttpMethod.Post, "/v1/maskings", new JsonObject
        {
            ["idempotencyKey"] = $"healing-{Guid.NewGuid():N}",
            ["patientCpr"] = People.NextCpr(),
            ["trigger"] = "TRIGGER_THREATS",
            ["behaviourOn"] = "2025-01-15",
            ["activator"] = new JsonObject { ["personId"] = "hw-1001", ["role"] = "health-worker", ["unitSorId"] = "1000111000016001" },
        }, TestContext.Current.CancellationToken))["maskingId"]!;

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
