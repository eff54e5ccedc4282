using System.Text;
using Sloring.Client;
using Sloring.Contracts;
using Xunit;

namespace Sloring.Tests.Unit.Client;

/// <summary>Rule E3. The people are synthetic; the CPR numbers stand in published guides and in the official test range.</summary>
public sealed class NationalPseudonymTests
{
    private static readonly Guid Oid = Guid.Parse("6ba7b812-9dad-11d1-80b4-00c04fd430c8");

    [Theory]
    [InlineData("6ba7b812-9dad-11d1-80b4-00c04fd430c8", "1.2.208.176.7.1.10.80", "fe537378-31eb-5036-91da-72ed4eecae10")]
    [InlineData("6ba7b812-9dad-11d1-80b4-00c04fd430c8", "1.3.6.1.4", "af9d40a5-7a36-5c07-b23a-851cd99fbfa5")]
    [InlineData("a4405a8d-8bb2-467a-bbc3-961ab93bb538", "9912310000", "a045c4bc-d81c-5fc4-88bd-313db5b2d1fc")]
    public void Published_vectors_come_out_of_the_core(string space, string name, string expected) =>
        Assert.Equal(expected, NationalPseudonym.UuidV5(Guid.Parse(space), Encoding.UTF8.GetBytes(name)).ToString());

    [Theory]
    [InlineData("Jens Hansen", "2101691234", "saltFraIdsas", "5125e893-ffa4-5987-a627-4f5ceddd3467")]
    [InlineData("Jens Hansen", "2101691234", "c2FsdEZyYUlkc2Fz", "2abe1cf1-3e73-5749-99f6-4fa73abb2b5a")]
    [InlineData("Søren Åge Bæk Møller", "0101010101", "c2FsdEZyYUlkc2Fz", "d8d08cb0-53a9-5c63-b261-fbacf2d5d8a2")]
    [InlineData("Søren Åge Bæk Møller", "0101010101", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "cf5f6231-0f56-5225-b8c9-986e5e1b93ce")]
    [InlineData("Anne-Marie O'Brien", "2512489996", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "bd11e78b-eaf0-59a6-bf71-9d256b757c8b")]
    [InlineData("Jens Hansen", "2512489996", "c2FsdEZyYUlkc2Fz", "9a4b9e05-4172-533e-819b-fad8da5642ea")]
    public void Pseudonym_is_the_national_one(string name, string cpr, string salt, string expected)
    {
        Assert.Equal(expected, NationalPseudonym.Compute(name, CprNumber.Parse(cpr), salt));
        Assert.Equal(expected, NationalPseudonym.For(CprNumber.Parse(cpr), salt).Of(name));
    }

    [Fact]
    public void Namespace_in_dotnet_byte_order_is_not_what_comes_out()
    {
        var pseudonym = NationalPseudonym.Compute("Jens Hansen", CprNumber.Parse("2101691234"), "saltFraIdsas");

        Assert.NotEqual("36575ce2-a28e-5870-938a-402110345056", pseudonym);
        Assert.NotEqual("e25c5736-8ea2-7058-938a-402110345056", pseudonym);
    }

    [Theory]
    [InlineData("  Jens Hansen\t", "JENS+HANSEN")]
    [InlineData("jens  hansen", "JENS++HANSEN")]
    [InlineData("Søren Ærø", "SØREN+ÆRØ")]
    [InlineData("José Muñoz Ünal", "JOSÉ+MUÑOZ+ÜNAL")]
    [InlineData("Strauß", "STRAUß")]
    [InlineData("Ÿvonne ÿ µ", "ŸVONNE+Ÿ+Μ")]
    [InlineData("Łukasz Dvořák", "ŁUKASZ+DVOŘÁK")]
    [InlineData("Олег", "ОЛЕГ")]
    [InlineData("Nguyễn Thị", "NGUYỄN+THỊ")]
    [InlineData("2 ÷ × Ø", "2+÷+×+Ø")]
    public void Name_is_hashed_trimmed_in_upper_case_with_pluses(string name, string expected) => Assert.Equal(Direct(expected), Towards(name));

    [Fact]
    public void Decomposed_name_has_the_pseudonym_of_the_composed_one() =>
        Assert.Equal(Towards("Søren Åge Ézé"), Towards("Søren A\u030Age E\u0301ze\u0301"));

    [Fact]
    public void Without_normalisation_a_decomposed_name_is_refused_and_a_composed_one_is_not()
    {
        var refused = Assert.Throws<ArgumentException>(() => NormalForm.UpperComposed("A\u030Age", normalizationWorks: false).Length);
        Assert.Contains("globalization-invariant", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("ge", refused.Message.Split(' '));
        Assert.Equal("NGUYỄN – O’BRIEN", NormalForm.UpperComposed("Nguyễn – O’Brien", normalizationWorks: false));
    }

    [Fact]
    public void Characters_let_through_without_normalisation_are_all_in_normal_form()
    {
        for (var c = '\0'; c < '\uD800'; c++)
        {
            string? upper = null;
            try
            {
                upper = NormalForm.UpperComposed([c], normalizationWorks: false);
            }
            catch (ArgumentException)
            {
                continue;
            }
            Assert.Equal(upper, NormalForm.UpperComposed([c], normalizationWorks: true));
        }
    }

    [Fact]
    public void Latin_letters_are_put_in_upper_case_as_the_runtime_does()
    {
        for (var c = '!'; c < '\u0300'; c++)
        {
            if (!char.IsWhiteSpace(c))
                Assert.Equal(Direct("X" + char.ToUpperInvariant(c)), Towards("x" + c));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData(" \t ")]
    public void Without_a_name_there_is_no_pseudonym(string name) => Assert.Throws<ArgumentException>(() => Towards(name));

    [Fact]
    public void Long_names_and_salts_are_hashed_whole()
    {
        var name = string.Join(' ', Enumerable.Repeat("Bodil Æbeløe", 100));
        var salt = new string('s', 5_000);

        Assert.Equal(
            NationalPseudonym.UuidV5(Oid, Encoding.UTF8.GetBytes($"{name.ToUpperInvariant().Replace(' ', '+')}+2512489996+{salt}")).ToString(),
            NationalPseudonym.Compute(name, CprNumber.Parse("2512489996"), salt));
    }

    [Fact]
    public void Once_compiled_only_the_result_is_allocated()
    {
        var patient = CprNumber.Parse("2512489996");
        var result = BytesOf(() => new string('-', 36));

        // Code that the runtime has not optimised yet boxes a little inside the base library.
        Assert.True(SpinWait.SpinUntil(
            () => BytesOf(() => NationalPseudonym.Compute("Søren Møller", patient, "c2FsdEZyYUlkc2Fz")) == result, TimeSpan.FromSeconds(30)));
    }

    private static long BytesOf(Func<string> work)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        work();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static string Towards(string name) => NationalPseudonym.Compute(name, CprNumber.Parse("2512489996"), "c2FsdA==");

    private static string Direct(string hashed) => NationalPseudonym.UuidV5(Oid, Encoding.UTF8.GetBytes(hashed + "+2512489996+c2FsdA==")).ToString();
}
