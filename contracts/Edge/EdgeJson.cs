using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Sloring.Contracts.Effectuation.V1;

namespace Sloring.Contracts.Edge;

/// <summary>How edge messages are written and read: camelCase JSON in UTF-8; entries and findings as in protobuf's JSON mapping. An unknown field is an error.</summary>
public static class EdgeJson
{
    public static JsonSerializerOptions Options { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = 16,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
        Converters = { new EntryJson(), new FindingJson() },
    };
}

/// <summary>
/// Written by hand, field by field: protobuf's own JSON parser and formatter take several times longer than masking the entry does.
/// A test holds the two against each other.
/// </summary>
internal sealed class EntryJson : JsonConverter<Entry>
{
    internal const int Id = 0, Source = 1, Cvr = 2, SorId = 3, Shak = 4, Staff = 8, FreeText = 9;
    internal const int Role = 0, Name = 1, ProfessionCode = 6, Masked = 9;
    internal const int All = -1;

    public override Entry Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Read(ref reader, All, All);

    public override void Write(Utf8JsonWriter writer, Entry value, JsonSerializerOptions options) => Write(writer, value);

    /// <summary>An entry; of one that has been checked before, perhaps some fields alone: bit n is field n.</summary>
    internal static Entry Read(ref Utf8JsonReader reader, int fields, int staffFields)
    {
        Expect(ref reader, JsonTokenType.StartObject);
        var (entry, seen) = (new Entry(), 0);
        while (Next(ref reader))
        {
            var field = Field(ref reader);
            seen = Once(seen, field);
            reader.Read();
            if (field == Staff)
                ReadStaff(ref reader, entry, staffFields);
            else if ((fields & (1 << field)) != 0 && Text(ref reader) is { } text)
                Set(entry, field, text);
        }
        return entry;
    }

    internal static void Write(Utf8JsonWriter writer, Entry value)
    {
        writer.WriteStartObject();
        Write(writer, "id"u8, value.Id);
        Write(writer, "source"u8, value.Source);
        Write(writer, "cvr"u8, value.Cvr);
        Write(writer, "sorId"u8, value.SorId);
        Write(writer, "shak"u8, value.Shak);
        Write(writer, "organisationName"u8, value.OrganisationName);
        Write(writer, "occurredAt"u8, value.OccurredAt);
        Write(writer, "activity"u8, value.Activity);
        if (value.Staff.Count > 0)
        {
            writer.WritePropertyName("staff"u8);
            WriteStaff(writer, value);
        }
        Write(writer, "text"u8, value.Text);
        writer.WriteEndObject();
    }

    internal static void WriteStaff(Utf8JsonWriter writer, Entry value)
    {
        writer.WriteStartArray();
        for (var i = 0; i < value.Staff.Count; i++)
            Write(writer, value.Staff[i]);
        writer.WriteEndArray();
    }

    /// <summary>By the name's length first: comparing with one name after the other would cost more than all else here.</summary>
    internal static int Field(ref Utf8JsonReader reader) => reader.ValueSpan.Length switch
    {
        2 when reader.ValueTextEquals("id"u8) => 0,
        3 when reader.ValueTextEquals("cvr"u8) => 2,
        4 when reader.ValueTextEquals("text"u8) => 9,
        4 when reader.ValueTextEquals("shak"u8) => 4,
        5 when reader.ValueTextEquals("staff"u8) => 8,
        5 when reader.ValueTextEquals("sorId"u8) => 3,
        6 when reader.ValueTextEquals("source"u8) => 1,
        6 when reader.ValueTextEquals("sor_id"u8) => 3,
        8 when reader.ValueTextEquals("activity"u8) => 7,
        10 when reader.ValueTextEquals("occurredAt"u8) => 6,
        11 when reader.ValueTextEquals("occurred_at"u8) => 6,
        16 when reader.ValueTextEquals("organisationName"u8) => 5,
        17 when reader.ValueTextEquals("organisation_name"u8) => 5,
        _ => throw new JsonException(),
    };

    private static void Set(Entry entry, int field, string text)
    {
        switch (field)
        {
            case 0: entry.Id = text; break;
            case 1: entry.Source = text; break;
            case 2: entry.Cvr = text; break;
            case 3: entry.SorId = text; break;
            case 4: entry.Shak = text; break;
            case 5: entry.OrganisationName = text; break;
            case 6: entry.OccurredAt = text; break;
            case 7: entry.Activity = text; break;
            default: entry.Text = text; break;
        }
    }

    private static void ReadStaff(ref Utf8JsonReader reader, Entry entry, int fields)
    {
        if (reader.TokenType == JsonTokenType.Null)
            return;
        Expect(ref reader, JsonTokenType.StartArray);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            Expect(ref reader, JsonTokenType.StartObject);
            var (staff, seen) = (new Staff(), 0);
            while (Next(ref reader))
            {
                var field = StaffField(ref reader);
                seen = Once(seen, field);
                reader.Read();
                if (field == Masked)
                    staff.Masked = Flag(ref reader);
                else if ((fields & (1 << field)) != 0 && Text(ref reader) is { } text)
                    Set(staff, field, text);
            }
            entry.Staff.Add(staff);
        }
    }

    internal static int StaffField(ref Utf8JsonReader reader) => reader.ValueSpan.Length switch
    {
        3 when reader.ValueTextEquals("cpr"u8) => 2,
        4 when reader.ValueTextEquals("name"u8) => 1,
        4 when reader.ValueTextEquals("role"u8) => 0,
        5 when reader.ValueTextEquals("email"u8) => 5,
        6 when reader.ValueTextEquals("userId"u8) => 4,
        6 when reader.ValueTextEquals("masked"u8) => 9,
        7 when reader.ValueTextEquals("user_id"u8) => 4,
        9 when reader.ValueTextEquals("pseudonym"u8) => 8,
        10 when reader.ValueTextEquals("profession"u8) => 7,
        14 when reader.ValueTextEquals("professionCode"u8) => 6,
        15 when reader.ValueTextEquals("profession_code"u8) => 6,
        15 when reader.ValueTextEquals("authorisationId"u8) => 3,
        16 when reader.ValueTextEquals("authorisation_id"u8) => 3,
        _ => throw new JsonException(),
    };

    private static void Set(Staff staff, int field, string text)
    {
        switch (field)
        {
            case 0: staff.Role = text; break;
            case 1: staff.Name = text; break;
            case 2: staff.Cpr = text; break;
            case 3: staff.AuthorisationId = text; break;
            case 4: staff.UserId = text; break;
            case 5: staff.Email = text; break;
            case 6: staff.ProfessionCode = text; break;
            case 7: staff.Profession = text; break;
            default: staff.Pseudonym = text; break;
        }
    }

    private static void Write(Utf8JsonWriter writer, Staff staff)
    {
        writer.WriteStartObject();
        Write(writer, "role"u8, staff.Role);
        Write(writer, "name"u8, staff.Name);
        Write(writer, "cpr"u8, staff.Cpr);
        Write(writer, "authorisationId"u8, staff.AuthorisationId);
        Write(writer, "userId"u8, staff.UserId);
        Write(writer, "email"u8, staff.Email);
        Write(writer, "professionCode"u8, staff.ProfessionCode);
        Write(writer, "profession"u8, staff.Profession);
        Write(writer, "pseudonym"u8, staff.Pseudonym);
        if (staff.Masked)
            writer.WriteBoolean("masked"u8, true);
        writer.WriteEndObject();
    }

    internal static void Write(Utf8JsonWriter writer, ReadOnlySpan<byte> name, string text)
    {
        if (text.Length > 0)
            writer.WriteString(name, text);
    }

    internal static void Expect(ref Utf8JsonReader reader, JsonTokenType type)
    {
        if (reader.TokenType != type)
            throw new JsonException();
    }

    /// <summary>True on the next field's name, false at the object's end.</summary>
    internal static bool Next(ref Utf8JsonReader reader) => reader.Read() && reader.TokenType != JsonTokenType.EndObject;

    internal static int Once(int seen, int field) => (seen & (1 << field)) == 0 ? seen | (1 << field) : throw new JsonException();

    /// <summary>A text; null where the field is null, which is the same as absent.</summary>
    internal static string? Text(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.String => reader.GetString(),
        JsonTokenType.Null => null,
        _ => throw new JsonException(),
    };

    internal static bool Flag(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.True => true,
        JsonTokenType.False or JsonTokenType.Null => false,
        _ => throw new JsonException(),
    };
}

internal sealed class FindingJson : JsonConverter<Finding>
{
    private static readonly Dictionary<FindingKind, string> Words = EffectuationReflection.Descriptor.EnumTypes.Single(e => e.ClrType == typeof(FindingKind)).Values
        .ToDictionary(value => (FindingKind)value.Number, value => value.Name);

    private static readonly Dictionary<string, FindingKind> Kinds = Words.ToDictionary(pair => pair.Value, pair => pair.Key);

    public override Finding Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        EntryJson.Expect(ref reader, JsonTokenType.StartObject);
        var (finding, seen) = (new Finding(), 0);
        while (EntryJson.Next(ref reader))
        {
            var field = reader.ValueTextEquals("entryId"u8) || reader.ValueTextEquals("entry_id"u8) ? 0
                : reader.ValueTextEquals("source"u8) ? 1
                : reader.ValueTextEquals("kind"u8) ? 2
                : throw new JsonException();
            seen = EntryJson.Once(seen, field);
            reader.Read();
            if (EntryJson.Text(ref reader) is not { } text)
                continue;
            if (field == 0)
                finding.EntryId = text;
            else if (field == 1)
                finding.Source = text;
            else
                finding.Kind = Kinds.TryGetValue(text, out var kind) ? kind : throw new JsonException();
        }
        return finding;
    }

    public override void Write(Utf8JsonWriter writer, Finding value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        EntryJson.Write(writer, "entryId"u8, value.EntryId);
        EntryJson.Write(writer, "source"u8, value.Source);
        if (Words.TryGetValue(value.Kind, out var kind))
            writer.WriteString("kind"u8, kind);
        writer.WriteEndObject();
    }
}
