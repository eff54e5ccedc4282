using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Sloring.Contracts;
using Xunit;
using static Sloring.Tests.Flow.SharedPlatform;

namespace Sloring.Tests.Flow;

/// <summary>Random histories against a simple model: at no instant is a name shown that the model masks, or hidden that it shows.</summary>
public sealed class HistoryPropertyTests(SharedPlatform flow) : IClassFixture<SharedPlatform>
{
    private const int Histories = 8;
    private const int Steps = 15;
    private const int Patients = 3;

    private static readonly (string Cvr, string Adapter, string Leader, string Unit)[] Organisations =
        [(RegionH, "epj-hovedstaden", "leder", SectionA), (RegionM, "epj-midtjylland", "leder-vest", MedicalM)];

    [Fact] // M1, M3, M5, M6, M7, M10, A4, A5, A9, E1
    public async Task AnyHistory_MasksExactlyWhatTheModelMasks()
    {
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        for (var number = 0; number < Histories; number++)
        {
            var history = new History(flow, new Random(seed + number));
            try
            {
                for (var step = 0; step < Steps; step++)
                    await history.Step();
                await history.Outlast();
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed + number}: {string.Join(" · ", history.Told)}: {e.GetType().Name} {e.Message}");
            }
        }
    }

    /// <summary>What the model knows of one patient and organisation.</summary>
    private sealed class Masking
    {
        public required string Id { get; init; }

        public required DateTimeOffset EndsAt { get; set; }

        public bool HasReason { get; set; }

        public bool Upheld { get; set; }

        public bool Over { get; set; }

        /// <summary>What its end was answered with; null where no leader ended it.</summary>
        public string? EndAnswer { get; set; }

        public bool InForce(DateTimeOffset now) => !Over && EndsAt > now;
    }

    private sealed class History(SharedPlatform flow, Random random)
    {
        private readonly string[] _patients = [.. Enumerable.Range(0, Patients).Select(_ => People.NextCpr())];
        private readonly Dictionary<(int Patient, int Organisation), Masking> _model = [];
        private readonly List<(string Id, int Organisation)> _superseded = [];

        public List<string> Told { get; } = [];

        public async Task Step()
        {
            var pair = (random.Next(Patients), random.Next(Organisations.Length));
            var known = _model.GetValueOrDefault(pair);
            await (random.Next(12) switch
            {
                _ when known is null => Activate(pair),
                0 or 1 => Activate(pair),
                2 => AddReason(pair, known),
                3 or 4 => Decide(pair, known, "UPHOLD"),
                5 => Decide(pair, known, "LIFT"),
                6 or 7 => Renew(pair, known),
                8 => End(pair, known),
                9 => LiftOld(),
                10 => Advance(TimeSpan.FromHours(random.Next(1, 400))),
                // Into the days before an end, where a renewal is possible, or just past it.
                _ => known.EndsAt > flow.Now ? Advance(known.EndsAt - flow.Now + TimeSpan.FromDays(random.Next(-9, 2))) : Advance(TimeSpan.FromDays(random.Next(1, 40))),
            });
            await ViewIsModel(pair);
        }

        /// <summary>To the end of all of them, over each end instant.</summary>
        public async Task Outlast()
        {
            await Advance(TimeSpan.FromDays(200));
            Assert.DoesNotContain(_model.Values, masking => masking.InForce(flow.Now));
            await ViewIsModel(null);
        }

        private async Task Activate((int Patient, int Organisation) pair)
        {
            var organisation = Organisations[pair.Organisation];
            var reason = random.Next(2) == 0 ? "Truede personalet." : null;
            var activation = flow.Activation(_patients[pair.Patient], reason, "hw-" + pair.Organisation, organisation.Unit);
            DateTimeOffset? asked = random.Next(3) == 0 ? Whole(flow.Now.AddDays(random.Next(1, 89))) : null;
            if (asked is not null)
                activation["endsAt"] = asked.Value.ToString("O", CultureInfo.InvariantCulture);
            var answer = await flow.Must(organisation.Adapter, "/v1/maskings", activation);
            var (id, from) = ((string)answer["maskingId"]!, (DateTimeOffset)answer["inForceFrom"]!);
            var end = asked ?? DanishTime.AddDays(from, 90);
            if (_model.TryGetValue(pair, out var before) && before.InForce(from))
            {
                _superseded.Add((before.Id, pair.Organisation));
                end = before.EndsAt > end ? before.EndsAt : end; // M7: the later end counts
            }
            Tell($"activate{pair} until {end:O}");
            Assert.Equal(end, (DateTimeOffset)answer["endsAt"]!);
            _model[pair] = new Masking { Id = id, EndsAt = end, HasReason = reason is not null };
            await flow.CaseThere(organisation.Leader, id);
        }

        private async Task AddReason((int, int Organisation) pair, Masking masking)
        {
            var may = masking.InForce(flow.Now) && !masking.HasReason;
            var accepted = await Try(Organisations[pair.Organisation].Adapter, $"/v1/maskings/{masking.Id}/reason", Reason("Slog ud efter personalet."), $"reason{pair}");
            // Written before in the same words, it may be written again: that changes nothing.
            Assert.True(may == accepted || masking.HasReason, $"reason: {accepted}");
            if (!may)
                return;
            masking.HasReason = true;
            await Eventually.True(async () => (bool?)(await Summary(pair.Organisation, masking.Id))["reasonMissing"] != true, "the case has its reason");
        }

        private async Task Decide((int, int Organisation) pair, Masking masking, string decision)
        {
            var lift = decision == "LIFT";
            var may = masking.InForce(flow.Now) && !masking.Upheld && (lift || masking.HasReason);
            var body = new JsonObject { ["decision"] = "DECISION_" + decision, ["reason"] = "Vurderet." };
            Assert.Equal(may, await Try(Organisations[pair.Organisation].Leader, $"/v1/cases/{masking.Id}/decision", body, decision + pair));
            masking.Upheld |= may && !lift;
            masking.Over |= may && lift;
        }

        private async Task Renew((int, int Organisation) pair, Masking masking)
        {
            var may = masking.InForce(flow.Now) && masking.Upheld && flow.Now >= DanishTime.AddDays(masking.EndsAt, -10);
            Assert.Equal(may, await Try(Organisations[pair.Organisation].Leader, $"/v1/cases/{masking.Id}/renewal", Reason("Truer fortsat."), "renew" + pair));
            if (may)
                masking.EndsAt = DanishTime.AddDays(masking.EndsAt, 90);
        }

        private async Task End((int, int Organisation) pair, Masking masking)
        {
            var may = masking.InForce(flow.Now);
            var (accepted, answer) = await Ask(Organisations[pair.Organisation].Leader, $"/v1/maskings/{masking.Id}/end", Reason("Ikke mere behov."), "end" + pair);
            // The same leader's same words again are a repeated delivery: the same answer, and nothing changes.
            Assert.Equal(may || masking.EndAnswer is not null, accepted);
            if (accepted && masking.EndAnswer is { } before)
                Assert.Equal(before, answer.ToJsonString());
            if (!may)
                return;
            (masking.Over, masking.EndAnswer) = (true, answer.ToJsonString());
            await Eventually.True(async () => (string?)(await Summary(pair.Organisation, masking.Id))["state"] == "CASE_STATE_ENDED", "the case is closed");
        }

        /// <summary>A leader who decides on a case that a newer activation has taken the place of: whatever the answer, nothing shows.</summary>
        private async Task LiftOld()
        {
            if (_superseded.Count == 0)
                return;
            var (id, organisation) = _superseded[random.Next(_superseded.Count)];
            await Try(Organisations[organisation].Leader, $"/v1/cases/{id}/decision", new JsonObject { ["decision"] = "DECISION_LIFT", ["reason"] = "For sent." }, "lift of superseded");
        }

        /// <summary>Moves the clock, stopping just before and just after every end instant on the way.</summary>
        private async Task Advance(TimeSpan by)
        {
            var target = flow.Now + (by > TimeSpan.FromMinutes(1) ? by : TimeSpan.FromMinutes(1));
            Tell($"to {target:O}");
            while (_model.Values.Where(m => m.InForce(flow.Now) && m.EndsAt <= target).Select(m => m.EndsAt).DefaultIfEmpty().Min() is var end && end != default)
            {
                if (end.AddSeconds(-20) > flow.Now)
                {
                    await flow.MoveTo(end.AddSeconds(-20));
                    await ViewIsModel(null);
                }
                await To(end.AddMilliseconds(1));
                await ViewIsModel(null);
            }
            await To(target);
        }

        /// <summary>What is only moments ahead comes by itself; the clock, told to go there, might be past it by then and refuse.</summary>
        private async Task To(DateTimeOffset instant)
        {
            if (instant - flow.Now > TimeSpan.FromSeconds(5))
                await flow.MoveTo(instant);
            else
                await Eventually.True(() => Task.FromResult(flow.Now >= instant), "the instant is reached");
        }

        /// <summary>The pair that was acted on may take a moment (a lift is an event); every other one is right at every look.</summary>
        private async Task ViewIsModel((int, int)? acted)
        {
            await flow.CaughtUp();
            await Eventually.True(
                async () =>
                {
                    var right = true;
                    for (var patient = 0; patient < Patients; patient++)
                    {
                        var before = flow.Now;
                        var shown = await flow.View(_patients[patient], [.. Organisations.Select(o => Entry(o.Cvr, o.Unit))]);
                        var after = flow.Now;
                        for (var organisation = 0; organisation < Organisations.Length; organisation++)
                        {
                            var masking = _model.GetValueOrDefault((patient, organisation));
                            var expected = masking?.InForce(before) == true;
                            if (expected != (masking?.InForce(after) == true))
                                continue; // its end passed while we looked
                            var masked = Masked(shown["entries"]![organisation]!["staff"]![0]!);
                            if (masked == expected)
                                continue;
                            right = false;
                            // Time passes on effectuation's own clock, told by a heartbeat each second: names may be late, never early.
                            Assert.True(acted == (patient, organisation) || (masked && !expected), $"({patient}, {organisation}) shows a name at {after:O}");
                        }
                    }
                    return right;
                },
                "the view masks what the model masks");
        }

        private async Task<bool> Try(string client, string path, JsonObject body, string what) => (await Ask(client, path, body, what)).Accepted;

        private async Task<(bool Accepted, JsonNode Answer)> Ask(string client, string path, JsonObject body, string what)
        {
            var (status, answer) = await flow.Send(client, HttpMethod.Post, path, body);
            Tell($"{what} {(status == HttpStatusCode.OK ? "ok" : (string?)answer["code"])}");
            Assert.True((int)status < 500, $"{what}: {answer["code"]}");
            return (status == HttpStatusCode.OK, answer);
        }

        private async Task<JsonNode> Summary(int organisation, string id) => (await flow.Case(Organisations[organisation].Leader, id))["summary"]!;

        private void Tell(string what) => Told.Add(what);

        private static DateTimeOffset Whole(DateTimeOffset instant) => DateTimeOffset.FromUnixTimeSeconds(instant.ToUnixTimeSeconds());
    }
}
