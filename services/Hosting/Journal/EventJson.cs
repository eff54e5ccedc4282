using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Sloring.Contracts.Events;

namespace Sloring.Hosting;

/// <summary>How events are written in the journal and on the bus: camelCase JSON, nulls left out, unknown fields passed over.</summary>
public static class EventJson
{
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static string Write(IEvent e) => JsonSerializer.Serialize(e, e.GetType(), Options);

    /// <summary>Reads the event of an entry.</summary>
    /// <exception cref="InvalidDataException">The type is unknown to this version, or the JSON is not of that type.</exception>
    public static IEvent Read(string type, string data)
    {
        if (!EventNames.All.TryGetValue(type, out var clrType))
            throw new InvalidDataException($"Unknown event type {type}.");
        try
        {
            return (IEvent)JsonSerializer.Deserialize(data, clrType, Options)!;
        }
        catch (JsonException)
        {
            // The text may hold sealed personal data: neither it nor the parser's message goes on.
            throw new InvalidDataException($"The data of an event of type {type} cannot be read.");
        }
    }
}
