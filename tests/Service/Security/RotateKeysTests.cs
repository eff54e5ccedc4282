using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Sloring.Approval;
using Sloring.Effectuation;
using Sloring.Hosting;
using Sloring.Pseudonym;
using Sloring.Registration;
using Sloring.Scheduler;
using Sloring.Tests.Service.Journal;
using Xunit;

namespace Sloring.Tests.Service.Security;

/// <summary>Several sealing keys, one of them current: everything is read, new texts lie under the current one, old rows are brought under it while the platform runs.</summary>
public sealed class RotateKeysTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task RowsOfAnEarlierKey_AreSealedAnew_GoingOnAfterAStopInTheMiddle()
    {
        await using var before = await Platform.Start();
        var salt = await Get(before, "kilde-hovedstaden", "/v1/salt");
        var ids = new List<string>();
        for (var i = 0; i < 3; i++)
            ids.Add((string)(await JournalTests.Activate(before, People.NextCpr(), "Slog ud efter personalet."))["maskingId"]!);
        await Eventually.True(async () => (await Get(before, "leder", "/v1/cases"))["cases"]?.AsArray().Count == 3, "the cases are there");
        await Must(before, "leder", $"/v1/cases/{ids[0]}/questions", new JsonObject { ["text"] = "Var der vidner?" });
        var shown = await Shown(before, ids);

        SecondKeyIsCurrent(before.Folder);
        await using var middle = await before.Restart();
        Assert.Equal(shown, await Shown(middle, ids));
        await JournalTests.Activate(middle, People.NextCpr(), "Truede.");
        var underFirst = await Under<RegistrationDb>(middle, "s1.1.");
        Assert.True(underFirst >= 6, $"{underFirst}");
        Assert.True(await Under<RegistrationDb>(middle, "s1.2.") >= 2);

        Assert.Equal((4, true), await middle.Services.GetServices<IResealRows>().Single(rows => rows.Service == "registration").Reseal(4, "test", Cancel));
        Assert.Equal(underFirst - 4, await Under<RegistrationDb>(middle, "s1.1."));
        await using var after = await middle.Restart();

        var answer = await Must(after, "drift", "/v1/keys/registration/rotation", new JsonObject());
        Assert.Equal((underFirst - 4, "2", null), ((int?)answer["resealed"], (string?)answer["keyId"], (bool?)answer["more"]));
        foreach (var service in (string[])["approval", "scheduler", "pseudonym", "effectuation"])
            await Must(after, "drift", $"/v1/keys/{service}/rotation", new JsonObject());
        Assert.Equal((0, 0, 0), (await Under<RegistrationDb>(after, "s1.1."), await Under<ApprovalDb>(after, "s1.1."), await Under<PseudonymDb>(after, "s1.1.")));
        Assert.Null((await Must(after, "drift", "/v1/keys/registration/rotation", new JsonObject()))["resealed"]);

        Assert.Equal(shown, await Shown(after, ids));
        Assert.Equal((string?)salt["value"], (string?)(await Get(after, "kilde-hovedstaden", "/v1/salt"))["value"]);
        Assert.True((bool?)(await Get(after, "revisor", "/v1/journals/registration/verification"))["intact"]);
        var told = (await Must(after, "revisor", "/v1/journals/registration/search", new JsonObject { ["typePrefix"] = "audit.rows-resealed" }))["events"]!.AsArray();
        Assert.Contains(told, e => (string?)e!["actor"] == "op-8001");
    }

    [Fact]
    public async Task EverySealedColumn_IsBroughtUnderTheCurrentKey()
    {
        await using var platform = await Platform.Start();
        Assert.Equal(13, await Complete<RegistrationDb>(platform) + await Complete<ApprovalDb>(platform) + await Complete<PseudonymDb>(platform)
            + await Complete<SchedulerDb>(platform) + await Complete<EffectuationDb>(platform));
    }

    /// <summary>Every column that is called sealed is listed; how many.</summary>
    private static async Task<int> Complete<TDb>(Platform platform) where TDb : ServiceDb
    {
        await using var db = await platform.Services.GetRequiredService<IDbContextFactory<TDb>>().CreateDbContextAsync(Cancel);
        var called = db.Model.GetEntityTypes().SelectMany(entity => entity.GetProperties().Where(p => p.Name.StartsWith("Sealed", StringComparison.Ordinal)).Select(p => (entity.ClrType, p.Name)));
        Assert.Equal(called.OrderBy(c => $"{c}", StringComparer.Ordinal), db.SealedColumns.Select(c => (c.Entity, c.Property)).OrderBy(c => $"{c}", StringComparer.Ordinal));
        return db.SealedColumns.Count;
    }

    /// <summary>How many texts in a service's own tables begin so.</summary>
    private static async Task<int> Under<TDb>(Platform platform, string prefix) where TDb : ServiceDb
    {
        await using var db = await platform.Services.GetRequiredService<IDbContextFactory<TDb>>().CreateDbContextAsync(Cancel);
        var count = 0;
        foreach (var column in db.SealedColumns)
        {
            var table = db.Model.FindEntityType(column.Entity)!.GetTableName();
            var sql = $"SELECT CAST(count(*) AS integer) AS \"Value\" FROM \"{table}\" WHERE \"{column.Property}\" LIKE '{prefix}%'";
            count += await db.Database.SqlQueryRaw<int>(sql).SingleAsync(Cancel);
        }
        return count;
    }

    private static void SecondKeyIsCurrent(string folder)
    {
        var file = Path.Combine(folder, "secrets.json");
        var secrets = JsonSerializer.Deserialize<Dictionary<string, string>>(File.ReadAllText(file))!;
        secrets["sealing-key-current"] = "2";
        File.WriteAllText(file, JsonSerializer.Serialize(secrets));
    }

    /// <summary>What a leader sees of cases: patient, reason, questions.</summary>
    private static async Task<string> Shown(Platform platform, IEnumerable<string> cases)
    {
        var shown = await Task.WhenAll(cases.Select(id => Get(platform, "leder", $"/v1/cases/{id}")));
        return string.Join('\n', shown.Select(c => c.ToJsonString()));
    }

    private static Task<JsonNode> Get(Platform platform, string client, string path) => platform.Client.Must(client, HttpMethod.Get, path, null, Cancel);

    private static Task<JsonNode> Must(Platform platform, string client, string path, JsonNode body) => platform.Client.Must(client, HttpMethod.Post, path, body, Cancel);
}
