using System.Buffers.Text;
using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Sloring.Contracts.Events;
using Sloring.Hosting;
using Sloring.Pseudonym;
using Sloring.Registration;
using Xunit;

namespace Sloring.Tests.Service.Journal;

/// <summary>Signed checkpoints: what the chain alone does not show, a journal that was cut short or written anew, shows by them (rule O3).</summary>
public sealed class CheckpointTests : IAsyncLifetime
{
    private readonly string _kept = Path.Combine(Directory.CreateTempSubdirectory("sloring-kept-").FullName, "checkpoints");
    private Platform _platform = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _platform = await Platform.Start();
        for (var i = 0; i < 3; i++)
            await JournalTests.Activate(_platform, People.NextCpr());
    }

    public async ValueTask DisposeAsync()
    {
        await _platform.DisposeAsync();
        Directory.Delete(Path.GetDirectoryName(_kept)!, recursive: true);
    }

    [Fact] // O3
    public async Task AJournalCutShort_ShowsOnlyByACheckpointKeptOutside()
    {
        var checkpoint = await NextCheckpoint();
        Assert.Equal(0, (await Run("checkpoints", _kept)).ExitCode);
        Assert.Contains((string)checkpoint["signed"]!, await File.ReadAllLinesAsync(_kept, Cancel));
        var (exitCode, output) = await Run("verify", "--checkpoints", _kept);
        Assert.Contains("All journals are intact.", output, StringComparison.Ordinal);
        Assert.Equal(0, exitCode);

        var position = long.Parse((string)checkpoint["position"]!, null);
        Assert.True(await TestDatabase.Execute(_platform.Folder, "registration", $"delete from journal where \"Position\" >= {position}") > 1);

        Assert.True((bool?)(await Verify())["intact"]);
        (exitCode, output) = await Run("verify", "--checkpoints", _kept);
        Assert.Contains($"cut off at {position}", output, StringComparison.Ordinal);
        Assert.Contains("A journal has been altered.", output, StringComparison.Ordinal);
        Assert.Equal(1, exitCode);
    }

    [Fact] // O3
    public async Task AJournalWrittenAnew_ContradictsItsCheckpoints()
    {
        var checkpoint = await NextCheckpoint();
        await JournalTests.Activate(_platform, People.NextCpr());
        var verdict = await Verify();
        Assert.Equal((true, 1), ((bool?)verdict["intact"], (int?)verdict["checkpoints"]));

        await TestDatabase.Execute(_platform.Folder, "registration", "update journal set \"Actor\" = 'somebody-else' where \"Position\" = 2");
        await ChainAnewUntil(async () => (string?)(await Verify())["fault"] == "JOURNAL_FAULT_REWRITTEN");

        // Even where those in the journal are taken out, so that the chain itself tells nothing.
        var entry = long.Parse((string)checkpoint["position"]!, null) + 1;
        await TestDatabase.Execute(_platform.Folder, "registration", $"update journal set \"Type\" = 'audit.journal-searched.v1' where \"Position\" = {entry}");
        await ChainAnewUntil(async () => (bool?)(await Verify())["intact"] == true);
        verdict = await Verify((string)checkpoint["signed"]!);
        Assert.Equal(("JOURNAL_FAULT_REWRITTEN", (string?)checkpoint["position"]), ((string?)verdict["fault"], (string?)verdict["firstBadPosition"]));
    }

    [Fact] // O3
    public async Task AForgedCheckpoint_IsFound()
    {
        var signed = (string)(await NextCheckpoint())["signed"]!;
        var parts = signed.Split('.');
        var says = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(parts[1]));
        var other = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(says.Replace("\"position\":", "\"position\":1", StringComparison.Ordinal)));
        var none = Base64Url.EncodeToString(Encoding.UTF8.GetBytes("""{"alg":"none","kid":"1"}"""));
        var unknown = Base64Url.EncodeToString(Encoding.UTF8.GetBytes("""{"alg":"ES256","kid":"7"}"""));
        foreach (var forged in (string[])[$"{parts[0]}.{other}.{parts[2]}", $"{none}.{parts[1]}.", $"{unknown}.{parts[1]}.{parts[2]}", "e30.e30.e30", "nothing", parts[0], ""])
        {
            var verdict = await Verify(signed, forged);
            Assert.Equal((false, "JOURNAL_FAULT_CHECKPOINT_FORGED"), ((bool?)verdict["intact"] ?? false, (string?)verdict["fault"]));
        }
        // Another journal's is rightly signed, and says nothing of this one.
        Assert.Equal("JOURNAL_FAULT_CHECKPOINT_FORGED", (string?)(await VerifyOf("effectuation", signed))["fault"]);
        Assert.True((bool?)(await Verify(signed))["intact"]);
    }

    [Fact] // O3
    public async Task AGenuineCheckpointPutInAgain_IsAForgedOne_AndNeitherStopsTheNextNorTheirKeeper()
    {
        var genuine = await NextCheckpoint();
        await JournalTests.Activate(_platform, People.NextCpr());
        var (type, place) = (EventNames.Of<JournalCheckpointed>(), long.Parse((string)genuine["position"]!, null) + 2);
        var data = EventJson.Write(new JournalCheckpointed { Position = 1, Hash = (string)genuine["hash"]!, Signed = (string)genuine["signed"]! });
        await using (var db = await _platform.Services.GetRequiredService<IDbContextFactory<RegistrationDb>>().CreateDbContextAsync(Cancel))
        {
            var forged = await db.Journal.Where(e => e.Position == place).ExecuteUpdateAsync(
                row => row.SetProperty(e => e.Type, type).SetProperty(e => e.Data, data).SetProperty(e => e.OccurredAt, new DateTimeOffset(2099, 1, 1, 0, 0, 0, TimeSpan.Zero)), Cancel);
            Assert.Equal(1, forged);
        }
        await ChainAnewUntil(async () => await Verify() is var verdict
            && ((string?)verdict["fault"], (string?)verdict["firstBadPosition"]) == ("JOURNAL_FAULT_CHECKPOINT_FORGED", $"{place}"));
        Assert.Equal(0, (await Run("checkpoints", _kept)).ExitCode);

        await JournalTests.Activate(_platform, People.NextCpr());
        await MoveOn();
        await Eventually.True(
            async () => (await Checkpoints("registration")).Any(one => long.Parse((string)one["position"]!, null) >= place), "a forged checkpoint of the far future does not put off the next");
    }

    [Fact] // O3: those of what a restore lost contradict for ever, and must not hide what is altered afterwards
    public async Task EveryFaultIsTold_NotTheFirstAlone()
    {
        var first = await NextCheckpoint();
        await JournalTests.Activate(_platform, People.NextCpr());
        var second = await NextCheckpoint();
        Assert.NotEqual((string)first["position"]!, (string)second["position"]!);
        Assert.InRange((DateTimeOffset)(await Verify())["lastCheckpoint"]!, (DateTimeOffset)second["at"]! - TimeSpan.FromMinutes(1), (DateTimeOffset)second["at"]!);
        Assert.Equal(0, (await Run("checkpoints", _kept)).ExitCode);

        var end = long.Parse((string)second["position"]!, null);
        await Forger.Do(_platform, $"delete from journal where \"Position\" >= {end}");
        await Forger.Do(_platform, "update journal set \"Actor\" = 'somebody-else' where \"Position\" in (2, 4)");
        Assert.Equal(
            [("JOURNAL_FAULT_ENTRY_ALTERED", "2"), ("JOURNAL_FAULT_ENTRY_ALTERED", "4"), ("JOURNAL_FAULT_TRUNCATED", $"{end}")],
            Findings(await Verify((string)first["signed"]!, (string)second["signed"]!)));

        var (exitCode, output) = await Run("verify", "--checkpoints", _kept);
        Assert.Equal(1, exitCode);
        Assert.Contains("altered at 2, 4", Unwrapped(output), StringComparison.Ordinal);
        Assert.Contains($"cut off at {end}", Unwrapped(output), StringComparison.Ordinal);

        await Forger.ChainAnew(_platform, after: 0, new byte[32]);
        Assert.Equal(
            [("JOURNAL_FAULT_REWRITTEN", (string)first["position"]!), ("JOURNAL_FAULT_TRUNCATED", $"{end}")],
            Findings(await Verify((string)first["signed"]!, (string)second["signed"]!)));
    }

    [Fact] // O3: positions are given out again after a restore
    public async Task AKeeperOfAJournalThatWasCutShort_MissesNoneOfItsCheckpoints()
    {
        var first = (string)(await NextCheckpoint())["signed"]!;
        await JournalTests.Activate(_platform, People.NextCpr());
        var second = await NextCheckpoint();
        await Forger.Do(_platform, $"delete from journal where \"Position\" >= {second["position"]}");
        await File.WriteAllTextAsync(_kept, (string)second["signed"]! + "\n", Cancel);

        Assert.Equal(0, (await Run("checkpoints", _kept)).ExitCode);
        var kept = await File.ReadAllLinesAsync(_kept, Cancel);
        Assert.Equal(1, kept.Count(line => line == first));
        Assert.Equal((string)second["signed"]!, kept[0]);
        Assert.Equal(0, (await Run("checkpoints", _kept)).ExitCode);
        Assert.Equal(kept, await File.ReadAllLinesAsync(_kept, Cancel));
    }

    [Fact] // O3
    public async Task WithoutKeptCheckpoints_TheVerdictSaysThatAnEndMayBeMissing()
    {
        const string Unknown = "Nothing was compared with checkpoints kept outside";
        Assert.Contains(Unknown, (await Run("verify")).Output, StringComparison.Ordinal);
        await NextCheckpoint();
        await Run("checkpoints", _kept);
        Assert.DoesNotContain(Unknown, (await Run("verify", "--checkpoints", _kept)).Output, StringComparison.Ordinal);
    }

    [Fact] // O3
    public async Task ManyLookAtOnce_OneCheckpointIsMade_AndNoneWhereNothingCame()
    {
        // A journal that grows only when this test says so.
        await NextCheckpoint("pseudonym");
        var looking = _platform.Services.GetServices<IHostedService>().OfType<WriteCheckpoints<PseudonymDb>>().Single();
        await MoveOn();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => looking.Write(Cancel)));
        Assert.Single(await Checkpoints("pseudonym"));

        await _platform.Client.Must("drift", HttpMethod.Post, "/v1/salt/rotation", new JsonObject(), Cancel);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => looking.Write(Cancel)));
        Assert.Equal(2, (await Checkpoints("pseudonym")).Count);
    }

    private static List<(string, string)> Findings(JsonNode verdict) => [.. verdict["findings"]!.AsArray().Select(one => ((string)one!["fault"]!, (string)one["position"]!))];

    /// <summary>A cell of the table may be broken into lines.</summary>
    private static string Unwrapped(string table) => Regex.Replace(string.Join(' ', table.Split('\n').Select(line => line.Split('│').ElementAtOrDefault(5) ?? "")), " +", " ");

    private Task MoveOn() => _platform.Client.MoveClock(_platform.Clock.GetUtcNow().AddMinutes(61), Cancel);

    private async Task<JsonNode> NextCheckpoint(string service = "registration")
    {
        var before = (await Checkpoints(service)).Count;
        await MoveOn();
        await Eventually.True(async () => (await Checkpoints(service)).Count > before, "an hour later there is another checkpoint");
        return (await Checkpoints(service))[^1];
    }

    private async Task<List<JsonNode>> Checkpoints(string service) =>
        [.. ((await _platform.Client.Must("revisor", HttpMethod.Get, $"/v1/journals/{service}/checkpoints", null, Cancel))["checkpoints"]?.AsArray() ?? []).Select(c => c!)];

    private Task<JsonNode> Verify(params string[] checkpoints) => VerifyOf("registration", checkpoints);

    private Task<JsonNode> VerifyOf(string service, params string[] checkpoints) => _platform.Client.Must(
        "revisor", HttpMethod.Post, $"/v1/journals/{service}/verification", new JsonObject { ["checkpoints"] = new JsonArray([.. checkpoints.Select(c => JsonValue.Create(c))]) }, Cancel);

    private Task ChainAnewUntil(Func<Task<bool>> shows) => Eventually.True(
        async () =>
        {
            // Again where the platform, which runs on, has appended meanwhile: to the chain as it knew it.
            await Forger.ChainAnew(_platform, after: 0, new byte[32]);
            return await shows();
        },
        "the verdict on a journal written anew");

    private async Task<(int ExitCode, string Output)> Run(params string[] command)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])[Repository.EmbeddedProgram, .. command, $"--Data:Folder={_platform.Folder}", $"--Listen:Http={_platform.HttpAddress}"])
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(Cancel);
        var output = await process.StandardOutput.ReadToEndAsync(Cancel) + await errors;
        await process.WaitForExitAsync(Cancel);
        return (process.ExitCode, output);
    }
}
