// A channel: one address, one HTTP/2 handler, the limits and credentials its calls share.
using System.Collections.Concurrent;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Grpc.Net.Client;

public sealed class GrpcChannelOptions
{
    public ChannelCredentials? Credentials { get; set; }
    public int? MaxSendMessageSize { get; set; }
    public int? MaxReceiveMessageSize { get; set; } = 4 * 1024 * 1024;
    public ILoggerFactory? LoggerFactory { get; set; }
    public HttpClient? HttpClient { get; set; }
    public HttpMessageHandler? HttpHandler { get; set; }

    /// <summary>Whether disposing the channel disposes the given client or handler; one the channel made itself always is.</summary>
    public bool DisposeHttpClient { get; set; }

    /// <summary>Throw OperationCanceledException, not RpcException, when the caller's token fires or the deadline passes.</summary>
    public bool ThrowOperationCanceledOnCancellation { get; set; }

    /// <summary>Send call credentials over plain HTTP/2: right behind a mesh's mTLS or on loopback, wrong elsewhere.</summary>
    public bool UnsafeUseInsecureChannelCallCredentials { get; set; }
}

public sealed class GrpcChannel : ChannelBase, IDisposable
{
    private readonly Uri address;
    private readonly ConcurrentDictionary<string, Uri> uris = new(StringComparer.Ordinal);
    private readonly HttpMessageInvoker http;
    private readonly bool disposeHttp;
    private readonly CancellationTokenSource disposed = new();

    private GrpcChannel(Uri address, GrpcChannelOptions options) : base(address.Authority)
    {
        if (address.Scheme != Uri.UriSchemeHttp && address.Scheme != Uri.UriSchemeHttps)
            throw new ArgumentException($"A gRPC address starts with http:// or https://, '{address}' does not.", nameof(address));
        if (options.HttpClient is not null && options.HttpHandler is not null)
            throw new ArgumentException("Set HttpClient or HttpHandler, not both.", nameof(options));
        var secure = address.Scheme == Uri.UriSchemeHttps;
        if (options.Credentials is not null && options.Credentials.IsSecure != secure)
            throw new InvalidOperationException($"The channel's credentials do not fit the scheme of '{address}'.");

        this.address = address;
        disposeHttp = options.DisposeHttpClient || (options.HttpClient is null && options.HttpHandler is null);
        http = options.HttpClient ?? new HttpMessageInvoker(options.HttpHandler ?? NewHandler(secure), disposeHttp);
        Credentials = secure || options.UnsafeUseInsecureChannelCallCredentials ? options.Credentials?.CallCredentials : null;
        SendsCallCredentials = secure || options.UnsafeUseInsecureChannelCallCredentials;
        SendLimit = options.MaxSendMessageSize;
        ReceiveLimit = options.MaxReceiveMessageSize;
        ThrowsOperationCanceled = options.ThrowOperationCanceledOnCancellation;
        Log = (options.LoggerFactory ?? NullLoggerFactory.Instance).CreateLogger<GrpcChannel>();
        Disposed = disposed.Token;
    }

    internal CallCredentials? Credentials { get; }
    internal bool SendsCallCredentials { get; }
    internal int? SendLimit { get; }
    internal int? ReceiveLimit { get; }
    internal bool ThrowsOperationCanceled { get; }
    internal ILogger Log { get; }
    internal CancellationToken Disposed { get; }

    public static GrpcChannel ForAddress(string address) => ForAddress(new Uri(address));
    public static GrpcChannel ForAddress(string address, GrpcChannelOptions channelOptions) => ForAddress(new Uri(address), channelOptions);
    public static GrpcChannel ForAddress(Uri address) => ForAddress(address, new GrpcChannelOptions());
    public static GrpcChannel ForAddress(Uri address, GrpcChannelOptions channelOptions) => new(address, channelOptions);

    public override CallInvoker CreateCallInvoker() => new HttpCallInvoker(this);

    /// <summary>Cancels the calls still running.</summary>
    public void Dispose()
    {
        if (Disposed.IsCancellationRequested)
            return;
        disposed.Cancel();
        disposed.Dispose();
        if (disposeHttp)
            http.Dispose();
    }

    /// <summary>An HTTP proxy cannot carry HTTP/2 without TLS; with TLS the machine's proxy settings apply.</summary>
    internal static SocketsHttpHandler NewHandler(bool secure) => new() { EnableMultipleHttp2Connections = true, UseProxy = secure };

    internal Uri UriOf(IMethod method) => uris.TryGetValue(method.FullName, out var uri) ? uri : uris.GetOrAdd(method.FullName, new Uri(address, method.FullName));

    internal string ServiceUrl(IMethod method) => $"{address.Scheme}://{address.Authority}/{method.ServiceName}";

    /// <summary>Until the answer's headers: HttpClient would otherwise read the whole answer first.</summary>
    internal Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        http is HttpClient client
            ? client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken)
            : http.SendAsync(request, cancellationToken);
}

internal sealed class HttpCallInvoker(GrpcChannel channel) : CallInvoker
{
    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        using var call = AsyncUnaryCall(method, host, options, request);
        return call.GetAwaiter().GetResult();
    }

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        var call = new HttpCall<TRequest, TResponse>(channel, method, host, options);
        call.Start(request);
        return new AsyncUnaryCall<TResponse>(
            call.ReadSingle(), HttpCall.HeadersOf, HttpCall.StatusOf, HttpCall.TrailersOf, HttpCall.DisposeOf, call);
    }

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        var call = new HttpCall<TRequest, TResponse>(channel, method, host, options);
        call.Start(request);
        return new AsyncServerStreamingCall<TResponse>(
            call, HttpCall.HeadersOf, HttpCall.StatusOf, HttpCall.TrailersOf, HttpCall.DisposeOf, call);
    }

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        var call = new HttpCall<TRequest, TResponse>(channel, method, host, options);
        var requests = call.StartStream();
        return new AsyncClientStreamingCall<TRequest, TResponse>(
            requests, call.ReadSingle(), HttpCall.HeadersOf, HttpCall.StatusOf, HttpCall.TrailersOf, HttpCall.DisposeOf, call);
    }

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        var call = new HttpCall<TRequest, TResponse>(channel, method, host, options);
        var requests = call.StartStream();
        return new AsyncDuplexStreamingCall<TRequest, TResponse>(
            requests, call, HttpCall.HeadersOf, HttpCall.StatusOf, HttpCall.TrailersOf, HttpCall.DisposeOf, call);
    }
}
