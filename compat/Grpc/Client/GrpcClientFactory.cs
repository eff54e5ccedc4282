// AddGrpcClient: typed clients from the container. One channel per registered name, its handler from IHttpClientFactory, so that
// ConfigurePrimaryHttpMessageHandler and the other IHttpClientBuilder extensions apply.
using System.Collections.Concurrent;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Grpc.Net.ClientFactory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Grpc.Net.ClientFactory
{
    public enum InterceptorScope
    {
        /// <summary>Made once and shared by every client of the name.</summary>
        Channel,

        /// <summary>Made for each client, from the scope that asked for the client.</summary>
        Client,
    }

    public class InterceptorRegistration(InterceptorScope scope, Func<IServiceProvider, Interceptor> creator)
    {
        public InterceptorScope Scope { get; } = scope;
        internal Func<IServiceProvider, Interceptor> Creator { get; } = creator;
    }

    public class CallOptionsContext
    {
        internal CallOptionsContext(CallOptions callOptions, IServiceProvider serviceProvider)
        {
            CallOptions = callOptions;
            ServiceProvider = serviceProvider;
        }

        public CallOptions CallOptions { get; set; }
        public IServiceProvider ServiceProvider { get; }
    }

    public class GrpcClientFactoryOptions
    {
        public Uri? Address { get; set; }
        public IList<Action<GrpcChannelOptions>> ChannelOptionsActions { get; } = [];
        public IList<Action<CallOptionsContext>> CallOptionsActions { get; } = [];
        public IList<InterceptorRegistration> InterceptorRegistrations { get; } = [];
        public Func<CallInvoker, object>? Creator { get; set; }
        internal bool HasCallCredentials { get; set; }
    }

    public abstract class GrpcClientFactory
    {
        public abstract TClient CreateClient<TClient>(string name) where TClient : class;
    }

    /// <summary>Transient, so that a client is made with the service provider of the scope it is used in.</summary>
    internal sealed class ContainerGrpcClientFactory(
        NamedInvokers invokers, IOptionsMonitor<GrpcClientFactoryOptions> options, IServiceProvider services) : GrpcClientFactory
    {
        public override TClient CreateClient<TClient>(string name)
        {
            var named = options.Get(name);
            var invoker = invokers.Get(name);
            if (named.CallOptionsActions.Count > 0)
                invoker = invoker.Intercept(new CallOptionsInterceptor(named.CallOptionsActions, services));
            foreach (var registration in named.InterceptorRegistrations.Reverse().Where(r => r.Scope == InterceptorScope.Client))
                invoker = invoker.Intercept(registration.Creator(services));
            return (TClient)(named.Creator?.Invoke(invoker) ?? ActivatorUtilities.CreateInstance<TClient>(services, invoker));
        }
    }

    internal sealed class NamedInvokers(
        IOptionsMonitor<GrpcClientFactoryOptions> options, IHttpMessageHandlerFactory handlers, ILoggerFactory loggers, IServiceProvider services)
        : IDisposable
    {
        private readonly ConcurrentDictionary<string, Lazy<(GrpcChannel Channel, CallInvoker Invoker)>> known = new(StringComparer.Ordinal);

        public CallInvoker Get(string name) => known.GetOrAdd(name, n => new(() => Make(n))).Value.Invoker;

        public void Dispose()
        {
            foreach (var made in known.Values.Where(m => m.IsValueCreated))
                made.Value.Channel.Dispose();
        }

        private (GrpcChannel, CallInvoker) Make(string name)
        {
            var named = options.Get(name);
            var channelOptions = new GrpcChannelOptions { LoggerFactory = loggers, HttpHandler = handlers.CreateHandler(name) };
            foreach (var configure in named.ChannelOptionsActions)
                configure(channelOptions);
            var address = named.Address ?? throw new InvalidOperationException(
                $"The gRPC client '{name}' has no address. Set it in AddGrpcClient(o => o.Address = ...).");
            var channel = GrpcChannel.ForAddress(address, channelOptions);
            if (named.HasCallCredentials && !channel.SendsCallCredentials)
                throw new InvalidOperationException(
                    $"The gRPC client '{name}' has call credentials but no TLS. Use an https address, or allow it with "
                    + "ConfigureChannel(o => o.UnsafeUseInsecureChannelCallCredentials = true).");
            var invoker = channel.CreateCallInvoker();
            foreach (var registration in named.InterceptorRegistrations.Reverse().Where(r => r.Scope == InterceptorScope.Channel))
                invoker = invoker.Intercept(registration.Creator(services));
            return (channel, invoker);
        }
    }

    internal sealed class CallOptionsInterceptor(IList<Action<CallOptionsContext>> actions, IServiceProvider services) : ContextInterceptor
    {
        protected override ClientInterceptorContext<TRequest, TResponse> Change<TRequest, TResponse>(
            ClientInterceptorContext<TRequest, TResponse> context)
        {
            var changed = new CallOptionsContext(context.Options, services);
            foreach (var action in actions)
                action(changed);
            return new ClientInterceptorContext<TRequest, TResponse>(context.Method, context.Host, changed.CallOptions);
        }
    }
}

namespace Microsoft.Extensions.DependencyInjection
{
    public static class GrpcClientServiceExtensions
    {
        public static IHttpClientBuilder AddGrpcClient<TClient>(this IServiceCollection services) where TClient : class =>
            services.AddGrpcClient<TClient>(typeof(TClient).Name);

        public static IHttpClientBuilder AddGrpcClient<TClient>(this IServiceCollection services, Action<GrpcClientFactoryOptions> configureClient)
            where TClient : class => services.AddGrpcClient<TClient>(typeof(TClient).Name, configureClient);

        public static IHttpClientBuilder AddGrpcClient<TClient>(
            this IServiceCollection services, Action<IServiceProvider, GrpcClientFactoryOptions> configureClient)
            where TClient : class => services.AddGrpcClient<TClient>(typeof(TClient).Name, configureClient);

        public static IHttpClientBuilder AddGrpcClient<TClient>(
            this IServiceCollection services, string name, Action<GrpcClientFactoryOptions> configureClient)
            where TClient : class => services.AddGrpcClient<TClient>(name, (_, options) => configureClient(options));

        public static IHttpClientBuilder AddGrpcClient<TClient>(
            this IServiceCollection services, string name, Action<IServiceProvider, GrpcClientFactoryOptions> configureClient) where TClient : class
        {
            services.AddSingleton<IConfigureOptions<GrpcClientFactoryOptions>>(provider =>
                new ConfigureNamedOptions<GrpcClientFactoryOptions>(name, options => configureClient(provider, options)));
            return services.AddGrpcClient<TClient>(name);
        }

        public static IHttpClientBuilder AddGrpcClient<TClient>(this IServiceCollection services, string name) where TClient : class
        {
            services.TryAddSingleton<NamedInvokers>();
            services.TryAddTransient<GrpcClientFactory, ContainerGrpcClientFactory>();
            services.AddTransient(provider => provider.GetRequiredService<GrpcClientFactory>().CreateClient<TClient>(name));
            return services.AddHttpClient(name).ConfigurePrimaryHttpMessageHandler(provider => GrpcChannel.NewHandler(
                provider.GetRequiredService<IOptionsMonitor<GrpcClientFactoryOptions>>().Get(name).Address?.Scheme == Uri.UriSchemeHttps));
        }
    }

    public static class GrpcHttpClientBuilderExtensions
    {
        public static IHttpClientBuilder ConfigureChannel(this IHttpClientBuilder builder, Action<GrpcChannelOptions> configureChannel) =>
            builder.With((_, options) => options.ChannelOptionsActions.Add(configureChannel));

        public static IHttpClientBuilder ConfigureChannel(
            this IHttpClientBuilder builder, Action<IServiceProvider, GrpcChannelOptions> configureChannel) =>
            builder.With((services, options) => options.ChannelOptionsActions.Add(channel => configureChannel(services, channel)));

        public static IHttpClientBuilder AddInterceptor(this IHttpClientBuilder builder, Func<Interceptor> configureInvoker) =>
            builder.AddInterceptor(InterceptorScope.Channel, _ => configureInvoker());

        public static IHttpClientBuilder AddInterceptor(this IHttpClientBuilder builder, Func<IServiceProvider, Interceptor> configureInvoker) =>
            builder.AddInterceptor(InterceptorScope.Channel, configureInvoker);

        public static IHttpClientBuilder AddInterceptor(
            this IHttpClientBuilder builder, InterceptorScope scope, Func<IServiceProvider, Interceptor> configureInvoker) =>
            builder.With((_, options) => options.InterceptorRegistrations.Add(new InterceptorRegistration(scope, configureInvoker)));

        public static IHttpClientBuilder AddInterceptor<TInterceptor>(this IHttpClientBuilder builder) where TInterceptor : Interceptor =>
            builder.AddInterceptor<TInterceptor>(InterceptorScope.Channel);

        public static IHttpClientBuilder AddInterceptor<TInterceptor>(this IHttpClientBuilder builder, InterceptorScope scope)
            where TInterceptor : Interceptor => builder.AddInterceptor(scope, services => services.GetRequiredService<TInterceptor>());

        public static IHttpClientBuilder ConfigureGrpcClientCreator(this IHttpClientBuilder builder, Func<CallInvoker, object> configureCreator) =>
            builder.With((_, options) => options.Creator = configureCreator);

        public static IHttpClientBuilder AddCallCredentials(
            this IHttpClientBuilder builder, Func<AuthInterceptorContext, Metadata, Task> authInterceptor) =>
            builder.AddCallCredentials((context, metadata, _) => authInterceptor(context, metadata));

        public static IHttpClientBuilder AddCallCredentials(this IHttpClientBuilder builder, CallCredentials credentials) =>
            builder.AddCallCredentials(_ => credentials);

        public static IHttpClientBuilder AddCallCredentials(
            this IHttpClientBuilder builder, Func<AuthInterceptorContext, Metadata, IServiceProvider, Task> authInterceptor) =>
            builder.AddCallCredentials(services =>
                CallCredentials.FromInterceptor((context, metadata) => authInterceptor(context, metadata, services)));

        private static IHttpClientBuilder AddCallCredentials(this IHttpClientBuilder builder, Func<IServiceProvider, CallCredentials> make) =>
            builder.With((_, options) =>
            {
                options.HasCallCredentials = true;
                options.CallOptionsActions.Add(context =>
                {
                    var added = make(context.ServiceProvider);
                    context.CallOptions = context.CallOptions.WithCredentials(
                        context.CallOptions.Credentials is { } already ? CallCredentials.Compose(already, added) : added);
                });
            });

        private static IHttpClientBuilder With(this IHttpClientBuilder builder, Action<IServiceProvider, GrpcClientFactoryOptions> configure)
        {
            builder.Services.AddSingleton<IConfigureOptions<GrpcClientFactoryOptions>>(services =>
                new ConfigureNamedOptions<GrpcClientFactoryOptions>(builder.Name, options => configure(services, options)));
            return builder;
        }
    }
}
