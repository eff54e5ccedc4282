namespace Sloring.Hosting;

/// <summary>Connections from the platform's parts to each other.</summary>
public static class Outgoing
{
    /// <summary>A handler for one address, or for a scheme. A proxy is for what is elsewhere: what is called without TLS is on this machine or beside it, and no proxy is to read it.</summary>
    public static SocketsHttpHandler To(string address) => new() { UseProxy = address.StartsWith("https", StringComparison.OrdinalIgnoreCase) };
}
