using System.Net;
using System.Net.Sockets;

namespace Sloring.Cluster;

/// <summary>Something stands in the way of the start; the message says what to do.</summary>
public sealed class ClusterException(string message, Exception? inner = null) : Exception(message, inner);

internal static class Ports
{
    /// <exception cref="ClusterException">Something else listens there.</exception>
    public static void MustBeFree(string name, params IEnumerable<int> ports)
    {
        foreach (var port in ports)
        {
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
            }
            catch (SocketException)
            {
                throw new ClusterException($"Port {port}, which {name} needs, is taken on 127.0.0.1. Stop what listens there (ss -ltnp 'sport = :{port}' tells what; it may be another ./run cluster), and try again.");
            }
        }
    }

    /// <summary>Asks until the answer is yes, the child ends or the limit is reached.</summary>
    public static async Task Ready(ChildProcess child, TimeSpan limit, Func<CancellationToken, Task<bool>> ask, CancellationToken cancellationToken)
    {
        using var wait = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        wait.CancelAfter(limit);
        try
        {
            while (true)
            {
                if (child.HasExited)
                    throw new ClusterException($"{child.Name} ended with code {child.ExitCode} before it was ready. Its last lines:\n{child.LastLines()}");
                if (await ask(wait.Token))
                    return;
                await Task.Delay(100, wait.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ClusterException($"{child.Name} was not ready within {limit.TotalSeconds:0} seconds. Its last lines:\n{child.LastLines()}");
        }
    }
}
