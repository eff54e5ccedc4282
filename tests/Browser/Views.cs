using System.Text.Json.Nodes;
using Sloring.Contracts;

namespace Sloring.Tests.Browser;

/// <summary>What others do and see of Region Hovedstaden, beside the browser.</summary>
internal static class Views
{
    /// <summary>Whether a citizen-facing view hides the name in an entry.</summary>
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

    public const string Complaint = "Jeg truede ingen.";

    /// <summary>A complaint against a masking, registered by the region.</summary>
    /// <returns>Its id.</returns>
    public static async Task<string> Complained(Platform platform, string caseId)
    {
        var id = Guid.NewGuid().ToString("D");
        await platform.Client.Must("region", HttpMethod.Post, "/v1/complaints", new JsonObject
        {
            ["complaintId"] = id,
            ["caseId"] = caseId,
            ["receivedOn"] = DanishTime.DayOf(platform.Clock.GetUtcNow()).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture),
            ["complainant"] = "COMPLAINANT_PATIENT",
            ["text"] = Complaint,
        }, CancellationToken.None);
        return id;
    }

    /// <summary>A masking that a nurse of Region Hovedstaden has activated, and whose case has reached the leader.</summary>
    public static async Task<(string Cpr, string Id)> Activated(
        Platform platform, string reason = "Slog ud efter personalet.", string trigger = "TRIGGER_VIOLENCE", string behaviourOn = "2025-01-15")
    {
        var cpr = People.NextCpr();
        var answer = await platform.Client.Must("sygeplejerske", HttpMethod.Post, "/v1/maskings", new JsonObject
        {
            ["idempotencyKey"] = $"browser-{Guid.NewGuid():N}",
            ["patientCpr"] = cpr,
            ["trigger"] = trigger,
            ["behaviourOn"] = behaviourOn,
            ["reason"] = reason,
        }, CancellationToken.None);
        var id = (string)answer["maskingId"]!;
        await Eventually.True(
            async () => (int)(await platform.Client.Send("leder", HttpMethod.Get, $"/v1/cases/{id}", null, CancellationToken.None)).Status == 200, "the leader has the case (A1)");
        return (cpr, id);
    }
}
