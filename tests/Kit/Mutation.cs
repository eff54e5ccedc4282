using System.Text;

namespace Sloring.Tests;

/// <summary>Makes wrong input of right input.</summary>
public static class Mutation
{
    /// <summary>Texts that have broken readers before.</summary>
    public static IReadOnlyList<string> Odd { get; } =
    [
        "", " ", "\0", "\u0007", "\u001f", "\u007f", "\u0085", "\u00a0", "\u2028", "\u202e", "\ufeff", "\ufffd", "\uffff", "\ud83d", "\ude00", "\ud83d\ude00", "e\u0301", "æøå", "İ", "ß", "٢٥١٢٤٨٩٩٩٦", "null", "true", "NaN", "{}", "[]",
        "{", "}", "[", "]", "\"", "\\", "\\u", "\\ud800", "\\u0000", "'", "`", "<a>", "-1", "-0", "0", "0x10", "+1", "1.5", "1e999", "2147483648", "9223372036854775807", "-9223372036854775808", "99999999999999999999", "none",
        "%00", "%", "%s", "&", "=", ":", ";", "|", ",", "-", "_", ".", "..", "...", "/", "../../etc/passwd", "a.b.c", "a.b.c.d.e", "eyJhbGciOiJub25lIn0.e30.", "A", "AA==", "' OR 1=1 --", "$(id)", "{\"alg\":\"none\"}", "{\"exp\":1e400}",
        "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}}}}", "{\"sub\":\"\\ud800\"}", "{\"sub\":1,\"sub\":2}", "urn:ietf:params:oauth:grant-type:token-exchange", "7101901234", "710190-1234", "2902000000", "0001-01-01", "9999-12-31",
        "2025-02-30", "2025-13", "0000-00-00T00:00:00Z", "9999-12-31T23:59:59.9999999Z", "0001-01-01T00:00:00+14:00", "00000000-0000-0000-0000-000000000000", "29190623", "1000111000016001",
    ];

    public static T Pick<T>(this Random random, IReadOnlyList<T> all) => all[random.Next(all.Count)];

    /// <summary>Bytes of no meaning.</summary>
    public static byte[] Noise(this Random random, int most)
    {
        var noise = new byte[random.Next(most + 1)];
        random.NextBytes(noise);
        return noise;
    }

    /// <summary>Text of no meaning: any UTF-16, half characters too.</summary>
    public static string NoiseText(this Random random, int most) => string.Concat(Enumerable.Range(0, random.Next(most + 1)).Select(_ => (char)(random.Next(3) == 0 ? random.Next(0x10000) : random.Next(0x80))));

    /// <summary>With one to three changes: a bit, a piece taken out, written twice, cut off, put in, or put for another; sometimes noise.</summary>
    public static byte[] Mutated(this Random random, byte[] good, IReadOnlyList<string> pieces)
    {
        if (random.Next(20) == 0)
            return random.Noise(400);
        var bytes = good.ToList();
        for (var times = 1 + random.Next(3); times > 0 && bytes.Count > 0; times--)
        {
            var at = random.Next(bytes.Count);
            var length = Math.Min(random.Next(1, random.Next(2) == 0 ? 4 : 200), bytes.Count - at);
            switch (random.Next(8))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes.RemoveRange(at, length);
                    break;
                case 3:
                    bytes.InsertRange(random.Next(bytes.Count), bytes.GetRange(at, length));
                    break;
                case 4:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 5:
                    bytes = [.. Replaced(bytes.ToArray(), Encoding.UTF8.GetBytes(random.Pick(pieces)), Encoding.UTF8.GetBytes(random.Pick(pieces)), at)];
                    break;
                default:
                    bytes.InsertRange(at, Encoding.UTF8.GetBytes(random.Pick(pieces)));
                    break;
            }
        }
        return [.. bytes];
    }

    /// <summary>The same for a text.</summary>
    public static string Mutated(this Random random, string good)
    {
        if (random.Next(20) == 0)
            return random.NoiseText(40);
        var text = new StringBuilder(good);
        for (var changes = 1 + random.Next(3); changes > 0; changes--)
        {
            var at = random.Next(text.Length + 1);
            switch (random.Next(6))
            {
                case 0 when at < text.Length:
                    text[at] = (char)random.Next(1, 0x250);
                    break;
                case 1 when at < text.Length:
                    text[at] = (char)(text[at] ^ (1 << random.Next(7)));
                    break;
                case 2 when at < text.Length:
                    text.Remove(at, Math.Min(text.Length - at, 1 + random.Next(8)));
                    break;
                case 3:
                    text.Insert(at, random.Pick(Odd));
                    break;
                case 4:
                    text.Length = at;
                    break;
                default:
                    text.Insert(at, text.ToString(0, Math.Min(at, 40)));
                    break;
            }
        }
        return text.ToString();
    }

    private static byte[] Replaced(byte[] bytes, byte[] piece, byte[] other, int from)
    {
        var at = piece.Length == 0 ? -1 : bytes.AsSpan(from).IndexOf(piece);
        return at < 0 ? bytes : [.. bytes[..(from + at)], .. other, .. bytes[(from + at + piece.Length)..]];
    }
}
