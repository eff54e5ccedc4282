using System.Text;
using Sloring.Contracts;

namespace Sloring.Pseudonym.Domain;

/// <summary>What a name must be, so that a pseudonym can be computed of it (rule E3).</summary>
public static class NameRules
{
    /// <summary>Why the first wrong name is wrong, naming its place in the request; null when all are right.</summary>
    public static Rejection? Check(IReadOnlyList<string> names, string field)
    {
        for (var i = 0; i < names.Count; i++)
        {
            var name = names[i].AsSpan().Trim();
            if (name.Length is 0 or > Texts.LongestName)
                return Rejections.NameMissing.For($"{field}[{i}]");
            foreach (var rune in name.EnumerateRunes())
            {
                if (Rune.IsControl(rune) || rune == Rune.ReplacementChar)
                    return Rejections.TextTooLong.For($"{field}[{i}]");
            }
        }
        return null;
    }
}
