using System.Text.Json.Nodes;
using Sloring.Contracts;
using Xunit;
using static Sloring.Tests.Flow.SharedPlatform;

namespace Sloring.Tests.Flow;

/// <summary>A salt that changes by itself, seen from outside (rules E3, C2).</summary>
public sealed class SaltTests(SharedPlatform flow) : IClassFixture<SharedPlatform>
{
    [Fact] // C2, E3
    public async Task PeriodOfTheSaltEnds_PseudonymsChangeByThemselves_AndBothAreResolved()
    {
        var cpr = People.NextCpr();
        // The first salt is made now, by whoever needs it first.
        var first = await flow.Get("kilde-hovedstaden", "/v1/salt");
        var from = (DateTimeOffset)first["validFrom"]!;
        await flow.MoveTo(from.AddDays(85));
        await flow.Activated(cpr);
        var before = await Shown(cpr);
        JsonNode? announced = null;
        await Eventually.True(async () => (announced = (await flow.Get("kilde-hovedstaden", "/v1/salt"))["next"]) is not null, "the next salt is announced");
        var changes = (DateTimeOffset)announced!["validFrom"]!;
        Assert.InRange(changes, from.AddDays(92), from.AddDays(92).AddMinutes(10));
        // Effectuation has it from the event; its next look would be seconds away.
        await Eventually.True(async () => (await Told("salt.announced.v1")).Count == 1, "the salt's announcement is in the journal");
        await flow.MoveTo(changes.AddMinutes(-5));
        Assert.Equal(before, await Shown(cpr));

        await flow.MoveTo(changes);
        await Eventually.True(async () => await Shown(cpr) != before, "the new salt is in use");
        var after = await Shown(cpr);
        Assert.Equal((string?)announced["value"], (string?)(await flow.Get("kilde-hovedstaden", "/v1/salt"))["value"]);
        await Eventually.True(async () => (await Told("salt.rotated.v1")).Count == 2, "everybody is told that it has changed");

        var to = DanishTime.DayOf(flow.Now);
        Assert.Equal(("Mette Holm Testesen", 1), await Resolved(cpr, before, to));
        Assert.Equal(("Mette Holm Testesen", 2), await Resolved(cpr, after, to));
    }

    private async Task<string> Shown(string cpr) => (string)(await flow.ViewOne(cpr, RegionH, SectionA))["pseudonym"]!;

    private async Task<JsonArray> Told(string type) =>
        (await flow.Must("revisor", "/v1/journals/pseudonym/search", new JsonObject { ["typePrefix"] = type }))["events"]?.AsArray() ?? [];

    private async Task<(string?, int?)> Resolved(string cpr, string pseudonym, DateOnly to)
    {
        var answer = await flow.Must("sagsbehandler", "/v1/pseudonyms/resolve", new JsonObject
        {
            ["patientCpr"] = cpr,
            ["pseudonym"] = pseudonym,
            ["from"] = $"{to.AddDays(-30):O}",
            ["to"] = $"{to:O}",
            ["purpose"] = "Aktindsigt efter begæring.",
            ["candidates"] = new JsonArray("Bo Eksempel", "Mette Holm Testesen", "Ida Opdigtet"),
        });
        var match = Assert.Single(answer["matches"]!.AsArray())!;
        return ((string?)match["name"], (int?)match["saltId"]);
    }
}
