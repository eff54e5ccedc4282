using Sloring.Contracts;
using Xunit;

namespace Sloring.Tests.Unit.Foundation;

public sealed class NumbersTests
{
    [Theory]
    [InlineData("2512489996")] // the official test number
    [InlineData("0101010101")] // fails modulus 11, and is valid all the same
    [InlineData("6101010101")] // a replacement number: day + 60
    [InlineData("9112010101")] // day 31 + 60
    public void APossibleNumber_IsAccepted(string text) => Assert.True(CprNumber.TryParse(text, out _));

    [Theory]
    [InlineData("2902004000", true)] // born 29 February 2000
    [InlineData("2902000000", false)] // 1900 was no leap year
    [InlineData("2902010101", false)] // 1901 is no leap year
    [InlineData("3002900000", false)]
    [InlineData("0013900000", false)]
    [InlineData("0100900000", false)]
    [InlineData("3104900000", false)]
    [InlineData("6013900000", false)]
    [InlineData("9204900000", false)]
    [InlineData("251248-9996", false)]
    [InlineData("251248999", false)]
    [InlineData("25124899961", false)]
    [InlineData("251248999A", false)]
    [InlineData("٢٥١٢٤٨٩٩٩٦", false)] // digits, but not ASCII
    [InlineData(" 512489996", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void ACprNumber_IsCheckedForAPossibleDateOnly(string? text, bool valid) => Assert.Equal(valid, CprNumber.TryParse(text, out _));

    [Fact]
    public void ACprNumber_PrintsMasked()
    {
        var cpr = CprNumber.Parse("2512489996");
        Assert.DoesNotContain("2512", $"{cpr}", StringComparison.Ordinal);
        Assert.DoesNotContain("2512", Assert.Throws<RejectedException>(() => CprNumber.Parse("2512489996x")).ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("13748136", true)]
    [InlineData("24256790", true)]
    [InlineData("33257872", true)]
    [InlineData("25469364", true)]
    [InlineData("20921897", true)]
    [InlineData("24256791", false)]
    [InlineData("12345678", false)]
    [InlineData("1374813", false)]
    [InlineData("01374813", false)]
    [InlineData("1374813a", false)]
    [InlineData(null, false)]
    public void ACvrNumber_IsCheckedOnModulus11(string? text, bool valid)
    {
        Assert.Equal(valid, CvrNumber.TryParse(text, out var cvr));
        if (valid)
            Assert.Equal(text, cvr.ToString());
    }

    [Theory]
    [InlineData("672281000016001", true)]
    [InlineData("678401000016005", true)]
    [InlineData("672261000016008", true)]
    [InlineData("651411000016002", true)]
    [InlineData("1349381000016008", true)]
    [InlineData("672281000016002", false)]
    [InlineData("672821000016001", false)] // two digits swapped
    [InlineData("6722810000", false)]
    [InlineData(null, false)]
    public void ASorId_IsCheckedOnItsVerhoeffDigit(string? text, bool valid) => Assert.Equal(valid, SorId.IsValid(text));

    [Theory]
    [InlineData("1399", true)]
    [InlineData("139910", true)]
    [InlineData("1399101", true)]
    [InlineData("13991A1", true)]
    [InlineData("13991", false)]
    [InlineData("A399", false)]
    [InlineData("13991012", false)]
    [InlineData(null, false)]
    public void AShakCode_HasFourSixOrSevenCharacters(string? text, bool valid) => Assert.Equal(valid, ShakCode.IsValid(text));

    [Fact]
    public void PatientKeys_DifferByKeyAndByPatient()
    {
        var (one, other) = (CprNumber.Parse("2512489996"), CprNumber.Parse("6101010101"));
        byte[] key = [1, 2, 3], another = [1, 2, 4];
        Assert.Equal(PatientKey.Compute(key, one), PatientKey.Parse(PatientKey.Compute(key, one).ToString()));
        Assert.NotEqual(PatientKey.Compute(key, one), PatientKey.Compute(another, one));
        Assert.NotEqual(PatientKey.Compute(key, one), PatientKey.Compute(key, other));
    }
}
