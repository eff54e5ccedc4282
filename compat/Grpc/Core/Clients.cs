// What generated clients derive from, and the credentials a channel or a call may carry.
using Grpc.Core.Interceptors;

namespace Grpc.Core;

public abstract class ChannelBase(string target)
{
    public string Target { get; } = target;

    public abstract CallInvoker CreateCallInvoker();

    public Task ShutdownAsync() => ShutdownAsyncCore();

    protected virtual Task ShutdownAsyncCore() => Task.CompletedTask;
}

public abstract class ClientBase
{
    protected ClientBase() : this(new UnimplementedCallInvoker())
    {
    }

    protected ClientBase(CallInvoker callInvoker) : this(new ClientBaseConfiguration(callInvoker, null))
    {
    }

    protected ClientBase(ChannelBase channel) : this(channel.CreateCallInvoker())
    {
    }

    protected ClientBase(ClientBaseConfiguration configuration)
    {
        Configuration = configuration;
        CallInvoker = configuration.Host is null ? configuration.Invoker : configuration.Invoker.Intercept(new HostInterceptor(configuration.Host));
    }

    protected CallInvoker CallInvoker { get; }

    internal ClientBaseConfiguration Configuration { get; }

    protected internal class ClientBaseConfiguration
    {
        internal ClientBaseConfiguration(CallInvoker invoker, string? host)
        {
            Invoker = invoker;
            Host = host;
        }

        internal CallInvoker Invoker { get; }
        internal string? Host { get; }

        internal ClientBaseConfiguration WithHost(string host) => new(Invoker, host);
    }
}

public abstract class ClientBase<T> : ClientBase where T : ClientBase<T>
{
    protected ClientBase()
    {
    }

    protected ClientBase(CallInvoker callInvoker) : base(callInvoker)
    {
    }

    protected ClientBase(ChannelBase channel) : base(channel)
    {
    }

    protected ClientBase(ClientBaseConfiguration configuration) : base(configuration)
    {
    }

    /// <summary>The same client, sending <paramref name="host"/> as authority.</summary>
    public T WithHost(string host) => NewInstance(Configuration.WithHost(host));

    protected abstract T NewInstance(ClientBaseConfiguration configuration);
}

/// <summary>What stubs derive from when generated with the lite_client option.</summary>
public abstract class LiteClientBase(CallInvoker callInvoker)
{
    protected LiteClientBase() : this(new UnimplementedCallInvoker())
    {
    }

    protected CallInvoker CallInvoker { get; } = callInvoker;
}

/// <summary>Behind the parameterless constructor that mocks of generated clients use.</summary>
internal sealed class UnimplementedCallInvoker : CallInvoker
{
    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) => throw new NotImplementedException();

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) => throw new NotImplementedException();

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) => throw new NotImplementedException();

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options) => throw new NotImplementedException();

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options) => throw new NotImplementedException();
}

public class AuthInterceptorContext(string serviceUrl, string methodName, CancellationToken cancellationToken)
{
    public AuthInterceptorContext(string serviceUrl, string methodName) : this(serviceUrl, methodName, CancellationToken.None)
    {
    }

    public string ServiceUrl { get; } = serviceUrl;
    public string MethodName { get; } = methodName;
    public CancellationToken CancellationToken { get; } = cancellationToken;
}

public delegate Task AsyncAuthInterceptor(AuthInterceptorContext context, Metadata metadata);

/// <summary>Adds metadata (a token) to each call. Made by <see cref="FromInterceptor"/>; the official type's extension points are left out.</summary>
public abstract class CallCredentials
{
    internal CallCredentials()
    {
    }

    internal abstract IEnumerable<AsyncAuthInterceptor> Interceptors { get; }

    public static CallCredentials FromInterceptor(AsyncAuthInterceptor interceptor) => new Interceptor([interceptor]);

    public static CallCredentials Compose(params CallCredentials[] credentials) => new Interceptor([.. credentials.SelectMany(c => c.Interceptors)]);

    private sealed class Interceptor(AsyncAuthInterceptor[] interceptors) : CallCredentials
    {
        internal override IEnumerable<AsyncAuthInterceptor> Interceptors => interceptors;
    }
}

/// <summary>Whether a channel demands TLS, and the call credentials every call on it carries. Certificates belong to the HTTP handler.</summary>
public abstract class ChannelCredentials
{
    internal ChannelCredentials()
    {
    }

    public static ChannelCredentials Insecure { get; } = new Transport(false, null);
    public static ChannelCredentials SecureSsl { get; } = new Transport(true, null);

    internal abstract bool IsSecure { get; }
    internal abstract CallCredentials? CallCredentials { get; }

    public static ChannelCredentials Create(ChannelCredentials channelCredentials, CallCredentials callCredentials) =>
        new Transport(channelCredentials.IsSecure, callCredentials);

    private sealed class Transport(bool secure, CallCredentials? call) : ChannelCredentials
    {
        internal override bool IsSecure => secure;
        internal override CallCredentials? CallCredentials => call;
    }
}
