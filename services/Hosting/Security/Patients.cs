using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text.Json;
using Sloring.Contracts;

namespace Sloring.Hosting;

/// <summary>
/// Whose data somebody may see, as the ID token tells the portal. Sealed: an ID token comes by the browser again when its person signs out, in an address, and no
/// browser, history or log may hold a CPR number that can be read.
/// </summary>
public static class Patients
{
    /// <summary>The claim.</summary>
    public const string Claim = "patients";

    private const string Purpose = "patients";

    /// <summary>Seals it for the claim.</summary>
    /// <param name="sealer">Under the platform's sealing keys.</param>
    /// <param name="own">The citizen's own; null where they have no log of their own here.</param>
    /// <param name="actsFor">Those whom they act for.</param>
    public static string Seal(Sealer sealer, string? own, IEnumerable<string> actsFor) => sealer.Seal(JsonSerializer.Serialize(new Seen(own, [.. actsFor])), Purpose);

    /// <summary>Opens a claim: first the citizen's own, then those whom they act for.</summary>
    /// <returns>False where it was not sealed here, or under a key that is gone.</returns>
    public static bool TryOpen(Sealer sealer, string claim, [NotNullWhen(true)] out IReadOnlyList<PatientSeen>? patients)
    {
        patients = null;
        try
        {
            var seen = JsonSerializer.Deserialize<Seen>(sealer.Open(claim, Purpose))!;
            patients = [.. seen.Own is null ? [] : (PatientSeen[])[new(CprNumber.Parse(seen.Own), IsOwn: true)], .. seen.ActsFor.Select(cpr => new PatientSeen(CprNumber.Parse(cpr), IsOwn: false))];
            return true;
        }
        catch (Exception e) when (e is CryptographicException or FormatException)
        {
            return false;
        }
    }

    private sealed record Seen(string? Own, string[] ActsFor);
}

/// <summary>A patient whose data somebody may see.</summary>
/// <param name="Cpr">The patient.</param>
/// <param name="IsOwn">It is that person's own data; else they act for the patient.</param>
public sealed record PatientSeen(CprNumber Cpr, bool IsOwn);
