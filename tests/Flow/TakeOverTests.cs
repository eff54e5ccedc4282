using System.Text.Json.Nodes;
using Xunit;
using static Sloring.Tests.Flow.SharedPlatform;

namespace Sloring.Tests.Flow;

/// <summary>Region Midtjylland is replaced by Region Hovedstaden, while people look (decision 37).</summary>
public sealed class TakeOverTests : IAsyncLifetime
{
    private readonly SharedPlatform _flow = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => _flow.InitializeAsync();

    public ValueTask DisposeAsync() => _flow.DisposeAsync();

    [Fact] // M1, A1, A5, E1, E6
    public async Task NoNameShowsInBetween_AndWhatIsDecidedThere_HoldsForBothNumbers()
    {
        var (vest, nord) = (People.NextCpr(), People.NextCpr());
        var masking = (string)(await _flow.ActivatedInM(vest))["maskingId"]!;
        await _flow.Activated(nord);
        await _flow.CaseThere("leder-vest", masking);
        Assert.Equal((true, false), (await _flow.IsMasked(vest, RegionM), await _flow.IsMasked(vest, RegionH)));
        Assert.Equal((false, true), (await _flow.IsMasked(nord, RegionM), await _flow.IsMasked(nord, RegionH)));

        // Entries of the replaced organisation are shown all the while: none with a name.
        using var over = new CancellationTokenSource();
        var shown = Task.Run(async () =>
        {
            var views = 0;
            for (; !over.IsCancellationRequested; views++)
                Assert.True(await _flow.IsMasked(vest, RegionM), "a name showed");
            return views;
        }, Cancel);
        var plan = await TakeOver("");
        Assert.Equal((1, false), ((int)plan["maskings"]!, (bool?)plan["done"] ?? false));
        var done = await TakeOver((string)plan["plan"]!);
        Assert.True((bool)done["done"]!);
        foreach (var patient in (string[])[vest, nord])
        {
            foreach (var cvr in (string[])[RegionM, RegionH])
                await _flow.Seen(patient, cvr, masked: true);
        }
        await over.CancelAsync();
        Assert.InRange(await shown, 1, int.MaxValue);

        // An adapter that has its old token yet, and one that has the new.
        var late = People.NextCpr();
        await _flow.Must("epj-midtjylland", "/v1/maskings", _flow.Activation(late, person: "hw-2001", unit: MedicalM));
        await _flow.Seen(late, RegionH, masked: true);
        Assert.True(await _flow.IsMasked(late, RegionM));

        // The register knows Hospital Vest as another organisation's still: its case is decided at the new organisation's top.
        await _flow.CaseThere("leder-region", masking);
        Assert.Equal(["leader-told"], await _flow.Notices("leder-region", masking));
        await _flow.Refused("SLR-201", "leder-vest", $"/v1/cases/{masking}/decision", new JsonObject { ["decision"] = "DECISION_UPHOLD" });
        await _flow.Decide("leder-region", masking, "LIFT", "Ikke chikane.");
        await _flow.Seen(vest, RegionM, masked: false);
        await _flow.Seen(vest, RegionH, masked: false);
        Assert.Equal("CASE_STATE_LIFTED", await _flow.CaseState("leder-region", masking));
    }

    [Fact] // E6, E8
    public async Task DataSourcesOfBoth_HearOfAllMaskings_AndMaskTheEntriesOfBoth()
    {
        var (vest, nord, fresh) = (People.NextCpr(), People.NextCpr(), People.NextCpr());
        await _flow.ActivatedInM(vest);
        await _flow.Activated(nord);
        await using var old = new Source(_flow.Platform, "kilde-midtjylland", TimeSpan.FromSeconds(10));
        await using var own = new Source(_flow.Platform, "kilde-hovedstaden", TimeSpan.FromSeconds(10));
        foreach (var source in (Source[])[old, own])
            await source.Watcher.Ready(Cancel).WaitAsync(Eventually.Limit, Cancel);
        var salt = await own.Salt();
        // Before, each masks what it cannot know of.
        Assert.False(IsMasked(old, nord, RegionM));
        Assert.True(IsMasked(old, nord, RegionH));

        await TakeOver((string)(await TakeOver(""))["plan"]!);

        foreach (var source in (Source[])[old, own])
        {
            await Eventually.True(() => Task.FromResult(IsMasked(source, nord, RegionM) && IsMasked(source, vest, RegionH)), "the new picture has come");
            Assert.True(IsMasked(source, vest, RegionM));
            Assert.True(IsMasked(source, nord, RegionH));
            // Of a patient whom nobody masks, it knows now that neither does.
            Assert.False(IsMasked(source, fresh, RegionM));
            Assert.False(IsMasked(source, fresh, RegionH));
        }
        // Each was told what changed, to fetch it anew (E6).
        Assert.Equal((RegionH, true), await Of(own, RegionH));
        Assert.Equal((RegionM, true), await Of(old, RegionM));

        // And what comes later, for both numbers, without a new snapshot.
        await _flow.Activated(fresh);
        foreach (var source in (Source[])[old, own])
            await Eventually.True(() => Task.FromResult(IsMasked(source, fresh, RegionM) && IsMasked(source, fresh, RegionH)), "the change has come");
        // The platform's own answer to a data source: its entries may carry either number.
        var answer = await _flow.Must("kilde-hovedstaden", "/v1/mask-entries", new JsonObject { ["patientCpr"] = vest, ["entries"] = new JsonArray(Entry(RegionM, MedicalM), Entry(RegionH, SectionA)) });
        Assert.All(answer["entries"]!.AsArray(), entry => Assert.True(Masked(entry!["staff"]![0]!)));
        var instructions = await _flow.Must("kilde-midtjylland", "/v1/masking-instructions", new JsonObject { ["patientCpr"] = nord });
        Assert.Equal([RegionH, RegionM], instructions["organisations"]!.AsArray().Select(organisation => (string)organisation!["cvr"]!).Order(StringComparer.Ordinal));

        bool IsMasked(Source source, string cpr, string cvr) => source.Mask(cpr, salt, cvr).Staff[0].Masked;

        static async Task<(string Cvr, bool Masked)> Of(Source source, string cvr)
        {
            while (true)
            {
                if (await source.Next() is var told && told.Cvr == cvr)
                    return told;
            }
        }
    }

    private Task<JsonNode> TakeOver(string plan) => _flow.Must("drift", $"/v1/organisations/{RegionM}/takeover", new JsonObject { ["byCvr"] = RegionH, ["plan"] = plan });
}
