using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Sloring.Approval;
using Sloring.Contracts.Events;
using Sloring.Effectuation;
using Sloring.Hosting;
using Sloring.Pseudonym;
using Sloring.Registration;
using Sloring.Scheduler;
using Xunit;

namespace Sloring.Tests.Service.Journal;

/// <summary>Several processes of every service on one PostgreSQL: here two whole platforms that share their databases.</summary>
public sealed class ReplicaTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact] // M1, E6
    public async Task TwoReplicasThatWriteAtOnce_KeepOneUnbrokenJournal_AndBothMaskWhatEitherAccepted()
    {
        SkipWithoutPostgres();
        await using var first = await Platform.Start();
        await using var second = await Beside(first);
        var patients = Enumerable.Range(0, 60).Select(_ => People.NextCpr()).ToList();
        await Task.WhenAll(patients.Select((cpr, i) => Activate(i % 2 == 0 ? first : second, cpr)));

        foreach (var platform in (Platform[])[first, second])
        {
            foreach (var cpr in patients)
            {
                await Eventually.True(
                    async () => (await Instructions(platform, cpr))["organisations"]?.AsArray().Count == 1, "the masking is in this replica's picture", TimeSpan.FromSeconds(10));
            }
            foreach (var journal in platform.Services.GetServices<IServiceJournal>())
                Assert.True((await journal.Verify(Cancel)).Intact, journal.Service);
        }
        var activated = await Journal<RegistrationDb>(first, "registration.activated.v1");
        var all = patients.Count + 1;
        Assert.Equal(all, activated.Count);
        // Each told once, though two relays and two readers told it.
        await Eventually.True(async () => (await Journal<ApprovalDb>(second, "approval.case-opened.v1")).Count == all, "a case for each", TimeSpan.FromSeconds(20));
        Assert.Equal(all, (await Journal<ApprovalDb>(second, "approval.case-opened.v1")).DistinctBy(e => e.Subject).Count());
    }

    [Fact] // M6, A3
    public async Task TwoSchedulers_FireEachDeadlineOnce()
    {
        SkipWithoutPostgres();
        await using var first = await Platform.Start();
        await using var second = await Beside(first);
        const int Maskings = 12;
        for (var i = 1; i < Maskings; i++)
            await Activate(first, People.NextCpr());
        Task<List<JournalEntry>> Set() => Journal<ApprovalDb>(first, "deadline.set.v1");
        await Eventually.True(async () => (await Set()).Count >= Maskings * 4, "deadlines are set", TimeSpan.FromSeconds(20));

        var end = first.Clock.GetUtcNow().AddDays(100);
        first.Clock.MoveTo(end);
        second.Clock.MoveTo(end);

        await Eventually.True(async () => (await Journal<RegistrationDb>(second, "registration.ended.v1")).Count == Maskings, "every masking has ended", TimeSpan.FromSeconds(20));
        var fired = (await Journal<SchedulerDb>(first, "deadline.reached.v1")).ConvertAll(e => ((DeadlineReached)EventJson.Read(e.Type, e.Data)).DeadlineId);
        Assert.Equal(fired.Distinct().Count(), fired.Count);
    }

    [Fact]
    public async Task AProcessThatStandsStillInATransaction_LosesIt_AndTheOthersGoOn()
    {
        SkipWithoutPostgres();
        await using var platform = await Platform.Start();
        await Activate(platform, People.NextCpr());
        await using var stopped = await TestDatabase.Factory<RegistrationDb>(platform.Folder, "registration").CreateDbContextAsync(Cancel);
        await using var transaction = await stopped.Database.BeginTransactionAsync(Cancel);
        await stopped.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock(hashtextextended('journal:registration', 0))", Cancel);

        await Activate(platform, People.NextCpr()).WaitAsync(TimeSpan.FromSeconds(10), Cancel);

        await Assert.ThrowsAnyAsync<Exception>(() => transaction.CommitAsync(Cancel));
    }

    public static TheoryData<Type> Contexts => [typeof(RegistrationDb), typeof(ApprovalDb), typeof(SchedulerDb), typeof(PseudonymDb), typeof(EffectuationDb)];

    [Theory]
    [MemberData(nameof(Contexts))]
    public void Migrations_MakeTheTablesOfTheModel(Type context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var options = (DbContextOptionsBuilder)Activator.CreateInstance(typeof(DbContextOptionsBuilder<>).MakeGenericType(context))!;
        using var db = (ServiceDb)Activator.CreateInstance(context, options.UseNpgsql("Host=none").Options)!;
        Assert.False(db.Database.HasPendingModelChanges(), $"Write a migration: ./migration {context.Name[..^2]} <Name>");
    }

    /// <summary>Once the first has made its secrets: replicas are given theirs, they make none.</summary>
    private static async Task<Platform> Beside(Platform first)
    {
        await Activate(first, People.NextCpr());
        return await Platform.Start(first.Folder);
    }

    private static void SkipWithoutPostgres() => Assert.SkipUnless(TestDatabase.IsPostgres, "SQLite is for one process.");

    private static Task<List<JournalEntry>> Journal<TDb>(Platform platform, string type) where TDb : ServiceDb =>
        platform.Services.GetRequiredService<Store<TDb>>().Query(all => all.Where(e => e.Type == type), Cancel);

    private static Task<JsonNode> Instructions(Platform platform, string cpr) =>
        platform.Client.Must("borgervisning", HttpMethod.Post, "/v1/masking-instructions", new JsonObject { ["patientCpr"] = cpr }, Cancel);

    private static Task<JsonNode> Activate(Platform platform, string cpr) =>
        platform.Client.Must("epj-hovedstaden", HttpMethod.Post, "/v1/maskings", new JsonObject
        {
            ["idempotencyKey"] = Guid.NewGuid().ToString("N"),
            ["patientCpr"] = cpr,
            ["trigger"] = "TRIGGER_VIOLENCE",
            ["behaviourOn"] = "2025-01-15",
            ["activator"] = new JsonObject { ["personId"] = "hw-1001", ["role"] = "health-worker", ["unitSorId"] = "1000111000016001" },
        }, Cancel);
}
