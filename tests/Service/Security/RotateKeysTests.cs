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

        Assert.Equal((4, 0, true), await middle.Services.GetServices<IResealRows>().Single(rows => rows.Service == "registration").Reseal(4, "test", Cancel));
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

    // With ids that differ by case alone; more rows than two batches hold, many of them of one case.
    [Fact]
    public async Task EverySealedColumn_IsBroughtUnderTheCurrentKey()
    {
        Assert.Equal(13, await Rotated<RegistrationDb>("registration") + await Rotated<ApprovalDb>("approval") + await Rotated<PseudonymDb>("pseudonym")
            + await Rotated<SchedulerDb>("scheduler") + await Rotated<EffectuationDb>("effectuation"));
    }

    [Fact]
    public async Task ATextThatIsChangedWhileARotationRuns_StaysAsItWasChanged()
    {
        await using var rows = await SealedRows<PseudonymDb>.Under("a", "pseudonym", count: 3);
        var secrets = rows.Secrets("A");
        var sealer = new Sealer(new SecretStore(secrets));
        var changed = sealer.Seal("changed", SealedFor.Salt);
        // The key of before is looked for when the first text is opened: the rows are read then, and not yet written.
        secrets.AtNextLook = () => rows.Store.Write("test", scope => scope.Db.Database.ExecuteSqlAsync($"UPDATE salts SET \"Sealed\" = {changed} WHERE \"Id\" = 1", scope.Cancel), Cancel);

        Assert.Equal((2, 0, false), await new ResealRows<PseudonymDb>(rows.Store, sealer).Reseal(int.MaxValue, "test", Cancel));

        Assert.Null(secrets.AtNextLook);
        Assert.Equal(["Sealed 0", "changed", "Sealed 2"], await rows.Texts(rows.Columns[0], sealer));
    }

    [Fact]
    public async Task TextsThatCannotBeOpened_AreToldAndPassedOver_AndOpenedOnceTheirKeyIsThere()
    {
        await using var before = await Platform.Start();
        var ids = new List<string>();
        for (var i = 0; i < 3; i++)
            ids.Add((string)(await JournalTests.Activate(before, People.NextCpr(), "Slog ud efter personalet."))["maskingId"]!);
        SecondKeyIsCurrent(before.Folder);
        await using var platform = await before.Restart();
        var reasons = await platform.Services.GetRequiredService<Store<RegistrationDb>>().Read(db => db.Maskings.ToDictionaryAsync(m => m.MaskingId, m => m.SealedReason, Cancel), Cancel);
        await SetReason(platform, ids[0], "s1.1.no text!");
        await SetReason(platform, ids[1], "s1.9." + reasons[Guid.Parse(ids[1])]![5..]);

        var answer = await Must(platform, "drift", "/v1/keys/registration/rotation", new JsonObject());
        Assert.Equal((2, null), ((int?)answer["unreadable"], (bool?)answer["more"]));
        Assert.Equal((1, 1), (await Under<RegistrationDb>(platform, "s1.1."), await Under<RegistrationDb>(platform, "s1.9.")));
        Assert.False(await Embedded.RotateKeys.Rotate(_ => platform.Client, Cancel));
        Assert.Contains("2 cannot be opened", Embedded.RotateKeys.Told("registration", 4, 2, "2"), StringComparison.Ordinal);

        await SetReason(platform, ids[0], reasons[Guid.Parse(ids[0])]!);
        await SetReason(platform, ids[1], reasons[Guid.Parse(ids[1])]!);
        Assert.True(await Embedded.RotateKeys.Rotate(_ => platform.Client, Cancel));
        Assert.Equal((0, 0), (await Under<RegistrationDb>(platform, "s1.1."), await Under<RegistrationDb>(platform, "s1.9.")));
    }

    private static Task<int> SetReason(Platform platform, string id, string text) => platform.Services.GetRequiredService<Store<RegistrationDb>>().Write(
        "test", scope => scope.Db.Maskings.Where(m => m.MaskingId == Guid.Parse(id)).ExecuteUpdateAsync(set => set.SetProperty(m => m.SealedReason, text), scope.Cancel), Cancel);

    /// <summary>Every column that is called sealed is listed, and rotated; how many.</summary>
    private static async Task<int> Rotated<TDb>(string service) where TDb : ServiceDb
    {
        await using var rows = await SealedRows<TDb>.Under("a", service, count: 450);
        Assert.Equal(rows.CalledSealed.OrderBy(c => $"{c}", StringComparer.Ordinal), rows.Columns.Select(c => (c.Entity, c.Property)).OrderBy(c => $"{c}", StringComparer.Ordinal));
        var sealer = new Sealer(new SecretStore(rows.Secrets("A")));

        Assert.Equal((450 * rows.Columns.Count, 0, false), await new ResealRows<TDb>(rows.Store, sealer).Reseal(int.MaxValue, "test", Cancel));

        foreach (var column in rows.Columns)
            Assert.Equal(Enumerable.Range(0, 450).Select(i => $"{column.Property} {i}").Order(StringComparer.Ordinal), (await rows.Texts(column, sealer)).Order(StringComparer.Ordinal));
        return rows.Columns.Count;
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
