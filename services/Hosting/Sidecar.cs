using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Sloring.Hosting;

/// <summary>How this process and its Dapr sidecar reach and trust each other: the environment variables that Dapr itself uses.</summary>
public sealed class SidecarOptions
{
    /// <summary>Address of the sidecar's HTTP API; stands before the port.</summary>
    [ConfigurationKeyName("DAPR_HTTP_ENDPOINT")]
    public string? HttpAddress { get; set; }

    [ConfigurationKeyName("DAPR_HTTP_PORT")]
    public int HttpPort { get; set; } = 3500;

    /// <summary>Address of the sidecar's gRPC API; stands before the port.</summary>
    [ConfigurationKeyName("DAPR_GRPC_ENDPOINT")]
    public string? GrpcAddress { get; set; }

    [ConfigurationKeyName("DAPR_GRPC_PORT")]
    public int GrpcPort { get; set; } = 50001;

    /// <summary>The token that the sidecar demands of this process.</summary>
    [ConfigurationKeyName("DAPR_API_TOKEN")]
    public string ApiToken { get; set; } = "";

    /// <summary>The token that this process demands of the sidecar.</summary>
    [ConfigurationKeyName("APP_API_TOKEN")]
    public string AppToken { get; set; } = "";

    public string Http => Or(HttpAddress, HttpPort);

    public string Grpc => Or(GrpcAddress, GrpcPort);

    private static string Or(string? address, int port) => string.IsNullOrEmpty(address) ? $"http://127.0.0.1:{port}" : address;
}

/// <summary>What a process has because it stands beside a sidecar.</summary>
internal static class Sidecar
{
    /// <summary>Name of the policy that lets in this process's own sidecar, and nobody else.</summary>
    public const string Policy = "Dapr";

    public static void AddSidecar(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<SidecarOptions>().Bind(builder.Configuration).ValidateOnStart();
        services.AddSingleton<IValidateOptions<SidecarOptions>, SidecarCheck>();
        services.AddDaprClient((provider, dapr) =>
        {
            var options = provider.GetRequiredService<IOptions<SidecarOptions>>().Value;
            dapr.UseHttpEndpoint(options.Http).UseGrpcEndpoint(options.Grpc);
            if (options.ApiToken.Length > 0)
                dapr.UseDaprApiToken(options.ApiToken);
        });
        if (builder.Configuration["Events"] != "dapr")
            return;
        services.Replace(ServiceDescriptor.Singleton<IEventBus, DaprBus>());
        services.AddAuthentication().AddDapr(dapr => dapr.Token = builder.Configuration["APP_API_TOKEN"] ?? "");
        services.AddAuthorization(authorization => authorization.AddDapr(Policy));
    }

    private sealed class SidecarCheck(IOptions<Switches> switches) : IValidateOptions<SidecarOptions>
    {
        public ValidateOptionsResult Validate(string? name, SidecarOptions options)
        {
            var wrong = new List<string>();
            if (new[] { options.Http, options.Grpc }.Any(address => !Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https")))
                wrong.Add("Set DAPR_HTTP_ENDPOINT and DAPR_GRPC_ENDPOINT to addresses, for example http://127.0.0.1:3500, or leave them out and set DAPR_HTTP_PORT and DAPR_GRPC_PORT.");
            if (switches.Value.Events == "dapr")
            {
                if (options.ApiToken.Length == 0)
                    wrong.Add("Events=dapr needs DAPR_API_TOKEN: set it to the token that the sidecar demands, here and for the sidecar.");
                if (options.AppToken.Length == 0)
                    wrong.Add("Events=dapr needs APP_API_TOKEN: set it to the token that this service demands of its sidecar, here and for the sidecar.");
            }
            return wrong.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong);
        }
    }
}
