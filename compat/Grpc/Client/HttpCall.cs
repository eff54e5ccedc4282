// One call on the client: the request, how it ends, and the reading of its answers.
//
// A call ends exactly once, in End: by the server's trailers, the deadline, the caller's token, disposal or a broken connection,
// whichever is first. Everything that waits is released there. A trial of this library hung for ever when the connection failed
// before the request stream opened, and left failed tasks unobserved; so nothing here waits for something End does not complete,
// and every task handed out is observed.
using System.IO.Pipelines;
using System.Net;
using System.Net.Http.Headers;
using Grpc.Core;
using Grpc.Wire;
using Microsoft.Extensions.Logging;

namespace Grpc.Net.Client;

internal abstract class HttpCall(GrpcChannel channel, IMethod method, string? host, CallOptions options) : IDisposable
{
    public static readonly Func<object, Task<Metadata>> HeadersOf = call => ((HttpCall)call).Headers;
    public static readonly Func<object, Status> StatusOf = call => ((HttpCall)call).Ended.Status;
    public static readonly Func<object, Metadata> TrailersOf = call => ((HttpCall)call).Ended.Trailers;
    public static readonly Action<object> DisposeOf = call => ((HttpCall)call).Dispose();

    private static readonly Version Http2 = HttpVersion.Version20;
    private static readonly MediaTypeHeaderValue ContentType = new(GrpcHeaders.ContentType);
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(24);

    private readonly CancellationTokenSource cancellation = new();
    private CancellationTokenRegistration callerRegistration;
    private CancellationTokenRegistration channelRegistration;
    private volatile bool registered;
    private Timer? deadlineTimer;
    private HttpResponseMessage? response;
    private Task<Metadata>? headers;
    private Ending? ending;

    public GrpcChannel Channel => channel;
    public CallOptions Options => options;
    public CancellationToken Cancellation => cancellation.Token;

    /// <summary>Completes when the answer's headers are there or the call has ended; never fails.</summary>
    public Task Opened { get; private set; } = Task.CompletedTask;

    public bool HasEnded => Volatile.Read(ref ending) is not null;
    protected bool IsDisposed { get; private set; }
    protected RequestStream? Requests { get; private set; }

    private Ending Ended => Volatile.Read(ref ending)
        ?? throw new InvalidOperationException("Status and trailers are known when the call has ended; this one has not.");

    private Task<Metadata> Headers => headers ?? Interlocked.CompareExchange(ref headers, Observed(ReadHeaders()), null) ?? headers!;

    protected void Start(HttpContent content, RequestStream? requests)
    {
        ObjectDisposedException.ThrowIf(channel.Disposed.IsCancellationRequested, channel);
        Requests = requests;
        if (options.Deadline is { } deadline && deadline != DateTime.MaxValue)
        {
            if (deadline.Kind != DateTimeKind.Utc && deadline != DateTime.MinValue)
                throw new InvalidOperationException("A deadline is in UTC.");
            var left = deadline - DateTime.UtcNow;
            if (left <= TimeSpan.Zero)
                EndByDeadline();
            else if (left < LongestTimer)
                deadlineTimer = new Timer(static call => ((HttpCall)call!).EndByDeadline(), this, left + TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
        }
        callerRegistration = options.CancellationToken.UnsafeRegister(static call => ((HttpCall)call!).Cancel(), this);
        channelRegistration = channel.Disposed.UnsafeRegister(static call => ((HttpCall)call!).Cancel(), this);
        registered = true;
        if (HasEnded)
            Release();
        else
            Opened = Open(content);
    }

    /// <summary>Ends the call. The token source is not disposed: others may still look at its token, and it holds no timer.</summary>
    public void Dispose()
    {
        IsDisposed = true;
        Cancel();
    }

    public void Cancel() => End(new Status(StatusCode.Cancelled, "Call canceled by the client."), null);

    /// <summary>Ends the call because something failed on this side or on the way.</summary>
    public void Fail(Exception e)
    {
        if (HasEnded)
            return;
        if (options.Deadline <= DateTime.UtcNow) // a server that saw the deadline first may have reset the stream
            EndByDeadline();
        else
            End(GrpcHeaders.FromException(e), null);
    }

    /// <summary>The exception for a call that has ended otherwise than well.</summary>
    public Exception Error()
    {
        var error = new RpcException(Ended.Status, Ended.Trailers);
        var ours = error.StatusCode == StatusCode.Cancelled ? Ended.IsLocal
            : error.StatusCode == StatusCode.DeadlineExceeded && options.Deadline is not null; // whichever side saw it first
        return channel.ThrowsOperationCanceled && ours
            ? new OperationCanceledException(error.Status.Detail, error, options.CancellationToken)
            : error;
    }

    public static T Observed<T>(T task) where T : Task
    {
        if (!task.IsCompletedSuccessfully)
        {
            task.ContinueWith(static t => _ = t.Exception, CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
        return task;
    }

    protected abstract void Receive(Stream stream, string? encoding);

    protected bool EndedWell => Ended.Status.StatusCode == StatusCode.OK;

    /// <summary>The stream of answers is at its end: the trailers say how the call went.</summary>
    protected void EndByTrailers() => End(StatusFrom(response!.TrailingHeaders) ?? new Status(StatusCode.Unknown, "The answer has no grpc-status."), response.TrailingHeaders);

    protected void End(Status status, HttpHeaders? trailers)
    {
        if (Interlocked.CompareExchange(ref ending, new Ending(status, trailers), null) is not null)
            return;
        if (status.StatusCode != StatusCode.OK)
            channel.Log.LogDebug("Call {Method} ended with {Status}.", method.FullName, status.StatusCode);
        deadlineTimer?.Dispose();
        if (registered)
            Release();
        Requests?.Abort();
        if (trailers is null || Requests is not null)
            cancellation.Cancel();
        Volatile.Read(ref response)?.Dispose(); // resets the HTTP/2 stream unless it is at its end
    }

    private void EndByDeadline() => End(new Status(StatusCode.DeadlineExceeded, "The deadline passed."), null);

    private void Release()
    {
        callerRegistration.Unregister();
        channelRegistration.Unregister();
    }

    private async Task Open(HttpContent content)
    {
        try
        {
            var request = new HttpRequestMessage(HttpMethod.Post, channel.UriOf(method))
            {
                Version = Http2,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                Content = content,
            };
            content.Headers.ContentType = ContentType;
            await AddHeaders(request.Headers).ConfigureAwait(false);
            var answer = await channel.SendAsync(request, Cancellation).ConfigureAwait(false);
            Interlocked.Exchange(ref response, answer);
            if (HasEnded)
                answer.Dispose();
            else if (StatusFrom(answer.Headers) is { } status)
                End(status, answer.Headers); // "trailers only"
            else if (answer.StatusCode != HttpStatusCode.OK)
                End(new Status(GrpcHeaders.FromHttp(answer.StatusCode), $"The server answered with HTTP status {(int)answer.StatusCode}."), null);
            else if (!GrpcHeaders.IsGrpc(answer.Content.Headers.ContentType?.MediaType))
                End(new Status(StatusCode.Unknown, "The answer is not gRPC: its content type is another."), null);
            else
                Receive(await answer.Content.ReadAsStreamAsync(Cancellation).ConfigureAwait(false), First(answer.Headers, GrpcHeaders.Encoding));
        }
        catch (Exception e)
        {
            Fail(e);
        }
    }

    private async ValueTask AddHeaders(HttpRequestHeaders target)
    {
        target.Host = host;
        target.TryAddWithoutValidation("TE", "trailers");
        target.TryAddWithoutValidation("User-Agent", "grpc-csharp-sloring/1.0");
        target.TryAddWithoutValidation(GrpcHeaders.AcceptEncoding, GrpcHeaders.Accepted);
        if (options.Deadline is { } deadline && deadline != DateTime.MaxValue)
            target.TryAddWithoutValidation(GrpcHeaders.Timeout, GrpcHeaders.FormatTimeout(deadline - DateTime.UtcNow));
        Add(target, options.Headers);
        if (channel.Credentials is null && options.Credentials is null)
            return;
        if (!channel.SendsCallCredentials)
        {
            channel.Log.LogWarning("Call {Method} is made without its credentials: the channel has no TLS.", method.FullName);
            return;
        }
        var context = new AuthInterceptorContext(channel.ServiceUrl(method), method.Name, Cancellation);
        var added = new Metadata();
        foreach (var credentials in new[] { channel.Credentials, options.Credentials })
        {
            foreach (var interceptor in credentials?.Interceptors ?? [])
                await interceptor(context, added).ConfigureAwait(false);
        }
        Add(target, added);
    }

    /// <summary>
    /// Repeated bytes are joined here: SocketsHttpHandler would join with comma and space, and when the last value is empty the
    /// header then ends in a space, for which nghttp2 (under Node.js) throws the whole header away.
    /// </summary>
    private static void Add(HttpRequestHeaders target, Metadata? metadata)
    {
        for (var i = 0; i < metadata?.Count; i++)
        {
            var entry = metadata[i];
            if (!entry.IsBinary)
                target.TryAddWithoutValidation(entry.Key, entry.Value);
            else if (ReferenceEquals(entry, metadata.First(e => e.Key == entry.Key)))
                target.TryAddWithoutValidation(entry.Key, string.Join(',', metadata.GetAll(entry.Key).Select(GrpcHeaders.Format)));
        }
    }

    private async Task<Metadata> ReadHeaders()
    {
        await Opened.ConfigureAwait(false);
        return response is null ? throw Error() : Ending.ToMetadata(response.Headers);
    }

    private static Status? StatusFrom(HttpHeaders headers) =>
        First(headers, GrpcHeaders.Status) is not { } value ? null
        : new Status(int.TryParse(value, out var code) && code is >= 0 and <= 16 ? (StatusCode)code : StatusCode.Unknown,
            GrpcHeaders.PercentDecode(First(headers, GrpcHeaders.Message) ?? ""));

    private static string? First(HttpHeaders headers, string name)
    {
        if (headers.NonValidated.TryGetValues(name, out var values))
        {
            foreach (var value in values)
                return value;
        }
        return null;
    }

    private sealed class Ending(Status status, HttpHeaders? headers)
    {
        private Metadata? trailers;

        public Status Status => status;

        /// <summary>Decided here, not said by the server.</summary>
        public bool IsLocal => headers is null;

        public Metadata Trailers => trailers ??= headers is null ? [] : ToMetadata(headers);

        public static Metadata ToMetadata(HttpHeaders headers)
        {
            var metadata = new Metadata();
            foreach (var (name, values) in headers.NonValidated)
            {
                foreach (var value in values)
                    GrpcHeaders.Add(metadata, name, value);
            }
            return metadata;
        }
    }
}

internal sealed class HttpCall<TRequest, TResponse>(GrpcChannel channel, Method<TRequest, TResponse> method, string? host, CallOptions options)
    : HttpCall(channel, method, host, options), IAsyncStreamReader<TResponse>
    where TRequest : class where TResponse : class
{
    private static readonly StreamPipeReaderOptions PipeOptions = new(bufferSize: 8192, minimumReadSize: 2048, leaveOpen: true);

    private PipeReader? pipe;
    private FrameReader<TResponse>? reader;
    private int reading;

    public TResponse Current { get; private set; } = null!;

    public void Start(TRequest request) => Start(new SingleMessage<TRequest>(this, request, method.RequestMarshaller), null);

    public RequestStream<TRequest> StartStream()
    {
        var requests = new RequestStream<TRequest>(this, method.RequestMarshaller);
        Start(requests.Content, requests);
        return requests;
    }

    public Task<TResponse> ReadSingle() => Observed(ReadSingleCore());

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        if (Interlocked.Exchange(ref reading, 1) == 1)
            throw new InvalidOperationException("The previous read is still in progress.");
        var registration = cancellationToken.UnsafeRegister(static call => ((HttpCall)call!).Cancel(), this);
        try
        {
            await Opened.ConfigureAwait(false);
            if (!HasEnded)
            {
                if (await reader!.ReadAsync(Cancellation).ConfigureAwait(false))
                {
                    Current = reader.Message!;
                    return true;
                }
                EndByTrailers();
            }
        }
        catch (Exception e)
        {
            Fail(e);
        }
        finally
        {
            registration.Unregister();
            if (HasEnded)
                ReleasePipe();
            Volatile.Write(ref reading, 0);
        }
        return EndedWell ? false : throw Error();
    }

    protected override void Receive(Stream stream, string? encoding)
    {
        pipe = PipeReader.Create(stream, PipeOptions);
        reader = new FrameReader<TResponse>(pipe, method.ResponseMarshaller.ContextualDeserializer, Channel.ReceiveLimit, encoding);
    }

    private async Task<TResponse> ReadSingleCore()
    {
        await Opened.ConfigureAwait(false);
        TResponse? message = null;
        try
        {
            if (!HasEnded)
            {
                if (await reader!.ReadAsync(Cancellation).ConfigureAwait(false))
                {
                    message = reader.Message;
                    if (await reader.ReadAsync(Cancellation).ConfigureAwait(false))
                        End(new Status(StatusCode.Internal, "The server sent more than one answer."), null);
                }
                EndByTrailers();
            }
        }
        catch (Exception e)
        {
            Fail(e);
        }
        finally
        {
            ReleasePipe();
        }
        if (!EndedWell)
            throw Error();
        return message ?? throw new RpcException(new Status(StatusCode.Internal, "The server sent no answer."));
    }

    /// <summary>Only whoever reads may give the buffers back: a call that ends on another thread leaves them to the reader.</summary>
    private void ReleasePipe()
    {
        pipe?.Complete();
        pipe = null;
    }
}
