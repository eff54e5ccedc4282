using FsCheck;
using FsCheck.Fluent;
using Sloring.Client;
using Sloring.Contracts;
using Sloring.Contracts.Effectuation.V1;
using Xunit;

namespace Sloring.Tests.Unit.Client;

public sealed class MaskerTests
{
    private const string Salt = "c2FsdEZyYUlkc2Fz";
    private const string Sor = "672281000016001";
    private const string OtherSor = "678401000016005";
    private const long Now = 1_000;

    private static readonly CprNumber Citizen = CprNumber.Parse("2512489996");
    private static readonly CvrNumber North = CvrNumber.Parse("33257872");
    private static readonly CvrNumber South = CvrNumber.Parse("24256790");
    private static readonly byte[] Secret = new byte[32];

    [Fact]
    public void Masked_entry_shows_pseudonym_and_profession_and_nothing_that_names_the_person() // M1, E2, E3
    {
        var entry = Entry(North.ToString());
        var before = entry.Clone();

        var masked = Only(Mask(entry, Individually(North)));

        var person = Assert.Single(masked.Staff);
        Assert.Equal(
            new Staff
            {
                Role = "user",
                Pseudonym = "9a4b9e05-4172-533e-819b-fad8da5642ea",
                ProfessionCode = "5166",
                Profession = "Sygeplejerske",
                Masked = true,
            },
            person);
        Assert.Equal(before, entry); // E1: the record itself is not changed
        var elsewhere = masked.Clone();
        elsewhere.Staff[0] = before.Staff[0];
        Assert.Equal(before, elsewhere); // all else is as it came
    }

    [Fact]
    public void Entry_of_another_organisation_is_the_same_object() // M1
    {
        var entry = Entry(South.ToString());
        var answer = Mask(entry, Individually(North));

        Assert.Same(entry, Only(answer));
        Assert.Empty(answer.Findings);
    }

    [Fact]
    public void Masking_of_another_patient_hides_nobody() // M1
    {
        var other = Picture(new PatientMasking(PatientKey.Compute(Secret, CprNumber.Parse("6703701234")), North, Now + 1));

        Assert.False(Only(Mask(Entry(North.ToString()), other)).Staff[0].Masked);
    }

    [Fact]
    public void Pseudonym_follows_the_patient_whose_data_is_shown() // E4
    {
        var child = CprNumber.Parse("6703701234");
        var picture = Picture(new PatientMasking(PatientKey.Compute(Secret, child), North, Now + 1));
        var answer = Masker.Mask([Entry(North.ToString())], picture, child, Salt, Now);

        Assert.Equal(NationalPseudonym.Compute("Jens Hansen", child, Salt), Only(answer).Staff[0].Pseudonym);
        Assert.NotEqual(NationalPseudonym.Compute("Jens Hansen", Citizen, Salt), Only(answer).Staff[0].Pseudonym);
    }

    [Theory]
    [InlineData(Now, false)]
    [InlineData(Now + 1, true)]
    public void Names_show_again_at_the_end(long endsAt, bool masked) => // M6
        Assert.Equal(masked, Only(Mask(Entry(North.ToString()), Picture(new PatientMasking(PatientKey.Compute(Secret, Citizen), North, endsAt)))).Staff[0].Masked);

    [Fact]
    public void When_the_entry_happened_does_not_count() // E1
    {
        var entry = Entry(North.ToString());
        entry.OccurredAt = "1999-01-01T00:00:00Z";

        Assert.True(Only(Mask(entry, Individually(North))).Staff[0].Masked);
    }

    [Theory]
    [InlineData(Sor, "", true)]
    [InlineData(OtherSor, "", false)]
    [InlineData(OtherSor, "1301", false)]
    public void Unit_masked_by_sor_hides_its_staff_from_every_citizen(string sor, string shak, bool masked) => // D1, D4
        Assert.Equal(masked, Only(Mask(Entry(South.ToString(), sor, shak), Unit(South, [Sor], ""))).Staff[0].Masked);

    [Theory]
    [InlineData("130112", true)]
    [InlineData("1301121", true)]
    [InlineData("130122", false)]
    [InlineData("1301", false)]
    public void Unit_masked_by_shak_hides_all_codes_that_begin_with_it(string shak, bool masked) => // D4
        Assert.Equal(masked, Only(Mask(Entry(South.ToString(), OtherSor, shak), Unit(South, [], "130112"))).Staff[0].Masked);

    [Theory]
    [InlineData("")]
    [InlineData("12345678")]
    [InlineData("DK33257872")]
    public void Without_a_usable_cvr_it_is_masked_while_any_masking_could_cover_it(string cvr) // E5
    {
        var answer = Mask(Entry(cvr), Individually(North));
        Assert.True(Only(answer).Staff[0].Masked);
        Assert.Equal(FindingKind.OrganisationMissing, Assert.Single(answer.Findings).Kind);

        Assert.False(Only(Mask(Entry(cvr), Picture())).Staff[0].Masked);
        Assert.False(Only(Mask(Entry(cvr, OtherSor), Unit(North, [Sor], ""))).Staff[0].Masked); // its unit is known, and is not masked
        Assert.True(Only(Mask(Entry(cvr), Unit(North, [Sor], ""))).Staff[0].Masked);
    }

    [Theory]
    [InlineData("", "", true)]
    [InlineData("672281000016002", "", true)] // wrong check digit
    [InlineData("", "13", true)]
    [InlineData("", "1301", true)] // the unit is masked by SOR id alone
    [InlineData(OtherSor, "", false)]
    public void Without_a_usable_unit_it_is_masked_while_a_unit_of_its_organisation_is(string sor, string shak, bool masked) // E5
    {
        var answer = Mask(Entry(South.ToString(), sor, shak), Unit(South, [Sor], ""));

        Assert.Equal(masked, Only(answer).Staff[0].Masked);
        Assert.Equal(masked ? [FindingKind.UnitMissing] : [], answer.Findings.Select(f => f.Kind));
        Assert.False(Only(Mask(Entry(South.ToString(), sor, shak), Unit(North, [Sor], ""))).Staff[0].Masked);
    }

    [Theory]
    [InlineData("Samtale med Jens Hansen i dag", true)]
    [InlineData("JENS\n\t hansens journal", true)]
    [InlineData("Jens og Jens  Hansen", true)]
    [InlineData("Jens sagde, at Hansen kom", false)]
    [InlineData("JensHansen", false)]
    [InlineData("Jens", false)]
    public void Name_in_free_text_is_reported_and_left_there(string text, bool reported) // E2
    {
        var entry = Entry(North.ToString());
        entry.Text = text;

        var answer = Mask(entry, Individually(North));

        Assert.Equal(text, Only(answer).Text);
        Assert.Equal(reported ? [new Finding { EntryId = "1", Source = "EPJ", Kind = FindingKind.NameInText }] : [], answer.Findings);
    }

    [Fact]
    public void Name_in_free_text_is_found_in_another_normal_form() // E2
    {
        var entry = Entry(North.ToString());
        entry.Staff[0].Name = "Åse Bæk";
        entry.Text = "Set af A\u030Ase Bæk.";

        Assert.Equal(FindingKind.NameInText, Assert.Single(Mask(entry, Individually(North)).Findings).Kind);
    }

    [Fact]
    public void Names_in_text_of_entries_shown_are_nobodys_business()
    {
        var entry = Entry(South.ToString());
        entry.Text = "Jens Hansen";

        Assert.Empty(Mask(entry, Individually(North)).Findings);
    }

    [Fact]
    public void Missing_name_and_unknown_profession_are_reported_once_each()
    {
        var entry = Entry(North.ToString());
        entry.Staff.Add(new Staff { Name = " ", Cpr = "6703701234", ProfessionCode = "9999" });
        entry.Staff.Add(new Staff { UserId = "ABC", ProfessionCode = "" });

        var answer = Mask(entry, Individually(North));

        Assert.Equal([FindingKind.NameMissing, FindingKind.ProfessionUnknown], answer.Findings.Select(f => f.Kind));
        Assert.All(Only(answer).Staff.Skip(1), person => Assert.Equal(("", "", "", "Sundhedsperson", true),
            (person.Pseudonym, person.Cpr, person.UserId, person.Profession, person.Masked)));
    }

    [Fact]
    public void What_is_masked_already_is_the_same_object()
    {
        var once = Only(Mask(Entry(North.ToString()), Individually(North)));
        var again = Mask(once, Individually(North));

        Assert.Same(once, Only(again));
        Assert.Empty(again.Findings);
    }

    [Fact]
    public void Mark_of_masking_beside_a_name_is_not_believed()
    {
        var entry = Entry(North.ToString());
        entry.Staff[0].Masked = true;

        Assert.Equal("", Only(Mask(entry, Individually(North))).Staff[0].Name);
    }

    [Fact]
    public void Many_entries_of_few_people_give_each_person_one_pseudonym() // E3
    {
        string[] names = [.. Enumerable.Range(0, 40).Select(i => $"Karen {(char)('A' + (i % 26))} Holm {i / 26}")];
        var entries = Enumerable.Range(0, 4_000).Select(i =>
        {
            var entry = Entry(North.ToString());
            entry.Staff[0].Name = names[i % names.Length];
            return entry;
        }).ToArray();

        var masked = Masker.Mask(entries, Individually(North), Citizen, Salt, Now).Entries;

        for (var i = 0; i < entries.Length; i++)
            Assert.Equal(NationalPseudonym.Compute(names[i % names.Length], Citizen, Salt), masked[i].Staff[0].Pseudonym);
    }

    [Fact]
    public void No_name_that_the_rules_mask_is_left_and_none_that_they_show_is_touched() => // E1, E2, E5, D1, D4
        Prop.ForAll(ArbMap.Default.ArbFor<int>(), seed =>
        {
            var random = new Random(seed);
            T Any<T>(params T[] of) => of[random.Next(of.Length)];
            string[] cvrs = ["33257872", "24256790", "25469364", "20921897"];
            var maskings = Enumerable.Range(0, random.Next(4)).ToDictionary(i => cvrs[i], _ => (long)random.Next(2_000));
            var units = Enumerable.Range(0, random.Next(3)).Select(i => new UnitMasking(
                $"{i}", CvrNumber.Parse(Any(cvrs)), Any<string[]>([], [Sor], [Sor, OtherSor]), Any("", "1301", "130112")))
                .Where(u => u.SorIds.Count > 0 || u.ShakPrefix != "").ToArray();
            var picture = new MaskingPicture(
                MaskingIndex.FromSnapshot([.. maskings.Select(m => new PatientMasking(PatientKey.Compute(Secret, Citizen), CvrNumber.Parse(m.Key), m.Value))]),
                MaskedUnits.FromSnapshot(units), 7, Secret);
            var entries = Enumerable.Range(0, 30).Select(i =>
            {
                var entry = Entry(Any([.. cvrs, "", "12345678"]), Any(Sor, OtherSor, "651411000016002", "", "1"), Any("1301", "130112", "1301129", "1501", "", "x"));
                entry.Staff.Add(new Staff { Name = Any("Bodil Æbel", "", "Ida Lund"), Cpr = "6703701234", Email = "b@example.org", Masked = Any(true, false) });
                return entry;
            }).ToArray();

            var answer = Masker.Mask(entries, picture, Citizen, Salt, Now);

            Assert.Equal(7, answer.Position);
            foreach (var (entry, shown) in entries.Zip(answer.Entries))
            {
                if (IsMasked(entry, maskings, units))
                    Assert.All(shown.Staff, p => Assert.Equal((true, "", "", "", "", ""), (p.Masked, p.Name, p.Cpr, p.AuthorisationId, p.UserId, p.Email)));
                else
                    Assert.Same(entry, shown);
            }
        }).QuickCheckThrowOnFailure();

    /// <summary>The rules again, in the plainest words.</summary>
    private static bool IsMasked(Entry entry, Dictionary<string, long> maskings, UnitMasking[] units)
    {
        var cvrKnown = CvrNumber.TryParse(entry.Cvr, out _);
        var byPatient = maskings.Any(m => m.Value > Now && (!cvrKnown || m.Key == entry.Cvr));
        var byUnit = units.Any(u =>
            u.SorIds.Contains(entry.SorId) || (u.ShakPrefix != "" && entry.Shak.StartsWith(u.ShakPrefix, StringComparison.Ordinal)));
        var perhapsByUnit = units.Where(u => !cvrKnown || u.Cvr.ToString() == entry.Cvr).Any(u =>
            !(u.SorIds.Count > 0 && SorId.IsValid(entry.SorId)) && !(u.ShakPrefix != "" && ShakCode.IsValid(entry.Shak)));
        return byPatient || byUnit || perhapsByUnit;
    }

    private static Entry Entry(string cvr, string sor = "", string shak = "") => new()
    {
        Id = "1",
        Source = "EPJ",
        Cvr = cvr,
        SorId = sor,
        Shak = shak,
        OrganisationName = "Hospital Nord",
        OccurredAt = "2026-05-01T08:00:00Z",
        Activity = "Opslag",
        Staff =
        {
            new Staff
            {
                Role = "user", Name = "Jens Hansen", Cpr = "6703701234", AuthorisationId = "6QF17", UserId = "JH01", Email = "jh@example.org", ProfessionCode = "5166",
            },
        },
    };

    private static Entry Only(MaskEntriesResponse answer) => Assert.Single(answer.Entries);

    private static MaskEntriesResponse Mask(Entry entry, MaskingPicture picture) => Masker.Mask([entry], picture, Citizen, Salt, Now);

    private static MaskingPicture Individually(CvrNumber cvr) => Picture(new PatientMasking(PatientKey.Compute(Secret, Citizen), cvr, Now + 1));

    private static MaskingPicture Picture(params PatientMasking[] maskings) => new(MaskingIndex.FromSnapshot(maskings), MaskedUnits.None, 1, Secret);

    private static MaskingPicture Unit(CvrNumber cvr, string[] sorIds, string shak) =>
        new(MaskingIndex.Empty, MaskedUnits.None.With(new UnitMasking("1", cvr, sorIds, shak)), 1, Secret);
}
