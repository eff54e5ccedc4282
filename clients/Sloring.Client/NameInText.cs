namespace Sloring.Client;

/// <summary>Finds a masked person's full name in free text (rule E2). Only reported: the text is never changed.</summary>
internal static class NameInText
{
    /// <summary>True where the text has all parts of the name in a row, in any case, with any white space between them.</summary>
    public static bool Occurs(string name, string text)
    {
        var wanted = NormalForm.ComposedIfPossible(name).AsSpan().Trim();
        var rest = NormalForm.ComposedIfPossible(text).AsSpan();
        var first = FirstPart(wanted);
        for (var at = rest.IndexOf(first, StringComparison.OrdinalIgnoreCase); at >= 0; at = rest.IndexOf(first, StringComparison.OrdinalIgnoreCase))
        {
            if (Continues(rest[(at + first.Length)..], wanted[first.Length..]))
                return true;
            rest = rest[(at + 1)..];
        }
        return false;
    }

    /// <summary>True where the text goes on with the remaining parts, each after at least one white-space character.</summary>
    private static bool Continues(ReadOnlySpan<char> text, ReadOnlySpan<char> parts)
    {
        for (parts = parts.TrimStart(); !parts.IsEmpty; parts = parts.TrimStart())
        {
            var after = text.TrimStart();
            var part = FirstPart(parts);
            if (after.Length == text.Length || !after.StartsWith(part, StringComparison.OrdinalIgnoreCase))
                return false;
            text = after[part.Length..];
            parts = parts[part.Length..];
        }
        return true;
    }

    private static ReadOnlySpan<char> FirstPart(ReadOnlySpan<char> name)
    {
        for (var i = 0; i < name.Length; i++)
        {
            if (char.IsWhiteSpace(name[i]))
                return name[..i];
        }
        return name;
    }
}
