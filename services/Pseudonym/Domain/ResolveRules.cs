using System.Globalization;
using Sloring.Contracts;

namespace Sloring.Pseudonym.Domain;

/// <summary>An access request that may be tried (rule C2).</summary>
public sealed record Resolution(
    CprNumber Patient, string Pseudonym, DateOnly From, DateOnly To, string Purpose, IReadOnlyList<string> Candidates);

/// <summary>What an access request must hold before anything is tried, and what counts as a match (rule C2).</summary>
public static class ResolveRules
{
    private const int LongestPurpose = 1_000;
    private const int MostCandidates = 10_000;

    // Years that salts cannot lie outside of; the ends of the calendar have no day before or after them.
    private const int FirstYear = 1900;
    private const int LastYear = 2999;

    /// <summary>Checks the request field by field; the purpose first, since without one nobody may even ask.</summary>
    public static Decided<Resolution> Check(
        string? patientCpr, string? pseudonym, string? from, string? to, string? purpose, IReadOnlyList<string> candidates)
    {
        if (purpose?.Trim() is not { Length: > 0 and <= LongestPurpose } stated || stated.Any(c => char.IsControl(c) && c is not ('\n' or '\r' or '\t')))
            return Rejections.PurposeMissing.For("purpose");
        if (!CprNumber.TryParse(patientCpr, out var patient))
            return Rejections.CprInvalid.For("patient_cpr");
        if (!Guid.TryParseExact(pseudonym?.Trim(), "D", out var uuid))
            return Rejections.PseudonymInvalid.For("pseudonym");
        if (Day(from) is not { } first)
            return Rejections.PeriodInvalid.For("from");
        if (Day(to) is not { } last || last < first)
            return Rejections.PeriodInvalid.For("to");
        if (candidates.Count is 0 or > MostCandidates)
            return Rejections.CandidatesInvalid.For("candidates");
        if (NameRules.Check(candidates, "candidates") is { } wrong)
            return wrong;
        return new Resolution(patient, uuid.ToString(), first, last, stated, candidates);
    }

    /// <summary>
    /// The candidates whose pseudonym under a salt is the one asked about: one entry each, under the newest such salt. People who
    /// share a name share a pseudonym, so all of them are found.
    /// </summary>
    /// <param name="resolution">The request.</param>
    /// <param name="salts">The numbers of the salts to try, newest first.</param>
    /// <param name="compute">(salt's number, candidate's index) → pseudonym towards the patient.</param>
    public static IReadOnlyList<(int Index, int SaltId)> Matches(Resolution resolution, IReadOnlyList<int> salts, Func<int, int, string> compute) =>
    [
        .. from index in Enumerable.Range(0, resolution.Candidates.Count)
           let salt = salts.FirstOrDefault(salt => compute(salt, index) == resolution.Pseudonym)
           where salt > 0
           select (index, salt),
    ];

    private static DateOnly? Day(string? text) =>
        DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) && day.Year is >= FirstYear and <= LastYear
            ? day
            : null;
}
