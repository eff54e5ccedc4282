// A channel: one address, one HTTP/2 handler, the limits and credentials its calls share.
using Grpc.Core;
using Microsoft.Extensions.Logging;

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
    private GrpcChannel(Uri address, GrpcChannelOptions options) : base(address.Authority)
    {
        _ = options;
    }

    public static GrpcChannel ForAddress(string address) => ForAddress(new Uri(address));
    public static GrpcChannel ForAddress(string address, GrpcChannelOptions channelOptions) => ForAddress(new Uri(address), channelOptions);
    public static GrpcChannel ForAddress(Uri address) => ForAddress(address, new GrpcChannelOptions());
    public static GrpcChannel ForAddress(Uri address, GrpcChannelOptions channelOptions) => new(address, channelOptions);

    public override CallInvoker CreateCallInvoker() => throw new NotImplementedException();

    public void Dispose()
    {
    }
}
