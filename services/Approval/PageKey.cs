using System.Globalization;
using Sloring.Contracts;
using Sloring.Hosting;

namespace Sloring.Approval;

/// <summary>Where a page of rows ordered by (instant, id) ended.</summary>
internal static class PageKey
{
    public static string Token(DateTimeOffset at, string id) => Paging.Token(Text(at, id));

    /// <summary>What a token holds.</summary>
    public static string Text(DateTimeOffset at, string id) => string.Create(CultureInfo.InvariantCulture, $"{at.ToUnixTimeMilliseconds()}|{id}");

    /// <summary>Reads what a token holds, which may be anything that a caller made up.</summary>
    /// <exception cref="RejectedException">SLR-915.</exception>
    public static (DateTimeOffset At, string Id) Parse(string after)
    {
        var parts = after.Split('|');
        if (parts.Length == 2 && Guid.TryParseExact(parts[1], "D", out var id)
            && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds)
            && milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds())
            return (DateTimeOffset.FromUnixTimeMilliseconds(milliseconds), id.ToString("D"));
        throw new RejectedException(Rejections.PageInvalid.For("page_token"));
    }
}
