using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Sloring.Embedded;
using Xunit;

namespace Sloring.Tests.Flow;

/// <summary>node's soap, which reads our WSDLs, with tickets that xml-crypto signs: js-soap/soap.mjs runs its cases once, each is a test here.</summary>
public sealed class SoapClientTests(SoapClientTests.Run run) : IClassFixture<SoapClientTests.Run>
{
    public static readonly TheoryData<string> Cases = new(
        "createsTheLookupListsIt", "aSystemCreatesByTheOldVersion", "theSaltIsRead", "aUnitIsMaskedAndShownAgain", "ticketsAreRefusedByTheDocumentedFaults",
        "hostileTicketsAreNotValid", "aClientDoesWhatItIsWhitelistedForOnly", "wrongRequestsAreNumbered");

    [Theory, MemberData(nameof(Cases))] // M2, M3, M10, D3, E8
    public void Case_GivesWhatTheForeignClientExpects(string name)
    {
        Assert.True(run.Errors.TryGetValue(name, out var error), $"soap.mjs has no case '{name}'.");
        Assert.True(error is null, error);
    }

    [Fact]
    public void EveryCaseOfTheForeignClient_IsATestHere() => Assert.Equal(Cases.Select(row => row.Data).Order(), run.Errors.Keys.Order());

    [Fact] // M1, M3, E1: what the foreign client masked
    public async Task TheView_IsMasked_ForThatOrganisationOnly()
    {
        await run.Flow.Seen(run.Cpr, SharedPlatform.RegionH, masked: true);
        Assert.False(await run.Flow.IsMasked(run.Cpr, SharedPlatform.RegionM));
    }

    [Fact] // A1, M5, O3: and who did it, without a CPR number in the clear
    public async Task TheLeader_HasTheCase_OfThePersonOfTheTicket()
    {
        var activated = Assert.Single(await run.Flow.Journal("registration", run.Cpr), e => (string?)e["type"] == "registration.activated.v1");
        Assert.Equal("aut:6QF17", (string?)activated["actor"]);
        var data = JsonNode.Parse((string)activated["data"]!)!;
        Assert.Equal(("founded-fear", "health-worker", "1000021000016006"), ((string?)data["trigger"], (string?)data["activatorRole"], (string?)data["unitSorId"]));
        await run.Flow.CaseThere("leder", (string)data["maskingId"]!);
    }

    public sealed class Run : IAsyncLifetime
    {
        public SharedPlatform Flow { get; } = new();

        public string Cpr { get; } = People.NextCpr();

        public Dictionary<string, string?> Errors { get; private set; } = [];

        public async ValueTask InitializeAsync()
        {
            var folder = Path.Combine(Repository.Root, "tests", "Interop", "js-soap");
            await ForeignProgram.Install(folder);
            await Flow.InitializeAsync();
            await Recommended("1000211000016007");
            var pem = await File.ReadAllTextAsync(new DemoIssuer(Flow.Platform.Folder).File);
            using var stranger = RSA.Create(2048);
            var output = await ForeignProgram.Run("node", JsonSerializer.Serialize(new
            {
                key = pem[pem.IndexOf("-----BEGIN PRIVATE KEY", StringComparison.Ordinal)..],
                certificate = pem[..pem.IndexOf("-----BEGIN PRIVATE KEY", StringComparison.Ordinal)],
                strangersKey = stranger.ExportPkcs8PrivateKeyPem(),
                now = Flow.Now.ToUnixTimeMilliseconds(),
                cpr = Cpr,
                person = People.NextCpr(),
            }), Path.Combine(folder, "soap.mjs"), Flow.Platform.HttpAddress);
            Errors = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize<JsonElement>(line))
                .ToDictionary(line => line.GetProperty("name").GetString()!, line => line.GetProperty("error").GetString());
        }

        public ValueTask DisposeAsync() => Flow.DisposeAsync();

        /// <summary>A unit as far as the national level finds it: nominated by its hospital, recommended by its region.</summary>
        private async Task Recommended(string sorId)
        {
            var nominated = await Flow.Must("hospitalsledelse", "/v1/units", RejectionTests.Nomination(sorId));
            await Flow.Must("region", $"/v1/units/{(string)nominated["unit"]!["unitMaskingId"]!}/review", new JsonObject { ["review"] = "REVIEW_RECOMMENDED" });
        }
    }
}
