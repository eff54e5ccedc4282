// The two request bodies: one message, or a stream the caller writes to while the request is under way.
using System.Net;
using Grpc.Core;
using Grpc.Wire;

namespace Grpc.Net.Client;

/// <summary>Serializes when it is sent, and again should the handler send again on a new connection.</summary>
internal sealed class SingleMessage<T>(HttpCall call, T message, Marshaller<T> marshaller) : HttpContent
{
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var writer = new FrameWriter(call.Channel.SendLimit);
        ReadOnlyMemory<byte> frame;
        try
        {
            frame = writer.Serialize(message, marshaller.ContextualSerializer);
        }
        catch (Exception e)
        {
            call.Fail(e);
            throw;
        }
        await stream.WriteAsync(frame, cancellationToken).ConfigureAwait(false);
        writer.Release();
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}

internal abstract class RequestStream
{
    private readonly TaskCompletionSource<Stream?> opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource completed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    protected RequestStream() => Content = new Body(this);

    public HttpContent Content { get; }

    /// <summary>The stream to write to; null when the call ended before there was one.</summary>
    protected Task<Stream?> Opened => opened.Task;

    protected bool IsCompleted => completed.Task.IsCompletedSuccessfully;

    /// <summary>The call has ended: nobody may go on waiting, and the body must not look complete to the server.</summary>
    public void Abort()
    {
        opened.TrySetResult(null);
        completed.TrySetCanceled();
    }

    protected void Complete() => completed.TrySetResult();

    private sealed class Body(RequestStream requests) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            await stream.FlushAsync(cancellationToken).ConfigureAwait(false); // the server may answer before the first message
            if (!requests.opened.TrySetResult(stream))
                throw new IOException("A request stream cannot be sent twice.");
            await requests.completed.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}

internal sealed class RequestStream<T>(HttpCall call, Marshaller<T> marshaller) : RequestStream, IClientStreamWriter<T>
{
    private readonly FrameWriter writer = new(call.Channel.SendLimit);
    private int writing;

    public WriteOptions? WriteOptions { get; set; } = call.Options.WriteOptions;

    public Task WriteAsync(T message) => WriteAsync(message, CancellationToken.None);

    public async Task WriteAsync(T message, CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref writing, 1) == 1)
            throw new InvalidOperationException("The previous write is still in progress.");
        var registration = cancellationToken.UnsafeRegister(static call => ((HttpCall)call!).Cancel(), call);
        try
        {
            if (IsCompleted)
                throw new InvalidOperationException("The request stream has been completed.");
            if (await Opened.ConfigureAwait(false) is not { } stream || call.HasEnded)
                throw await ErrorAsync(null).ConfigureAwait(false);
            await WriteAsync(stream, message).ConfigureAwait(false);
        }
        finally
        {
            registration.Unregister();
            Volatile.Write(ref writing, 0);
        }
    }

    public Task CompleteAsync()
    {
        if (Volatile.Read(ref writing) == 1)
            throw new InvalidOperationException("The previous write is still in progress.");
        Complete();
        return Task.CompletedTask;
    }

    private async ValueTask WriteAsync(Stream stream, T message)
    {
        ReadOnlyMemory<byte> frame;
        try
        {
            frame = writer.Serialize(message, marshaller.ContextualSerializer);
        }
        catch (Exception e)
        {
            call.Fail(e);
            throw;
        }
        try
        {
            await stream.WriteAsync(frame, call.Cancellation).ConfigureAwait(false);
            if (WriteOptions is null || !WriteOptions.Flags.HasFlag(WriteFlags.BufferHint))
                await stream.FlushAsync(call.Cancellation).ConfigureAwait(false);
            writer.Release();
        }
        catch (Exception e)
        {
            throw await ErrorAsync(e).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// What a failed write tells the caller. A server that refuses a call answers and resets the stream, so a write may fail just
    /// before the answer is looked at: wait for it. When answers were already flowing, only reading on tells how the call ended.
    /// </summary>
    private async ValueTask<Exception> ErrorAsync(Exception? cause)
    {
        await call.Opened.ConfigureAwait(false);
        if (!call.HasEnded)
            return new RpcException(GrpcHeaders.FromException(cause!));
        var error = call.Error();
        return error is RpcException { StatusCode: StatusCode.OK }
            ? new InvalidOperationException("The call has ended well; nothing more can be written.")
            : error;
    }
}
