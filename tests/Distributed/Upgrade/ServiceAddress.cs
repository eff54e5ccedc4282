using System.Net;
using System.Net.Sockets;

namespace Sloring.Tests.Distributed.Upgrade;

/// <summary>
/// The address of a Kubernetes Service, as kube-proxy makes it: a new connection goes to one of the ready replicas in turn, and stays with it until one side ends it. It knows
/// nothing of requests, moves none and tries none again.
/// </summary>
internal sealed class ServiceAddress : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private readonly Lock _lock = new();
    private readonly List<int> _ready = [];
    private int _turn;

    public ServiceAddress(int port)
    {
        _listener = new TcpListener(IPAddress.Loopback, port);
        _listener.Start(512);
        Address = $"http://127.0.0.1:{port}";
        _accepting = Accept();
    }

    public string Address { get; }

    /// <summary>New connections go to this replica too.</summary>
    public void Add(string replica)
    {
        lock (_lock)
            _ready.Add(new Uri(replica).Port);
    }

    /// <summary>No new connection goes to it; those that it has stay.</summary>
    public void Remove(string replica)
    {
        lock (_lock)
            _ready.Remove(new Uri(replica).Port);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _listener.Dispose();
        _stop.Dispose();
    }

    private int Next()
    {
        lock (_lock)
            return _ready.Count == 0 ? 0 : _ready[(_turn = (_turn + 1) & 0xffff) % _ready.Count];
    }

    private async Task Accept()
    {
        try
        {
            while (true)
                _ = Carry(await _listener.AcceptSocketAsync(_stop.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException && _stop.IsCancellationRequested)
        {
            // Over.
        }
    }

    private async Task Carry(Socket caller)
    {
        using (caller)
        using (var replica = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
        {
            caller.NoDelay = replica.NoDelay = true;
            try
            {
                await replica.ConnectAsync(IPAddress.Loopback, Next(), _stop.Token);
                await Task.WhenAll(Copy(caller, replica), Copy(replica, caller));
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                // Nobody is there: refused, as the caller would be without this in between.
                caller.Close(0);
            }
        }
    }

    /// <summary>One way. A side that breaks off has the other broken off, once that has all that was sent before; one that takes no more is still listened to.</summary>
    private async Task Copy(Socket from, Socket to)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, _stop.Token) is var read and > 0)
            {
                try
                {
                    for (var rest = buffer.AsMemory(0, read); rest.Length > 0;)
                        rest = rest[await to.SendAsync(rest, _stop.Token)..];
                }
                catch (SocketException)
                {
                    return;
                }
            }
            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            to.Close(0);
        }
    }
}
