// MapGrpcService: turns the methods a generated service base binds into endpoints, with the attributes of service class and method
// as endpoint metadata, which is what makes [Authorize] work.
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

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
        public static GrpcServiceEndpointConventionBuilder MapGrpcService<TService>(this IEndpointRouteBuilder builder) where TService : class =>
            throw new NotImplementedException();
    }
}

namespace Grpc.Core
{
    public static class ServerCallContextExtensions
    {
        public static HttpContext GetHttpContext(this ServerCallContext serverCallContext) => throw new NotImplementedException();
    }
}
