// Envelopes a publisher fills in itself. They have no id, and the sidecar adds none: an event that must be recognised when it comes twice
// is published as bytes of type application/cloudevents+json instead.
using System.Text.Json.Serialization;

namespace Dapr;

public class CloudEvent
{
    [JsonPropertyName("source")]
    public Uri? Source { get; init; }

    [JsonPropertyName("type")]
    public string? Type { get; init; }

    [JsonPropertyName("subject")]
    public string? Subject { get; init; }
}

public class CloudEvent<TData>(TData data) : CloudEvent
{
    public TData Data { get; } = data;

    [JsonPropertyName("datacontenttype")]
    public string DataContentType { get; } = "application/json";
}
