using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Sloring.Contracts;
using RpcStatus = Google.Rpc.Status;

namespace Sloring.Hosting;

/// <summary>The one place where a numbered rejection becomes a gRPC status with details, or HTTP problem details (RFC 9457).</summary>
public static class RejectionWriter
{
    /// <summary>The header or trailer with google.rpc.Status.</summary>
    internal const string StatusDetails = "grpc-status-details-bin";

    /// <summary>Seconds to wait where nobody knows better.</summary>
    private const string ShortestWait = "1";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Rejection kind → gRPC status and HTTP status.</summary>
    private static readonly Dictionary<RejectionKind, (StatusCode Grpc, int Http)> Wire = new()
    {
        [RejectionKind.Invalid] = (StatusCode.InvalidArgument, StatusCodes.Status400BadRequest),
        [RejectionKind.Unauthenticated] = (StatusCode.Unauthenticated, StatusCodes.Status401Unauthorized),
        [RejectionKind.Forbidden] = (StatusCode.PermissionDenied, StatusCodes.Status403Forbidden),
        [RejectionKind.NotFound] = (StatusCode.NotFound, StatusCodes.Status404NotFound),
        [RejectionKind.Conflict] = (StatusCode.AlreadyExists, StatusCodes.Status409Conflict),
        [RejectionKind.State] = (StatusCode.FailedPrecondition, StatusCodes.Status409Conflict),
        [RejectionKind.TooMuch] = (StatusCode.ResourceExhausted, StatusCodes.Status413PayloadTooLarge),
        [RejectionKind.TooOften] = (StatusCode.ResourceExhausted, StatusCodes.Status429TooManyRequests),
        [RejectionKind.Unavailable] = (StatusCode.Unavailable, StatusCodes.Status503ServiceUnavailable),
        [RejectionKind.Internal] = (StatusCode.Internal, StatusCodes.Status500InternalServerError),
    };

    /// <summary>As a gRPC exception: status, English text, and google.rpc.Status in the trailers.</summary>
    public static RpcException ToRpc(Rejection rejection)
    {
        Telemetry.Count(rejection, "grpc");
        var (status, trailers) = (Wire[rejection.Kind].Grpc, new Metadata { { StatusDetails, Details(rejection) } });
        if (rejection.Kind == RejectionKind.TooOften)
            trailers.Add("retry-after", ShortestWait);
        return new RpcException(new Grpc.Core.Status(status, $"{rejection.Code} {rejection.En}"), trailers);
    }

    /// <summary>The rejection that a gRPC error carries, or null where it carries none.</summary>
    public static Rejection? FromRpc(RpcException error)
    {
        var details = error.Trailers.FirstOrDefault(entry => entry.Key == StatusDetails)?.ValueBytes;
        if (details is null)
            return null;
        var info = RpcStatus.Parser.ParseFrom(details).Details.Where(any => any.Is(ErrorInfo.Descriptor)).Select(any => any.Unpack<ErrorInfo>()).FirstOrDefault();
        if (info is null || !Rejections.All.TryGetValue(info.Reason, out var rejection))
            return null;
        return info.Metadata.TryGetValue("field", out var field) ? rejection.For(field) : rejection;
    }

    /// <summary>The HTTP status of a rejection.</summary>
    public static int HttpStatus(Rejection rejection) => Wire[rejection.Kind].Http;

    /// <summary>Answers a request that never reached its handler, on the wire it came by.</summary>
    public static Task Write(HttpContext http, Rejection rejection)
    {
        if (http.Response.HasStarted)
        {
            http.Abort();
            return Task.CompletedTask;
        }
        if (rejection.Kind == RejectionKind.TooOften && http.Response.Headers.RetryAfter.Count == 0)
            http.Response.Headers.RetryAfter = ShortestWait;
        var isGrpc = http.Request.ContentType?.StartsWith("application/grpc", StringComparison.Ordinal) == true;
        Telemetry.Count(rejection, isGrpc ? "grpc" : "http");
        return isGrpc ? WriteTrailersOnly(http.Response, rejection) : WriteProblem(http, rejection);
    }

    private static Task WriteTrailersOnly(HttpResponse response, Rejection rejection)
    {
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = "application/grpc";
        response.Headers["grpc-status"] = ((int)Wire[rejection.Kind].Grpc).ToString(CultureInfo.InvariantCulture);
        response.Headers["grpc-message"] = PercentEncoded($"{rejection.Code} {rejection.En}");
        response.Headers[StatusDetails] = Convert.ToBase64String(Details(rejection));
        return Task.CompletedTask;
    }

    /// <summary>As gRPC over HTTP/2 says: nothing that may stand as it is, since some clients decode no more than what must be encoded.</summary>
    private static string PercentEncoded(string text) =>
        string.Concat(text.Select(c => c is >= ' ' and <= '~' and not '%' ? c.ToString() : Uri.EscapeDataString(c.ToString())));

    private static Task WriteProblem(HttpContext http, Rejection rejection)
    {
        var danish = http.Request.Headers.AcceptLanguage.ToString().StartsWith("da", StringComparison.OrdinalIgnoreCase);
        http.Response.StatusCode = Wire[rejection.Kind].Http;
        http.Response.ContentType = "application/problem+json";
        return http.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(
            new Problem(
                $"urn:sloring:rejection:{rejection.Code}", danish ? rejection.Da : rejection.En, Wire[rejection.Kind].Http,
                rejection.Code, rejection.Field, rejection.Da, rejection.En),
            Json), http.RequestAborted).AsTask();
    }

    private static byte[] Details(Rejection rejection)
    {
        var info = new ErrorInfo { Reason = rejection.Code, Domain = "sloring" };
        if (rejection.Field is not null)
            info.Metadata["field"] = rejection.Field;
        return new RpcStatus
        {
            Code = (int)Wire[rejection.Kind].Grpc,
            Message = $"{rejection.Code} {rejection.En}",
            Details =
            {
                Any.Pack(info),
                Any.Pack(new LocalizedMessage { Locale = "da", Message = rejection.Da }),
                Any.Pack(new LocalizedMessage { Locale = "en", Message = rejection.En }),
            },
        }.ToByteArray();
    }

    /// <summary>Problem details with the rejection's number, field and both languages.</summary>
    private sealed record Problem(string Type, string Title, int Status, string Code, string? Field, string Da, string En);
}
