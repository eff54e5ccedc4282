using System.Buffers.Binary;

namespace Sloring.Hosting;

/// <summary>
/// RabbitMQ's direct reply-to. The broker writes such an address for a sender that asks for it, but passes on one that the sender wrote itself; publishing to one
/// that it cannot decode ends our whole connection (541), and so again at each redelivery. An address of any other kind would have us write into others' queues.
/// </summary>
internal static class DirectReply
{
    private const string Prefix = "amq.rabbitmq.reply-to.";
    private const byte ExternalTerm = 131, NewProcess = 88, Atom = 118, SmallAtom = 119;
    private const int Serials = 12, Key = 16;

    /// <summary>Whether an address has the form that the broker writes: an Erlang process of a node named <c>reply@</c> and a number, and a random key.</summary>
    public static bool Is(string? replyTo)
    {
        if (replyTo?.StartsWith(Prefix, StringComparison.Ordinal) != true || replyTo.Length > 200)
            return false;
        var parts = replyTo[Prefix.Length..].Split('.');
        Span<byte> process = stackalloc byte[128];
        Span<byte> key = stackalloc byte[32];
        return parts.Length == 2
            && Convert.TryFromBase64String(parts[0], process, out var length) && IsProcess(process[..length])
            && Convert.TryFromBase64String(parts[1], key, out var keyLength) && keyLength == Key;
    }

    private static bool IsProcess(ReadOnlySpan<byte> term)
    {
        if (term.Length < 5 || term[0] != ExternalTerm || term[1] != NewProcess)
            return false;
        var (start, length) = term[2] switch
        {
            Atom => (5, BinaryPrimitives.ReadUInt16BigEndian(term[3..])),
            SmallAtom => (4, term[3]),
            _ => (0, 0),
        };
        if (start == 0 || term.Length != start + length + Serials)
            return false;
        var node = term.Slice(start, length);
        return node.StartsWith("reply@"u8) && node.Length is > 6 and <= 16 && !node[6..].ContainsAnyExceptInRange((byte)'0', (byte)'9');
    }
}
