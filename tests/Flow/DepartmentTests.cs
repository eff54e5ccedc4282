using System.Text.Json.Nodes;
using Sloring.Contracts;
using Xunit;
using static Sloring.Tests.Flow.SharedPlatform;

namespace Sloring.Tests.Flow;

/// <summary>Department masking from nomination to removal, on a platform of its own: it covers every patient.</summary>
public sealed class DepartmentTests(SharedPlatform flow) : IClassFixture<SharedPlatform>
{
    private const string Department = "1000201000016005";
    private const string Section = "1000211000016007";

    [Fact] // D1, D2, D3, D4, E5, E8
    public async Task Unit_IsMaskedTowardsEveryPatient_FromConfirmationToRemoval()
    {
        var anyone = People.NextCpr();
        var nomination = new JsonObject
        {
            ["idempotencyKey"] = "unit-" + Guid.NewGuid().ToString("N")[..16],
            ["sorId"] = Department,
            ["grounds"] = new JsonObject
            {
                ["reportedIncidents"] = 14,
                ["workplaceAssessment"] = "APV 2026-3",
                ["severity"] = "Slag og trusler.",
                ["whyNotIndividual"] = "Mange patienter, korte forløb.",
            },
        };
        await flow.Refused("SLR-902", "leder", "/v1/units", nomination.DeepClone());
        var id = (string)(await flow.Must("hospitalsledelse", "/v1/units", nomination))["unit"]!["unitMaskingId"]!;
        await flow.Refused("SLR-122", "national", $"/v1/units/{id}/confirmation", new JsonObject());
        await ShowsEverywhere(anyone);
        await flow.Refused("SLR-127", "region", $"/v1/units/{id}/review", new JsonObject { ["review"] = "REVIEW_REFUSED" });
        await flow.Must("region", $"/v1/units/{id}/review", new JsonObject { ["review"] = "REVIEW_RECOMMENDED" });
        await ShowsEverywhere(anyone);

        var unit = (await flow.Must("national", $"/v1/units/{id}/confirmation", new JsonObject()))["unit"]!;
        Assert.Equal("UNIT_STATE_IN_FORCE", (string?)unit["state"]);
        Assert.Equal(DanishTime.DayOf(flow.Now).AddDays(365).ToString("yyyy-MM-dd", null), (string?)unit["reviewOn"]);
        foreach (var patient in (string[])[anyone, People.NextCpr(), People.NextCpr()])
        {
            await Eventually.True(async () => Masked(await flow.ViewOne(patient, RegionH, Department)), "the unit is masked");
            Assert.True(Masked(await flow.ViewOne(patient, RegionH, Section)), "its child unit too (D4)");
            Assert.False(Masked(await flow.ViewOne(patient, RegionH, SectionA)), "its neighbour is not");
            Assert.False(Masked(await flow.ViewOne(patient, RegionM, MedicalM)), "another organisation is not");
        }
        // E5: without a unit it could be one of them.
        var unclear = await flow.View(anyone, Entry(RegionH));
        Assert.True(Masked(unclear["entries"]![0]!["staff"]![0]!));
        Assert.Equal("FINDING_KIND_UNIT_MISSING", (string?)Assert.Single(unclear["findings"]!.AsArray())!["kind"]);
        Assert.False(Masked(await flow.ViewOne(anyone, RegionM)));
        var byShak = Entry(RegionH);
        byShak["shak"] = "1399201";
        Assert.True(Masked((await flow.View(anyone, byShak))["entries"]![0]!["staff"]![0]!));
        // E8: the instructions name units, not why.
        var instructions = await flow.Must("borgervisning", "/v1/masking-instructions", new JsonObject { ["patientCpr"] = anyone });
        Assert.Contains(instructions["units"]!.AsArray(), u => (string?)u!["id"] == Section);
        Assert.Null((await flow.Must("kilde-midtjylland", "/v1/masking-instructions", new JsonObject { ["patientCpr"] = anyone }))["units"]);

        // Still in force long after every single masking would have ended (D3).
        await flow.MoveTo(flow.Now.AddDays(200));
        Assert.True(Masked(await flow.ViewOne(anyone, RegionH, Section)));
        await flow.Refused("SLR-113", "region", $"/v1/units/{id}/removal", new JsonObject());
        await flow.Must("region", $"/v1/units/{id}/removal", Reason("Behovet er væk."));
        await Eventually.True(async () => !Masked(await flow.ViewOne(anyone, RegionH, Department)), "names show again");
        await ShowsEverywhere(anyone);
    }

    [Fact] // D2
    public async Task RefusedNomination_IsNeverInForce()
    {
        var nomination = new JsonObject
        {
            ["idempotencyKey"] = "unit-" + Guid.NewGuid().ToString("N")[..16],
            ["shak"] = "139910",
            ["grounds"] = new JsonObject { ["reportedIncidents"] = 1, ["workplaceAssessment"] = "APV", ["severity"] = "Trusler.", ["whyNotIndividual"] = "Hyppighed." },
        };
        var id = (string)(await flow.Must("hospitalsledelse", "/v1/units", nomination))["unit"]!["unitMaskingId"]!;
        await flow.Must("region", $"/v1/units/{id}/review", new JsonObject { ["review"] = "REVIEW_REFUSED", ["reason"] = "Individuel sløring er nok." });
        await flow.Refused("SLR-122", "national", $"/v1/units/{id}/confirmation", new JsonObject());
        await flow.CaughtUp();
        Assert.False(await flow.IsMasked(People.NextCpr(), RegionH));
    }

    private async Task ShowsEverywhere(string patient)
    {
        await flow.CaughtUp();
        foreach (var unit in (string[])[Department, Section, SectionA])
            Assert.False(Masked(await flow.ViewOne(patient, RegionH, unit)), unit);
        Assert.False(Masked(await flow.ViewOne(patient, RegionH)));
    }
}
