using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.Logging;
using Sloring.Contracts;

namespace Sloring.Hosting;

/// <summary>Turns what a handler throws into a numbered gRPC status; logs our own faults by type and place, never by message.</summary>
public sealed class RejectionInterceptor(ILogger<RejectionInterceptor> log) : Interceptor
{
    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation) =>
        Guard(context, () => continuation(request, context));

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation) =>
        Guard(context, async () => { await continuation(request, responseStream, context); return true; });

    public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation) =>
        Guard(context, () => continuation(UnreadableMessages.Numbered(requestStream), context));

    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, IServerStreamWriter<TResponse> responseStream, ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation) =>
        Guard(context, async () => { await continuation(UnreadableMessages.Numbered(requestStream), responseStream, context); return true; });

    private async Task<T> Guard<T>(ServerCallContext context, Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (RejectedException rejected)
        {
            throw RejectionWriter.ToRpc(rejected.Rejection);
        }
        catch (Exception e) when (e is not RpcException && !context.CancellationToken.IsCancellationRequested)
        {
            Faults.Log(log, e, context.Method);
            throw RejectionWriter.ToRpc(Rejections.Failed);
        }
    }
}

/// <summary>How an unexpected fault is logged: its types and places. A message may quote a caller's value, so none is written.</summary>
public static class Faults
{
    public static void Log(ILogger log, Exception e, string where) =>
        log.LogError("{Where} failed: {Types} {Place}", where, Types(e), e.StackTrace);

    private static string Types(Exception e) =>
        e.InnerException is null ? e.GetType().Name : $"{e.GetType().Name} < {Types(e.InnerException)}";
}
