using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Sloring.Contracts.Edge;

/// <summary>Reads a <see cref="RawUpdate"/> in one pass.</summary>
internal ref struct RawUpdateReader(ReadOnlySpan<byte> body, int most)
{
    private readonly ReadOnlySpan<byte> _body = body;
    private readonly List<RawPatient> _patients = [];
    private readonly List<RawEntry> _entries = [];
    private Utf8JsonReader _reader = new(body, new JsonReaderOptions { MaxDepth = EdgeJson.Options.MaxDepth });
    private Remembered _cvr = Remembered.Nothing, _sorId = Remembered.Nothing, _shak = Remembered.Nothing;
    private int _count;
    private bool _isWhole = true;

    public RawUpdate Read(ReadOnlyMemory<byte> memory)
    {
        // Once for all texts: the reader itself looks only at those that are asked for.
        if (!Utf8.IsValid(_body))
            throw new JsonException();
        _reader.Read();
        var (updateId, hasEntries) = ReadEntriesOf("updateId"u8, arePatients: true);
        if (_reader.Read())
            throw new JsonException();
        return new RawUpdate(memory, updateId, _patients, _entries, _count, hasEntries && _isWhole);
    }

    private bool ReadPatients()
    {
        if (_reader.TokenType == JsonTokenType.Null)
            return false;
        EntryJson.Expect(ref _reader, JsonTokenType.StartArray);
        while (_reader.Read() && _reader.TokenType != JsonTokenType.EndArray)
        {
            if (_reader.TokenType == JsonTokenType.Null)
                _isWhole = false;
            else
                ReadPatient();
        }
        return true;
    }

    private void ReadPatient()
    {
        var first = _entries.Count;
        var (cpr, hasEntries) = ReadEntriesOf("patientCpr"u8, arePatients: false);
        _isWhole &= hasEntries;
        _patients.Add(new RawPatient(cpr, first, _entries.Count - first));
    }

    /// <summary>An object of an id and entries.</summary>
    private (string? Id, bool HasEntries) ReadEntriesOf(ReadOnlySpan<byte> id, bool arePatients)
    {
        EntryJson.Expect(ref _reader, JsonTokenType.StartObject);
        var (text, hasEntries, seen) = ((string?)null, false, 0);
        while (EntryJson.Next(ref _reader))
        {
            var field = _reader.ValueTextEquals(id) ? 0 : _reader.ValueTextEquals("entries"u8) ? 1 : throw new JsonException();
            seen = EntryJson.Once(seen, field);
            _reader.Read();
            if (field == 0)
                text = EntryJson.Text(ref _reader);
            else
                hasEntries = arePatients ? ReadPatients() : ReadEntries();
        }
        return (text, hasEntries);
    }

    private bool ReadEntries()
    {
        if (_reader.TokenType == JsonTokenType.Null)
            return false;
        EntryJson.Expect(ref _reader, JsonTokenType.StartArray);
        while (_reader.Read() && _reader.TokenType != JsonTokenType.EndArray)
        {
            if (_reader.TokenType == JsonTokenType.Null)
            {
                _isWhole = false;
                continue;
            }
            var entry = ReadEntry();
            // An update of too many is refused, and meanwhile takes no memory for them.
            if (++_count <= most)
                _entries.Add(entry);
        }
        return true;
    }

    private RawEntry ReadEntry()
    {
        EntryJson.Expect(ref _reader, JsonTokenType.StartObject);
        var entry = new RawEntry { Start = (int)_reader.TokenStartIndex, Cvr = "", SorId = "", Shak = "", IsPlain = true };
        var seen = 0;
        while (EntryJson.Next(ref _reader))
        {
            var field = EntryJson.Field(ref _reader);
            entry.IsPlain &= !_reader.ValueSpan.Contains((byte)'_');
            seen = EntryJson.Once(seen, field);
            _reader.Read();
            if (field == EntryJson.Staff)
                ReadStaff(ref entry);
            else if (_reader.TokenType == JsonTokenType.Null)
                entry.IsPlain = false;
            else
            {
                CheckText();
                switch (field)
                {
                    case EntryJson.Cvr: entry.Cvr = TextAgain(ref _cvr); break;
                    case EntryJson.SorId: entry.SorId = TextAgain(ref _sorId); break;
                    case EntryJson.Shak: entry.Shak = TextAgain(ref _shak); break;
                    case EntryJson.FreeText: entry.TextAtMost = _reader.ValueSpan.Length; break;
                }
            }
        }
        entry.End = (int)_reader.BytesConsumed;
        return entry;
    }

    private void ReadStaff(ref RawEntry entry)
    {
        if (_reader.TokenType == JsonTokenType.Null)
        {
            entry.IsPlain = false;
            return;
        }
        EntryJson.Expect(ref _reader, JsonTokenType.StartArray);
        entry.StaffStart = (int)_reader.TokenStartIndex;
        while (_reader.Read() && _reader.TokenType != JsonTokenType.EndArray)
        {
            EntryJson.Expect(ref _reader, JsonTokenType.StartObject);
            entry.Staff++;
            var seen = 0;
            while (EntryJson.Next(ref _reader))
            {
                var field = EntryJson.StaffField(ref _reader);
                entry.IsPlain &= !_reader.ValueSpan.Contains((byte)'_');
                seen = EntryJson.Once(seen, field);
                _reader.Read();
                if (_reader.TokenType == JsonTokenType.Null)
                    entry.IsPlain = false;
                else if (field == EntryJson.Masked)
                    entry.IsAnyoneMarked |= EntryJson.Flag(ref _reader);
                else
                {
                    CheckText();
                    if (field == EntryJson.Name)
                        entry.NameAtMost = Math.Max(entry.NameAtMost, _reader.ValueSpan.Length);
                }
            }
        }
        entry.StaffEnd = (int)_reader.BytesConsumed;
    }

    /// <summary>What reading the text would find: another type, and half a character written as an escape.</summary>
    private void CheckText()
    {
        EntryJson.Expect(ref _reader, JsonTokenType.String);
        if (_reader.ValueIsEscaped)
            CheckEscapes(_reader.ValueSpan);
    }

    private static void CheckEscapes(ReadOnlySpan<byte> text)
    {
        var high = false;
        for (var at = text.IndexOf((byte)'\\'); at >= 0; at = text.IndexOf((byte)'\\'))
        {
            var isUnit = text[at + 1] == (byte)'u';
            var unit = isUnit && Utf8Parser.TryParse(text.Slice(at + 2, 4), out ushort parsed, out _, 'x') ? (char)parsed : default;
            if (char.IsLowSurrogate(unit) != (high && at == 0))
                throw new JsonException();
            if (high && at > 0)
                throw new JsonException();
            high = char.IsHighSurrogate(unit);
            text = text[(at + (isUnit ? 6 : 2))..];
        }
        if (high)
            throw new JsonException();
    }

    /// <summary>The text; the same object where the entry before had the same, as most have.</summary>
    private string TextAgain(ref Remembered last)
    {
        if (_reader.ValueIsEscaped)
            return _reader.GetString()!;
        var text = _reader.ValueSpan;
        if (!text.SequenceEqual(_body.Slice(last.Start, last.Length)))
            last = new Remembered((int)_reader.TokenStartIndex + 1, text.Length, Encoding.UTF8.GetString(text));
        return last.Text;
    }

    private readonly record struct Remembered(int Start, int Length, string Text)
    {
        public static Remembered Nothing => new(0, 0, "");
    }
}
