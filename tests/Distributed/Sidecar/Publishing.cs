using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Net.Http.Headers;

namespace Sloring.Sidecar;

/// <summary>POST /v1.0/publish/{pubsub}/{topic}.</summary>
internal sealed class Publishing(Flags flags, Resources resources, Broker? broker, Faults faults, ILogger<Publishing> log)
{
    public async Task<IResult> Handle(HttpContext http, string pubsub, string topic)
    {
        if (!resources.AnyPubSub)
            return Failure.Of(400, "ERR_PUBSUB_NOT_CONFIGURED", "no pubsub is configured");
        if (resources.PubSub?.Name != pubsub)
            return Failure.Of(404, "ERR_PUBSUB_NOT_FOUND", $"pubsub {pubsub} is not found");
        if (!resources.PubSub.MayPublish(topic))
            return Failure.Of(403, "ERR_PUBSUB_FORBIDDEN", $"topic {topic} is not allowed for app id {flags.AppId}");
        var metadata = http.Request.Query.Where(q => q.Key.StartsWith("metadata.", StringComparison.Ordinal)).ToDictionary(q => q.Key["metadata.".Length..], q => q.Value.ToString());
        var unknown = metadata.Keys.Where(key => key is not ("ttlInSeconds" or "cloudevent.id" or "cloudevent.source" or "cloudevent.type" or "cloudevent.subject")).ToList();
        if (unknown.Count > 0)
            return Failure.Of(501, "ERR_STAND_IN", $"the stand-in does not know metadata {string.Join(", ", unknown)}");
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body, http.RequestAborted);
        byte[] envelope;
        try
        {
            envelope = Envelope(body.ToArray(), http.Request, pubsub, topic, metadata);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return Failure.Of(500, "ERR_PUBSUB_CLOUD_EVENTS_SER", "cannot create cloudevent: the body is not a JSON object");
        }
        TimeSpan? timeToLive = metadata.TryGetValue("ttlInSeconds", out var ttl) ? TimeSpan.FromSeconds(int.Parse(ttl, CultureInfo.InvariantCulture)) : null;
        try
        {
            await Send(topic, envelope, timeToLive, http.RequestAborted);
            return Results.NoContent();
        }
        catch (BrokerException e)
        {
            return Failure.Of(500, "ERR_PUBSUB_PUBLISH_MESSAGE", $"error when publishing to topic {topic} in pubsub {pubsub}: {e.Message}");
        }
    }

    /// <summary>To the dead-letter topic, under the app's own publishing scope, unchanged.</summary>
    public async Task<bool> SendDeadLetter(string topic, ReadOnlyMemory<byte> envelope, CancellationToken cancel)
    {
        try
        {
            if (!resources.PubSub!.MayPublish(topic))
                throw new BrokerException($"topic {topic} is not allowed for app id {flags.AppId}");
            await broker!.Publish(topic, envelope, null, cancel);
            return true;
        }
        catch (BrokerException e)
        {
            log.LogError("sending a dead letter to {Topic} failed: {Why}", topic, e.Message);
            return false;
        }
    }

    private async Task Send(string topic, byte[] envelope, TimeSpan? timeToLive, CancellationToken cancel)
    {
        var switched = faults.Now;
        if (Faults.Hits(switched.Drop))
        {
            log.LogWarning("fault: a message to {Topic} is dropped and reported as published", topic);
            return;
        }
        if (Faults.Hits(switched.Reorder))
        {
            log.LogWarning("fault: a message to {Topic} is sent late", topic);
            _ = SendLater(topic, envelope, timeToLive);
            return;
        }
        await broker!.Publish(topic, envelope, timeToLive, cancel);
        if (!Faults.Hits(switched.Duplicate))
            return;
        log.LogWarning("fault: a message to {Topic} is sent twice", topic);
        await broker.Publish(topic, envelope, timeToLive, cancel);
    }

    private async Task SendLater(string topic, byte[] envelope, TimeSpan? timeToLive)
    {
        await Task.Delay(Random.Shared.Next(50, 1000));
        try
        {
            await broker!.Publish(topic, envelope, timeToLive, CancellationToken.None);
        }
        catch (BrokerException)
        {
            log.LogWarning("fault: a message to {Topic} that was held back is lost", topic);
        }
    }

    /// <summary>The CloudEvent, its fields in alphabetical order.</summary>
    private byte[] Envelope(byte[] body, HttpRequest request, string pubsub, string topic, Dictionary<string, string> metadata)
    {
        var type = request.ContentType is { Length: > 0 } given ? given : "text/plain";
        var media = MediaTypeHeaderValue.TryParse(type, out var parsed) ? parsed.MediaType.Value!.ToLowerInvariant() : type;
        var own = media == "application/cloudevents+json";
        var fields = own ? Parse(body) ?? throw new InvalidOperationException() : new SortedDictionary<string, JsonNode?>(StringComparer.Ordinal);
        void Fill(string name, string value) => fields[name] = own && fields.TryGetValue(name, out var there) && there is not null ? there : value;
        if (!own)
        {
            fields["id"] = metadata.GetValueOrDefault("cloudevent.id", Guid.NewGuid().ToString());
            fields["datacontenttype"] = type;
            if (metadata.TryGetValue("cloudevent.subject", out var subject))
                fields["subject"] = subject;
            if (media == "application/octet-stream")
                fields["data_base64"] = Convert.ToBase64String(body);
            else
                fields["data"] = media == "application/json" || media.EndsWith("+json", StringComparison.Ordinal) ? Json(body) : Encoding.UTF8.GetString(body);
        }
        Fill("source", metadata.GetValueOrDefault("cloudevent.source", flags.AppId));
        Fill("type", metadata.GetValueOrDefault("cloudevent.type", "com.dapr.event.sent"));
        Fill("specversion", "1.0");
        Fill("time", DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
        var trace = Trace.Child(request.Headers.TraceParent);
        Fill("traceparent", trace);
        Fill("traceid", trace);
        Fill("tracestate", request.Headers.TraceState.ToString());
        fields["topic"] = topic;
        fields["pubsubname"] = pubsub;
        return JsonSerializer.SerializeToUtf8Bytes(fields);
    }

    private static SortedDictionary<string, JsonNode?>? Parse(byte[] body) => JsonSerializer.Deserialize<SortedDictionary<string, JsonNode?>>(body) is { } fields
        ? new SortedDictionary<string, JsonNode?>(fields, StringComparer.Ordinal) : null;

    /// <summary>Numbers stay as they were written; what is no JSON becomes a text.</summary>
    private static JsonNode? Json(byte[] body)
    {
        try
        {
            return JsonNode.Parse(body);
        }
        catch (JsonException)
        {
            return Encoding.UTF8.GetString(body);
        }
    }
}

/// <summary>An error in the form of the sidecar's API.</summary>
internal static class Failure
{
    public static IResult Of(int status, string code, string message) => Results.Json(
        new Dictionary<string, object>
        {
            ["errorCode"] = code,
            ["message"] = message,
            ["details"] = new[] { new Dictionary<string, object> { ["@type"] = "type.googleapis.com/google.rpc.ErrorInfo", ["domain"] = "dapr.io", ["reason"] = code } },
        }, statusCode: status);
}
