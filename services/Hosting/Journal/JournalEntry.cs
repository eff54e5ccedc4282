using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Sloring.Hosting;

/// <summary>One entry of a service's append-only journal. Its hash covers everything in it and the hash before it.</summary>
public sealed class JournalEntry
{
    /// <summary>Gap-free, from 1, in commit order.</summary>
    public required long Position { get; init; }

    public required Guid EventId { get; init; }

    /// <summary>The event's wire name.</summary>
    public required string Type { get; init; }

    public required string Subject { get; init; }

    /// <summary>Keyed hash of the patient, or empty.</summary>
    public required string PatientKey { get; init; }

    public required DateTimeOffset OccurredAt { get; init; }

    /// <summary>Person id or client id.</summary>
    public required string Actor { get; init; }

    /// <summary>The event as JSON; personal data in it is sealed.</summary>
    public required string Data { get; init; }

    /// <summary>W3C trace context of the cause, or empty.</summary>
    public required string TraceParent { get; init; }

    public byte[] Hash { get; set; } = [];

    /// <summary>The hash that this entry must have after <paramref name="previous"/> (32 bytes; zeros for the first).</summary>
    public byte[] HashAfter(ReadOnlySpan<byte> previous)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> numbers = stackalloc byte[32];
        BinaryPrimitives.WriteInt64BigEndian(numbers, Position);
        EventId.TryWriteBytes(numbers[8..], bigEndian: true, out _);
        BinaryPrimitives.WriteInt64BigEndian(numbers[24..], OccurredAt.ToUnixTimeMilliseconds());
        sha.AppendData(previous);
        sha.AppendData(numbers);
        foreach (var text in (ReadOnlySpan<string>)[Type, Subject, PatientKey, Actor, Data, TraceParent])
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            BinaryPrimitives.WriteInt32BigEndian(numbers, bytes.Length);
            sha.AppendData(numbers[..4]);
            sha.AppendData(bytes);
        }
        return sha.GetHashAndReset();
    }
}
