using System.Text.Json;

namespace Dapr.Client;

public sealed class DaprClientBuilder
{
    private string httpEndpoint = DaprDefaults.HttpEndpoint;
    private string grpcEndpoint = DaprDefaults.GrpcEndpoint;
    private string? token = DaprDefaults.DaprApiToken;
    private JsonSerializerOptions json = new(JsonSerializerDefaults.Web);
    private TimeSpan timeout;

    public DaprClientBuilder UseHttpEndpoint(string httpEndpoint)
    {
        ArgumentException.ThrowIfNullOrEmpty(httpEndpoint);
        this.httpEndpoint = httpEndpoint;
        return this;
    }

    public DaprClientBuilder UseGrpcEndpoint(string grpcEndpoint)
    {
        ArgumentException.ThrowIfNullOrEmpty(grpcEndpoint);
        this.grpcEndpoint = grpcEndpoint;
        return this;
    }

    public DaprClientBuilder UseJsonSerializationOptions(JsonSerializerOptions options)
    {
        json = options;
        return this;
    }

    public DaprClientBuilder UseDaprApiToken(string apiToken)
    {
        token = apiToken;
        return this;
    }

    public DaprClientBuilder UseTimeout(TimeSpan timeout)
    {
        this.timeout = timeout;
        return this;
    }

    public DaprClient Build()
    {
        Check(grpcEndpoint, "gRPC"); // not dialled here, but the official client does: a wrong one must not pass until the swap
        return new DaprClientHttp(Check(httpEndpoint, "HTTP"), json, token, timeout);
    }

    private static Uri Check(string endpoint, string kind) =>
        new Uri(endpoint) is { Scheme: "http" or "https" } uri ? uri
            : throw new InvalidOperationException($"The {kind} endpoint must use http or https.");
}

/// <summary>What the sidecar's injector puts into the app's environment.</summary>
internal static class DaprDefaults
{
    public static string HttpEndpoint => Value("DAPR_HTTP_ENDPOINT") ?? $"http://127.0.0.1:{Value("DAPR_HTTP_PORT") ?? "3500"}";
    public static string GrpcEndpoint => Value("DAPR_GRPC_ENDPOINT") ?? $"http://127.0.0.1:{Value("DAPR_GRPC_PORT") ?? "50001"}";

    /// <summary>What the sidecar demands of the app.</summary>
    public static string? DaprApiToken => Value("DAPR_API_TOKEN");

    /// <summary>What the app demands of the sidecar.</summary>
    public static string? AppApiToken => Value("APP_API_TOKEN");

    private static string? Value(string name) =>
        Environment.GetEnvironmentVariable(name) is { } value && !string.IsNullOrWhiteSpace(value) ? value : null;
}
