using System.Globalization;
using System.Text.Json.Nodes;
using Sloring.Embedded;
using Xunit;

namespace Sloring.Tests.Flow;

/// <summary>What the national wire and tokens are for, from one end to the other, with foreign systems at every end.</summary>
public sealed class NationalWireStoryTests(SharedPlatform flow) : IClassFixture<SharedPlatform>
{
    private const string Unit = "1000211000016007";

    [Fact] // M1, M3, D1, D3, E1, E3, E8
    public async Task MaskingByAForeignSoapClientWithATicketThatAnotherLibrarySigned_IsListedByTheLookup_AndEveryViewIsMasked()
    {
        await ForeignSystems.Install();
        var systems = new ForeignSystems(new DemoParties(flow.Platform.Folder));
        var (patient, address) = (People.NextCpr(), flow.Platform.HttpAddress);
        var patientId = new { id = patient, classification = "CPR" };
        JsonObject[] log = [SharedPlatform.Entry(SharedPlatform.RegionH, SharedPlatform.SectionA), SharedPlatform.Entry(SharedPlatform.RegionM, SharedPlatform.MedicalM)];
        Assert.All(Staff(await flow.View(patient, log)), Shows);

        // A health worker's EPJ masks over SOAP.
        var end = flow.Now.AddDays(30).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        var done = await systems.Call(address, "/idsas-registration/20240124/registration", "CreateBlurring", "epj", new { patientId, endDateTime = end }, person: People.NextCpr());
        Assert.Equal("OK", (string?)done);
        await flow.CaughtUp();

        // The national lookup lists the organisation towards this citizen, and no unit towards everybody.
        const string Lookup = "/idsas-lookup/20240124/lookup";
        var organisation = Assert.Single((await systems.Call(address, Lookup, "GetBlurredOrganisations", "sts", new { patientId }))!["organisationId"]!.AsArray());
        Assert.Equal((SharedPlatform.RegionH, "CVR"), ((string?)organisation!["id"], (string?)organisation["classification"]));
        Assert.Null((await systems.Call(address, Lookup, "ListAllBlurredOrgs", "sts", new { }))?["org"]);

        // The citizen's view, and the data source by itself: that organisation's staff stand under a pseudonym with their profession, another's by name.
        var view = Staff(await flow.View(patient, log));
        var pseudonym = IsMasked(view[0]);
        Shows(view[1]);
        var source = Staff(await flow.Must("kilde-hovedstaden", "/v1/mask-entries", new JsonObject { ["patientCpr"] = patient, ["entries"] = new JsonArray(log[0].DeepClone()) }));
        Assert.Equal(pseudonym, IsMasked(source[0]));

        // And a data source that knows nothing but the identity token that an app brings.
        var byToken = await systems.MaskByIdentityToken(address, new DemoCitizen(patient), log);
        Assert.Equal(patient, (string?)byToken["claims"]!["cpr"]);
        var foreign = Staff(byToken);
        Assert.Equal((pseudonym, "5166", null), ((string?)foreign[0]["pseudonym"], (string?)foreign[0]["professionCode"], foreign[0]["name"]));
        Assert.Equal("Mette Holm Testesen", (string?)foreign[1]["name"]);

        // Towards another citizen nothing is masked, until the national level masks a unit towards everybody, over SOAP too.
        var other = People.NextCpr();
        JsonObject[] ofUnit = [SharedPlatform.Entry(SharedPlatform.RegionH, Unit)];
        Shows(Staff(await flow.View(other, ofUnit))[0]);
        var nominated = await flow.Must("hospitalsledelse", "/v1/units", RejectionTests.Nomination(Unit));
        await flow.Must("region", $"/v1/units/{(string)nominated["unit"]!["unitMaskingId"]!}/review", new JsonObject { ["review"] = "REVIEW_RECOMMENDED" });
        await systems.Call(address, "/idsas-registration/20240124/registration", "CreateOrgBlurring", "national", new { org = new { id = Unit, classification = "SOR" } });
        await flow.CaughtUp();
        var units = (await systems.Call(address, Lookup, "ListAllBlurredOrgs", "sts", new { }))!["org"]!.AsArray();
        Assert.Contains(units, unit => ((string?)unit!["id"], (string?)unit["classification"]) == (Unit, "SOR"));
        var towardsAll = await systems.MaskByIdentityToken(address, new DemoCitizen(other), ofUnit);
        Assert.Empty(towardsAll["claims"]!["masking"]!["organisations"]!.AsArray());
        Assert.Equal(IsMasked(Staff(await flow.View(other, ofUnit))[0]), (string?)Staff(towardsAll)[0]["pseudonym"]);
    }

    private static List<JsonNode> Staff(JsonNode answer) => [.. answer["entries"]!.AsArray().Select(entry => entry!["staff"]![0]!)];

    private static void Shows(JsonNode staff) => Assert.Equal((false, "Mette Holm Testesen"), (SharedPlatform.Masked(staff), (string?)staff["name"]));

    private static string IsMasked(JsonNode staff)
    {
        Assert.True(SharedPlatform.Masked(staff));
        Assert.Equal((null, null, null), ((string?)staff["name"], (string?)staff["cpr"], (string?)staff["authorisationId"]));
        Assert.Equal("Sygeplejerske", (string?)staff["profession"], ignoreCase: true);
        return (string)staff["pseudonym"]!;
    }
}
