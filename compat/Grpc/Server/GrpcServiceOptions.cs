// AddGrpc and the options of the server side.
using System.Collections.ObjectModel;
using System.Diagnostics.CodeAnalysis;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Grpc.AspNetCore.Server
{
    public class GrpcServiceOptions
    {
        public int? MaxSendMessageSize { get; set; }
        public int? MaxReceiveMessageSize { get; set; } = 4 * 1024 * 1024;

        /// <summary>Whether clients are told the type and text of exceptions. Never where a text may name a person.</summary>
        public bool? EnableDetailedErrors { get; set; }

        public InterceptorCollection Interceptors { get; } = [];

        /// <summary>
        /// Within which a message that has begun must be there; the official library has no such limit. Kestrel's own least rate is lifted from streams, and counts the
        /// average elsewhere: who has sent megabytes at once could keep them here for hours.
        /// </summary>
        internal TimeSpan MessageTimeout { get; } = TimeSpan.FromSeconds(AppContext.GetData("Grpc.AspNetCore.Server.MessageSeconds") as int? ?? 60);
    }

    public class InterceptorRegistration
    {
        private readonly Lazy<ObjectFactory> factory;

        internal InterceptorRegistration(Type type, object[] arguments)
        {
            Type = type;
            Arguments = arguments;
            factory = new(() => ActivatorUtilities.CreateFactory(type, Type.GetTypeArray(arguments)));
        }

        public Type Type { get; }
        public IReadOnlyList<object> Arguments { get; }

        internal object Create(IServiceProvider services) => factory.Value(services, [.. Arguments]);
    }

    /// <summary>Run in order, the first outermost. Each is made per call: from the container if registered there, else created.</summary>
    public class InterceptorCollection : Collection<InterceptorRegistration>
    {
        public void Add<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TInterceptor>(params object[] args)
            where TInterceptor : Interceptor => Add(typeof(TInterceptor), args);

        public void Add([DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] Type interceptorType, params object[] args)
        {
            if (!interceptorType.IsSubclassOf(typeof(Interceptor)))
                throw new ArgumentException($"{interceptorType} is not an {nameof(Interceptor)}.", nameof(interceptorType));
            Add(new InterceptorRegistration(interceptorType, args));
        }
    }

    public interface IGrpcServerBuilder
    {
        IServiceCollection Services { get; }
    }

    /// <summary>On every gRPC endpoint: which service and method it serves.</summary>
    public sealed class GrpcMethodMetadata(Type serviceType, IMethod method)
    {
        public Type ServiceType { get; } = serviceType;
        public IMethod Method { get; } = method;
    }
}

namespace Microsoft.Extensions.DependencyInjection
{
    public static class GrpcServicesExtensions
    {
        public static IGrpcServerBuilder AddGrpc(this IServiceCollection services) => services.AddGrpc(_ => { });

        public static IGrpcServerBuilder AddGrpc(this IServiceCollection services, Action<GrpcServiceOptions> configureOptions)
        {
            services.AddRouting();
            services.TryAddSingleton<MappedGrpc>();
            services.Configure(configureOptions);
            return new Builder(services);
        }

        private sealed class Builder(IServiceCollection services) : IGrpcServerBuilder
        {
            public IServiceCollection Services => services;
        }
    }
}
