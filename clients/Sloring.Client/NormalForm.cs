using System.Text;

namespace Sloring.Client;

/// <summary>
/// Unicode normal form C. A process in globalization-invariant mode has no tables for it, and there <see cref="string.Normalize()"/>
/// returns other text than ASCII as it came: a name with a decomposed å would silently get another pseudonym than the same name composed.
/// </summary>
internal static class NormalForm
{
    /// <summary>Below this, no character combines with another: any text of them is in normal form.</summary>
    private const char FirstUncertain = '\u0300';

    private static readonly bool Works = "A\u030A".Normalize(NormalizationForm.FormC) == "\u00C5";

    /// <summary>True for text that is in normal form whatever the tables say; all names of Latin-1 and Latin Extended letters.</summary>
    public static bool IsCertain(ReadOnlySpan<char> text) => !text.ContainsAnyInRange(FirstUncertain, char.MaxValue);

    /// <summary>Normal form C of the upper case.</summary>
    /// <exception cref="ArgumentException">This process cannot tell the normal form of the text.</exception>
    public static string UpperComposed(ReadOnlySpan<char> text) => UpperComposed(text, Works);

    internal static string UpperComposed(ReadOnlySpan<char> text, bool normalizationWorks)
    {
        if (normalizationWorks)
            return text.ToString().Normalize(NormalizationForm.FormC).ToUpperInvariant().Normalize(NormalizationForm.FormC);
        foreach (var c in text)
        {
            if (!IsStable(c))
                throw new ArgumentException(
                    "The name has characters that Unicode normalisation may change, and this process cannot normalise: it runs in globalization-invariant " +
                    "mode. Install ICU and unset DOTNET_SYSTEM_GLOBALIZATION_INVARIANT, or send names in normal form C. No pseudonym is better than a wrong one.");
        }
        return text.ToString().ToUpperInvariant();
    }

    /// <summary>Normal form C where the process can, for searching; else the text as it came.</summary>
    public static string ComposedIfPossible(string text)
    {
        if (!Works || IsCertain(text))
            return text;
        try
        {
            return text.Normalize(NormalizationForm.FormC);
        }
        catch (ArgumentException)
        {
            // Not text in the sense of Unicode (half a surrogate pair, say): searched as it came.
            return text;
        }
    }

    /// <summary>Characters that names in Latin and Cyrillic letters use and normal form C leaves alone. Anything else is refused without tables.</summary>
    private static bool IsStable(char c) => c is < FirstUncertain or (>= '\u0400' and <= '\u045F') or (>= '\u1E00' and <= '\u1EFF') or (>= '\u2010' and <= '\u2027');
}
