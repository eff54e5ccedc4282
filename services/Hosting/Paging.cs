using System.Buffers.Text;
using System.Text;
using Sloring.Contracts;

namespace Sloring.Hosting;

/// <summary>Pages by key: a token holds where the page before ended, so rows added meanwhile neither repeat nor hide others.</summary>
public static class Paging
{
    /// <summary>The page size (1 to 500, 50 when 0) and the key the page before ended at (null on the first).</summary>
    /// <exception cref="RejectedException">SLR-915.</exception>
    public static (int Size, string? After) Of(int pageSize, string? pageToken)
    {
        if (pageSize is < 0 or > 500)
            throw new RejectedException(Rejections.PageInvalid.For("page_size"));
        var size = pageSize == 0 ? 50 : pageSize;
        if (string.IsNullOrEmpty(pageToken))
            return (size, null);
        try
        {
            return pageToken.Length <= 400 ? (size, Encoding.UTF8.GetString(Base64Url.DecodeFromChars(pageToken))) : throw new FormatException();
        }
        catch (FormatException)
        {
            throw new RejectedException(Rejections.PageInvalid.For("page_token"));
        }
    }

    /// <summary>The token of the page after a key.</summary>
    public static string Token(string after) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(after));
}
