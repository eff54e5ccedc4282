using System.Text.RegularExpressions;

namespace Sloring.Contracts;

/// <summary>Limits and forms of texts, the same on every wire.</summary>
public static partial class Texts
{
    /// <summary>Longest reason, question, answer or ground, in characters (UTF-16 code units).</summary>
    public const int LongestReason = 4_000;

    /// <summary>Longest name of a person, in characters.</summary>
    public const int LongestName = 200;

    /// <summary>Requires a text of 1 to <paramref name="longest"/> characters; trims it.</summary>
    /// <exception cref="RejectedException"><paramref name="whenEmpty"/>, or SLR-905.</exception>
    public static string Required(string? text, Rejection whenEmpty, string field, int longest = LongestReason)
    {
        var trimmed = Optional(text, field, longest);
        return trimmed.Length == 0 ? throw new RejectedException(whenEmpty.For(field)) : trimmed;
    }

    /// <summary>Allows an empty text; trims it. Control characters other than line breaks and tabs are refused.</summary>
    /// <exception cref="RejectedException">SLR-905.</exception>
    public static string Optional(string? text, string field, int longest = LongestReason)
    {
        var trimmed = text?.Trim() ?? "";
        if (trimmed.Length > longest || trimmed.Any(c => c == '\uFFFD' || (char.IsControl(c) && c is not ('\n' or '\r' or '\t'))))
            throw new RejectedException(Rejections.TextTooLong.For(field));
        return trimmed;
    }

    /// <summary>Requires an id of <paramref name="shortest"/> to 64 characters of A-Z, a-z, 0-9 and . _ : -.</summary>
    /// <exception cref="RejectedException"><paramref name="otherwise"/>.</exception>
    public static string Id(string? text, Rejection otherwise, string field, int shortest = 1) =>
        text is not null && text.Length >= shortest && text.Length <= 64 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or ':' or '-')
            ? text
            : throw new RejectedException(otherwise.For(field));

    /// <summary>As <see cref="Id"/>, and no CPR number in any writing: such ids stand in the clear everywhere.</summary>
    /// <exception cref="RejectedException"><paramref name="otherwise"/>.</exception>
    public static string PersonId(string? text, Rejection otherwise, string field) =>
        Id(text, otherwise, field) is var id && LooksLikeCpr(id) ? throw new RejectedException(otherwise.For(field)) : id;

    /// <summary>
    /// True where a text holds a possible CPR number in one of the ways people write it: ten digits, perhaps with a separator between day, month, year and
    /// number. Not within a longer row of digits, and not in a UUID: ids of other systems would be refused at random.
    /// </summary>
    public static bool LooksLikeCpr(string text) =>
        !Guid.TryParse(text, out _) && CprWritten().Matches(text).Any(match => CprNumber.TryParse(string.Concat(match.Value.Where(char.IsAsciiDigit)), out _));

    [GeneratedRegex("(?<![0-9])[0-9]{2}[-._:]?[0-9]{2}[-._:]?[0-9]{2}[-._:]?[0-9]{4}(?![0-9])", RegexOptions.CultureInvariant)]
    private static partial Regex CprWritten();

    /// <summary>Requires a UUID that the platform gave.</summary>
    /// <exception cref="RejectedException">SLR-914.</exception>
    public static Guid Uuid(string? text, string field) =>
        Guid.TryParseExact(text, "D", out var id) ? id : throw new RejectedException(Rejections.IdInvalid.For(field));

    /// <summary>Requires a date, yyyy-MM-dd.</summary>
    /// <exception cref="RejectedException">SLR-916.</exception>
    public static DateOnly Date(string? text, string field) =>
        DateOnly.TryParseExact(text, "yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.None, out var date)
            ? date
            : throw new RejectedException(Rejections.DateInvalid.For(field));
}
