// MapGrpcService: turns the methods a generated service base binds into endpoints, with the attributes of service class and method
// as endpoint metadata, which is what makes [Authorize] work.
using System.Reflection;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Builder
{
    public sealed class GrpcServiceEndpointConventionBuilder : IEndpointConventionBuilder
    {
        private readonly IReadOnlyList<IEndpointConventionBuilder> endpoints;

        internal GrpcServiceEndpointConventionBuilder(IReadOnlyList<IEndpointConventionBuilder> endpoints) => this.endpoints = endpoints;

        public void Add(Action<EndpointBuilder> convention)
        {
            foreach (var endpoint in endpoints)
                endpoint.Add(convention);
        }

        public void Finally(Action<EndpointBuilder> finallyConvention)
        {
            foreach (var endpoint in endpoints)
                endpoint.Finally(finallyConvention);
        }
    }

    public static class GrpcEndpointRouteBuilderExtensions
    {
        public static GrpcServiceEndpointConventionBuilder MapGrpcService<TService>(this IEndpointRouteBuilder builder) where TService : class
        {
            var mapped = builder.ServiceProvider.GetService<MappedGrpc>()
                ?? throw new InvalidOperationException("Call AddGrpc on the service collection before MapGrpcService.");
            var attribute = typeof(TService).GetCustomAttribute<BindServiceMethodAttribute>(inherit: true)
                ?? throw new InvalidOperationException($"{typeof(TService)} does not derive from a generated gRPC service base.");
            var bind = attribute.BindType.GetMethods(BindingFlags.Public | BindingFlags.Static).Single(m =>
                m.Name == attribute.BindMethodName && m.GetParameters() is [var first, _] && first.ParameterType == typeof(ServiceBinderBase));
            var binder = new EndpointBinder<TService>(builder);
            bind.Invoke(null, [binder, null]);
            mapped.MapUnimplementedOnce(builder);
            return new GrpcServiceEndpointConventionBuilder(binder.Endpoints);
        }
    }
}

namespace Grpc.Core
{
    public static class ServerCallContextExtensions
    {
        /// <summary>A test's own context says which HttpContext by UserState["__HttpContext"], as with the official library.</summary>
        public static HttpContext GetHttpContext(this ServerCallContext serverCallContext) =>
            serverCallContext is ServerCall call ? call.Http
            : serverCallContext.UserState.TryGetValue("__HttpContext", out var http) && http is HttpContext context ? context
            : throw new InvalidOperationException("This call context has no HttpContext.");
    }
}

namespace Grpc.AspNetCore.Server
{
    /// <summary>Calls no endpoint answers get UNIMPLEMENTED, not HTTP 404; other requests on the same port are left alone.</summary>
    internal sealed class MappedGrpc
    {
        private int done;

        public void MapUnimplementedOnce(IEndpointRouteBuilder builder)
        {
            if (Interlocked.Exchange(ref done, 1) == 1)
                return;
            var pattern = Microsoft.AspNetCore.Routing.Patterns.RoutePatternFactory.Parse(
                "/{service}/{method}", null, new { method = new GrpcOnly() });
            builder.Map(pattern, Answer).WithDisplayName("gRPC - unimplemented").WithMetadata(new HttpMethodMetadata(["POST"]));
        }

        private static Task Answer(HttpContext http)
        {
            http.Response.ContentType = Wire.GrpcHeaders.ContentType;
            http.Response.Headers.GrpcStatus = "12";
            http.Response.Headers.GrpcMessage = "Method is unimplemented.";
            return Task.CompletedTask;
        }

        private sealed class GrpcOnly : IRouteConstraint
        {
            public bool Match(HttpContext? httpContext, IRouter? route, string routeKey, RouteValueDictionary values, RouteDirection routeDirection) =>
                Wire.GrpcHeaders.IsGrpc(httpContext?.Request.ContentType);
        }
    }
}
