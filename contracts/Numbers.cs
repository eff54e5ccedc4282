using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Sloring.Contracts;

/// <summary>
/// A Danish personal number: 10 digits DDMMYY + 4. Prints masked. Checked for a possible date, never on modulus 11 (numbers
/// without a valid check digit are issued since 2007). Replacement numbers with day + 60 are accepted; the date of those is checked less 60.
/// </summary>
public readonly record struct CprNumber
{
    private readonly string? _digits;

    private CprNumber(string digits) => _digits = digits;

    /// <summary>The 10 digits. Never write them to a log, URL, header, metric or exception.</summary>
    public string Digits => _digits ?? throw new InvalidOperationException("An empty CprNumber has no digits.");

    /// <summary>Parses 10 digits without a hyphen. Official test numbers with impossible months are not accepted.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out CprNumber cpr)
    {
        cpr = default;
        if (text is not { Length: 10 } || text.AsSpan().ContainsAnyExceptInRange('0', '9'))
            return false;
        var day = int.Parse(text.AsSpan(0, 2), CultureInfo.InvariantCulture);
        if (day > 60)
            day -= 60;
        var month = int.Parse(text.AsSpan(2, 2), CultureInfo.InvariantCulture);
        if (month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(Century(text) + int.Parse(text.AsSpan(4, 2), CultureInfo.InvariantCulture), month))
            return false;
        cpr = new CprNumber(text);
        return true;
    }

    /// <summary>Parses, or rejects with SLR-910 naming the field.</summary>
    public static CprNumber Parse(string? text, string field = "patient_cpr") =>
        TryParse(text, out var cpr) ? cpr : throw new RejectedException(Rejections.CprInvalid.For(field));

    /// <summary>Century by the seventh digit and the year, as the CPR office documents it.</summary>
    private static int Century(string text)
    {
        var year = int.Parse(text.AsSpan(4, 2), CultureInfo.InvariantCulture);
        return text[6] switch
        {
            <= '3' => 1900,
            '4' or '9' => year <= 36 ? 2000 : 1900,
            _ => year <= 57 ? 2000 : 1800,
        };
    }

    /// <summary>Masked: never shows a digit.</summary>
    public override string ToString() => "CPR ******-****";
}

/// <summary>A Danish company number: 8 digits with a modulus 11 check digit. Kept as a number.</summary>
/// <param name="Value">10000000 to 99999999.</param>
public readonly record struct CvrNumber(uint Value)
{
    private static ReadOnlySpan<byte> Weights => [2, 7, 6, 5, 4, 3, 2];

    /// <summary>Parses 8 digits and checks the check digit.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out CvrNumber cvr)
    {
        cvr = default;
        if (text is not { Length: 8 } || text[0] == '0' || text.AsSpan().ContainsAnyExceptInRange('0', '9'))
            return false;
        var sum = 0;
        uint value = 0;
        for (var i = 0; i < 8; i++)
        {
            var digit = text[i] - '0';
            value = (value * 10) + (uint)digit;
            sum += i < 7 ? digit * Weights[i] : digit;
        }
        if (sum % 11 != 0)
            return false;
        cvr = new CvrNumber(value);
        return true;
    }

    /// <summary>Parses, or rejects with SLR-911 naming the field.</summary>
    public static CvrNumber Parse(string? text, string field = "cvr") =>
        TryParse(text, out var cvr) ? cvr : throw new RejectedException(Rejections.CvrInvalid.For(field));

    /// <summary>8 digits.</summary>
    public override string ToString() => Value.ToString("D8", CultureInfo.InvariantCulture);
}

/// <summary>Authorisation id of a health professional: 5 letters and digits, for example 6QF17; public.</summary>
public static class AuthorisationId
{
    /// <summary>Whether a text has its form; whose it is, only the register knows.</summary>
    public static bool IsValid([NotNullWhen(true)] string? text) => text is { Length: 5 } && text.All(char.IsAsciiLetterOrDigit);
}

/// <summary>An id of the national register of health organisations (SOR): 11 to 18 digits, the last a Verhoeff check digit.</summary>
public static class SorId
{
    private static readonly byte[][] Multiply =
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 3, 4, 0, 6, 7, 8, 9, 5], [2, 3, 4, 0, 1, 7, 8, 9, 5, 6], [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
        [4, 0, 1, 2, 3, 9, 5, 6, 7, 8], [5, 9, 8, 7, 6, 0, 4, 3, 2, 1], [6, 5, 9, 8, 7, 1, 0, 4, 3, 2], [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
        [8, 7, 6, 5, 9, 3, 2, 1, 0, 4], [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
    ];

    private static readonly byte[][] Permute =
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 5, 7, 6, 2, 8, 3, 0, 9, 4], [5, 8, 0, 3, 7, 9, 6, 1, 4, 2], [8, 9, 1, 6, 0, 4, 3, 5, 2, 7],
        [9, 4, 5, 3, 1, 2, 6, 8, 7, 0], [4, 2, 8, 6, 5, 7, 3, 9, 0, 1], [2, 7, 9, 3, 8, 0, 6, 4, 1, 5], [7, 0, 4, 6, 9, 1, 3, 2, 5, 8],
    ];

    /// <summary>True for 11 to 18 digits with a right check digit.</summary>
    public static bool IsValid([NotNullWhen(true)] string? text)
    {
        if (text is not { Length: >= 11 and <= 18 } || text.AsSpan().ContainsAnyExceptInRange('0', '9'))
            return false;
        var check = 0;
        for (var i = 0; i < text.Length; i++)
            check = Multiply[check][Permute[i % 8][text[^(i + 1)] - '0']];
        return check == 0;
    }
}

/// <summary>A code of the hospital classification (SHAK): 4 characters for a hospital, 6 for a department, 7 for a section.</summary>
public static class ShakCode
{
    /// <summary>True for 4, 6 or 7 characters of A-Z and 0-9, beginning with four digits.</summary>
    public static bool IsValid([NotNullWhen(true)] string? text) =>
        text is { Length: 4 or 6 or 7 } && !text.AsSpan(0, 4).ContainsAnyExceptInRange('0', '9')
        && text.All(c => c is (>= '0' and <= '9') or (>= 'A' and <= 'Z'));
}

/// <summary>Keyed hash of a patient: the first 128 bits of HMAC-SHA-256 over the CPR digits. Comparable only under one key.</summary>
/// <param name="High">Big-endian bytes 0..7.</param>
/// <param name="Low">Big-endian bytes 8..15.</param>
public readonly record struct PatientKey(ulong High, ulong Low)
{
    /// <summary>Computes the key; <paramref name="secret"/> is a feed's or the platform's HMAC key.</summary>
    public static PatientKey Compute(ReadOnlySpan<byte> secret, CprNumber cpr)
    {
        Span<byte> digits = stackalloc byte[10];
        Encoding.ASCII.GetBytes(cpr.Digits, digits);
        Span<byte> hash = stackalloc byte[32];
        HMACSHA256.HashData(secret, digits, hash);
        return new PatientKey(BinaryPrimitives.ReadUInt64BigEndian(hash), BinaryPrimitives.ReadUInt64BigEndian(hash[8..]));
    }

    /// <summary>Parses 32 hex digits.</summary>
    public static PatientKey Parse(string hex) => new(
        ulong.Parse(hex.AsSpan(0, 16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture),
        ulong.Parse(hex.AsSpan(16, 16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));

    /// <summary>32 lower-case hex digits.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{High:x16}{Low:x16}");
}
