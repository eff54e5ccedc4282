using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Dapr;
using Dapr.Client;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Sloring.Contracts.Events;

namespace Sloring.Hosting;

/// <summary>The bus of many processes: through this one's sidecar, topic by topic. What fails is thrown, and tried again by the relay.</summary>
internal sealed class DaprBus(DaprClient sidecar, ILogger<DaprBus> log) : IEventBus
{
    /// <summary>The pub/sub component, components/pubsub.yaml.</summary>
    public const string PubSub = "sloring-pubsub";

    /// <summary>Longer than a sidecar waits for a broker that restarts, so that its own answer is what is heard.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(15);

    public async Task Publish(Delivery delivery, CancellationToken cancel)
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limited.CancelAfter(Limit);
        try
        {
            await sidecar.PublishByteEventAsync(PubSub, delivery.Type, EventEnvelope.Write(delivery), EventEnvelope.ContentType, cancellationToken: limited.Token);
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            log.LogWarning("{Type} {Position} of {Publisher} was not published and is tried again: {Why}", delivery.Type, delivery.Position, delivery.Publisher,
                e is DaprException { InnerException: RpcException rpc } ? rpc.StatusCode.ToString() : e.GetType().Name);
            // A cancellation that nobody asked for would end the relay's patience.
            if (e is OperationCanceledException)
                throw new TimeoutException("The sidecar did not answer in time.");
            throw;
        }
    }
}

/// <summary>
/// An event as CloudEvents 1.0 JSON. The envelope is our own: the id and position that the inbox knows an event by must come through,
/// where a sidecar would make up an id of its own.
/// </summary>
internal static class EventEnvelope
{
    public const string ContentType = "application/cloudevents+json";

    private static readonly JsonDocumentOptions Strictly = new() { AllowDuplicateProperties = false, MaxDepth = 32 };

    public static byte[] Write(Delivery delivery)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = EventJson.Options.Encoder }))
        {
            json.WriteStartObject();
            json.WriteString("specversion", "1.0");
            json.WriteString("id", delivery.EventId);
            json.WriteString("source", delivery.Publisher);
            json.WriteString("type", delivery.Type);
            json.WriteString("time", delivery.OccurredAt.UtcDateTime);
            // A string: CloudEvents has no 64-bit number.
            json.WriteString("position", delivery.Position.ToString(CultureInfo.InvariantCulture));
            if (delivery.Restoring.Length > 0)
                json.WriteString("restoring", delivery.Restoring);
            if (delivery.TraceParent.Length > 0)
                json.WriteString("traceparent", delivery.TraceParent);
            json.WriteString("datacontenttype", "application/json");
            json.WritePropertyName("data");
            json.WriteRawValue(delivery.Data);
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The event in an envelope that came by a topic, or null where this version can never read it.</summary>
    public static Delivery? Read(ReadOnlyMemory<byte> body, string topic)
    {
        try
        {
            using var json = JsonDocument.Parse(body, Strictly);
            var envelope = json.RootElement;
            var delivery = new Delivery(
                Text(envelope, "source"), long.Parse(Text(envelope, "position"), NumberStyles.None, CultureInfo.InvariantCulture),
                Guid.ParseExact(Text(envelope, "id"), "D"), Text(envelope, "type"), envelope.GetProperty("data").GetRawText(), Trace(envelope),
                envelope.GetProperty("time").GetDateTimeOffset(), Find(envelope, "restoring") ?? "");
            var sound = Text(envelope, "specversion") == "1.0" && Text(envelope, "datacontenttype") == "application/json"
                && envelope.GetProperty("data").ValueKind == JsonValueKind.Object && delivery.Type == topic && delivery.Position > 0;
            if (!sound)
                return null;
            // Whoever reads it next has it read for the second time, but from then on a failure means that trying again may help.
            EventJson.Read(delivery.Type, delivery.Data);
            return delivery;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or OverflowException or InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>What can be told of a message whose delivery was given up. Only what is known to be no content: names we know, a number, a UUID.</summary>
    public static EventDeadLettered Describe(ReadOnlyMemory<byte> body, IReadOnlySet<(string Publisher, string Type)> topics)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            var (source, type) = (Find(json.RootElement, "source"), Find(json.RootElement, "type"));
            return new EventDeadLettered
            {
                Publisher = topics.Any(topic => topic.Publisher == source) ? source : null,
                Type = topics.Any(topic => topic.Type == type) ? type : null,
                Position = long.TryParse(Find(json.RootElement, "position"), NumberStyles.None, CultureInfo.InvariantCulture, out var position) ? position : null,
                EventId = Guid.TryParse(Find(json.RootElement, "id"), out var id) ? id : null,
            };
        }
        catch (JsonException)
        {
            return new EventDeadLettered();
        }
    }

    private static string Text(JsonElement envelope, string name) => envelope.GetProperty(name).GetString() ?? throw new FormatException();

    private static string? Find(JsonElement envelope, string name)
    {
        try
        {
            return envelope.ValueKind == JsonValueKind.Object && envelope.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            // Half a character, or bytes that are none: found out only when it is read.
            return null;
        }
    }

    /// <summary>A trace that is not one is left out: it decides nothing.</summary>
    private static string Trace(JsonElement envelope) =>
        Find(envelope, "traceparent") is { } trace && ActivityContext.TryParse(trace, null, out _) ? trace : "";
}
