using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Flow;

/// <summary>Effectuation that hears nothing from Registration (rule E7): within its bound it refuses, and it never shows a name.</summary>
public sealed class StalenessTests
{
    [Theory] // E7
    [InlineData("cut")]
    [InlineData("silent")]
    public async Task EffectuationThatHearsNothing_RefusesWithinItsBound_AndNeverShowsTheName(string fault)
    {
        await using var wire = new Wire();
        await using var platform = await Platform.StartWith(services => services
            .PostConfigure<ServiceAddresses>(addresses =>
            {
                wire.Target = new Uri(addresses["registration"]).Port;
                addresses["registration"] = wire.Address;
            })
            .PostConfigure<Effectuation.EffectuationOptions>(options => options.StalenessBoundSeconds = 3));
        var cpr = People.NextCpr();
        await platform.Client.Must("epj-hovedstaden", HttpMethod.Post, "/v1/maskings", new SharedPlatform().Activation(cpr, key: Guid.NewGuid().ToString("N")), Cancel);
        await Eventually.True(async () => await Look(platform, cpr) == "masked", "the view masks");

        wire.Broken = fault;
        var seen = new List<string>();
        await Eventually.True(async () =>
        {
            seen.Add(await Look(platform, cpr));
            return seen[^1] == "SLR-501";
        }, "the view refuses");
        Assert.DoesNotContain("shown", seen);

        wire.Broken = null;
        await Eventually.True(async () => await Look(platform, cpr) == "masked", "the view masks again");
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static async Task<string> Look(Platform platform, string cpr)
    {
        var (status, answer) = await platform.Client.Send("borgervisning", HttpMethod.Post, "/v1/mask-entries", new JsonObject
        {
            ["patientCpr"] = cpr,
            ["entries"] = new JsonArray(new JsonObject
            {
                ["id"] = "1",
                ["source"] = "EPJ",
                ["cvr"] = "29190623",
                ["staff"] = new JsonArray(new JsonObject { ["name"] = "Mette Holm Testesen", ["professionCode"] = "5166" }),
            }),
        }, Cancel);
        return status != HttpStatusCode.OK ? (string)answer["code"]! : (bool?)answer["entries"]![0]!["staff"]![0]!["masked"] == true ? "masked" : "shown";
    }
}
