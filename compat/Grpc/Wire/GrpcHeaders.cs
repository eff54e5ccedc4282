// How deadlines, statuses and metadata look as HTTP/2 headers (PROTOCOL-HTTP2), and how what is not gRPC (an HTTP status, a reset
// code, a broken connection) becomes a status.
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Grpc.Core;

namespace Grpc.Wire;

internal static class GrpcHeaders
{
    public const string ContentType = "application/grpc";
    public const string Timeout = "grpc-timeout";
    public const string Status = "grpc-status";
    public const string Message = "grpc-message";
    public const string Encoding = "grpc-encoding";
    public const string AcceptEncoding = "grpc-accept-encoding";
    public const string Identity = "identity";
    public const string Gzip = "gzip";
    public const string Accepted = "identity,gzip";

    /// <summary>application/grpc alone or with a "+proto" or ";" suffix, not application/grpc-web.</summary>
    public static bool IsGrpc(string? contentType) =>
        contentType is not null
        && contentType.StartsWith(ContentType, StringComparison.OrdinalIgnoreCase)
        && (contentType.Length == ContentType.Length || contentType[ContentType.Length] is '+' or ';' or ' ');

    /// <summary>Whole milliseconds, rounded up so that the server never gives up before its client; seconds when eight digits do not hold them.</summary>
    public static string FormatTimeout(TimeSpan timeout)
    {
        var milliseconds = Math.Max(1, Math.Ceiling(timeout.TotalMilliseconds));
        return milliseconds <= 99_999_999
            ? string.Create(CultureInfo.InvariantCulture, $"{milliseconds}m")
            : string.Create(CultureInfo.InvariantCulture, $"{Math.Min(Math.Ceiling(timeout.TotalSeconds), 99_999_999)}S");
    }

    public static bool TryParseTimeout(string value, out TimeSpan timeout)
    {
        timeout = default;
        if (value.Length is < 2 or > 9 || !long.TryParse(value.AsSpan(0, value.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var amount))
            return false;
        var ticks = value[^1] switch
        {
            'n' => (amount + 99) / 100,
            'u' => amount * TimeSpan.TicksPerMicrosecond,
            'm' => amount * TimeSpan.TicksPerMillisecond,
            'S' => amount * TimeSpan.TicksPerSecond,
            'M' => amount * TimeSpan.TicksPerMinute,
            'H' => amount * TimeSpan.TicksPerHour,
            _ => -1,
        };
        timeout = TimeSpan.FromTicks(Math.Max(ticks, 0));
        return ticks >= 0;
    }

    public static string PercentEncode(string text)
    {
        if (!text.AsSpan().ContainsAnyExceptInRange(' ', '~') && !text.Contains('%', StringComparison.Ordinal))
            return text;
        var encoded = new StringBuilder(text.Length + 16);
        foreach (var b in System.Text.Encoding.UTF8.GetBytes(text))
        {
            if (b is >= (byte)' ' and <= (byte)'~' and not (byte)'%')
                encoded.Append((char)b);
            else
                encoded.Append(CultureInfo.InvariantCulture, $"%{b:X2}");
        }
        return encoded.ToString();
    }

    public static string PercentDecode(string text)
    {
        if (!text.Contains('%', StringComparison.Ordinal))
            return text;
        var bytes = System.Text.Encoding.UTF8.GetBytes(text);
        var length = 0;
        for (var i = 0; i < bytes.Length; i++)
        {
            // An invalid escape stays as it is: a garbled message is better than a lost one.
            if (bytes[i] == '%' && i + 2 < bytes.Length && byte.TryParse(bytes.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, null, out var value))
            {
                bytes[length++] = value;
                i += 2;
            }
            else
            {
                bytes[length++] = bytes[i];
            }
        }
        return System.Text.Encoding.UTF8.GetString(bytes, 0, length);
    }

    /// <summary>Bytes go as base64 without padding, as the protocol asks.</summary>
    public static string Format(Metadata.Entry entry) =>
        entry.IsBinary ? Convert.ToBase64String(entry.RawBytes).TrimEnd('=') : entry.Value;

    /// <summary>Adds what the application may see of a header; the protocol's own headers are left out.</summary>
    public static void Add(Metadata metadata, string name, string? value)
    {
        if (value is null || IsReserved(name))
            return;
        if (!name.EndsWith(Metadata.BinaryHeaderSuffix, StringComparison.OrdinalIgnoreCase))
        {
            metadata.Add(name, value);
            return;
        }
        foreach (var part in value.Split(',', StringSplitOptions.TrimEntries)) // a peer may join several values with commas
        {
            var unpadded = part.TrimEnd('=');
            var bytes = new byte[(unpadded.Length * 3 / 4) + 1];
            var padded = unpadded.PadRight((unpadded.Length + 3) / 4 * 4, '=');
            if (Convert.TryFromBase64String(padded, bytes, out var count)) // what is not base64 is no value; the call goes on without it
                metadata.Add(name, bytes[..count]);
        }
    }

    private static bool IsReserved(string name) =>
        name.StartsWith(':')
        || name.Equals("te", StringComparison.OrdinalIgnoreCase)
        || name.Equals("host", StringComparison.OrdinalIgnoreCase)
        || name.Equals("content-type", StringComparison.OrdinalIgnoreCase)
        || name.Equals("content-length", StringComparison.OrdinalIgnoreCase)
        || (name.StartsWith("grpc-", StringComparison.OrdinalIgnoreCase)
            && (name.Equals(Status, StringComparison.OrdinalIgnoreCase)
                || name.Equals(Message, StringComparison.OrdinalIgnoreCase)
                || name.Equals(Timeout, StringComparison.OrdinalIgnoreCase)
                || name.Equals(Encoding, StringComparison.OrdinalIgnoreCase)
                || name.Equals(AcceptEncoding, StringComparison.OrdinalIgnoreCase)));

    /// <summary>For an answer without grpc-status: what a proxy, a gateway or the authorization middleware said.</summary>
    public static StatusCode FromHttp(HttpStatusCode code) => code switch
    {
        HttpStatusCode.BadRequest => StatusCode.Internal,
        HttpStatusCode.Unauthorized => StatusCode.Unauthenticated,
        HttpStatusCode.Forbidden => StatusCode.PermissionDenied,
        HttpStatusCode.NotFound => StatusCode.Unimplemented,
        HttpStatusCode.TooManyRequests or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout
            => StatusCode.Unavailable,
        _ => StatusCode.Unknown,
    };

    public static Status FromException(Exception exception)
    {
        for (var e = exception; e is not null; e = e.InnerException)
        {
            if (e is RpcException rpc)
                return rpc.Status;
            if (e is HttpProtocolException protocol)
                return new Status(FromReset(protocol.ErrorCode), $"The HTTP/2 stream or connection ended with code {protocol.ErrorCode}.", exception);
        }
        return exception switch
        {
            // Whoever cancels a call ends it first, so a cancellation met here is the handler's: its connection broke under a request body.
            OperationCanceledException or HttpRequestException or IOException or SocketException or ObjectDisposedException =>
                new Status(StatusCode.Unavailable, "The connection to the server failed.", exception),
            _ => new Status(StatusCode.Internal, $"The call failed: {exception.GetType().Name}.", exception),
        };
    }

    private static StatusCode FromReset(long code) => code switch
    {
        0 => StatusCode.Unavailable, // the table says INTERNAL, but in practice this is the GOAWAY of a server that stops
        5 => StatusCode.Unavailable, // STREAM_CLOSED: not in the table, as no stream is left to tell; a server that gave up the whole connection says so
        7 => StatusCode.Unavailable, // REFUSED_STREAM
        8 => StatusCode.Cancelled,
        11 => StatusCode.ResourceExhausted, // ENHANCE_YOUR_CALM
        12 => StatusCode.PermissionDenied, // INADEQUATE_SECURITY
        _ => StatusCode.Internal,
    };
}
