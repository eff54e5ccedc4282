using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Sloring.Contracts;

namespace Sloring.Hosting;

/// <summary>
/// gRPC messages that cannot be read: cut off, not protobuf, too large. The libraries answer them before a handler is called, by statuses that blame the server (Internal, or
/// Unknown) and without a number; here they get theirs.
/// </summary>
internal static class UnreadableMessages
{
    /// <summary>Of a call with one message: nothing has been answered yet, so its status can be put right.</summary>
    public static void UseNumbersForUnreadableMessages(this WebApplication app) => app.Use(async (http, next) =>
    {
        await next(http);
        if (http.Response is { HasStarted: false, Headers.GrpcStatus: [{ } status] } response && !response.Headers.ContainsKey(RejectionWriter.StatusDetails) && int.TryParse(status, out var code)
            && Of((StatusCode)code) is { } rejection)
            await RejectionWriter.Write(http, rejection);
    });

    /// <summary>Of a stream: its reader's faults become rejections, which end the call.</summary>
    public static IAsyncStreamReader<T> Numbered<T>(IAsyncStreamReader<T> stream) => new Reader<T>(stream);

    /// <summary>Handlers give every fault of theirs a number: one without comes from reading.</summary>
    private static Rejection? Of(StatusCode status) => status switch
    {
        StatusCode.Internal or StatusCode.Unknown => Rejections.Malformed,
        StatusCode.ResourceExhausted => Rejections.TooLarge,
        _ => null,
    };

    private sealed class Reader<T>(IAsyncStreamReader<T> stream) : IAsyncStreamReader<T>
    {
        public T Current => stream.Current;

        public Task<bool> MoveNext(CancellationToken cancellationToken) => stream.MoveNext(cancellationToken) is var next && next.IsCompletedSuccessfully ? next : Awaited(next);

        private static async Task<bool> Awaited(Task<bool> next)
        {
            try
            {
                return await next;
            }
            catch (RpcException e) when (Of(e.StatusCode) is { } rejection)
            {
                throw new RejectedException(rejection);
            }
            catch (Exception e) when (e is InvalidProtocolBufferException or InvalidDataException or IndexOutOfRangeException)
            {
                // The last one is the library's own, of a length near 2 GiB.
                throw new RejectedException(Rejections.Malformed);
            }
        }
    }
}
