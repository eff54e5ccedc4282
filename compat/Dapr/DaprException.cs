namespace Dapr;

/// <summary>A call to the sidecar failed. The inner exception is a <see cref="Grpc.Core.RpcException" />, whose status says how.</summary>
public class DaprException : Exception
{
    public DaprException(string message) : base(message)
    {
    }

    public DaprException(string message, Exception? innerException) : base(message, innerException)
    {
    }
}
