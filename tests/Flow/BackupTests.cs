using System.Text.Json.Nodes;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Sloring.Contracts.Registration.V1;
using Sloring.Embedded;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Flow;

/// <summary>A backup, a disaster, and what docs/operations.md says to do after it.</summary>
public sealed class BackupTests
{
    [Fact] // M3, M6, E6, O3
    public async Task AfterADisaster_TheBackupIsWhole_WhatWasLostIsSentAgain_AndNoWatcherIsLedOnFromALostPosition()
    {
        var (before, after) = (Directory.CreateTempSubdirectory("sloring-before-").FullName, Directory.CreateTempSubdirectory("sloring-after-").FullName);
        var (kept, lost) = (People.NextCpr(), Enumerable.Range(0, 3).Select(_ => People.NextCpr()).ToList());
        var platform = await Platform.Start(before);
        await Activate(platform, kept);
        await Masked(platform, kept, true);
        await Eventually.True(async () => (await Cases(platform)).Count == 1, "the leader has the case");
        // Its key is made at first use, and belongs to what is backed up.
        Assert.Equal(1, (await Watch(platform, new WatchMaskingsRequest())).Maskings);
        if (!TestDatabase.IsPostgres)
            await platform.Stop();
        var backup = await TestDatabase.Backup(before);
        if (!TestDatabase.IsPostgres)
            platform = await Platform.Start(before);
        foreach (var cpr in lost)
            await Activate(platform, cpr);
        var watched = await Watch(platform, new WatchMaskingsRequest());
        Assert.Equal(4, watched.Maskings);
        await platform.Stop();

        await TestDatabase.Restore(backup, after);
        await using (var noting = EmbeddedHost.Build([$"--Data:Folder={after}"], builder => builder.Services.UseTestDatabase(after)))
            await noting.NoteRestored();
        await using var restored = await Platform.Start(after);
        foreach (var journal in restored.Services.GetServices<IServiceJournal>())
            Assert.True((await journal.Verify(Cancel)).Intact, journal.Service);
        await Masked(restored, kept, true);
        Assert.Equal([kept], (await Maskings(restored)).Select(masking => (string?)masking!["patientCpr"]));
        Assert.Single(await Cases(restored));

        // The adapters send again what they have no lasting answer for: the same requests as before.
        foreach (var cpr in lost)
            await Activate(restored, cpr);
        foreach (var cpr in lost)
            await Masked(restored, cpr, true);
        await Eventually.True(async () => (await Cases(restored)).Count == 4, "each has its case");
        Assert.True(restored.Services.GetServices<IServiceJournal>().Single(journal => journal.Service == "registration").Tail.Head >= watched.Position, "positions of before have been given out anew");
        var again = await Watch(restored, new WatchMaskingsRequest { FeedId = watched.FeedId, AfterPosition = watched.Position });
        Assert.Equal((false, 4), (again.Resumed, again.Maskings));

        await restored.Client.MoveClock(restored.Clock.GetUtcNow().AddDays(91), Cancel);
        await Masked(restored, kept, false);
        await restored.DisposeAsync();
        await KeptScan.Discard(before, KeptScan.EveryService);
        foreach (var folder in (string[])[after, backup])
            Directory.Delete(folder, recursive: true);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static Task<JsonNode> Activate(Platform platform, string cpr) => platform.Client.Must("epj-hovedstaden", HttpMethod.Post, "/v1/maskings", new JsonObject
    {
        ["idempotencyKey"] = $"backup-{cpr[..6]}-{cpr[6..]}",
        ["patientCpr"] = cpr,
        ["trigger"] = "TRIGGER_THREATS",
        ["behaviourOn"] = "2025-01-15",
        ["reason"] = "Truede personalet.",
        ["activator"] = new JsonObject { ["personId"] = "hw-1001", ["role"] = "health-worker", ["unitSorId"] = SharedPlatform.SectionA },
    }, Cancel);

    private static Task Masked(Platform platform, string cpr, bool masked) => Eventually.True(async () =>
    {
        var view = await platform.Client.Must("borgervisning", HttpMethod.Post, "/v1/mask-entries", new JsonObject
        {
            ["patientCpr"] = cpr,
            ["entries"] = new JsonArray(new JsonObject
            {
                ["id"] = "e-1",
                ["source"] = "EPJ",
                ["cvr"] = SharedPlatform.RegionH,
                ["staff"] = new JsonArray(new JsonObject { ["role"] = "user", ["name"] = "Bo Eksempel", ["professionCode"] = "5166" }),
            }),
        }, Cancel);
        return (view["entries"]![0]!["staff"]![0]!["name"] is null) == masked;
    }, masked ? "the view masks" : "the view shows names again");

    private static async Task<JsonArray> Maskings(Platform platform) =>
        (await platform.Client.Must("epj-hovedstaden", HttpMethod.Get, "/v1/maskings", null, Cancel))["maskings"]?.AsArray() ?? [];

    private static async Task<JsonArray> Cases(Platform platform) => (await platform.Client.Must("leder", HttpMethod.Get, "/v1/cases", null, Cancel))["cases"]?.AsArray() ?? [];

    /// <summary>Watches up to the end of the snapshot, or of the welcome where there is none.</summary>
    private static async Task<(string FeedId, long Position, int Maskings, bool Resumed)> Watch(Platform platform, WatchMaskingsRequest request)
    {
        using var call = new RegistrationService.RegistrationServiceClient(platform.Channel).WatchMaskings(request, await platform.As("kilde-hovedstaden"), cancellationToken: Cancel);
        var (feed, maskings, resumed) = ("", 0, false);
        await foreach (var message in call.ResponseStream.ReadAllAsync(Cancel))
        {
            if (message.Welcome is { } welcome)
                (feed, resumed) = (welcome.FeedId, welcome.Resumed);
            if (resumed)
                return (feed, request.AfterPosition, 0, true);
            if (message.Snapshot is not { } part)
                continue;
            maskings += part.Maskings.Count;
            if (part.Last)
                return (feed, part.Position, maskings, false);
        }
        throw new InvalidDataException("The watch ended before its snapshot.");
    }
}
