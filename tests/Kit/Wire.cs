using System.Net;
using System.Net.Sockets;

namespace Sloring.Tests;

/// <summary>A loopback wire between two services that can be cut, or left open and silent as by a stopped process.</summary>
public sealed class Wire : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private volatile string? _broken;

    public Wire()
    {
        _listener.Start();
        _accepting = Accept();
    }

    public string Address => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    public int Target { get; set; }

    /// <summary>"cut", "silent", or null while whole.</summary>
    public string? Broken { get => _broken; set => _broken = value; }

    private async Task Accept()
    {
        try
        {
            while (true)
                _ = Join(await _listener.AcceptTcpClientAsync(_stop.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // Disposed of.
        }
    }

    private async Task Join(TcpClient near)
    {
        using (near)
        using (var far = new TcpClient())
        {
            if (Broken == "cut")
                return;
            await far.ConnectAsync(IPAddress.Loopback, Target, _stop.Token);
            await Task.WhenAny(Pump(near.GetStream(), far.GetStream()), Pump(far.GetStream(), near.GetStream()));
        }
    }

    private async Task Pump(NetworkStream from, NetworkStream to)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (await from.ReadAsync(buffer, _stop.Token) is var read and > 0)
            {
                if (Broken == "cut")
                    return;
                // Silent: open, and nothing comes through until it is whole again.
                if (Broken == "silent")
                    await Eventually.True(() => Task.FromResult(Broken is null || _stop.IsCancellationRequested), "the wire is whole again", TimeSpan.FromMinutes(1));
                await to.WriteAsync(buffer.AsMemory(0, read), _stop.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or TimeoutException)
        {
            // The connection is over.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _stop.Dispose();
    }
}
