using System.Globalization;
using System.Net;
using Yarp.ReverseProxy.Forwarder;

namespace Sloring.Sidecar;

/// <summary>
/// gRPC from app to sidecar to sidecar to app, whole and unread: every kind of call, trailers and deadlines included. What fails on the way is answered
/// in gRPC's words, with the codes of daprd.
/// </summary>
internal sealed class Proxy(Flags flags, Resources resources, Names names, IHttpForwarder forwarder) : IDisposable
{
    /// <summary>As daprd has it built in, for a callee's sidecar that does not answer.</summary>
    private const int Rounds = 4;

    private static readonly TimeSpan BetweenRounds = TimeSpan.FromSeconds(1);
    private static readonly ForwarderRequestConfig Forever = new()
    {
        ActivityTimeout = TimeSpan.FromDays(20),
        Version = HttpVersion.Version20,
        VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        AllowResponseBuffering = false,
    };

    private readonly HttpMessageInvoker _http = new(new SocketsHttpHandler
    {
        UseProxy = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseCookies = false,
        EnableMultipleHttp2Connections = true,
        ConnectTimeout = TimeSpan.FromSeconds(5),
        KeepAlivePingDelay = TimeSpan.FromSeconds(10),
        KeepAlivePingTimeout = TimeSpan.FromSeconds(5),
        KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
    });

    /// <summary>A call of the own app.</summary>
    public async Task FromApp(HttpContext http)
    {
        var request = http.Request;
        if (Tokens.Api is not null && request.Headers[Tokens.Header] != Tokens.Api)
            await Fail(http, Code.Unauthenticated, "authentication error: api token mismatch");
        else if (request.Headers["dapr-app-id"].ToString() is not { Length: > 0 } named)
            await Fail(http, Code.Unknown, "failed to proxy request: required metadata dapr-app-id or dapr-callee-app-id not found");
        else
            await Call(http, named.Split('.')[0]);
    }

    /// <summary>A call of another app's sidecar.</summary>
    public async Task FromSidecar(HttpContext http)
    {
        var caller = http.Request.Headers["dapr-caller-app-id"].ToString();
        if (resources.Access?.Allows(caller, http.Request.Path) == false)
            await Fail(http, Code.PermissionDenied, $"access control policy has denied access to id: {caller} operation: {http.Request.Path} verb: NONE");
        else if (await Forward(http, flags.AppPort, new ToApp(caller, flags.AppId)) is { } error)
            await Fail(http, Code.Unavailable, $"error trying to connect to the app: {error}");
    }

    private async Task Call(HttpContext http, string callee)
    {
        var stream = http.Request.Headers["dapr-stream"] == "true";
        var (retry, timeout) = resources.Calls.GetValueOrDefault(callee);
        if (retry is { MaxRetries: not 0 } && !stream)
            http.Request.Body = new OneMessage(http.Request.Body, () => http.Features.Set(new SecondMessage()));
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
        if (timeout is { } most && !stream)
            limit.CancelAfter(most);
        for (var round = 1; ; round++)
        {
            var ports = names.Resolve(callee);
            if (ports.Count == 0)
            {
                await Fail(http, Code.Unknown, $"failed to resolve address for '{callee}': couldn't find service: {callee}");
                return;
            }
            string? error = null;
            foreach (var port in ports)
            {
                error = await Forward(http, port, new ToSidecar(flags.AppId), limit.Token);
                if (error is null)
                    return;
                if (http.Features.Get<SecondMessage>() is not null)
                    await Fail(http, Code.FailedPrecondition, "cannot use resiliency policies with retries on streaming RPCs");
                else if (limit.IsCancellationRequested)
                    await Fail(http, Code.DeadlineExceeded, "timeout exceeded");
                else if (http.Response.HasStarted || !Connecting(http))
                    await Fail(http, Code.Unavailable, error);
                else
                    continue;
                return;
            }
            if (round == Rounds)
            {
                await Fail(http, Code.Unavailable, error!);
                return;
            }
            await Task.Delay(BetweenRounds, http.RequestAborted);
        }
    }

    /// <summary>Null where the call was answered, by whatever status.</summary>
    private async Task<string?> Forward(HttpContext http, int port, HttpTransformer transformer, CancellationToken cancel = default)
    {
        // What an attempt before this one has left behind.
        http.Response.Clear();
        http.Features.Set<IForwarderErrorFeature>(null);
        var error = await forwarder.SendAsync(http, $"http://127.0.0.1:{port}", _http, Forever, transformer, cancel);
        return error == ForwarderError.None || http.RequestAborted.IsCancellationRequested ? null : error.ToString();
    }

    /// <summary>Whether nothing of the call has left yet.</summary>
    private static bool Connecting(HttpContext http) =>
        http.Features.Get<IForwarderErrorFeature>()?.Exception is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError };

    private static async Task Fail(HttpContext http, Code code, string message)
    {
        if (http.Response.HasStarted || http.RequestAborted.IsCancellationRequested)
            return;
        http.Response.Clear();
        http.Response.ContentType = "application/grpc";
        http.Response.Headers["grpc-status"] = ((int)code).ToString(CultureInfo.InvariantCulture);
        http.Response.Headers["grpc-message"] = Uri.EscapeDataString(message);
        await http.Response.CompleteAsync();
    }

    public void Dispose() => _http.Dispose();

    private enum Code
    {
        Unknown = 2,
        DeadlineExceeded = 4,
        PermissionDenied = 7,
        FailedPrecondition = 9,
        Unavailable = 14,
        Unauthenticated = 16,
    }

    private sealed record SecondMessage;

    private class ToSidecar(string caller) : HttpTransformer
    {
        public override async ValueTask TransformRequestAsync(HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
        {
            await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
            proxyRequest.Headers.Host = null;
            Set(proxyRequest, "dapr-caller-app-id", caller);
            proxyRequest.Headers.Remove(Tokens.Header);
        }

        protected static void Set(HttpRequestMessage request, string name, string value)
        {
            request.Headers.Remove(name);
            request.Headers.TryAddWithoutValidation(name, value);
        }
    }

    private sealed class ToApp(string caller, string callee) : ToSidecar(caller)
    {
        public override async ValueTask TransformRequestAsync(HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
        {
            await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
            proxyRequest.Headers.Remove("dapr-app-id");
            Set(proxyRequest, "dapr-callee-app-id", callee);
            Set(proxyRequest, "traceparent", Trace.Child(httpContext.Request.Headers.TraceParent));
            if (Tokens.App is { } token)
                Set(proxyRequest, Tokens.Header, token);
        }
    }

    /// <summary>Tells when a second gRPC message passes: where calls are retried, a stream must say that it is one.</summary>
    private sealed class OneMessage(Stream inner, Action second) : Stream
    {
        private readonly byte[] _head = new byte[5];
        private int _headBytes;
        private long _left;
        private int _messages;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await inner.ReadAsync(buffer, cancellationToken);
            for (var rest = buffer[..read]; rest.Length > 0;)
            {
                if (_left == 0 && _headBytes == 0 && ++_messages == 2)
                {
                    second();
                    throw new IOException("A stream that does not say so.");
                }
                var take = (int)Math.Min(rest.Length, _headBytes < 5 ? 5 - _headBytes : _left);
                if (_headBytes < 5)
                {
                    rest.Span[..take].CopyTo(_head.AsSpan(_headBytes));
                    if ((_headBytes += take) == 5)
                        _left = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(_head.AsSpan(1));
                }
                else
                {
                    _left -= take;
                }
                if (_headBytes == 5 && _left == 0)
                    _headBytes = 0;
                rest = rest[take..];
            }
            return read;
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
