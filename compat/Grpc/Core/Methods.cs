// What a generated stub says about a method: its kind, its names and how its messages become bytes.
// Same names and signatures as Grpc.Core.Api, because Grpc.Tools writes code against exactly these (docs/decisions/0012-compat.md).
using System.Buffers;
using System.Text;

namespace Grpc.Core;

public enum MethodType
{
    Unary,
    ClientStreaming,
    ServerStreaming,
    DuplexStreaming,
}

public interface IMethod
{
    MethodType Type { get; }
    string ServiceName { get; }
    string Name { get; }
    string FullName { get; }
}

public class Method<TRequest, TResponse>(
    MethodType type, string serviceName, string name, Marshaller<TRequest> requestMarshaller, Marshaller<TResponse> responseMarshaller) : IMethod
{
    public MethodType Type { get; } = type;
    public string ServiceName { get; } = serviceName;
    public string Name { get; } = name;
    public Marshaller<TRequest> RequestMarshaller { get; } = requestMarshaller;
    public Marshaller<TResponse> ResponseMarshaller { get; } = responseMarshaller;

    /// <summary>The request path, "/package.Service/Method".</summary>
    public string FullName { get; } = $"/{serviceName}/{name}";
}

public class Marshaller<T>
{
    public Marshaller(Action<T, SerializationContext> serializer, Func<DeserializationContext, T> deserializer)
    {
        ContextualSerializer = serializer;
        ContextualDeserializer = deserializer;
        Serializer = value =>
        {
            var context = new ArrayContext();
            serializer(value, context);
            return context.Payload;
        };
        Deserializer = bytes => deserializer(new BytesContext(bytes));
    }

    public Marshaller(Func<T, byte[]> serializer, Func<byte[], T> deserializer)
    {
        Serializer = serializer;
        Deserializer = deserializer;
        ContextualSerializer = (value, context) => context.Complete(serializer(value));
        ContextualDeserializer = context => deserializer(context.PayloadAsNewBuffer());
    }

    public Func<T, byte[]> Serializer { get; }
    public Func<byte[], T> Deserializer { get; }
    public Action<T, SerializationContext> ContextualSerializer { get; }
    public Func<DeserializationContext, T> ContextualDeserializer { get; }

    private sealed class ArrayContext : SerializationContext
    {
        private readonly ArrayBufferWriter<byte> writer = new();
        private byte[]? whole;

        public byte[] Payload => whole ?? writer.WrittenSpan.ToArray();

        public override void Complete(byte[] payload) => whole = payload;
        public override void Complete() { }
        public override void SetPayloadLength(int payloadLength) { }
        public override IBufferWriter<byte> GetBufferWriter() => writer;
    }

    private sealed class BytesContext(byte[] bytes) : DeserializationContext
    {
        public override int PayloadLength => bytes.Length;
        public override byte[] PayloadAsNewBuffer() => [.. bytes];
        public override ReadOnlySequence<byte> PayloadAsReadOnlySequence() => new(bytes);
    }
}

public static class Marshallers
{
    public static Marshaller<T> Create<T>(Func<T, byte[]> serializer, Func<byte[], T> deserializer) => new(serializer, deserializer);

    public static Marshaller<T> Create<T>(Action<T, SerializationContext> serializer, Func<DeserializationContext, T> deserializer) =>
        new(serializer, deserializer);

    public static Marshaller<string> StringMarshaller { get; } = new(Encoding.UTF8.GetBytes, Encoding.UTF8.GetString);
}

public abstract class SerializationContext
{
    public virtual void Complete(byte[] payload) => throw new NotImplementedException();
    public virtual IBufferWriter<byte> GetBufferWriter() => throw new NotImplementedException();
    public virtual void SetPayloadLength(int payloadLength) => throw new NotImplementedException();
    public virtual void Complete() => throw new NotImplementedException();
}

public abstract class DeserializationContext
{
    public abstract int PayloadLength { get; }
    public virtual byte[] PayloadAsNewBuffer() => throw new NotImplementedException();
    public virtual ReadOnlySequence<byte> PayloadAsReadOnlySequence() => throw new NotImplementedException();
}
