using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Sloring.Cluster;

/// <summary>What to run: program, arguments, additions to the environment (null removes a variable), log file, and for root the user to run as.</summary>
public sealed record ChildCommand(string Name, string Program, IReadOnlyList<string> Arguments, string Log)
{
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();

    public string? Folder { get; init; }

    /// <summary>A system user to run as; only root can ask for one.</summary>
    public string? User { get; init; }

    /// <summary>The signal (name without SIG) it gets from the kernel when this process dies, however it dies.</summary>
    public string DeathSignal { get; init; } = "KILL";
}

/// <summary>A process that never outlives this one. It writes its own log file, and stands in a session of its own so that Ctrl-C in a terminal reaches this process only.</summary>
public sealed class ChildProcess
{
    private const int SigInt = 2, SigKill = 9, SigTerm = 15, SigContinue = 18, SigStop = 19;

    // The kernel sends the death signal when the THREAD that started the child ends, so a pool thread will not do.
    private static readonly BlockingCollection<Action> Starts = [];
    private readonly Process _process;
    private readonly ChildCommand _command;

    static ChildProcess() => new Thread(() =>
    {
        foreach (var start in Starts.GetConsumingEnumerable())
            start();
    })
    { IsBackground = true, Name = "children" }.Start();

    private ChildProcess(ChildCommand command, Process process) => (_command, _process) = (command, process);

    public string Name => _command.Name;

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    public static Task<ChildProcess> Start(ChildCommand command)
    {
        if (!OperatingSystem.IsLinux())
            throw new PlatformNotSupportedException("Several processes on one machine need Linux (Debian 12 or a relative of it).");
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(command.Log))!);
        var start = new ProcessStartInfo("/bin/sh") { WorkingDirectory = command.Folder ?? "" };
        string[] user = command.User is { } name ? ["--reuid", name, "--regid", name, "--init-groups"] : [];
        string[] arguments =
        [
            "-c", "exec \"$@\" </dev/null >>\"$0\" 2>&1", Path.GetFullPath(command.Log),
            "setsid", "setpriv", .. user, "--pdeathsig", command.DeathSignal, "--", command.Program, .. command.Arguments,
        ];
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        foreach (var (variable, value) in command.Environment)
            start.Environment[variable] = value;
        var started = new TaskCompletionSource<ChildProcess>(TaskCreationOptions.RunContinuationsAsynchronously);
        Starts.Add(() =>
        {
            try
            {
                started.SetResult(new ChildProcess(command, Process.Start(start)!));
            }
            catch (Exception e)
            {
                started.SetException(e);
            }
        });
        return started.Task;
    }

    public Task WaitForExit(CancellationToken cancellationToken = default) => _process.WaitForExitAsync(cancellationToken);

    /// <summary>SIGTERM.</summary>
    public void Terminate() => Signal(SigTerm);

    /// <summary>SIGINT.</summary>
    public void Interrupt() => Signal(SigInt);

    /// <summary>SIGSTOP: it stands still, with its connections open, until <see cref="Continue"/>.</summary>
    public void Pause() => Signal(SigStop);

    /// <summary>SIGCONT.</summary>
    public void Continue() => Signal(SigContinue);

    /// <summary>SIGKILL to it and to all that it started.</summary>
    public async Task Kill()
    {
        // First the parent, then those it had: a parent that is alive could start more.
        var family = Family();
        foreach (var id in family)
            _ = kill(id, SigKill);
        await WaitForExit();
        foreach (var id in family.Skip(1))
        {
            for (var waited = 0; waited < 200 && IsRunning(id); waited++)
                await Task.Delay(10);
        }
    }

    /// <summary>Asks by SIGTERM (or SIGINT), and kills what has not ended after the limit.</summary>
    public async Task Stop(TimeSpan limit, bool interrupt = false)
    {
        if (!HasExited)
        {
            Signal(interrupt ? SigInt : SigTerm);
            Signal(SigContinue);
            using var wait = new CancellationTokenSource(limit);
            try
            {
                await WaitForExit(wait.Token);
            }
            catch (OperationCanceledException)
            {
                await Kill();
            }
        }
    }

    /// <summary>The end of its log, for messages.</summary>
    public string LastLines(int lines = 15) => LastLines(_command.Log, lines);

    internal static string LastLines(string log, int lines)
    {
        if (!File.Exists(log))
            return "";
        using var file = new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        file.Seek(-Math.Min(file.Length, 64 * 1024), SeekOrigin.End);
        using var reader = new StreamReader(file);
        return string.Join('\n', reader.ReadToEnd().TrimEnd().Split('\n').TakeLast(lines));
    }

    private void Signal(int signal)
    {
        if (!_process.HasExited)
            _ = kill(_process.Id, signal);
    }

    private List<int> Family()
    {
        var children = Directory.EnumerateDirectories("/proc")
            .Select(folder => int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0)
            .Where(id => id != 0)
            .ToLookup(Parent);
        var family = new List<int> { _process.Id };
        for (var i = 0; i < family.Count; i++)
            family.AddRange(children[family[i]]);
        return family;
    }

    private static int Parent(int id) => Stat(id) is { } stat ? int.Parse(stat[1], CultureInfo.InvariantCulture) : 0;

    private static bool IsRunning(int id) => Stat(id) is { } stat && stat[0] != "Z";

    // "pid (name) state parent …"; the name may hold spaces and brackets.
    private static string[]? Stat(int id)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{id}/stat");
            return text[(text.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return null;
        }
    }

#pragma warning disable SYSLIB1054, CA5392, IDE1006 // One call of libc, by its own name.
    [DllImport("libc", SetLastError = true)]
    private static extern int kill(int pid, int signal);
#pragma warning restore SYSLIB1054, CA5392, IDE1006
}
