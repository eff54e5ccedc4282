using System.Globalization;
using Sloring.Contracts.Effectuation.V1;
using Sloring.Hosting;

namespace Sloring.Embedded;

/// <summary>A synthetic set to try the platform on: nobody in it exists. The same seed, size and register give the same set.</summary>
/// <param name="Units">Units of the register that the set plays in.</param>
/// <param name="Staff">Staff of these units.</param>
/// <param name="Logs">A patient each, with entries: requests of MaskEntries.</param>
public sealed record DataSet(IReadOnlyList<OrgUnit> Units, IReadOnlyList<DataSetStaff> Staff, IReadOnlyList<MaskEntriesRequest> Logs)
{
    /// <summary>The most patients of a set.</summary>
    public const int MostPeople = 200;

    private const int StaffPerUnit = 3;
    private const int MostUnits = 8;
    private const int MostEntries = 6;

    private static readonly string[] FirstNames = ["Åse", "Bo", "Cille", "Dorthe", "Emil", "Frederik", "Gøran", "Hanne", "Ib", "Jytte", "Kjeld", "Liv", "Mads", "Nanna", "Ove", "Pia"];
    private static readonly string[] LastNames = ["Testesen", "Prøvesen", "Opdigtet", "Fiktiva", "Eksempelsen", "Demosen", "Påfundt", "Afprøv"];
    private static readonly string[] Activities = ["Opslag i journal", "Notat skrevet", "Medicinkort ajourført", "Svar afgivet", "Aftale oprettet"];
    private static readonly string[] Sources = ["EPJ", "FMK", "Laboratoriesvar"];
    private static readonly string[] ProfessionCodes = ["5166", "7170", "5159", "5175", "5151"];
    private static readonly DateTimeOffset First = new(2025, 1, 1, 6, 0, 0, TimeSpan.Zero);

    /// <summary>Makes a set.</summary>
    /// <param name="seed">Any number.</param>
    /// <param name="people">Patients, 1 to <see cref="MostPeople"/>.</param>
    /// <param name="register">Whose units it plays in: what is masked is decided by them.</param>
    public static DataSet Of(int seed, int people, Organisations register)
    {
        // Not for secrets: the same numbers each time are the point.
#pragma warning disable CA5394
        var random = new Random(seed);
        var all = register.All.OrderBy(unit => unit.SorId, StringComparer.Ordinal).ToArray();
        random.Shuffle(all);
        var units = all.Take(MostUnits).ToList();
        var staff = units.SelectMany(unit => Enumerable.Range(0, StaffPerUnit).Select(_ => Person(unit))).ToList();
        var cprs = new HashSet<string>();
        while (cprs.Count < people)
            cprs.Add(Cpr());
        return new DataSet(units, staff, [.. cprs.Select(cpr => new MaskEntriesRequest { PatientCpr = cpr, Entries = { Enumerable.Range(1, random.Next(1, MostEntries + 1)).Select(Entry) } })]);

        string One(string[] of) => of[random.Next(of.Length)];

        // A day of 61 or more, which nobody has.
        string Cpr() => string.Create(CultureInfo.InvariantCulture, $"{random.Next(61, 89):00}{random.Next(1, 13):00}{random.Next(100):00}{random.Next(10_000):0000}");

        DataSetStaff Person(OrgUnit unit) => new(
            unit, $"{One(FirstNames)} {One(LastNames)}-{One(LastNames)}", One(ProfessionCodes), string.Create(CultureInfo.InvariantCulture, $"T{random.Next(10_000):0000}"));

        Entry Entry(int number)
        {
            var by = staff[random.Next(staff.Count)];
            return new Entry
            {
                Id = $"p-{number}",
                Source = One(Sources),
                Cvr = by.Unit.Cvr.ToString(),
                SorId = by.Unit.SorId,
                Shak = by.Unit.Shak ?? "",
                OrganisationName = by.Unit.Name,
                OccurredAt = First.AddMinutes(random.Next(500_000)).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture),
                Activity = One(Activities),
                Staff = { new Staff { Role = "user", Name = by.Name, AuthorisationId = by.AuthorisationId, ProfessionCode = by.ProfessionCode } },
            };
        }
#pragma warning restore CA5394
    }
}

/// <summary>A synthetic member of staff.</summary>
/// <param name="Unit">Where they work.</param>
/// <param name="Name">First and last names.</param>
/// <param name="ProfessionCode">Code of the professional group.</param>
/// <param name="AuthorisationId">5 characters.</param>
public sealed record DataSetStaff(OrgUnit Unit, string Name, string ProfessionCode, string AuthorisationId);
