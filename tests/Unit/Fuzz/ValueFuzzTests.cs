using System.Globalization;
using System.Text.RegularExpressions;
using Sloring.Approval;
using Sloring.Approval.Domain;
using Sloring.Contracts;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Unit.Fuzz;

/// <summary>Values as callers write them, against those that read them: each is read rightly or refused with a number, by rules written here a second time.</summary>
[Trait("kind", "fuzz")]
public sealed class ValueFuzzTests(ITestOutputHelper output)
{
    private static readonly string[] Right =
    [
        "2512489996", "6101010101", "2902004000", "3112995000", "13748136", "24256790", "672281000016001", "1349381000016008", "1399", "139910", "13991A1", "2025-01-15", "12-24", "epj-nord:2026.11_0001",
        "0197b0a0-0000-7000-8000-000000000000", "MTAwMDF8MDE5N2IwYTAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAw", "u-7101901234-x", "710190-1234",
    ];

    /// <summary>First four digits of the years that the seventh digit stands for (CPR office): by digit, up to a two-digit year and beyond it.</summary>
    private static readonly (int UpTo, string Until, string Beyond)[] Centuries =
        [(99, "19", ""), (99, "19", ""), (99, "19", ""), (99, "19", ""), (36, "20", "19"), (57, "20", "18"), (57, "20", "18"), (57, "20", "18"), (57, "20", "18"), (36, "20", "19")];

    [Fact]
    public Task CprNumbers() => Each(text =>
    {
        var read = CprNumber.TryParse(text, out var cpr);
        Assert.Equal(IsCpr(text), read);
        Assert.Equal(read, Outcome(() => CprNumber.Parse(text), Rejections.CprInvalid));
        Assert.Equal("CPR ******-****", cpr.ToString());
    });

    [Fact]
    public Task CvrNumbers() => Each(text =>
    {
        var read = CvrNumber.TryParse(text, out var cvr);
        Assert.Equal(IsAsciiDigits(text, 8, 8) && text[0] != '0' && text.Zip([2, 7, 6, 5, 4, 3, 2, 1]).Sum(pair => (pair.First - '0') * pair.Second) % 11 == 0, read);
        Assert.Equal(read, Outcome(() => CvrNumber.Parse(text), Rejections.CvrInvalid));
        if (read)
            Assert.Equal(text, cvr.ToString());
    });

    [Fact]
    public Task SorIds() => Each(text =>
    {
        if (!IsAsciiDigits(text, 11, 18))
        {
            Assert.False(SorId.IsValid(text));
            return;
        }
        // Whatever stands before it, one check digit of the ten is right.
        Assert.Single(Enumerable.Range(0, 10), digit => SorId.IsValid($"{text[..^1]}{digit}"));
    });

    [Fact]
    public Task ShakCodes() => Each(text => Assert.Equal(Regex.IsMatch(text, @"\A[0-9]{4}(?:[0-9A-Z]{2,3})?\z", RegexOptions.CultureInvariant), ShakCode.IsValid(text)));

    [Fact]
    public Task Dates() => Each(text =>
    {
        if (Outcome(() => Texts.Date(text, "x"), Rejections.DateInvalid))
            Assert.Equal(text, Texts.Date(text, "x").ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
        if (WorkingDays.Parse(text) is var (month, day))
            Assert.Equal(text, $"{month:00}-{day:00}");
    });

    [Fact]
    public Task IdsAndIdempotencyKeys() => Each(text =>
    {
        Assert.Equal(Regex.IsMatch(text, @"\A[A-Za-z0-9._:-]{8,64}\z"), Outcome(() => Texts.Id(text, Rejections.IdempotencyKeyInvalid, "idempotency_key", 8), Rejections.IdempotencyKeyInvalid));
        if (Outcome(() => Texts.Uuid(text, "id"), Rejections.IdInvalid))
            Assert.Equal(Texts.Uuid(text, "id"), Texts.Uuid(Texts.Uuid(text, "id").ToString("D"), "id"));
        if (Outcome(() => Texts.PersonId(text, Rejections.IdInvalid, "person_id"), Rejections.IdInvalid) && !Guid.TryParse(text, out _))
            Assert.DoesNotContain(Regex.Matches(text, "(?<![0-9])[0-9]{10}(?![0-9])"), match => IsCpr(match.Value));
        if (Outcome(() => Texts.Optional(text, "reason"), Rejections.TextTooLong))
            Assert.DoesNotContain('\0', Texts.Optional(text, "reason"));
    });

    [Fact]
    public Task PageTokens() => Each(text =>
    {
        Outcome(() => Paging.Of(text.Length - 3, text), Rejections.PageInvalid);
        if (Outcome(() => PageKey.Parse(text), Rejections.PageInvalid))
            Assert.Equal(PageKey.Parse(text), PageKey.Parse(Paging.Of(0, PageKey.Token(PageKey.Parse(text).At, PageKey.Parse(text).Id)).After!));
    });

    [Fact]
    public Task AnswerAddresses() => Each(text => Assert.False(DirectReply.Is(text) && !text.StartsWith("amq.rabbitmq.reply-to.", StringComparison.Ordinal)), "amq.rabbitmq.reply-to.g1h2AA1yZXBseUAxMjM0NTY3AAAAAQAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA==");

    private Task Each(Action<string> read, params string[] more)
    {
        string[] right = [.. Right, .. more];
        return Fuzzing.Begin(output.WriteLine).Each(random => random.Next(6) switch
        {
            0 => Digits(random, random.Next(8, 19)),
            1 => Digits(random, 10),
            2 => Digits(random, 8),
            3 => random.Pick(right),
            _ => random.Mutated(random.Pick(right)),
        }, read);
    }

    private static string Digits(Random random, int count) => string.Concat(Enumerable.Range(0, count).Select(_ => random.Next(10)));

    private static bool IsAsciiDigits(string text, int shortest, int longest) => text.Length >= shortest && text.Length <= longest && text.All(char.IsAsciiDigit);

    private static bool IsCpr(string text)
    {
        if (!IsAsciiDigits(text, 10, 10))
            return false;
        var (upTo, until, beyond) = Centuries[text[6] - '0'];
        var day = int.Parse(text[..2], CultureInfo.InvariantCulture);
        var written = $"{(day > 60 ? day - 60 : day):00}{text[2..4]}{(int.Parse(text[4..6], CultureInfo.InvariantCulture) <= upTo ? until : beyond)}{text[4..6]}";
        return DateOnly.TryParseExact(written, "ddMMyyyy", CultureInfo.InvariantCulture, DateTimeStyles.None, out _);
    }

    /// <summary>Whether it was taken; refused it may be with one number only.</summary>
    private static bool Outcome<T>(Func<T> read, Rejection otherwise)
    {
        try
        {
            read();
            return true;
        }
        catch (RejectedException rejected)
        {
            Assert.Equal(otherwise.Code, rejected.Rejection.Code);
            return false;
        }
    }
}
