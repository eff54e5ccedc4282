using System.Text.Json.Nodes;

namespace Sloring.Tests.Browser;

/// <summary>What a citizen-facing view shows of an entry of Region Hovedstaden.</summary>
internal static class Views
{
    public static async Task<bool> IsMasked(Platform platform, string cpr)
    {
        var answer = await platform.Client.Must("borgervisning", HttpMethod.Post, "/v1/mask-entries", new JsonObject
        {
            ["patientCpr"] = cpr,
            ["entries"] = new JsonArray(new JsonObject
            {
                ["id"] = "e-1",
                ["source"] = "EPJ",
                ["cvr"] = "29190623",
                ["sorId"] = "1000111000016001",
                ["staff"] = new JsonArray(new JsonObject { ["role"] = "user", ["name"] = "Mette Holm Testesen", ["professionCode"] = "5166" }),
            }),
        }, CancellationToken.None);
        return (bool?)answer["entries"]![0]!["staff"]![0]!["masked"] == true;
    }
}
