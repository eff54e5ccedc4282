using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Sloring.Approval;
using Sloring.Contracts;
using Sloring.Hosting;
using Sloring.Registration;
using Sloring.Scheduler;
using Xunit;

namespace Sloring.Tests.Service.Erasure;

/// <summary>Years later: what was kept for its retention is gone from every table and every journal, and all that is promised of the rest still holds.</summary>
public sealed class ErasureTests
{
    private const string Actor = "hw-4711";
    private const string ActorOfOther = "hw-4712";
    private const int Days = 300;

    private static readonly string[] Services = ["registration", "approval", "scheduler", "pseudonym", "effectuation"];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact] // O1, O3, A9, E1
    public async Task RetentionOver_EverythingOfAPatientIsErased_AndChainsOverviewAndMaskingsInForceStay()
    {
        await using var platform = await Platform.Start(
            null, "--Retention:CaseYears=1", "--Retention:DeadlineYears=1", "--Retention:JournalYears=1", $"--Registration:PeriodDays={Days}", $"--Registration:LongestDays={Days}");
        // The middle of a month: all activations are counted in one.
        var now = platform.Clock.GetUtcNow();
        var (begun, gone, stays) = (new DateTimeOffset(now.Year + 1, now.Month, 15, 12, 0, 0, TimeSpan.Zero), People.NextCpr(), People.NextCpr());
        await platform.Client.MoveClock(begun, Cancel);
        Task MoveTo(double day) => platform.Client.MoveClock(begun.AddDays(day), Cancel);
        var erased = new List<string>();
        for (var i = 0; i < 7; i++)
        {
            var id = await Activate(platform, i == 0 ? gone : People.NextCpr(), Actor);
            erased.Add(id);
            await CaseThere(platform, id);
            if (i < 5)
                await Post(platform, "leder", $"/v1/cases/{id}/decision", new JsonObject { ["decision"] = i % 2 == 0 ? "DECISION_UPHOLD" : "DECISION_LIFT", ["reason"] = "Grund" });
        }
        await Post(platform, "leder", $"/v1/cases/{erased[0]}/questions", new JsonObject { ["text"] = "Var der vidner?" });
        var complaint = Guid.NewGuid().ToString("D");
        await Post(platform, "region", "/v1/complaints", new JsonObject
        {
            ["complaintId"] = complaint,
            ["caseId"] = erased[0],
            ["text"] = "Jeg truede ingen.",
            ["receivedOn"] = DanishTime.DayOf(begun).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture),
            ["complainant"] = "COMPLAINANT_PATIENT",
        });
        await Post(platform, "region", $"/v1/complaints/{complaint}/treatment", new JsonObject { ["treatment"] = "TREATMENT_TAKE_UP" });
        await Post(platform, "region", $"/v1/complaints/{complaint}/answer", new JsonObject { ["answer"] = "Vi har set på det.", ["outcome"] = "COMPLAINT_OUTCOME_NOT_UPHELD" });
        await Post(platform, "borgervisning", "/v1/masking-instructions", new JsonObject { ["patientCpr"] = gone });
        var renewed = await Activate(platform, stays, ActorOfOther);
        await CaseThere(platform, renewed);
        await Post(platform, "leder", $"/v1/cases/{renewed}/decision", new JsonObject { ["decision"] = "DECISION_UPHOLD" });
        var traces = await Traces(platform, gone, erased[0]);

        await MoveTo(Days - 5);
        await Post(platform, "leder", $"/v1/cases/{renewed}/renewal", new JsonObject { ["reason"] = "Ny trussel" });
        await MoveTo(Days + 10);
        await Eventually.True(async () => await Count<ApprovalDb>(platform, db => db.Cases.Where(c => c.ClosedAt != null)) == erased.Count, "the cases are closed");
        var (overview, checkpoints) = (await Overview(platform, begun), await Checkpoints(platform));
        Assert.Equal(erased.Count + 1, (int?)Assert.Single(overview["rows"]!.AsArray(), row => row!["activations"] is not null)!["activations"]);
        await MoveTo((2 * Days) - 5);
        await Post(platform, "leder", $"/v1/cases/{renewed}/renewal", new JsonObject { ["reason"] = "Endnu en trussel" });

        await MoveTo(Days + 380);
        // The case that stays was activated in the same month, and by now is longer than a year ago.
        await Eventually.True(async () => await Count<ApprovalDb>(platform, db => db.Cases) == 1 && await Count<RegistrationDb>(platform, db => db.Maskings) == 1, "what ended a year ago is erased");
        await Eventually.True(async () => await Count<SchedulerDb>(platform, db => db.Deadlines.Where(d => d.DueAt < begun.AddDays(Days))) == 0, "and so are its deadlines");
        foreach (var service in Services)
        {
            var verdict = await Erased(platform, service, checkpoints[service]);
            Assert.True((bool?)verdict["intact"], $"{service}: {verdict.ToJsonString()}");
            Assert.True(service != "registration" || (int?)verdict["erasedCheckpoints"] > 0, $"{service}: {verdict.ToJsonString()}");
        }
        Assert.Equal(overview.ToJsonString(), (await Overview(platform, begun)).ToJsonString());
        Assert.Single((await Post(platform, "borgervisning", "/v1/masking-instructions", new JsonObject { ["patientCpr"] = stays }))["organisations"]!.AsArray());
        Assert.Equal("CASE_STATE_UPHELD", (string?)(await Get(platform, "leder", $"/v1/cases/{renewed}"))["summary"]!["state"]);
        var found = await Post(platform, "revisor", "/v1/journals/registration/search", new JsonObject { ["typePrefix"] = "audit.records-erased" });
        Assert.Contains("\\u0022maskings\\u0022", found.ToJsonString(), StringComparison.Ordinal);
        Assert.True((DateTimeOffset)found["keptFrom"]! >= begun.AddDays(Days - 5), found.ToJsonString());
        await platform.Stop();
        SqliteConnection.ClearAllPools();
        var kept = await TestDatabase.Kept(platform.Folder);
        Assert.Contains(kept, file => file.Value.AsSpan().IndexOf(Encoding.UTF8.GetBytes(renewed)) >= 0);
        foreach (var trace in traces)
            Assert.All(kept, file => Assert.True(file.Value.AsSpan().IndexOf(Encoding.UTF8.GetBytes(trace.Value)) < 0, $"{file.Key} holds {trace.Key}"));
    }

    [Fact] // O3
    public async Task WhatNoRelayHasHandedOnYet_IsNotErased()
    {
        await using var platform = await Platform.StartWith(services => services.AddSingleton<IEventBus, DeafBus>(), null, "--Retention:JournalYears=1");
        await Activate(platform, People.NextCpr(), Actor);
        platform.Clock.Advance(TimeSpan.FromDays(1_000));
        await platform.Services.GetServices<IHostedService>().OfType<EraseOnSchedule>().Single().EraseAll(Cancel);
        Assert.Equal(1, (await platform.Services.GetRequiredService<Store<RegistrationDb>>().ReadAfter(0, 1, Cancel))[0].Position);
    }

    /// <summary>What identifies a patient and a case at rest, by what it is.</summary>
    private static async Task<Dictionary<string, string>> Traces(Platform platform, string cpr, string maskingId)
    {
        var masking = await platform.Services.GetRequiredService<Store<RegistrationDb>>().Read(db => db.Maskings.SingleAsync(m => m.MaskingId == Guid.Parse(maskingId), Cancel), Cancel);
        var question = await platform.Services.GetRequiredService<Store<ApprovalDb>>().Read(db => db.Cases.Where(c => c.CaseId == maskingId).SelectMany(c => c.Questions).SingleAsync(Cancel), Cancel);
        var complaint = await platform.Services.GetRequiredService<Store<ApprovalDb>>().Read(db => db.Complaints.SingleAsync(c => c.CaseId == maskingId, Cancel), Cancel);
        return new()
        {
            ["the patient key"] = platform.Services.GetRequiredService<PatientKeys>().Of(CprNumber.Parse(cpr)).ToString(),
            ["the CPR number, sealed"] = masking.SealedCpr,
            ["the reason, sealed"] = masking.SealedReason!,
            ["a question, sealed"] = question.SealedText,
            ["a complaint"] = complaint.ComplaintId,
            ["a complaint, sealed"] = complaint.SealedText,
            ["its answer, sealed"] = complaint.SealedAnswer!,
            ["the activator"] = Actor,
            ["the masking's id"] = maskingId,
            ["the masking's id as SQLite has it"] = maskingId.ToUpperInvariant(),
        };
    }

    private static async Task<string> Activate(Platform platform, string cpr, string by) => (string)(await Post(platform, "epj-hovedstaden", "/v1/maskings", new JsonObject
    {
        ["idempotencyKey"] = Guid.NewGuid().ToString("N"),
        ["patientCpr"] = cpr,
        ["trigger"] = "TRIGGER_THREATS",
        ["behaviourOn"] = "2025-01-15",
        ["reason"] = "Kastede en stol.",
        ["activator"] = new JsonObject { ["personId"] = by, ["role"] = "health-worker", ["unitSorId"] = "1000111000016001" },
    }))["maskingId"]!;

    private static Task CaseThere(Platform platform, string id) =>
        Eventually.True(async () => await Count<ApprovalDb>(platform, db => db.Cases.Where(c => c.CaseId == id)) == 1, "the case is there");

    private static Task<int> Count<TDb>(Platform platform, Func<TDb, IQueryable<object>> rows) where TDb : ServiceDb =>
        platform.Services.GetRequiredService<Store<TDb>>().Read(db => rows(db).CountAsync(Cancel), Cancel);

    /// <summary>The verdict on a journal once its front is erased: today, or on one of the next days, when the relay has said that it has handed it on.</summary>
    private static async Task<JsonNode> Erased(Platform platform, string service, IEnumerable<string> checkpoints)
    {
        var journal = platform.Services.GetServices<IServiceJournal>().Single(journal => journal.Service == service);
        await Eventually.True(
            async () =>
            {
                if ((await journal.Query(all => all.OrderBy(e => e.Position).Take(1), Cancel))[0].OccurredAt >= platform.Clock.GetUtcNow().AddYears(-1).AddDays(-1))
                    return true;
                await platform.Client.MoveClock(platform.Clock.GetUtcNow().AddDays(1), Cancel);
                return false;
            },
            $"the front of {service}'s journal is erased");
        return await Post(platform, "revisor", $"/v1/journals/{service}/verification", new JsonObject { ["checkpoints"] = new JsonArray([.. checkpoints.Select(c => JsonValue.Create(c))]) });
    }

    private static Task<JsonNode> Overview(Platform platform, DateTimeOffset month) =>
        Get(platform, "region", $"/v1/overview?from_month={DanishTime.DayOf(month):yyyy-MM}&to_month={DanishTime.DayOf(month):yyyy-MM}");

    private static async Task<Dictionary<string, List<string>>> Checkpoints(Platform platform)
    {
        var kept = new Dictionary<string, List<string>>();
        foreach (var service in Services)
            kept[service] = [.. ((await Get(platform, "revisor", $"/v1/journals/{service}/checkpoints"))["checkpoints"]?.AsArray() ?? []).Select(c => (string)c!["signed"]!)];
        return kept;
    }

    private static Task<JsonNode> Get(Platform platform, string client, string path) => platform.Client.Must(client, HttpMethod.Get, path, null, Cancel);

    private static Task<JsonNode> Post(Platform platform, string client, string path, JsonNode body) => platform.Client.Must(client, HttpMethod.Post, path, body, Cancel);

    private sealed class DeafBus : IEventBus
    {
        public Task Publish(Delivery delivery, CancellationToken cancel) => throw new IOException("Nobody hears.");
    }
}
