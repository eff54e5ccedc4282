using System.Collections.Frozen;

namespace Sloring.Contracts;

/// <summary>Professional groups by education code of the Danish authorisation register (national-service facts, section 5).</summary>
public static class Professions
{
    private static readonly FrozenDictionary<string, string> ByCode = new Dictionary<string, string>
    {
        ["0"] = "Erstatningsautorisation",
        ["4498"] = "Optiker",
        ["5151"] = "Fysioterapeut",
        ["5152"] = "Social- og sundhedsassistent",
        ["5153"] = "Ergoterapeut",
        ["5155"] = "Fodterapeut",
        ["5158"] = "Radiograf",
        ["5159"] = "Bioanalytiker",
        ["5166"] = "Sygeplejerske",
        ["5175"] = "Jordemoder",
        ["5176"] = "Kontaktlinseoptiker/Optometrist",
        ["5265"] = "Kiropraktor",
        ["5431"] = "Tandplejer",
        ["5432"] = "Klinisk tandtekniker",
        ["5433"] = "Tandlæge",
        ["5451"] = "Klinisk diætist",
        ["7170"] = "Læge",
        ["9495"] = "Bandagist",
        ["A511"] = "Osteopat",
        ["B511"] = "Behandlerfarmaceut",
        ["C511"] = "Ambulancebehandler",
    }.ToFrozenDictionary();

    /// <summary>The group's Danish name; "Sundhedsperson" for an unknown or missing code.</summary>
    public static string NameOf(string? code) => code is not null && ByCode.TryGetValue(code, out var name) ? name : "Sundhedsperson";

    /// <summary>True where the register has the code.</summary>
    public static bool IsKnown(string? code) => code is not null && ByCode.ContainsKey(code);
}
