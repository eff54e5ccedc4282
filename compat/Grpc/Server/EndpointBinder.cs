// Makes one endpoint of each bound method: reads and writes by the method's kind, runs the interceptors, and calls the method on a
// service instance of the request's scope.
using System.Reflection;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Grpc.AspNetCore.Server;

internal sealed class EndpointBinder<TService>(IEndpointRouteBuilder builder) : ServiceBinderBase where TService : class
{
    private readonly GrpcServiceOptions options = builder.ServiceProvider.GetRequiredService<IOptions<GrpcServiceOptions>>().Value;
    private readonly ILogger log = builder.ServiceProvider.GetRequiredService<ILoggerFactory>().CreateLogger<TService>();

    public List<IEndpointConventionBuilder> Endpoints { get; } = [];

    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler)
    {
        var info = Find(method, typeof(TRequest), typeof(ServerCallContext));
        var target = info.CreateDelegate<Func<TService, TRequest, ServerCallContext, Task<TResponse>>>();
        UnaryServerMethod<TRequest, TResponse> chain = async (request, context) =>
        {
            await using var service = Instance<TService>.For(context);
            return await target(service.Value, request, context);
        };
        foreach (var registration in options.Interceptors.Reverse())
        {
            var next = chain;
            chain = async (request, context) =>
            {
                await using var interceptor = Instance<Interceptor>.For(context, registration);
                return await interceptor.Value.UnaryServerHandler(request, context, next);
            };
        }
        Map(method, info, async call => await call.WriteSingle(await chain(await call.ReadSingle(), call)));
    }

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler)
    {
        var info = Find(method, typeof(IAsyncStreamReader<TRequest>), typeof(ServerCallContext));
        var target = info.CreateDelegate<Func<TService, IAsyncStreamReader<TRequest>, ServerCallContext, Task<TResponse>>>();
        ClientStreamingServerMethod<TRequest, TResponse> chain = async (requests, context) =>
        {
            await using var service = Instance<TService>.For(context);
            return await target(service.Value, requests, context);
        };
        foreach (var registration in options.Interceptors.Reverse())
        {
            var next = chain;
            chain = async (requests, context) =>
            {
                await using var interceptor = Instance<Interceptor>.For(context, registration);
                return await interceptor.Value.ClientStreamingServerHandler(requests, context, next);
            };
        }
        Map(method, info, async call => await call.WriteSingle(await chain(call, call)));
    }

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler)
    {
        var info = Find(method, typeof(TRequest), typeof(IServerStreamWriter<TResponse>), typeof(ServerCallContext));
        var target = info.CreateDelegate<Func<TService, TRequest, IServerStreamWriter<TResponse>, ServerCallContext, Task>>();
        ServerStreamingServerMethod<TRequest, TResponse> chain = async (request, responses, context) =>
        {
            await using var service = Instance<TService>.For(context);
            await target(service.Value, request, responses, context);
        };
        foreach (var registration in options.Interceptors.Reverse())
        {
            var next = chain;
            chain = async (request, responses, context) =>
            {
                await using var interceptor = Instance<Interceptor>.For(context, registration);
                await interceptor.Value.ServerStreamingServerHandler(request, responses, context, next);
            };
        }
        Map(method, info, async call => await chain(await call.ReadSingle(), call, call));
    }

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler)
    {
        var info = Find(method, typeof(IAsyncStreamReader<TRequest>), typeof(IServerStreamWriter<TResponse>), typeof(ServerCallContext));
        var target = info.CreateDelegate<Func<TService, IAsyncStreamReader<TRequest>, IServerStreamWriter<TResponse>, ServerCallContext, Task>>();
        DuplexStreamingServerMethod<TRequest, TResponse> chain = async (requests, responses, context) =>
        {
            await using var service = Instance<TService>.For(context);
            await target(service.Value, requests, responses, context);
        };
        foreach (var registration in options.Interceptors.Reverse())
        {
            var next = chain;
            chain = async (requests, responses, context) =>
            {
                await using var interceptor = Instance<Interceptor>.For(context, registration);
                await interceptor.Value.DuplexStreamingServerHandler(requests, responses, context, next);
            };
        }
        Map(method, info, call => chain(call, call, call));
    }

    private static MethodInfo Find(IMethod method, params Type[] parameters) =>
        typeof(TService).GetMethod(method.Name, parameters)
        ?? throw new InvalidOperationException($"{typeof(TService)} has no method {method.Name} that fits {method.FullName}.");

    private void Map<TRequest, TResponse>(
        Method<TRequest, TResponse> method, MethodInfo info, Func<ServerCall<TRequest, TResponse>, Task> handle)
        where TRequest : class where TResponse : class
    {
        var streamsRequest = method.Type is MethodType.ClientStreaming or MethodType.DuplexStreaming;
        RequestDelegate endpoint = http =>
        {
            if (!GrpcHeaders.IsGrpc(http.Request.ContentType))
                http.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            else if (!HttpProtocol.IsHttp2(http.Request.Protocol) && !HttpProtocol.IsHttp3(http.Request.Protocol))
                http.Response.StatusCode = StatusCodes.Status426UpgradeRequired; // HTTP/1.1 has no trailers to speak of
            else
                return new ServerCall<TRequest, TResponse>(http, method, handle, options, log).Handle(streamsRequest);
            return Task.CompletedTask;
        };
        var mapped = builder.MapPost(method.FullName, endpoint).WithDisplayName($"gRPC - {method.FullName}");
        mapped.Add(e =>
        {
            e.Metadata.Add(new GrpcMethodMetadata(typeof(TService), method));
            foreach (var attribute in typeof(TService).GetCustomAttributes(inherit: true).Concat(info.GetCustomAttributes(inherit: true)))
                e.Metadata.Add(attribute); // the method's come last: they win
        });
        Endpoints.Add(mapped);
    }
}

/// <summary>A service or interceptor for one call: the container's, or one made here, which is then disposed here.</summary>
internal readonly struct Instance<T>(T value, bool owned) : IAsyncDisposable where T : class
{
    private static readonly Lazy<ObjectFactory<T>> Factory = new(() => ActivatorUtilities.CreateFactory<T>([]));

    public T Value => value;

    public static Instance<T> For(ServerCallContext context)
    {
        var services = context.GetHttpContext().RequestServices;
        return services.GetService<T>() is { } registered ? new(registered, false) : new(Factory.Value(services, null), true);
    }

    public static Instance<T> For(ServerCallContext context, InterceptorRegistration registration)
    {
        var services = context.GetHttpContext().RequestServices;
        if (services.GetService(registration.Type) is T registered)
            return new(registered, false);
        return new((T)registration.Create(services), true);
    }

    public ValueTask DisposeAsync()
    {
        if (owned && value is IAsyncDisposable later)
            return later.DisposeAsync();
        if (owned)
            (value as IDisposable)?.Dispose();
        return default;
    }
}
