// Headers and trailers as the application sees them: lower-case keys in order of arrival, text or (key ends in "-bin") bytes.
using System.Collections;
using System.Text;

namespace Grpc.Core;

public sealed class Metadata : IList<Metadata.Entry>
{
    public const string BinaryHeaderSuffix = "-bin";

    public static readonly Metadata Empty = new(new List<Entry>().AsReadOnly());

    private readonly IList<Entry> entries;

    public Metadata() : this(new List<Entry>())
    {
    }

    private Metadata(IList<Entry> entries) => this.entries = entries;

    public int Count => entries.Count;
    public bool IsReadOnly => entries.IsReadOnly;

    public Entry this[int index]
    {
        get => entries[index];
        set => entries[index] = value ?? throw new ArgumentNullException(nameof(value));
    }

    /// <summary>The last entry with this key: what an application means when a proxy has added to the list.</summary>
    public Entry? Get(string key)
    {
        for (var i = entries.Count - 1; i >= 0; i--)
            if (string.Equals(entries[i].Key, key, StringComparison.OrdinalIgnoreCase))
                return entries[i];
        return null;
    }

    public string? GetValue(string key) => Get(key)?.Value;

    public byte[]? GetValueBytes(string key) => Get(key)?.ValueBytes;

    public IEnumerable<Entry> GetAll(string key) => entries.Where(e => string.Equals(e.Key, key, StringComparison.OrdinalIgnoreCase));

    public void Add(Entry item) => entries.Add(item ?? throw new ArgumentNullException(nameof(item)));
    public void Add(string key, string value) => Add(new Entry(key, value));
    public void Add(string key, byte[] valueBytes) => Add(new Entry(key, valueBytes));
    public void Insert(int index, Entry item) => entries.Insert(index, item);
    public void RemoveAt(int index) => entries.RemoveAt(index);
    public bool Remove(Entry item) => entries.Remove(item);
    public void Clear() => entries.Clear();
    public bool Contains(Entry item) => entries.Contains(item);
    public int IndexOf(Entry item) => entries.IndexOf(item);
    public void CopyTo(Entry[] array, int arrayIndex) => entries.CopyTo(array, arrayIndex);
    public IEnumerator<Entry> GetEnumerator() => entries.GetEnumerator();
    IEnumerator IEnumerable.GetEnumerator() => entries.GetEnumerator();

    public class Entry
    {
        private readonly string? text;
        private readonly byte[]? bytes;

        public Entry(string key, string value)
        {
            Key = Normalize(key);
            if (IsBinary)
                throw new ArgumentException($"The key '{key}' ends in -bin: its value is bytes.", nameof(key));
            text = value ?? throw new ArgumentNullException(nameof(value));
        }

        public Entry(string key, byte[] valueBytes)
        {
            Key = Normalize(key);
            if (!IsBinary)
                throw new ArgumentException($"The key '{key}' must end in -bin for its value to be bytes.", nameof(key));
            bytes = [.. valueBytes ?? throw new ArgumentNullException(nameof(valueBytes))];
        }

        public string Key { get; }
        public bool IsBinary => Key.EndsWith(BinaryHeaderSuffix, StringComparison.Ordinal);
        public byte[] ValueBytes => bytes is null ? Encoding.ASCII.GetBytes(text!) : [.. bytes];
        public string Value => text ?? throw new InvalidOperationException("Cannot read the text of a binary metadata entry.");

        internal ReadOnlySpan<byte> RawBytes => bytes;

        public override string ToString() => IsBinary ? $"[Entry: key={Key}, {bytes!.Length} bytes]" : $"[Entry: key={Key}, value={text}]";

        private static string Normalize(string key)
        {
            ArgumentException.ThrowIfNullOrEmpty(key);
            var upper = false;
            foreach (var c in key)
            {
                if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.'))
                    throw new ArgumentException($"Metadata key '{key}' may hold letters, digits, '-', '_' and '.' only.", nameof(key));
                upper |= char.IsAsciiLetterUpper(c);
            }
            return upper ? key.ToLowerInvariant() : key;
        }
    }
}
