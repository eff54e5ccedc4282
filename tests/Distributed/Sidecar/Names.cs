using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Sloring.Sidecar;

/// <summary>
/// Who is where: a file per sidecar, {folder}/{app id}/{internal port}, there while its app accepts connections, as a cluster lists what is ready.
/// Replicas are used in turn; one that has died without a word is skipped by whoever cannot connect to it.
/// </summary>
internal sealed class Names(Flags flags) : BackgroundService
{
    private readonly string? _own = flags.Names is null ? null : Path.Combine(flags.Names, flags.AppId, flags.InternalPort.ToString(CultureInfo.InvariantCulture));
    private int _turn = Random.Shared.Next(1000);
    private volatile bool _left;

    /// <summary>Internal ports of the sidecars of an app, the next in turn first.</summary>
    public IReadOnlyList<int> Resolve(string app)
    {
        if (flags.Names is null || app.AsSpan().IndexOfAnyExceptInRange('-', 'z') >= 0 || app.Contains('/') || app.Contains("..", StringComparison.Ordinal))
            return [];
        var folder = Path.Combine(flags.Names, app);
        var ports = Directory.Exists(folder)
            ? Directory.EnumerateFiles(folder).Select(Path.GetFileName).Select(name => int.Parse(name!, CultureInfo.InvariantCulture)).Order().ToList()
            : [];
        var first = ports.Count == 0 ? 0 : (int)((uint)Interlocked.Increment(ref _turn) % (uint)ports.Count);
        return [.. ports.Skip(first), .. ports.Take(first)];
    }

    /// <summary>Whether the app accepts connections.</summary>
    public async Task<bool> AppListens(CancellationToken cancel)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, flags.AppPort, cancel);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>No more named from now on, and gone when the app has gone or the limit is reached: a pod that ends is taken out first, and is used by itself to its end.</summary>
    public async Task Leave(TimeSpan limit)
    {
        _left = true;
        if (_own is not null)
            File.Delete(_own);
        for (var until = DateTime.UtcNow + limit; DateTime.UtcNow < until && flags.AppPort != 0 && await AppListens(CancellationToken.None);)
            await Task.Delay(100);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (_own is null || flags.AppPort == 0)
            return;
        Directory.CreateDirectory(Path.GetDirectoryName(_own)!);
        try
        {
            var listened = false;
            while (!stoppingToken.IsCancellationRequested)
            {
                listened = await AppListens(stoppingToken);
                if (!listened || _left)
                    File.Delete(_own);
                else if (!File.Exists(_own))
                    await File.WriteAllTextAsync(_own, "", stoppingToken);
                await Task.Delay(TimeSpan.FromMilliseconds(listened ? 500 : 100), stoppingToken);
            }
        }
        catch (OperationCanceledException)
        {
            // Asked to stop.
        }
        finally
        {
            File.Delete(_own);
        }
    }
}
