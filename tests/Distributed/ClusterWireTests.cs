using Sloring.Embedded;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Distributed;

/// <summary>The national wire, token exchange and the operators' commands against the processes of ./run cluster, as whoever tries it meets them.</summary>
[Collection(RunningCluster.Name)]
public sealed class ClusterWireTests(RunningCluster cluster)
{
    private const string RegionH = "29190623";
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact] // M1, M3, E1, E8
    public async Task ForeignSoapClient_MasksAtOneReplica_AndEveryOtherListsAndMasks()
    {
        var patient = People.NextCpr();
        await cluster.MaskOverSoap("registration-2", patient);
        foreach (var replica in (string[])["effectuation-1", "effectuation-2"])
        {
            await Eventually.True(async () => await cluster.Listed(replica, patient) == $"CVR {RegionH}", $"{replica} lists it");
            Assert.NotNull((await cluster.View(replica, patient))["pseudonym"]);
        }
        var salt = await cluster.Systems.Call(cluster.Of("pseudonym"), "/idsas-salt/20230601/salt", "GetCurrentSalt", "epj", new { });
        Assert.Equal(32, Convert.FromBase64String((string)salt!["salt"]!).Length);
    }

    [Fact] // E3, E4, E8
    public async Task ForeignApp_ExchangesACitizensToken_AndItsDataSourceMasksAsTheViewDoes()
    {
        var (patient, reader) = (People.NextCpr(), People.NextCpr());
        await cluster.MaskOverSoap("registration-1", patient);
        foreach (var replica in (string[])["effectuation-1", "effectuation-2"])
            await Eventually.True(async () => (await cluster.View(replica, patient))["pseudonym"] is not null, $"{replica} masks");
        var masked = await cluster.Systems.MaskByIdentityToken(cluster.Of("tokens"), new DemoCitizen(patient), RunningCluster.Entry());
        Assert.Equal((patient, RegionH), ((string?)masked["claims"]!["cpr"], (string?)masked["claims"]!["masking"]!["organisations"]![0]!["cvr"]));
        Assert.Equal((string?)(await cluster.View("effectuation-1", patient))["pseudonym"], (string?)masked["entries"]![0]!["staff"]![0]!["pseudonym"]);
        var others = await cluster.Systems.MaskByIdentityToken(cluster.Of("tokens"), new DemoCitizen(reader), RunningCluster.Entry());
        Assert.NotNull(others["entries"]![0]!["staff"]![0]!["name"]);
    }

    [Fact] // decision 32, O3
    public async Task OperatorsCommands_RotateKeysUnderTheRunningCluster_AndVerifyEveryJournal()
    {
        var patient = People.NextCpr();
        await cluster.MaskOverSoap("registration-1", patient);
        Assert.Contains("registration: 0 texts sealed anew; all rows are under key 1.", await cluster.Command("rotate-keys"), StringComparison.Ordinal);

        await cluster.SealUnder("2", "registration");
        var rotated = (await cluster.Command("rotate-keys")).Split('\n');
        Assert.Matches("^registration: [1-9][0-9]* texts sealed anew; all rows are under key 2.$", rotated.Single(line => line.StartsWith("registration", StringComparison.Ordinal)));
        Assert.Contains("registration: 0 texts sealed anew; all rows are under key 2.", await cluster.Command("rotate-keys"), StringComparison.Ordinal);
        using (var registration = cluster.Client("registration-2"))
        {
            var listed = await registration.Must("epj-hovedstaden", HttpMethod.Get, "/v1/maskings?in_force_only=true&page_size=500", null, Cancel);
            Assert.Contains(listed["maskings"]!.AsArray(), masking => (string?)masking!["patientCpr"] == patient);
        }

        // None is due within the first hour.
        Assert.Contains("0 checkpoints added to", await cluster.Command("checkpoints", Path.Combine(cluster.Folder, "checkpoints")), StringComparison.Ordinal);
        var verdict = await cluster.Command("verify");
        Assert.All(ServiceNames.WithJournal, service => Assert.Contains(service, verdict, StringComparison.Ordinal));
        Assert.Contains("All journals are intact.", verdict, StringComparison.Ordinal);
    }

    [Fact]
    public async Task EnvelopeOfTheClusterCommand_IsTakenByTheCluster()
    {
        var envelope = await cluster.Command("envelope", "soap-sts", Path.Combine(Repository.Root, "samples", "soap", "get-blurred-organisations.xml"));
        using var http = new HttpClient();
        using var content = new StringContent(envelope, System.Text.Encoding.UTF8, "text/xml");
        using var answer = await http.PostAsync(new Uri(cluster.Of("effectuation-1") + "/idsas-lookup/20240124/lookup"), content, Cancel);
        Assert.Contains("BlurredOrganisationsResponse", await answer.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }
}
