using System.Globalization;
using Spectre.Console;

namespace Sloring.Embedded;

/// <summary>Writes lines with markup; what is inserted is escaped, and numbers look the same on every machine.</summary>
public static class Screen
{
    public static void Line(FormattableString text) => AnsiConsole.MarkupLineInterpolated(CultureInfo.InvariantCulture, text);
}
