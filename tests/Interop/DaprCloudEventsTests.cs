// Events posted to a Kestrel app as the sidecar posts them: the handler sees the data alone.
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Dapr;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Sloring.Tests.Interop;

public sealed class DaprCloudEventsTests
{
    private static readonly CloudEventsMiddlewareOptions Plain = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private sealed record Seen(HttpStatusCode Status, string? ContentType, string Body, Dictionary<string, string> Headers);

    private sealed record Answer(string? ContentType, byte[] Body, Dictionary<string, string> Headers);

    private sealed record Ordered(string OrderId);

    [Theory]
    [InlineData("""{"data":{"a":[1,"æ"]},"datacontenttype":"application/json"}""", "application/json", """{"a":[1,"æ"]}""")]
    [InlineData("""{"data":{"a":1}}""", "application/json", """{"a":1}""")] // no type means JSON
    [InlineData("""{"data":"text","datacontenttype":"application/json"}""", "application/json", "\"text\"")]
    [InlineData("""{"data":12345678901234567890,"datacontenttype":"text/plain"}""", "text/plain", "12345678901234567890")] // not a string, so JSON
    [InlineData("""{"data":null,"datacontenttype":"application/json"}""", "application/json", "null")]
    [InlineData("""{"data":"say \"hej\"","datacontenttype":"text/plain"}""", "text/plain", "say \"hej\"")]
    [InlineData("""{"data":"a","datacontenttype":"text/plain; charset=iso-8859-1"}""", "text/plain", "a")] // UTF-8 from here on
    [InlineData("""{"data_base64":"aGVqIQ==","datacontenttype":"application/octet-stream"}""", "application/octet-stream", "hej!")]
    [InlineData("""{"data_base64":"e30="}""", "application/json", "{}")]
    [InlineData("""{"DATA":{"a":1},"DataContentType":"application/vnd.x+json"}""", "application/vnd.x+json", """{"a":1}""")]
    [InlineData("""{"data":"text","datacontenttype":"application/vnd.x+text"}""", "application/vnd.x+text", "text")]
    [InlineData("""{"id":"1"}""", null, "")]
    public async Task Event_IsUnwrapped(string envelope, string? contentType, string body)
    {
        var seen = await Post(envelope, "application/cloudevents+json", Plain);
        Assert.Equal((HttpStatusCode.OK, contentType), (seen.Status, seen.ContentType));
        if (contentType?.EndsWith("json", StringComparison.Ordinal) == true)
            Assert.True(JsonElement.DeepEquals(JsonDocument.Parse(body).RootElement, JsonDocument.Parse(seen.Body).RootElement), seen.Body);
        else
            Assert.Equal(body, seen.Body);
    }

    [Fact]
    public async Task DataAndBase64_AreABadRequest() =>
        Assert.Equal(HttpStatusCode.BadRequest, (await Post("""{"data":{},"data_base64":"e30="}""", "application/cloudevents+json", Plain)).Status);

    [Theory]
    [InlineData("not json"), InlineData("[1]"), InlineData("""{"data_base64":"*"}""")]
    public async Task BrokenEvent_IsAnError(string envelope) => // so the sidecar tries again, then dead-letters it
        Assert.Equal(HttpStatusCode.InternalServerError, (await Post(envelope, "application/cloudevents+json", Plain)).Status);

    [Theory]
    [InlineData("application/json"), InlineData("application/cloudevents-batch+json"), InlineData("application/cloudevents+json-seq")]
    public async Task OtherContent_IsLeftAlone(string contentType)
    {
        var seen = await Post("""{"data":{"a":1}}""", contentType, Plain);
        Assert.Equal((contentType, """{"data":{"a":1}}"""), (seen.ContentType, seen.Body));
    }

    [Fact]
    public async Task Charset_IsHeeded()
    {
        var seen = await Post("""{"data":"blåbær","datacontenttype":"text/plain"}""", "application/cloudevents+json; charset=utf-16", Plain, Encoding.Unicode);
        Assert.Equal(("text/plain", "blåbær"), (seen.ContentType, seen.Body));
    }

    [Fact]
    public async Task TextDecoding_CanBeSuppressed() =>
        Assert.Equal("\"a\\tb\"", (await Post("""{"data":"a\tb","datacontenttype":"text/plain"}""", "application/cloudevents+json",
            new() { SuppressJsonDecodingOfTextPayloads = true })).Body);

    [Fact]
    public async Task Attributes_AreForwardedAsHeadersWhenAsked()
    {
        const string Envelope =
            """
            {"id":"1","type":"order.placed","source":"registration","MyThing":7,"pubsubname":"events","traceparent":"x","topic":"orders","data":{},"datacontenttype":"application/json"}
            """;
        Assert.Empty((await Post(Envelope, "application/cloudevents+json", Plain)).Headers);
        Assert.Equal(new() { ["id"] = "1", ["type"] = "order.placed", ["source"] = "registration", ["mything"] = "7", ["topic"] = "orders" },
            (await Post(Envelope, "application/cloudevents+json", new() { ForwardCloudEventPropertiesAsHeaders = true })).Headers);
        Assert.Equal(new() { ["id"] = "1", ["mything"] = "7" }, (await Post(Envelope, "application/cloudevents+json",
            new() { ForwardCloudEventPropertiesAsHeaders = true, IncludedCloudEventPropertiesAsHeaders = ["ID", "mything", "data"] })).Headers);
        Assert.Equal(new() { ["id"] = "1", ["type"] = "order.placed" }, (await Post(Envelope, "application/cloudevents+json",
            new() { ForwardCloudEventPropertiesAsHeaders = true, ExcludedCloudEventPropertiesFromHeaders = ["source", "MYTHING", "topic"] })).Headers);
    }

    [Fact]
    public async Task MinimalEndpoint_BindsTheDataOfItsTopic()
    {
        await using var app = await DaprApp.Start(a =>
        {
            a.UseCloudEvents();
            a.MapSubscribeHandler();
            a.MapPost("/orders", (Ordered order) => Results.Ok(order.OrderId)).WithTopic("events", "orders");
        });
        using var content = Content("""{"data":{"orderId":"æ1"},"datacontenttype":"application/json","id":"1"}""", "application/cloudevents+json", Encoding.UTF8);
        using var answer = await app.Client.PostAsync("/orders", content, Token);
        Assert.Equal("æ1", JsonSerializer.Deserialize<string>(await answer.Content.ReadAsStringAsync(Token)));
    }

    private static async Task<Seen> Post(string body, string contentType, CloudEventsMiddlewareOptions options, Encoding? encoding = null)
    {
        await using var app = await DaprApp.Start(a =>
        {
            a.UseCloudEvents(options);
            a.Run(async context =>
            {
                using var copy = new MemoryStream();
                await context.Request.Body.CopyToAsync(copy, context.RequestAborted);
                await context.Response.WriteAsJsonAsync(new Answer(context.Request.ContentType, copy.ToArray(),
                    context.Request.Headers.Where(h => h.Key.StartsWith("Cloudevent.", StringComparison.Ordinal)).ToDictionary(h => h.Key[11..], h => h.Value.ToString())));
            });
        });
        using var content = Content(body, contentType, encoding ?? Encoding.UTF8);
        using var response = await app.Client.PostAsync("/", content, Token);
        if (!response.IsSuccessStatusCode)
            return new Seen(response.StatusCode, null, "", []);
        var answer = JsonSerializer.Deserialize<Answer>(await response.Content.ReadAsStringAsync(Token), JsonSerializerOptions.Web)!;
        return new Seen(response.StatusCode, answer.ContentType, Encoding.UTF8.GetString(answer.Body), answer.Headers);
    }

    private static ByteArrayContent Content(string body, string contentType, Encoding encoding)
    {
        var content = new ByteArrayContent(encoding.GetBytes(body));
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        return content;
    }
}
