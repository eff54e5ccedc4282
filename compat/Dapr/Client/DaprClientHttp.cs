// The client over the sidecar's HTTP API. The official one publishes and reads secrets over the sidecar's gRPC API; callers see the same
// exceptions from both, so an HTTP failure is put into the status the gRPC API gives for it.
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Grpc.Core;

namespace Dapr.Client;

internal sealed class DaprClientHttp : DaprClient
{
    private static readonly TimeSpan HealthPause = TimeSpan.FromMilliseconds(500);

    private readonly HttpClient http;

    public DaprClientHttp(Uri endpoint, JsonSerializerOptions json, string? token, TimeSpan timeout)
    {
        JsonSerializerOptions = json;
        // The sidecar is a neighbour: an outbound proxy of the machine is not for it.
        http = new HttpClient(new SocketsHttpHandler { UseProxy = endpoint.Scheme == Uri.UriSchemeHttps }) { BaseAddress = endpoint };
        if (timeout > TimeSpan.Zero)
            http.Timeout = timeout;
        if (!string.IsNullOrWhiteSpace(token))
            http.DefaultRequestHeaders.Add("dapr-api-token", token);
    }

    public override JsonSerializerOptions JsonSerializerOptions { get; }

    public override Task PublishEventAsync<TData>(
        string pubsubName, string topicName, TData data, CancellationToken cancellationToken = default) =>
        PublishJson(pubsubName, topicName, data, null, cancellationToken);

    public override Task PublishEventAsync<TData>(
        string pubsubName, string topicName, TData data, Dictionary<string, string> metadata, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        return PublishJson(pubsubName, topicName, data, metadata, cancellationToken);
    }

    public override Task PublishEventAsync(string pubsubName, string topicName, CancellationToken cancellationToken = default) =>
        Publish(pubsubName, topicName, null, null, cancellationToken);

    public override Task PublishEventAsync(
        string pubsubName, string topicName, Dictionary<string, string> metadata, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        return Publish(pubsubName, topicName, null, metadata, cancellationToken);
    }

    public override Task PublishByteEventAsync(
        string pubsubName, string topicName, ReadOnlyMemory<byte> data, string dataContentType = "application/json",
        Dictionary<string, string>? metadata = default, CancellationToken cancellationToken = default) =>
        Publish(pubsubName, topicName, Content(data, dataContentType), metadata, cancellationToken);

    public override async Task<Dictionary<string, string>> GetSecretAsync(
        string storeName, string key, IReadOnlyDictionary<string, string>? metadata = default, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(storeName);
        ArgumentException.ThrowIfNullOrEmpty(key);
        return await Get<Dictionary<string, string>>(
            "Secret", $"/v1.0/secrets/{Uri.EscapeDataString(storeName)}/{Uri.EscapeDataString(key)}", metadata, cancellationToken) ?? [];
    }

    public override async Task<Dictionary<string, Dictionary<string, string>>> GetBulkSecretAsync(
        string storeName, IReadOnlyDictionary<string, string>? metadata = default, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(storeName);
        return await Get<Dictionary<string, Dictionary<string, string>>>(
            "Bulk secret", $"/v1.0/secrets/{Uri.EscapeDataString(storeName)}/bulk", metadata, cancellationToken) ?? [];
    }

    public override Task<bool> CheckHealthAsync(CancellationToken cancellationToken = default) => IsHealthy("/v1.0/healthz", cancellationToken);

    public override Task<bool> CheckOutboundHealthAsync(CancellationToken cancellationToken = default) =>
        IsHealthy("/v1.0/healthz/outbound", cancellationToken);

    public override async Task WaitForSidecarAsync(CancellationToken cancellationToken = default)
    {
        while (!await CheckOutboundHealthAsync(cancellationToken))
            await Task.Delay(HealthPause, cancellationToken);
    }

    public override async Task<DaprMetadata> GetMetadataAsync(CancellationToken cancellationToken = default)
    {
        var metadata = await Get<MetadataAnswer>("Get metadata", "/v1.0/metadata", null, cancellationToken);
        return new DaprMetadata(
            metadata?.Id ?? "",
            [.. (metadata?.Actors ?? []).Select(a => new DaprActorMetadata(a.Type, a.Count))],
            metadata?.Extended ?? [],
            [.. (metadata?.Components ?? []).Select(c => new DaprComponentsMetadata(c.Name, c.Type, c.Version ?? "", c.Capabilities ?? []))]);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            http.Dispose();
        base.Dispose(disposing);
    }

    private Task PublishJson<TData>(
        string pubsubName, string topicName, TData data, Dictionary<string, string>? metadata, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(data);
        var content = Content(
            JsonSerializer.SerializeToUtf8Bytes(data, JsonSerializerOptions), data is CloudEvent ? "application/cloudevents+json" : "application/json");
        return Publish(pubsubName, topicName, content, metadata, cancellationToken);
    }

    private async Task Publish(
        string pubsubName, string topicName, HttpContent? content, Dictionary<string, string>? metadata, CancellationToken cancellationToken)
    {
        using (content)
        {
            ArgumentException.ThrowIfNullOrEmpty(pubsubName);
            ArgumentException.ThrowIfNullOrEmpty(topicName);
            var topic = string.Join('/', topicName.Split('/').Select(Uri.EscapeDataString)); // the topic is the rest of the path, slashes and all
            await Send("Publish", HttpMethod.Post, $"/v1.0/publish/{Uri.EscapeDataString(pubsubName)}/{topic}", metadata, content, cancellationToken);
        }
    }

    private async Task<T?> Get<T>(
        string operation, string path, IReadOnlyDictionary<string, string>? metadata, CancellationToken cancellationToken) where T : class
    {
        var body = await Send(operation, HttpMethod.Get, path, metadata, null, cancellationToken);
        return body.Length == 0 ? null : JsonSerializer.Deserialize<T>(body, JsonSerializerOptions.Web);
    }

    private async Task<byte[]> Send(
        string operation, HttpMethod method, string path, IReadOnlyDictionary<string, string>? metadata, HttpContent? content,
        CancellationToken cancellationToken)
    {
        var query = string.Join('&', (metadata ?? new Dictionary<string, string>())
            .Select(m => $"metadata.{Uri.EscapeDataString(m.Key)}={Uri.EscapeDataString(m.Value)}"));
        using var request = new HttpRequestMessage(method, query.Length == 0 ? path : $"{path}?{query}") { Content = content };
        Status failure;
        try
        {
            using var response = await http.SendAsync(request, cancellationToken);
            var body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
            if (response.IsSuccessStatusCode)
                return body;
            failure = StatusOf(response.StatusCode, body);
        }
        catch (HttpRequestException e)
        {
            failure = new Status(StatusCode.Unavailable, "The sidecar cannot be reached.", e);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            failure = new Status(StatusCode.DeadlineExceeded, "The sidecar did not answer in time.", e);
        }
        throw new DaprException(
            $"{operation} operation failed: the Dapr endpoint indicated a failure. See InnerException for details.", new RpcException(failure));
    }

    private async Task<bool> IsHealthy(string path, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static ByteArrayContent Content(ReadOnlyMemory<byte> data, string contentType)
    {
        var content = new ByteArrayContent(data.ToArray());
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        return content;
    }

    /// <summary>The sidecar's errors are {"errorCode","message"}; a refused api token is bare text, and so is what a proxy would say.</summary>
    private static Status StatusOf(HttpStatusCode answer, byte[] body)
    {
        ErrorAnswer? error = null;
        try
        {
            error = JsonSerializer.Deserialize<ErrorAnswer>(body, JsonSerializerOptions.Web);
        }
        catch (JsonException)
        {
            // The status alone has to do.
        }
        var code = (answer, error?.ErrorCode ?? "") switch
        {
            (_, var named) when named.EndsWith("_NOT_FOUND", StringComparison.Ordinal) => StatusCode.InvalidArgument,
            (_, var named) when named.EndsWith("_NOT_CONFIGURED", StringComparison.Ordinal) => StatusCode.FailedPrecondition,
            (HttpStatusCode.BadRequest or HttpStatusCode.NotFound, _) => StatusCode.InvalidArgument,
            (HttpStatusCode.Unauthorized, _) => StatusCode.Unauthenticated,
            (HttpStatusCode.Forbidden, _) => StatusCode.PermissionDenied,
            (HttpStatusCode.RequestEntityTooLarge or HttpStatusCode.TooManyRequests, _) => StatusCode.ResourceExhausted,
            (HttpStatusCode.InternalServerError, _) => StatusCode.Internal,
            (HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout, _) => StatusCode.Unavailable,
            _ => StatusCode.Unknown,
        };
        return new Status(code, error?.Message ?? $"The sidecar answered {(int)answer}.");
    }

    private sealed record ErrorAnswer(string? ErrorCode, string? Message);

    private sealed record MetadataAnswer(string? Id, ActorAnswer[]? Actors, Dictionary<string, string>? Extended, ComponentAnswer[]? Components);

    private sealed record ActorAnswer(string Type, int Count);

    private sealed record ComponentAnswer(string Name, string Type, string? Version, string[]? Capabilities);
}
