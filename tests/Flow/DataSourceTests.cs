using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;
using static Sloring.Tests.Flow.SharedPlatform;

namespace Sloring.Tests.Flow;

/// <summary>A data source learns nothing of what other organisations mask (rule E8), and a CPR number stands in no address.</summary>
public sealed class DataSourceTests(SharedPlatform platform) : IClassFixture<SharedPlatform>
{
    [Fact] // E8, M1
    public async Task ADataSource_CannotAskByMasking_WhatAnotherOrganisationMasks()
    {
        var cpr = People.NextCpr();
        await platform.Platform.Client.Must("epj-hovedstaden", HttpMethod.Post, "/v1/maskings", platform.Activation(cpr), Cancel);
        await Eventually.True(async () => Masked(await Mask("kilde-hovedstaden", cpr, RegionH)), "its own source masks");

        var (status, refusal) = await Send("kilde-midtjylland", cpr, RegionH);
        Assert.Equal((HttpStatusCode.Forbidden, "SLR-503"), (status, (string?)refusal["code"]));
        // Without a CVR number the entry is taken for the source's own: no answer about anybody else.
        var answer = await Mask("kilde-midtjylland", cpr, "");
        Assert.False(Masked(answer));
        Assert.Null(answer["findings"]);
        Assert.True(Masked(await Mask("kilde-hovedstaden", cpr, "")));
        Assert.True(Masked(await Mask("borgervisning", cpr, "")));
    }

    [Theory]
    [InlineData("GET", "/v1/maskings?patient_cpr=2512489996")]
    [InlineData("GET", "/v1/maskings?patientCpr=2512489996")]
    [InlineData("POST", "/v1/masking-instructions?patientCpr=2512489996")]
    public async Task ACprNumberInAnAddress_IsRefused(string method, string path)
    {
        await RefusedUntraced(method, path, method == "GET" ? "epj-hovedstaden" : "borgervisning", []);
    }

    [Theory] // whatever it is taken for there
    [InlineData("GET", "/v1/maskings?page_token=2512489996")]
    [InlineData("GET", "/v1/maskings?pageToken=251248-9996")]
    [InlineData("POST", "/v1/maskings/2512489996/reason")]
    [InlineData("POST", "/v1/maskings/851248-9996/end")]
    public async Task ACprNumberInPlaceOfAnId_IsRefusedUnlooked(string method, string path)
    {
        var body = new JsonObject { ["reason"] = "Slog." };
        await RefusedUntraced(method, path, "epj-hovedstaden", body);
        // Ten digits that are no CPR number are an id that is not known.
        Assert.NotEqual("SLR-904", (string?)(await platform.Platform.Client.Send("epj-hovedstaden", HttpMethod.Post, "/v1/maskings/9999999999/reason", body, Cancel)).Body["code"]);
    }

    /// <summary>By a client of its own: its trace would hold the address, and is not the platform's.</summary>
    private async Task RefusedUntraced(string method, string path, string client, JsonObject body)
    {
        using var http = new HttpClient(new SocketsHttpHandler { ActivityHeadersPropagator = null }) { BaseAddress = new Uri(platform.Platform.HttpAddress) };
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Headers.Authorization = new("Bearer", await platform.Platform.Client.Token(client, Cancel));
        if (method != "GET")
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        using var answer = await http.SendAsync(request, Cancel);
        Assert.Equal((HttpStatusCode.BadRequest, "SLR-904"), (answer.StatusCode, (string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!["code"]));
    }

    [Fact]
    public async Task MaskingsOfOnePatient_AreListedByABody()
    {
        var cpr = People.NextCpr();
        await platform.Platform.Client.Must("epj-hovedstaden", HttpMethod.Post, "/v1/maskings", platform.Activation(cpr), Cancel);
        var found = await platform.Platform.Client.Must("epj-hovedstaden", HttpMethod.Post, "/v1/maskings/search", new JsonObject { ["patientCpr"] = cpr }, Cancel);
        Assert.Equal(cpr, (string?)Assert.Single(found["maskings"]!.AsArray())!["patientCpr"]);
    }

    [Fact]
    public async Task AnEntryTooLarge_IsRefused()
    {
        var staff = new JsonArray([.. Enumerable.Range(0, 51).Select(_ => new JsonObject { ["name"] = "Bo Eksempel" })]);
        var (_, answer) = await platform.Platform.Client.Send("borgervisning", HttpMethod.Post, "/v1/mask-entries",
            new JsonObject { ["patientCpr"] = People.NextCpr(), ["entries"] = new JsonArray(new JsonObject { ["id"] = "1", ["staff"] = staff }) }, Cancel);
        Assert.Equal("SLR-505", (string?)answer["code"]);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private async Task<JsonNode> Mask(string client, string cpr, string cvr)
    {
        var (status, answer) = await Send(client, cpr, cvr);
        Assert.Equal(HttpStatusCode.OK, status);
        return answer;
    }

    private Task<(HttpStatusCode Status, JsonNode Body)> Send(string client, string cpr, string cvr) =>
        platform.Platform.Client.Send(client, HttpMethod.Post, "/v1/mask-entries", new JsonObject
        {
            ["patientCpr"] = cpr,
            ["entries"] = new JsonArray(new JsonObject
            {
                ["id"] = "1",
                ["source"] = "EPJ",
                ["cvr"] = cvr,
                ["sorId"] = SectionA,
                ["staff"] = new JsonArray(new JsonObject { ["name"] = "Bo Eksempel", ["professionCode"] = "7170" }),
            }),
        }, Cancel);

    private static bool Masked(JsonNode answer) => (bool?)answer["entries"]![0]!["staff"]![0]!["masked"] == true;
}
