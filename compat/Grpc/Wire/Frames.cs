// Messages on the wire: one byte that says whether it is compressed, four for the length (big-endian), then the message.
// Reader and writer are the same on both ends; a server reads Kestrel's pipe, a client a pipe over the response stream.
using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Grpc.Core;

namespace Grpc.Wire;

/// <summary>Serializes one message behind its five-byte header into a pooled array.</summary>
internal sealed class FrameWriter(int? limit) : SerializationContext, IBufferWriter<byte>
{
    private const int HeaderSize = 5;

    private byte[] buffer = [];
    private int written;

    /// <summary>Valid until <see cref="Release"/> or the next call.</summary>
    public ReadOnlyMemory<byte> Serialize<T>(T message, Action<T, SerializationContext> serializer)
    {
        written = HeaderSize;
        serializer(message, this);
        CheckLength(written - HeaderSize);
        Grow(0);
        buffer[0] = 0;
        BinaryPrimitives.WriteInt32BigEndian(buffer.AsSpan(1), written - HeaderSize);
        return buffer.AsMemory(0, written);
    }

    /// <summary>Not called when a send failed: whoever failed may still be reading the array, so it is left to the collector.</summary>
    public void Release()
    {
        if (buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(buffer);
        buffer = [];
    }

    public override void SetPayloadLength(int payloadLength)
    {
        CheckLength(payloadLength);
        Grow(payloadLength);
    }

    public override IBufferWriter<byte> GetBufferWriter() => this;

    public override void Complete()
    {
    }

    public override void Complete(byte[] payload)
    {
        SetPayloadLength(payload.Length);
        payload.CopyTo(buffer.AsSpan(written));
        written += payload.Length;
    }

    public void Advance(int count) => written += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Grow(Math.Max(sizeHint, 1));
        return buffer.AsMemory(written);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    private void Grow(int more)
    {
        if (buffer.Length - written >= more && buffer.Length > 0)
            return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(written + more, Math.Min(buffer.Length, 1 << 29) * 2));
        buffer.AsSpan(0, Math.Min(written, buffer.Length)).CopyTo(larger);
        Release();
        buffer = larger;
    }

    private void CheckLength(int length)
    {
        if (length > limit)
            throw new RpcException(new Status(StatusCode.ResourceExhausted, $"Sending message exceeds the maximum configured message size ({limit} bytes)."));
    }
}

/// <summary>Takes messages off a pipe. One reader at a time. What has come of a message is held in memory until all of it has: for as long as <c>patience</c>, where there is one.</summary>
internal sealed class FrameReader<T>(PipeReader pipe, Func<DeserializationContext, T> deserializer, int? limit, string? encoding, TimeSpan? patience = null)
    : DeserializationContext where T : class
{
    private const int HeaderSize = 5;

    private ReadOnlySequence<byte> payload;

    /// <summary>The message of the last read that gave true.</summary>
    public T? Message { get; private set; }

    public override int PayloadLength => (int)payload.Length;
    public override byte[] PayloadAsNewBuffer() => payload.ToArray();
    public override ReadOnlySequence<byte> PayloadAsReadOnlySequence() => payload;

    /// <summary>True with the next message, false at the orderly end.</summary>
    public ValueTask<bool> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            return pipe.TryRead(out var result) && Take(result) is { } taken ? new ValueTask<bool>(taken) : WaitAsync(cancellationToken);
        }
        catch (Exception e)
        {
            // A broken connection is told by the task, never by the call: whoever awaits it has one place to look.
            return ValueTask.FromException<bool>(e);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> WaitAsync(CancellationToken cancellationToken)
    {
        CancellationTokenSource? late = null;
        try
        {
            while (true)
            {
                var result = await pipe.ReadAsync(late?.Token ?? cancellationToken).ConfigureAwait(false);
                var begun = !result.Buffer.IsEmpty;
                if (Take(result) is { } taken)
                    return taken;
                if (!begun || late is not null || patience is not { } most)
                    continue;
                late = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                late.CancelAfter(most);
            }
        }
        catch (OperationCanceledException) when (late is { IsCancellationRequested: true } && !cancellationToken.IsCancellationRequested)
        {
            throw new RpcException(new Status(StatusCode.Internal, $"A message was begun and not finished within {patience}."));
        }
        finally
        {
            late?.Dispose();
        }
    }

    private bool? Take(ReadResult result)
    {
        var buffer = result.Buffer;
        var consumed = buffer.Start;
        var examined = buffer.Start;
        try
        {
            if (result.IsCanceled)
                throw new OperationCanceledException("The call ended while a message was being read.");
            if (buffer.Length >= HeaderSize)
            {
                Span<byte> header = stackalloc byte[HeaderSize];
                buffer.Slice(0, HeaderSize).CopyTo(header);
                var length = BinaryPrimitives.ReadUInt32BigEndian(header[1..]);
                if (length > (uint)(limit ?? int.MaxValue))
                    throw TooLarge();
                if (buffer.Length - HeaderSize >= length)
                {
                    payload = buffer.Slice(HeaderSize, length);
                    consumed = examined = payload.End;
                    Message = Deserialize(header[0]);
                    return true;
                }
            }
            examined = buffer.End;
            if (!result.IsCompleted)
                return null;
            return buffer.IsEmpty ? false : throw new RpcException(new Status(StatusCode.Internal, "The stream ended inside a message."));
        }
        finally
        {
            payload = default;
            pipe.AdvanceTo(consumed, examined);
        }
    }

    private T Deserialize(byte flag)
    {
        if (flag > 1 || (flag == 1 && encoding is null or GrpcHeaders.Identity))
            throw new RpcException(new Status(StatusCode.Internal, "A message is flagged as compressed, but the call names no encoding."));
        if (flag == 1)
            payload = Decompress();
        try
        {
            return deserializer(this);
        }
        catch (Exception e) when (e is not RpcException)
        {
            throw new RpcException(new Status(StatusCode.Internal, "A message could not be deserialized.", e));
        }
    }

    private ReadOnlySequence<byte> Decompress()
    {
        if (!string.Equals(encoding, GrpcHeaders.Gzip, StringComparison.OrdinalIgnoreCase))
            throw new RpcException(new Status(StatusCode.Unimplemented, $"Messages encoded with '{encoding}' cannot be read."),
                new Metadata { { GrpcHeaders.AcceptEncoding, GrpcHeaders.Accepted } });
        using var gzip = new GZipStream(new MemoryStream(payload.ToArray()), CompressionMode.Decompress);
        var plain = new ArrayBufferWriter<byte>(Math.Max(256, (int)payload.Length));
        try
        {
            for (int read; (read = gzip.Read(plain.GetSpan(256))) > 0;)
            {
                plain.Advance(read);
                if (plain.WrittenCount > (limit ?? int.MaxValue)) // a small message may unpack to a large one
                    throw TooLarge();
            }
        }
        catch (InvalidDataException e)
        {
            throw new RpcException(new Status(StatusCode.Internal, "A compressed message could not be unpacked.", e));
        }
        return new ReadOnlySequence<byte>(plain.WrittenMemory);
    }

    private RpcException TooLarge() =>
        new(new Status(StatusCode.ResourceExhausted, $"Received message exceeds the maximum configured message size ({limit} bytes)."));
}
