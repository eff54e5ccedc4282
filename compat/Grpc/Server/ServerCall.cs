// One call on the server: context, request reader and response writer in a single object.
//
// Only the request delegate touches the HttpContext to end the call. A deadline merely completes a task the delegate waits for: in a
// trial, a timer that ended the call itself met a context already given back, and the process died.
using System.Buffers;
using System.Net.Sockets;
using Grpc.Core;
using Grpc.Wire;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;

namespace Grpc.AspNetCore.Server;

internal sealed class ServerCall<TRequest, TResponse>(
    HttpContext http, Method<TRequest, TResponse> method, Func<ServerCall<TRequest, TResponse>, Task> handler, GrpcServiceOptions options, ILogger log)
    : ServerCall(http, method, log), IAsyncStreamReader<TRequest>, IServerStreamWriter<TResponse>
    where TRequest : class where TResponse : class
{
    private readonly FrameReader<TRequest> reader = new(
        http.Request.BodyReader, method.RequestMarshaller.ContextualDeserializer, options.MaxReceiveMessageSize, http.Request.Headers.GrpcEncoding, options.MessageTimeout);

    private readonly FrameWriter writer = new(options.MaxSendMessageSize);

    public TRequest Current { get; private set; } = null!;

    protected override bool DetailedErrors => options.EnableDetailedErrors ?? false;

    protected override Task RunHandler() => handler(this);

    /// <summary>The only message of a request, read to the end of the request.</summary>
    public async ValueTask<TRequest> ReadSingle()
    {
        if (!await Read(reader.ReadAsync(CancellationToken.None)))
            throw new RpcException(new Status(StatusCode.Internal, "The request has no message."));
        var message = reader.Message!;
        return await Read(reader.ReadAsync(CancellationToken.None))
            ? throw new RpcException(new Status(StatusCode.Internal, "The request has more than one message."))
            : message;
    }

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        if (!await Read(reader.ReadAsync(cancellationToken)))
            return false;
        Current = reader.Message!;
        return true;
    }

    /// <summary>The only message of an answer: it leaves together with the trailers, in one flush.</summary>
    public async ValueTask WriteSingle(TResponse? message)
    {
        if (message is null)
            throw new RpcException(new Status(StatusCode.Cancelled, "No message returned from method."));
        if (Status.StatusCode == StatusCode.OK)
            await Write(message, flush: false);
    }

    public Task WriteAsync(TResponse message) => WriteAsync(message, CancellationToken.None);

    public Task WriteAsync(TResponse message, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        CancellationToken.ThrowIfCancellationRequested();
        return Write(message, WriteOptions is null || !WriteOptions.Flags.HasFlag(WriteFlags.BufferHint));
    }

    private async Task Write(TResponse message, bool flush)
    {
        BeginWrite();
        try
        {
            if (!Http.Response.HasStarted)
                await Http.Response.StartAsync(); // bytes written before this would be buffered twice
            Http.Response.BodyWriter.Write(writer.Serialize(message, method.ResponseMarshaller.ContextualSerializer).Span);
            writer.Release();
            if (flush)
                await Flush();
        }
        finally
        {
            EndWrite();
        }
    }
}

internal abstract class ServerCall(HttpContext http, IMethod method, ILogger log) : ServerCallContext
{
    private const int Idle = 0;
    private const int Writing = 1;
    private const int Ended = 2;
    private const int ResetCancel = 8;

    private static readonly StringValues[] StatusTexts = [.. Enum.GetValues<StatusCode>().Select(c => new StringValues(((int)c).ToString(System.Globalization.CultureInfo.InvariantCulture)))];
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(24);

    private static readonly AuthContext NoAuthContext = new(null, []);

    private CancellationToken aborted;
    private CancellationToken deadlineOrAborted;
    private CancellationTokenSource? deadlineSource;
    private TaskCompletionSource? deadlinePassed;
    private DateTime deadline = DateTime.MaxValue;
    private Metadata? requestHeaders;
    private Metadata? trailers;
    private Dictionary<object, object>? userState;
    private int state;
    private bool clientGone;

    public HttpContext Http => http;

    protected abstract bool DetailedErrors { get; }
    protected abstract Task RunHandler();

    protected override string MethodCore => method.FullName;
    protected override string HostCore => http.Request.Host.Value ?? "";
    protected override DateTime DeadlineCore => deadline;
    protected override CancellationToken CancellationTokenCore => deadlineSource is null ? http.RequestAborted : deadlineOrAborted;
    protected override Metadata ResponseTrailersCore => trailers ??= [];
    protected override Status StatusCore { get; set; }
    protected override WriteOptions? WriteOptionsCore { get; set; }
    protected override AuthContext AuthContextCore => NoAuthContext;
    protected override IDictionary<object, object> UserStateCore => userState ??= [];

    protected override string PeerCore => http.Connection.RemoteIpAddress is not { } ip ? "unknown"
        : ip.AddressFamily == AddressFamily.InterNetwork ? $"ipv4:{ip}:{http.Connection.RemotePort}"
        : $"ipv6:[{ip}]:{http.Connection.RemotePort}";

    protected override Metadata RequestHeadersCore
    {
        get
        {
            if (requestHeaders is null)
            {
                requestHeaders = [];
                foreach (var (name, values) in http.Request.Headers)
                {
                    foreach (var value in values)
                        GrpcHeaders.Add(requestHeaders, name, value);
                }
            }
            return requestHeaders;
        }
    }

    private bool IsDeadlinePassed => deadlinePassed?.Task.IsCompleted ?? false;

    /// <summary>Runs the handler and ends the call; the answer to a deadline does not wait for the handler, but this method does.</summary>
    public async Task Handle(bool streamsRequest)
    {
        http.Response.ContentType = GrpcHeaders.ContentType;
        LiftBodyLimits(streamsRequest);
        StartDeadline();
        try
        {
            var running = Run();
            if (deadlinePassed is null || await Task.WhenAny(running, deadlinePassed.Task) == running)
            {
                End(await running);
                return;
            }
            await EndByDeadline();
            await running;
        }
        finally
        {
            deadlineSource?.Dispose();
        }
    }

    protected void BeginWrite()
    {
        switch (Interlocked.CompareExchange(ref state, Writing, Idle))
        {
            case Writing:
                throw new InvalidOperationException("The previous write is still in progress.");
            case Ended:
                throw new OperationCanceledException("The call has ended; nothing more can be written.");
        }
    }

    /// <summary>A read fails like this when the client has reset the stream, perhaps before the token says so.</summary>
    protected async ValueTask<bool> Read(ValueTask<bool> reading)
    {
        try
        {
            return await reading;
        }
        catch (Exception e) when (e is IOException or ConnectionAbortedException)
        {
            clientGone = true;
            throw new OperationCanceledException("The client has gone.", e);
        }
    }

    protected void EndWrite() => Interlocked.CompareExchange(ref state, Idle, Writing);

    /// <summary>
    /// Not given a token: Kestrel's flush ends by itself when the stream is reset. Nor does it throw then: the handler's token may fire a
    /// moment later, and handlers tell a client that left from a failure by that token. The next write throws.
    /// </summary>
    protected async ValueTask Flush() => await http.Response.BodyWriter.FlushAsync(CancellationToken.None);

    protected override async Task WriteResponseHeadersAsyncCore(Metadata responseHeaders)
    {
        BeginWrite();
        try
        {
            if (http.Response.HasStarted)
                throw new InvalidOperationException("Response headers have already been sent.");
            Add(http.Response.Headers, responseHeaders);
            await http.Response.StartAsync();
            await Flush();
        }
        finally
        {
            EndWrite();
        }
    }

    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) =>
        throw new NotSupportedException("Hand deadline and token on by CallOptions instead.");

    /// <summary>A stream may be as long and as slow as it likes; each message has its own limits of size and time.</summary>
    private void LiftBodyLimits(bool streamsRequest)
    {
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = null;
        if (streamsRequest && http.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
            rate.MinDataRate = null;
    }

    private void StartDeadline()
    {
        if (http.Request.Headers.GrpcTimeout.ToString() is not { Length: > 0 } text || !GrpcHeaders.TryParseTimeout(text, out var timeout))
            return;
        var now = DateTime.UtcNow;
        deadline = timeout < DateTime.MaxValue - now ? now + timeout : deadline;
        if (timeout >= LongestTimer)
            return;
        deadlinePassed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        aborted = http.RequestAborted;
        deadlineSource = CancellationTokenSource.CreateLinkedTokenSource(aborted);
        deadlineOrAborted = deadlineSource.Token;
        deadlineOrAborted.UnsafeRegister(static call => ((ServerCall)call!).OnCancelled(), this);
        deadlineSource.CancelAfter(timeout);
    }

    private void OnCancelled()
    {
        if (!aborted.IsCancellationRequested)
            deadlinePassed!.TrySetResult();
    }

    private async Task<Status> Run()
    {
        Status status;
        try
        {
            await RunHandler();
            status = Status;
        }
        catch (RpcException e)
        {
            log.LogDebug(e, "{Method} answers {Status}.", method.FullName, e.StatusCode);
            foreach (var trailer in e.Trailers)
                ResponseTrailers.Add(trailer);
            status = e.Status;
        }
        catch (Exception e) when (clientGone || CancellationToken.IsCancellationRequested)
        {
            log.LogDebug(e, "{Method} was cancelled.", method.FullName);
            status = Status.DefaultCancelled;
        }
        catch (Exception e)
        {
            log.LogError(e, "{Method} failed.", method.FullName);
            status = new Status(StatusCode.Unknown,
                "Exception was thrown by handler." + (DetailedErrors ? $" {e.GetType().Name}: {e.Message}" : ""));
        }
        return IsDeadlinePassed ? new Status(StatusCode.DeadlineExceeded, "Deadline Exceeded") : status;
    }

    private void End(Status status)
    {
        Volatile.Write(ref state, Ended);
        WriteStatus(status, trailers);
    }

    private async Task EndByDeadline()
    {
        try
        {
            if (Interlocked.CompareExchange(ref state, Ended, Idle) == Idle)
            {
                WriteStatus(new Status(StatusCode.DeadlineExceeded, "Deadline Exceeded"), null); // the handler may be changing the trailers
                await http.Response.CompleteAsync();
            }
            else
            {
                Volatile.Write(ref state, Ended); // in the middle of a write, perhaps one the client does not take
                http.Features.Get<IHttpResetFeature>()?.Reset(ResetCancel);
            }
            http.Request.BodyReader.CancelPendingRead();
        }
        catch (Exception e)
        {
            log.LogDebug(e, "{Method}: the connection failed while its deadline was answered.", method.FullName);
        }
    }

    private void WriteStatus(Status status, Metadata? added)
    {
        var target = http.Response.HasStarted
            ? http.Features.GetRequiredFeature<IHttpResponseTrailersFeature>().Trailers
            : http.Response.Headers; // "trailers only"
        target.GrpcStatus = (int)status.StatusCode is >= 0 and var code && code < StatusTexts.Length ? StatusTexts[code] : StatusTexts[(int)StatusCode.Unknown];
        if (!string.IsNullOrEmpty(status.Detail))
            target.GrpcMessage = GrpcHeaders.PercentEncode(status.Detail);
        Add(target, added);
    }

    private static void Add(IHeaderDictionary target, Metadata? metadata)
    {
        for (var i = 0; i < metadata?.Count; i++)
            target.Append(metadata[i].Key, GrpcHeaders.Format(metadata[i]));
    }
}
