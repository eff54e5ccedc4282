using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Sloring.Client;

/// <summary>
/// The pseudonyms of one request by name: a nurse who wrote a hundred entries is computed once. Of bounded size in pooled memory, so it
/// allocates nothing; a name that finds its place and the next ones taken pushes one out, which costs time only.
/// </summary>
internal struct PseudonymCache(PatientPseudonyms pseudonyms, int entries) : IDisposable
{
    private const int Neighbours = 4;

    private readonly int _mask = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Clamp(entries * 2, 8, 1024)) - 1;
    private Known[]? _known;

    public string Of(string name)
    {
        var table = _known ??= Rent();
        var place = Place(name);
        for (var i = 0; i < Neighbours; i++)
        {
            ref var known = ref table[(place + i) & _mask];
            if (known.Name is null)
                return (known = new Known(name, pseudonyms.Of(name))).Pseudonym;
            if (known.Name == name)
                return known.Pseudonym;
        }
        return (table[place & _mask] = new Known(name, pseudonyms.Of(name))).Pseudonym;
    }

    /// <summary>Spread by both ends of the name: nothing breaks where two names meet, so a cheap hash will do.</summary>
    private static int Place(string name)
    {
        var bytes = MemoryMarshal.AsBytes(name.AsSpan());
        var mixed = bytes.Length < sizeof(ulong)
            ? (ulong)name.GetHashCode(StringComparison.Ordinal)
            : BinaryPrimitives.ReadUInt64LittleEndian(bytes) + (31 * BinaryPrimitives.ReadUInt64LittleEndian(bytes[^sizeof(ulong)..])) + (ulong)bytes.Length;
        return (int)((mixed * 0x9E37_79B9_7F4A_7C15) >> 40);
    }

    /// <summary>Names are not left behind in pooled memory.</summary>
    public void Dispose()
    {
        if (_known is null)
            return;
        Array.Clear(_known, 0, _mask + 1);
        ArrayPool<Known>.Shared.Return(_known);
        _known = null;
    }

    private readonly Known[] Rent() => ArrayPool<Known>.Shared.Rent(_mask + 1);

    private readonly record struct Known(string? Name, string Pseudonym);
}
