using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Sloring.Contracts;

namespace Sloring.Tests;

/// <summary>
/// Finds CPR numbers and names of people in what programs wrote, in the forms that programs write text in: plain, as an address, a form, JSON or XML has it, as a list of
/// bytes, in base64 and in hex. A CPR number is known by its form, whoever made it.
/// </summary>
public static partial class PersonalText
{
    /// <summary>A longer run of digits is an instant or a number of a register; of one a little longer, a neighbour's digit may be part.</summary>
    private const int Digits = 10, LongestRun = 12;

    /// <summary>2026 to 2032 in seconds, as a token's end and a broker's timestamp have it: those ten digits may be an instant. No test person is born on an 18th or 19th.</summary>
    private const long FirstInstant = 1_767_225_600, LastInstant = 1_987_000_000;

    private static readonly SearchValues<string> Names = SearchValues.Create([.. People.Names.SelectMany(Forms)], StringComparison.OrdinalIgnoreCase);

    /// <summary>What of a line or a cell is personal, with digits blotted out around a number; null when nothing is.</summary>
    /// <param name="text">A line, a cell, or a whole file.</param>
    /// <param name="packed">
    /// Texts lie in it without anything between them, as in a database's file, where neighbours make numbers that nobody wrote: ten digits are one if a test has given it, wherever they stand.
    /// </param>
    public static string? Finding(string text, bool packed = false)
    {
        text = Plain(text);
        if (text.AsSpan().ContainsAny(Names))
            return "a name";
        if ((packed ? Given(text) : Cpr(text)) is { } at)
            return "a CPR number, as in: " + Digit().Replace(text[Math.Max(0, at - 200)..Math.Min(text.Length, at + 100)], "0");
        return ByteList().Matches(text).Any(list => Hidden(Bytes(list.Value))) ? "a CPR number or a name, as a list of bytes"
            : HexDigits().Matches(text).Any(hex => Hidden(Convert.FromHexString(hex.Value))) ? "a CPR number, in hex"
            : Base64Digits().Matches(text).Any(digits => Hidden(Decoded(text, digits.Index))) ? "a CPR number, in base64"
            : null;

        static bool Hidden(byte[] bytes) => Encoding.UTF8.GetString(bytes) is var hidden && (Cpr(hidden) is not null || hidden.AsSpan().ContainsAny(Names));
    }

    /// <summary>Where a number stands that is one by its form.</summary>
    private static int? Cpr(string text)
    {
        foreach (var match in CprLike().EnumerateMatches(text))
        {
            var digits = text.AsSpan(match.Index, match.Length) is var found && found.Length == Digits ? found.ToString() : string.Concat(found[..6], found[^4..]);
            if (People.WasGiven(digits) || (CprNumber.TryParse(digits, out _) && long.Parse(digits, CultureInfo.InvariantCulture) is < FirstInstant or > LastInstant))
                return match.Index;
        }
        return null;
    }

    /// <summary>Where a number stands that a test of this process has given to somebody.</summary>
    private static int? Given(string text)
    {
        foreach (var run in DigitRun().EnumerateMatches(text))
        {
            for (var at = run.Index; run.Length <= LongestRun && at + Digits <= run.Index + run.Length; at++)
            {
                if (People.WasGiven(text.Substring(at, Digits)))
                    return at;
            }
        }
        return null;
    }

    /// <summary>As whoever wrote it meant it: an escaped quote or space is no letter or digit before a number.</summary>
    private static string Plain(string text)
    {
        // A line's end within a certificate's base64 cuts its dates to ten digits.
        if (text.Contains("-----BEGIN ", StringComparison.Ordinal))
            text = text.ReplaceLineEndings("");
        // Twice: a text in JSON may be JSON itself.
        for (var i = 0; i < 2; i++)
        {
            if (text.Contains('%', StringComparison.Ordinal))
                text = Uri.UnescapeDataString(text);
            if (text.Contains('\\', StringComparison.Ordinal))
            {
                text = Octal().Replace(text, escaped => Encoding.UTF8.GetString([.. escaped.Value.Split('\\', StringSplitOptions.RemoveEmptyEntries).Select(octal => Convert.ToByte(octal, 8))]));
                text = Escape().Replace(text, escape => escape.Groups["code"].Value is { Length: > 0 } code ? ((char)int.Parse(code, NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToString()
                    : escape.Value[1] is '"' or '\\' or '/' ? escape.Value[1..] : " ");
            }
            if (text.Contains('&', StringComparison.Ordinal))
                text = WebUtility.HtmlDecode(text);
        }
        return text;
    }

    /// <summary>A name as a form has it, and as base64 and hex have it wherever in the bytes it begins.</summary>
    private static IEnumerable<string> Forms(string name)
    {
        yield return name;
        yield return name.Replace(' ', '+');
        yield return name.Replace(' ', '_');
        var bytes = Encoding.UTF8.GetBytes(name);
        yield return Convert.ToHexString(bytes);
        for (var before = 0; before < 3; before++)
        {
            var encoded = Convert.ToBase64String([.. new byte[before], .. bytes]).TrimEnd('=');
            // The first and the last character are made of the neighbours' bits too.
            encoded = encoded[(before == 0 ? 0 : before + 1)..^((before + bytes.Length) % 3 == 0 ? 0 : 1)];
            yield return encoded;
            if (encoded.AsSpan().ContainsAny('+', '/'))
                yield return encoded.Replace('+', '-').Replace('/', '_');
        }
    }

    private static byte[] Bytes(string list) => [.. list.Split(',').Select(number => byte.TryParse(number, CultureInfo.InvariantCulture, out var one) ? one : (byte)' ')];

    /// <summary>What stands in base64 around a place that is the first of four characters.</summary>
    private static byte[] Decoded(string text, int at)
    {
        var (from, to) = (at, at);
        while (from >= 4 && at - from < 64 && text.AsSpan(from - 4, 4).ContainsAnyExcept(Base64Characters) is false)
            from -= 4;
        while (to + 4 <= text.Length && to - at < 64 && text.AsSpan(to, 4).ContainsAnyExcept(Base64Characters) is false)
            to += 4;
        // What is left of a text that ends here: no digit of it may be missed, and what is put behind it is none.
        var rest = text.AsSpan(to);
        rest = rest[..Math.Min(3, rest.IndexOfAnyExcept(Base64Characters) is var end and >= 0 ? end : rest.Length)];
        return Base64Url.DecodeFromChars(string.Concat(text.AsSpan(from, to - from), rest, "AAA".AsSpan(0, (4 - rest.Length) % 4)).Replace('+', '-').Replace('/', '_'));
    }

    private static readonly SearchValues<char> Base64Characters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_");

    [GeneratedRegex("[0-9]")]
    private static partial Regex Digit();

    [GeneratedRegex("[0-9]{10,}")]
    private static partial Regex DigitRun();

    /// <summary>Ten digits, or six and four, that are no part of a longer number, of a hex text or of a decimal fraction. After a dot only behind what may be a CVR number, as a routing key has it.</summary>
    [GeneratedRegex(@"(?<![0-9])(?<!(?<![0-9A-Za-z])(?:0?[xX])?[0-9A-Fa-f]+)(?:(?<![0-9]\.)|(?<=(?<![0-9.])[0-9]{8}\.))[0-9]{6}[- ]?[0-9]{4}(?![0-9])(?![0-9A-Fa-f]+(?![0-9A-Za-z]))(?!\.[0-9]{1,7}(?![0-9])|\.[0-9]{9})")]
    private static partial Regex CprLike();

    /// <summary>Ten digits of ASCII or more.</summary>
    [GeneratedRegex("(?:3[0-9]){6}(?:2[Dd])?(?:3[0-9]){4,}")]
    private static partial Regex HexDigits();

    /// <summary>Ten digits hold six in a row that base64 has in two groups of four characters, wherever they begin.</summary>
    [GeneratedRegex("(?:[MNO][DTjz][AEIMQUYcgk][w-z0-5]){2}")]
    private static partial Regex Base64Digits();

    /// <summary>Ten bytes or more, as Erlang and debuggers write them.</summary>
    [GeneratedRegex(@"[0-9]{1,3}(?:, ?[0-9]{1,3}){9,}")]
    private static partial Regex ByteList();

    [GeneratedRegex(@"(?:\\[0-3][0-7]{2})+")]
    private static partial Regex Octal();

    [GeneratedRegex(@"\\(?:u(?<code>[0-9A-Fa-f]{4})|x(?<code>[0-9A-Fa-f]{2})(?![0-9A-Fa-f]{2})|x\{(?<code>[0-9A-Fa-f]{1,4})\}|[""\\/bfnrtv])")]
    private static partial Regex Escape();
}
