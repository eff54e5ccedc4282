using Google.Protobuf.WellKnownTypes;
using Sloring.Contracts;

namespace Sloring.Hosting;

/// <summary>Instants in requests.</summary>
public static class Instants
{
    /// <summary>An optional instant.</summary>
    /// <exception cref="RejectedException">SLR-916: not an instant.</exception>
    public static DateTimeOffset? Instant(this Timestamp? timestamp, string field)
    {
        try
        {
            return timestamp?.ToDateTimeOffset();
        }
        catch (InvalidOperationException)
        {
            throw new RejectedException(Rejections.DateInvalid.For(field));
        }
    }
}
