using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using Sloring.Contracts.Effectuation.V1;

namespace Sloring.Contracts.Edge;

/// <summary>A body that writes itself, for a message whose objects would cost more than all else that is done with it.</summary>
public interface IRawBody
{
    /// <summary>Name of the record that it is written as.</summary>
    string Name { get; }

    /// <summary>Writes the JSON, in UTF-8.</summary>
    void Write(IBufferWriter<byte> to);
}

/// <summary>
/// A <see cref="DataSourceUpdate"/> where it stands in its message: checked throughout, yet of its entries only what decides whether they are masked is made
/// into texts. Most entries leave as they came, byte for byte.
/// </summary>
public sealed class RawUpdate
{
    private readonly ReadOnlyMemory<byte> _body;
    private readonly List<RawPatient> _patients;
    private readonly List<RawEntry> _entries;

    internal RawUpdate(ReadOnlyMemory<byte> body, string? updateId, List<RawPatient> patients, List<RawEntry> entries, int count, bool isWhole) =>
        (_body, UpdateId, _patients, _entries, Count, IsWhole) = (body, updateId, patients, entries, count, isWhole);

    /// <summary>The source's id of this update; null where it is missing.</summary>
    public string? UpdateId { get; }

    /// <summary>False where a list, a patient or an entry is null or missing.</summary>
    public bool IsWhole { get; }

    /// <summary>How many entries there are, of all patients; more than were asked for are counted only.</summary>
    public int Count { get; }

    /// <summary>Patients in order.</summary>
    public IReadOnlyList<RawPatient> Patients => _patients;

    /// <summary>Reads a message.</summary>
    /// <param name="body">Its bytes, which must stay as they are.</param>
    /// <param name="most">Entries kept at most.</param>
    /// <exception cref="JsonException">Not JSON, not such a message, a field unknown or twice.</exception>
    /// <exception cref="InvalidOperationException">A text that is none.</exception>
    public static RawUpdate Read(ReadOnlyMemory<byte> body, int most) => new RawUpdateReader(body.Span, most).Read(body);

    /// <summary>A patient's entries.</summary>
    public ReadOnlySpan<RawEntry> EntriesOf(RawPatient patient) => CollectionsMarshal.AsSpan(_entries).Slice(patient.First, patient.Count);

    /// <summary>An entry with all its fields.</summary>
    public Entry Whole(in RawEntry entry) => Read(entry, EntryJson.All, EntryJson.All);

    /// <summary>An entry with the fields that masking looks at; the others stay where they are.</summary>
    public Entry Judged(in RawEntry entry)
    {
        // Of somebody masked before all fields matter: any may still name him.
        if (!entry.IsPlain || entry.IsAnyoneMarked)
            return Whole(entry);
        var judged = Read(
            entry, (1 << EntryJson.Id) | (1 << EntryJson.Source) | (1 << EntryJson.FreeText), (1 << EntryJson.Role) | (1 << EntryJson.Name) | (1 << EntryJson.ProfessionCode));
        (judged.Cvr, judged.SorId, judged.Shak) = (entry.Cvr, entry.SorId, entry.Shak);
        return judged;
    }

    internal ReadOnlySpan<byte> Bytes(int start, int end) => _body.Span[start..end];

    private Entry Read(in RawEntry entry, int fields, int staffFields)
    {
        var reader = new Utf8JsonReader(Bytes(entry.Start, entry.End));
        reader.Read();
        return EntryJson.Read(ref reader, fields, staffFields);
    }
}

/// <summary>A patient of an update.</summary>
/// <param name="Cpr">The CPR number as sent; null where it is missing.</param>
/// <param name="First">Place of the first entry.</param>
/// <param name="Count">How many entries.</param>
public readonly record struct RawPatient(string? Cpr, int First, int Count);

/// <summary>An entry of an update: where it stands, and what decides.</summary>
public struct RawEntry
{
    internal int Start, End, StaffStart, StaffEnd;

    /// <summary>CVR number, or "".</summary>
    public string Cvr { get; internal set; }

    /// <summary>SOR id, or "".</summary>
    public string SorId { get; internal set; }

    /// <summary>SHAK code, or "".</summary>
    public string Shak { get; internal set; }

    /// <summary>People.</summary>
    public int Staff { get; internal set; }

    /// <summary>At least as many as the longest name has characters.</summary>
    public int NameAtMost { get; internal set; }

    /// <summary>At least as many as the text has characters.</summary>
    public int TextAtMost { get; internal set; }

    /// <summary>Somebody is marked as masked.</summary>
    public bool IsAnyoneMarked { get; internal set; }

    /// <summary>Written as the platform writes: no null, no name in protobuf's other form.</summary>
    internal bool IsPlain { get; set; }
}

/// <summary>A <see cref="MaskedUpdate"/> of which what is not masked is copied from the update.</summary>
public sealed class RawMaskedUpdate(RawUpdate update) : IRawBody
{
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private readonly List<(RawPatient Patient, Entry?[]? Masked)> _patients = new(update.Patients.Count);
    private readonly List<Finding> _findings = [];

    public string Name => nameof(MaskedUpdate);

    /// <summary>What the citizen is told; null where nothing was masked.</summary>
    public Explanation? Explanation { get; set; }

    /// <summary>Journal position of the oldest picture that decided.</summary>
    public long Position { get; private set; }

    /// <summary>Adds a patient.</summary>
    /// <param name="patient">The next one of the update.</param>
    /// <param name="masked">By the entry's place: the masked entry, of which the staff counts, and null where it leaves as it came. Null where all do.</param>
    /// <param name="position">Journal position of the picture that decided.</param>
    /// <param name="findings">Findings on this patient's entries.</param>
    public void Add(RawPatient patient, Entry?[]? masked, long position, IEnumerable<Finding> findings)
    {
        Position = _patients.Count == 0 ? position : Math.Min(Position, position);
        _patients.Add((patient, masked));
        _findings.AddRange(findings);
    }

    public void Write(IBufferWriter<byte> to)
    {
        using var writer = new Utf8JsonWriter(to, Writing);
        to.Write("{\"updateId\":"u8);
        WriteValue(writer, update.UpdateId);
        to.Write(",\"entries\":["u8);
        for (var i = 0; i < _patients.Count; i++)
        {
            to.Write(i == 0 ? "{\"patientCpr\":"u8 : ",{\"patientCpr\":"u8);
            WriteValue(writer, _patients[i].Patient.Cpr);
            to.Write(",\"entries\":["u8);
            WriteEntries(to, writer, update.EntriesOf(_patients[i].Patient), _patients[i].Masked);
            to.Write("]}"u8);
        }
        to.Write("],\"findings\":"u8);
        WriteValue(writer, _findings);
        if (Explanation is { } told)
        {
            to.Write(",\"explanation\":"u8);
            WriteValue(writer, new EdgeExplanation(told.Da, told.En, told.Link));
        }
        to.Write(",\"position\":"u8);
        WriteValue(writer, Position);
        to.Write("}"u8);
    }

    private void WriteEntries(IBufferWriter<byte> to, Utf8JsonWriter writer, ReadOnlySpan<RawEntry> entries, Entry?[]? masked)
    {
        // Neighbours that leave as they came are copied in one, with what stands between them.
        var first = 0;
        for (var i = 0; i <= entries.Length; i++)
        {
            if (i < entries.Length && masked?[i] is null && entries[i].IsPlain)
                continue;
            if (i > first)
                Copy(entries[first].Start, entries[i - 1].End, first > 0);
            if (i < entries.Length)
                WriteEntry(entries[i], masked?[i], i > 0);
            first = i + 1;
        }

        void Copy(int start, int end, bool comma)
        {
            if (comma)
                to.Write(","u8);
            to.Write(update.Bytes(start, end));
        }

        void WriteEntry(in RawEntry entry, Entry? masked, bool comma)
        {
            writer.Reset();
            if (!entry.IsPlain)
            {
                if (comma)
                    to.Write(","u8);
                EntryJson.Write(writer, masked ?? update.Whole(entry));
                writer.Flush();
                return;
            }
            Copy(entry.Start, entry.StaffStart, comma);
            EntryJson.WriteStaff(writer, masked!);
            writer.Flush();
            Copy(entry.StaffEnd, entry.End, false);
        }
    }

    private static void WriteValue<T>(Utf8JsonWriter writer, T value)
    {
        writer.Reset();
        JsonSerializer.Serialize(writer, value, EdgeJson.Options);
        writer.Flush();
    }
}
