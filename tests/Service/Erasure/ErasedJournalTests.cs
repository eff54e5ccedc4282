using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Sloring.Contracts.Events;
using Sloring.Hosting;
using Sloring.Tests.Service.Journal;
using Xunit;

namespace Sloring.Tests.Service.Erasure;

/// <summary>A journal whose front was erased on schedule shows what anybody else takes out, and only the platform can say where it begins (rule O3).</summary>
public sealed class ErasedJournalTests : IAsyncLifetime
{
    private Platform _platform = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _platform = await Platform.Start(null, "--Retention:JournalYears=1");
        for (var i = 0; i < 3; i++)
            await JournalTests.Activate(_platform, People.NextCpr());
        await MoveOn(TimeSpan.FromDays(400));
        await Eventually.True(
            async () =>
            {
                // Not before the relay has said how far it has come, which it does once a second.
                var erasing = _platform.Services.GetServices<IHostedService>().OfType<EraseOnSchedule>().Single();
                // At once, as replicas do.
                await Task.WhenAll(erasing.EraseAll(Cancel), erasing.EraseAll(Cancel));
                return ErasedTo(await Verify()) > 2;
            },
            "the front of the journal is erased");
        await JournalTests.Activate(_platform, People.NextCpr());
        await Forger.Do(_platform, "create table before as select * from journal");
    }

    public async ValueTask DisposeAsync() => await _platform.DisposeAsync();

    [Fact] // O3
    public async Task AnEntryTakenOutAfterwards_Shows()
    {
        var (erasedTo, statement) = (ErasedTo(await Intact()), (await Statement()).Position);
        // The first that is kept, where that is not the statement itself.
        var first = statement == erasedTo + 1 ? statement + 1 : erasedTo + 1;
        await Forger.Do(_platform, $"delete from journal where \"Position\" = {first}");
        Fault("JOURNAL_FAULT_ENTRY_ALTERED", first, await Verify());
        await PutBack();
        await Intact();

        await Forger.Do(_platform, $"delete from journal where \"Position\" <= {statement}");
        Fault("JOURNAL_FAULT_ENTRY_ALTERED", 1, await Verify());
        await PutBack();
        await Intact();

        await Forger.Do(_platform, $"update journal set \"Data\" = 'x' where \"Position\" = {statement}");
        Fault("JOURNAL_FAULT_START_FORGED", statement, await Verify());
    }

    [Fact] // O3: a checkpoint says in the same words what a journal was, and everybody may have it
    public async Task AFrontTakenOutUpToAGenuineCheckpoint_IsAForgedStart()
    {
        var made = (await Checkpoints()).Count;
        await MoveOn(TimeSpan.FromMinutes(61));
        await Eventually.True(async () => (await Checkpoints()).Count > made, "an hour later there is a checkpoint");
        var checkpoint = (await Checkpoints())[^1];
        await JournalTests.Activate(_platform, People.NextCpr());
        var (position, hash) = (long.Parse((string)checkpoint["position"]!, CultureInfo.InvariantCulture), (string)checkpoint["hash"]!);
        var (_, genuine) = await Statement();
        var forged = EventJson.Write(new JournalErased { Position = position, Hash = hash, Before = genuine.Before, Journal = genuine.Journal, Signed = (string)checkpoint["signed"]! });

        await Forger.Do(_platform, $"delete from journal where \"Position\" <= {position}");
        Assert.Equal(1, await Forger.Do(_platform, $"update journal set \"Type\" = '{EventNames.Of<JournalErased>()}', \"Data\" = '{forged}' where \"Position\" = {position + 1}"));
        await Forger.ChainAnew(_platform, position, Convert.FromHexString(hash));

        Fault("JOURNAL_FAULT_START_FORGED", position + 1, await Verify());
    }

    [Fact] // E6: the feed is the same journal's
    public async Task SearchAndHealing_SayWhatIsMissing()
    {
        var erasedTo = ErasedTo(await Intact());
        var first = (await Forger.Journal(_platform).Query(all => all.OrderBy(e => e.Position).Take(1), Cancel))[0];
        var found = await _platform.Client.Must("revisor", HttpMethod.Post, "/v1/journals/registration/search", new JsonObject { ["pageSize"] = 1 }, Cancel);
        Assert.Equal(first.OccurredAt, (DateTimeOffset)found["keptFrom"]!);

        var journal = new Contracts.Journal.V1.JournalService.JournalServiceClient(_platform.Channel);
        var service = await _platform.As("approval");
        async Task<(long First, long ErasedTo)> Read(long after)
        {
            var page = await journal.ReadJournalAsync(new() { Service = "registration", AfterPosition = after, Limit = 1 }, service, cancellationToken: Cancel);
            return (page.Events[0].Position, page.ErasedTo);
        }
        Assert.Equal((erasedTo + 1, erasedTo), await Read(0));
        Assert.Equal((erasedTo + 1, erasedTo), await Read(erasedTo - 1));
        Assert.Equal((erasedTo + 1, 0), await Read(erasedTo));
    }

    private static void Fault(string fault, long position, JsonNode verdict) => Assert.Equal(
        (false, fault, position), ((bool?)verdict["intact"] ?? false, (string?)verdict["fault"], long.Parse((string?)verdict["firstBadPosition"] ?? "0", CultureInfo.InvariantCulture)));

    private static long ErasedTo(JsonNode verdict) => long.Parse((string?)verdict["erasedTo"] ?? "0", CultureInfo.InvariantCulture);

    private async Task<JsonNode> Intact()
    {
        var verdict = await Verify();
        Assert.True((bool?)verdict["intact"], verdict.ToJsonString());
        return verdict;
    }

    private async Task<(long Position, JournalErased Says)> Statement()
    {
        var type = EventNames.Of<JournalErased>();
        var entry = (await Forger.Journal(_platform).Query(all => all.Where(e => e.Type == type).OrderByDescending(e => e.Position).Take(1), Cancel))[0];
        return (entry.Position, (JournalErased)EventJson.Read(entry.Type, entry.Data));
    }

    private Task<int> PutBack() => Forger.Do(_platform, "insert into journal select * from before where \"Position\" not in (select \"Position\" from journal)");

    private Task MoveOn(TimeSpan by) => _platform.Client.MoveClock(_platform.Clock.GetUtcNow() + by, Cancel);

    private Task<JsonNode> Verify() => _platform.Client.Must("revisor", HttpMethod.Get, "/v1/journals/registration/verification", null, Cancel);

    private async Task<List<JsonNode>> Checkpoints() =>
        [.. ((await _platform.Client.Must("revisor", HttpMethod.Get, "/v1/journals/registration/checkpoints", null, Cancel))["checkpoints"]?.AsArray() ?? []).Select(c => c!)];
}
