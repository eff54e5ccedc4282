using System.Globalization;
using System.Text.Json.Nodes;
using Sloring.Embedded;
using Xunit;

namespace Sloring.Tests.Flow;

/// <summary>What the national wire and tokens are for, from one end to the other, with foreign systems at every end.</summary>
public sealed class NationalWireStoryTests(SharedPlatform flow) : IClassFixture<SharedPlatform>
{
    [Fact] // M1, M3, D1, E1, E3, E8
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

        // Towards another citizen nothing is masked.
        Assert.Empty((await systems.MaskByIdentityToken(address, new DemoCitizen(People.NextCpr()), log))["claims"]!["masking"]!["organisations"]!.AsArray());
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
