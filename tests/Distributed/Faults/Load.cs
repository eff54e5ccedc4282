using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Sloring.Cluster;

namespace Sloring.Tests.Distributed.Faults;

/// <summary>The foreign systems of js/load.mjs, in one process of their own.</summary>
internal sealed class Load : IAsyncDisposable
{
    private static readonly string[] Clients =
        ["epj-hovedstaden", "epj-midtjylland", "kilde-hovedstaden", "region-hovedstaden", "borgervisning", "leder", "leder-vest"];

    private readonly Process _process;
    private readonly Task _reading;
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonNode?>> _waiting = [];
    private readonly ConcurrentQueue<string> _errors = [];
    private int _next;

    private Load(Process process)
    {
        _process = process;
        _process.ErrorDataReceived += (_, line) => { if (line.Data is not null) _errors.Enqueue(line.Data); };
        _process.BeginErrorReadLine();
        _reading = Task.Run(Read);
    }

    /// <param name="cluster">Whom they meet.</param>
    /// <param name="history">The file that they write.</param>
    /// <param name="firstPatient">Of the run's own patients.</param>
    /// <param name="addresses">Where they meet it; null for the addresses of its processes.</param>
    public static async Task<Load> Start(LocalCluster cluster, string history, int firstPatient, LoadAddresses? addresses = null)
    {
        await Peer.Packages;
        addresses ??= new LoadAddresses(cluster["tokens"].HttpAddress, cluster["approval"].HttpAddress,
            [.. cluster.Replicas("registration").Select(replica => replica.GrpcAddress)], cluster.Replicas("effectuation").ToDictionary(replica => replica.Name, replica => replica.GrpcAddress));
        var process = Process.Start(new ProcessStartInfo("node", [Path.Combine(Peer.Folder, "load.mjs")])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var load = new Load(process);
        // Not as arguments: those stand in the process list.
        await process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(new
        {
            history,
            firstPatient,
            patience = addresses.Patience,
            run = Guid.NewGuid().ToString("N")[..8],
            protos = Path.Combine(Repository.Root, "contracts", "proto"),
            tokens = addresses.Tokens,
            approval = addresses.Approval,
            registrations = addresses.Registrations,
            effectuations = addresses.Effectuations,
            amqp = cluster.RabbitMq.Port,
            secrets = Clients.ToDictionary(client => client, client => cluster.Secrets["client/" + client]),
        }));
        await process.StandardInput.FlushAsync();
        return load;
    }

    /// <exception cref="InvalidOperationException">It says why not, or has ended.</exception>
    public async Task<JsonNode?> Do(string what, object? with = null, TimeSpan? limit = null)
    {
        var id = Interlocked.Increment(ref _next);
        var answer = _waiting[id] = new TaskCompletionSource<JsonNode?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var command = JsonSerializer.SerializeToNode(with ?? new { })!.AsObject();
        (command["do"], command["id"]) = (what, id);
        if (_process.HasExited)
            throw new InvalidOperationException($"The load has ended: {string.Join('\n', _errors)}");
        lock (_process)
        {
            _process.StandardInput.WriteLine(command.ToJsonString());
            _process.StandardInput.Flush();
        }
        return await answer.Task.WaitAsync(limit ?? TimeSpan.FromSeconds(100));
    }

    public Task Mark(string name, string phase, bool down) => Do("mark", new { name, phase, down });

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync();
        await _reading;
        _process.Dispose();
    }

    private async Task Read()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            var said = JsonNode.Parse(line)!;
            if (_waiting.TryRemove((int)said["id"]!, out var answer))
                _ = said["error"] is { } error ? answer.TrySetException(new InvalidOperationException((string)error!)) : answer.TrySetResult(said["result"]);
        }
        foreach (var answer in _waiting.Values)
            answer.TrySetException(new InvalidOperationException($"The load has ended: {string.Join('\n', _errors)}"));
    }
}

/// <summary>Whom the foreign systems call. Each address of registration and effectuation has a connection of its own, also where two are the same.</summary>
internal sealed record LoadAddresses(string Tokens, string Approval, IReadOnlyList<string> Registrations, IReadOnlyDictionary<string, string> Effectuations)
{
    /// <summary>So many times longer than usual an answer is waited for.</summary>
    public int Patience { get; init; } = 1;
}
