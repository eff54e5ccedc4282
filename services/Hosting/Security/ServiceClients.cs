using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Sloring.Hosting;

/// <summary>Where the platform's services answer gRPC: <c>Services:registration = http://…</c>.</summary>
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

    internal static CallInvoker CallInvoker(this IServiceProvider services, string from, string to) =>
        services.GetRequiredService<ServiceChannels>().To(to).Intercept(new ServiceTokenInterceptor(services.GetRequiredService<ServiceTokens>(), from));
}

/// <summary>One channel per address, shared by all clients of this process.</summary>
internal sealed class ServiceChannels(IOptions<ServiceAddresses> addresses) : IDisposable
{
    private readonly Dictionary<string, GrpcChannel> _channels = [];

    public GrpcChannel To(string service)
    {
        if (!addresses.Value.TryGetValue(service, out var address))
            throw new InvalidOperationException($"Set Services:{service} to the gRPC address of that service, for example http://127.0.0.1:5081.");
        lock (_channels)
        {
            if (!_channels.TryGetValue(address, out var channel))
                _channels[address] = channel = GrpcChannel.ForAddress(address);
            return channel;
        }
    }

    public void Dispose()
    {
        foreach (var channel in _channels.Values)
            channel.Dispose();
    }
}
