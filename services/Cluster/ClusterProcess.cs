namespace Sloring.Cluster;

/// <summary>A program of the cluster that can be killed, paused and started again.</summary>
public class ClusterProgram
{
    private readonly ChildCommand _command;
    private readonly Action<ClusterProgram> _died;
    private readonly Dictionary<string, string?> _additions;
    private ChildProcess? _process;
    private bool _asked;

    internal ClusterProgram(ChildCommand command, IReadOnlyDictionary<string, string?> additions, Action<ClusterProgram> died) =>
        (_command, _additions, _died) = (command, new Dictionary<string, string?>(additions), died);

    public string Name => _command.Name;

    public string Log => _command.Log;

    internal ChildCommand Command => _command;

    public bool IsRunning => _process is { HasExited: false };

    /// <summary>The process; null before the first start.</summary>
    public ChildProcess? Process => _process;

    /// <summary>Starts it.</summary>
    /// <param name="environment">Added to its environment from now on, for example LD_PRELOAD; null removes a variable.</param>
    public async Task Start(IReadOnlyDictionary<string, string?>? environment = null)
    {
        if (IsRunning)
            throw new InvalidOperationException($"{Name} runs already.");
        foreach (var (variable, value) in environment ?? new Dictionary<string, string?>())
            _additions[variable] = value;
        var all = new Dictionary<string, string?>(_command.Environment);
        foreach (var (variable, value) in _additions)
            all[variable] = value;
        var started = await ChildProcess.Start(_command with { Environment = all });
        // Together, and last: whoever watches the process before this one must not take its asked-for end for a death.
        (_process, _asked) = (started, false);
        _ = Watch(started);
    }

    /// <summary>SIGKILL to it and all that it started.</summary>
    public async Task Kill()
    {
        _asked = true;
        if (_process is { HasExited: false } process)
            await process.Kill();
    }

    /// <summary>SIGTERM, and SIGKILL when it has not ended after the limit.</summary>
    public async Task Stop(TimeSpan? limit = null)
    {
        _asked = true;
        if (_process is { } process)
            await process.Stop(limit ?? TimeSpan.FromSeconds(15));
    }

    /// <summary>SIGSTOP.</summary>
    public void Pause() => _process?.Pause();

    /// <summary>SIGCONT.</summary>
    public void Continue() => _process?.Continue();

    private async Task Watch(ChildProcess process)
    {
        await process.WaitForExit();
        if (!_asked && process == _process)
            _died(this);
    }
}

/// <summary>One service process with its sidecar.</summary>
public sealed class ClusterProcess : ClusterProgram
{
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(5) };
    private readonly RunApp _app;

    internal ClusterProcess(RunApp app, ChildCommand command, IReadOnlyDictionary<string, string?> additions, ClusterProgram sidecar, string faults, Action<ClusterProgram> died)
        : base(command, additions, died) => (_app, Sidecar, SidecarFaultsFile) = (app, sidecar, faults);

    /// <summary>The app id: what its replicas share.</summary>
    public string AppId => _app.AppId;

    /// <summary>HTTP+JSON, tokens, health.</summary>
    public string HttpAddress => _app.Env["Listen__Http"];

    /// <summary>gRPC, and events from the sidecar.</summary>
    public string GrpcAddress => _app.Env["Listen__Grpc"];

    /// <summary>The sidecar's HTTP address.</summary>
    public string SidecarAddress => $"http://127.0.0.1:{_app.DaprHttpPort}";

    public ClusterProgram Sidecar { get; }

    /// <summary>Where a test writes the faults that the stand-in is to have, {"drop":1,"duplicate":5,"reorder":5} in percent of what it publishes.</summary>
    public string SidecarFaultsFile { get; }

    /// <summary>The built program, by its full path.</summary>
    internal string Program => Path.GetFullPath(_app.Command[^1], Command.Folder!);

    internal IEnumerable<int> Ports => [new Uri(HttpAddress).Port, _app.AppPort, _app.DaprHttpPort, _app.DaprGrpcPort, _app.DaprInternalGrpcPort];

    /// <summary>Whether it says that it is ready, and has the broker too where it needs it.</summary>
    public async Task<bool> IsReady(CancellationToken cancellationToken)
    {
        try
        {
            using var response = await Http.GetAsync(new Uri(HttpAddress + "/health/ready"), cancellationToken);
            return await response.Content.ReadAsStringAsync(cancellationToken) == "Healthy";
        }
        catch (Exception e) when (e is HttpRequestException || (e is TaskCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return false;
        }
    }

    /// <summary>Waits until it is ready.</summary>
    /// <exception cref="ClusterException">It or its sidecar ended, or was not ready within the limit: with the last lines of the log.</exception>
    public Task Ready(TimeSpan limit, CancellationToken cancellationToken) => Cluster.Ports.Ready(Process!, limit, async wait => Sidecar.IsRunning
        ? await IsReady(wait)
        : throw new ClusterException($"{Sidecar.Name} ended before {Name} was ready. Its last lines:\n{Sidecar.Process?.LastLines()}"), cancellationToken);
}
