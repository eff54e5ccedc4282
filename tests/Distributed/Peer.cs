using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Sloring.Tests.Distributed;

/// <summary>A foreign system on amqplib in a process of its own: an EPJ adapter, a data source, a region's system or an operator.</summary>
public sealed class Peer : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Task _reading;
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonNode?>> _waiting = [];
    private readonly ConcurrentQueue<(string Queue, JsonNode Message)> _received = [];
    private int _next;

    private Peer(Process process)
    {
        _process = process;
        _reading = Task.Run(Read);
    }

    /// <summary>Completes when the foreign systems' packages are there.</summary>
    internal static Task Packages => ForeignProgram.Install(Folder);

    internal static string Folder { get; } = Path.Combine(Repository.Root, "tests", "Distributed", "js");

    public static async Task<Peer> Connect(string address)
    {
        await Packages;
        return new Peer(Process.Start(new ProcessStartInfo("node", [Path.Combine(Folder, "edge.mjs"), address]) { RedirectStandardInput = true, RedirectStandardOutput = true })!);
    }

    /// <summary>Messages that came by <see cref="Consume"/>, in order.</summary>
    public IReadOnlyList<JsonNode> Received(string queue) => [.. _received.Where(pair => pair.Queue == queue).Select(pair => pair.Message)];

    /// <summary>Completes when the broker has confirmed.</summary>
    /// <exception cref="PeerException">The broker refused.</exception>
    public Task Publish(string exchange, string key, string body, object? options = null, int times = 1) => Do("publish", new { exchange, key, body, options, times });

    public Task PublishBytes(string exchange, string key, byte[] body, object? options = null) =>
        Do("publish", new { exchange, key, base64 = Convert.ToBase64String(body), options });

    /// <summary>Publishes, and gives the answer that comes by direct reply-to.</summary>
    public async Task<JsonNode> Request(string exchange, string key, string body, object? options = null) =>
        (await Do("request", new { exchange, key, body, options }))!;

    /// <summary>Declares a queue, durable or <paramref name="passing"/> with this connection, and binds it. Gives its name.</summary>
    public async Task<string> Bind(string queue, string exchange, string key, bool passing = false)
    {
        await Do("bind", new { queue, exchange, key, passing });
        return queue;
    }

    /// <summary>Takes a binding away.</summary>
    public Task Unbind(string queue, string exchange, string key) => Do("unbind", new { queue, exchange, key });

    /// <summary>Binds a queue that is there.</summary>
    public Task Rebind(string queue, string exchange, string key) => Do("rebind", new { queue, exchange, key });

    /// <summary>A queue of this connection's own, under the user's name, bound and received from.</summary>
    public async Task<string> Listen(string user, string exchange, string key)
    {
        var queue = await Bind($"{user}.{Guid.NewGuid():N}", exchange, key, passing: true);
        await Consume(queue);
        return queue;
    }

    public Task Consume(string queue) => Do("consume", new { queue });

    /// <summary>Takes one message for good; null when there is none.</summary>
    public Task<JsonNode?> Get(string queue) => Do("get", new { queue });

    public Task Delete(string queue) => Do("delete", new { queue });

    /// <exception cref="PeerException">There is no such exchange.</exception>
    public Task Exchange(string exchange) => Do("exchange", new { exchange });

    public async Task<int> Count(string queue) => (int)(await Do("count", new { queue }))!;

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        await _reading;
        _process.Dispose();
    }

    private async Task<JsonNode?> Do(string what, object with)
    {
        var id = Interlocked.Increment(ref _next);
        var answer = _waiting[id] = new TaskCompletionSource<JsonNode?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var command = JsonSerializer.SerializeToNode(with)!.AsObject();
        (command["do"], command["id"]) = (what, id);
        lock (_process)
        {
            _process.StandardInput.WriteLine(command.ToJsonString());
            _process.StandardInput.Flush();
        }
        return await answer.Task.WaitAsync(TimeSpan.FromSeconds(90));
    }

    private async Task Read()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            var said = JsonNode.Parse(line)!;
            if (said["message"] is { } message)
                _received.Enqueue(((string)said["queue"]!, message));
            else if (_waiting.TryRemove((int)said["id"]!, out var answer))
                _ = said["error"] is { } error ? answer.TrySetException(new PeerException((string)error!)) : answer.TrySetResult(said["result"]);
        }
        foreach (var answer in _waiting.Values)
            answer.TrySetException(new PeerException("The foreign system has ended."));
    }
}

/// <summary>What the broker said no to.</summary>
public sealed class PeerException(string message) : Exception(message);

internal static class Peers
{
    /// <summary>A foreign system at the broker, under the user and password of its name.</summary>
    public static Task<Peer> Connect(this EdgeBroker broker, string user) => Peer.Connect(broker.AddressOf(user));
}
