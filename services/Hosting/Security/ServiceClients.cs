using Dapr.Client;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Sloring.Contracts;

namespace Sloring.Hosting;

/// <summary>Where the platform's services answer gRPC: <c>Services:registration = http://…</c>. One that is not named is reached through the sidecar (Events=dapr).</summary>
public sealed class ServiceAddresses : Dictionary<string, string>;

/// <summary>gRPC clients between the platform's services, with the caller's own token on every call.</summary>
public static class ServiceClients
{
    /// <summary>
    /// A client of service <paramref name="to"/> that calls as service <paramref name="from"/>; injected with
    /// <c>[FromKeyedServices("from")]</c>, since several services may share one process.
    /// </summary>
    public static void AddServiceClient<TClient>(this WebApplicationBuilder builder, string from, string to) where TClient : ClientBase =>
        builder.Services.AddKeyedSingleton(from, (services, _) => (TClient)Activator.CreateInstance(typeof(TClient), services.CallInvoker(from, to))!);

    /// <summary>
    /// A client of service <paramref name="to"/>, injected with <c>[FromKeyedServices("to")]</c>, that calls as the person of the current request: who may do
    /// what is decided there, by the person's own token.
    /// </summary>
    /// <param name="builder">The host.</param>
    /// <param name="to">The service.</param>
    /// <param name="token">The person's token, from the request.</param>
    public static void AddPersonClient<TClient>(this WebApplicationBuilder builder, string to, Func<HttpContext, string?> token) where TClient : ClientBase =>
        builder.Services.AddKeyedScoped(to, (services, _) => (TClient)Activator.CreateInstance(
            typeof(TClient), services.GetRequiredService<ServiceChannels>().To(to).Intercept(new PersonTokenInterceptor(services.GetRequiredService<IHttpContextAccessor>(), token)))!);

    internal static CallInvoker CallInvoker(this IServiceProvider services, string from, string to) =>
        services.GetRequiredService<ServiceChannels>().To(to).Intercept(new ServiceTokenInterceptor(services.GetRequiredService<ServiceTokens>(), from));
}

/// <summary>Puts the token of the person whose request this is on every call.</summary>
internal sealed class PersonTokenInterceptor(IHttpContextAccessor accessor, Func<HttpContext, string?> token) : Interceptor
{
    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncUnaryCallContinuation<TRequest, TResponse> continuation) =>
        continuation(request, With(context));

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncServerStreamingCallContinuation<TRequest, TResponse> continuation) =>
        continuation(request, With(context));

    /// <summary>Without a person there is no call: nothing here may speak for itself.</summary>
    private ClientInterceptorContext<TRequest, TResponse> With<TRequest, TResponse>(ClientInterceptorContext<TRequest, TResponse> context)
        where TRequest : class where TResponse : class =>
        ServiceTokenInterceptor.With(context, accessor.HttpContext is { } http && token(http) is { } of ? of : throw new RejectedException(Rejections.TokenMissing));
}

/// <summary>One channel per address, shared by all clients of this process.</summary>
internal sealed class ServiceChannels(IOptions<ServiceAddresses> addresses, IOptions<Switches> switches, IOptions<SidecarOptions> sidecar) : IDisposable
{
    /// <summary>A sidecar ends a connection that is pinged more often than every 8 s.</summary>
    private static readonly TimeSpan PingAfter = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan DeadAfter = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, GrpcChannel> _channels = [];

    public CallInvoker To(string service)
    {
        if (addresses.Value.TryGetValue(service, out var address))
            return Channel(address).CreateCallInvoker();
        if (switches.Value.Events != "dapr")
            throw new InvalidOperationException($"Set Services:{service} to the gRPC address of that service, for example http://127.0.0.1:5081.");
        return Channel(sidecar.Value.Grpc).Intercept(new InvocationInterceptor(service, sidecar.Value.ApiToken)).Intercept(new ThroughSidecar());
    }

    private GrpcChannel Channel(string address)
    {
        lock (_channels)
        {
            if (!_channels.TryGetValue(address, out var channel))
            {
                // A peer that stands still keeps its connections open: only an unanswered ping tells.
                var handler = Outgoing.To(address);
                (handler.EnableMultipleHttp2Connections, handler.ConnectTimeout) = (true, DeadAfter);
                (handler.KeepAlivePingPolicy, handler.KeepAlivePingDelay, handler.KeepAlivePingTimeout) = (HttpKeepAlivePingPolicy.WithActiveRequests, PingAfter, DeadAfter);
                _channels[address] = channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions
                {
                    HttpHandler = handler,
                    DisposeHttpClient = true,
                });
            }
            return channel;
        }
    }

    public void Dispose()
    {
        foreach (var channel in _channels.Values)
            channel.Dispose();
    }
}

/// <summary>
/// What a call through a sidecar needs besides the callee's name. A stream is flagged as one, or a retry policy would refuse or cut it. And an error that
/// the sidecar makes itself (no such app, circuit breaker open) becomes what it means to a caller, Unavailable: the platform's services never answer
/// Unknown without the number of a rejection.
/// </summary>
internal sealed class ThroughSidecar : Interceptor
{
    private static readonly Metadata.Entry IsStream = new("dapr-stream", "true");

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
    {
        var call = continuation(request, context);
        return new AsyncUnaryCall<TResponse>(Answer(call.ResponseAsync), call.ResponseHeadersAsync, call.GetStatus, call.GetTrailers, call.Dispose);
    }

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncServerStreamingCallContinuation<TRequest, TResponse> continuation)
    {
        var call = continuation(request, Flagged(context));
        return new AsyncServerStreamingCall<TResponse>(new Reader<TResponse>(call.ResponseStream), call.ResponseHeadersAsync, call.GetStatus, call.GetTrailers, call.Dispose);
    }

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context, AsyncClientStreamingCallContinuation<TRequest, TResponse> continuation) => continuation(Flagged(context));

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context, AsyncDuplexStreamingCallContinuation<TRequest, TResponse> continuation) => continuation(Flagged(context));

    private static async Task<T> Answer<T>(Task<T> answer)
    {
        try
        {
            return await answer;
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.Unknown && RejectionWriter.FromRpc(e) is null)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, e.Status.Detail, e), e.Trailers);
        }
    }

    private static ClientInterceptorContext<TRequest, TResponse> Flagged<TRequest, TResponse>(ClientInterceptorContext<TRequest, TResponse> context)
        where TRequest : class where TResponse : class
    {
        var headers = new Metadata { IsStream };
        foreach (var entry in context.Options.Headers ?? [])
            headers.Add(entry);
        return new ClientInterceptorContext<TRequest, TResponse>(context.Method, context.Host, context.Options.WithHeaders(headers));
    }

    private sealed class Reader<T>(IAsyncStreamReader<T> stream) : IAsyncStreamReader<T>
    {
        public T Current => stream.Current;

        public Task<bool> MoveNext(CancellationToken cancellationToken) => Answer(stream.MoveNext(cancellationToken));
    }
}
