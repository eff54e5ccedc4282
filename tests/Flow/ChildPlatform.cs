using System.Diagnostics;
using Sloring.Embedded;

namespace Sloring.Tests.Flow;

/// <summary>The embedded platform as a process of its own, to be killed.</summary>
internal sealed class ChildPlatform : IAsyncDisposable
{
    private readonly string _http = $"http://127.0.0.1:{Platform.FreePort()}";
    private readonly string _grpc = $"http://127.0.0.1:{Platform.FreePort()}";
    private readonly StreamWriter _log = new(Path.Combine(Repository.Captured, $"child-{Guid.NewGuid():N}.log")) { AutoFlush = true };
    private Process? _process;

    public ChildPlatform()
    {
        Folder = Directory.CreateTempSubdirectory("sloring-child-").FullName;
        Client = new PlatformClient(_http, Path.Combine(Folder, "secrets.json"));
    }

    public string Folder { get; }

    public string HttpAddress => _http;

    /// <summary>HTTP as any demo client; calls fail while the process is dead.</summary>
    public PlatformClient Client { get; }

    public void Start()
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (ReadOnlySpan<string>)
            [Repository.EmbeddedProgram, $"--Data:Folder={Folder}", $"--Listen:Http={_http}", $"--Listen:Grpc={_grpc}"])
            start.ArgumentList.Add(argument);
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public Task Ready() => Eventually.True(() => Client.IsReady(CancellationToken.None), "the restarted platform is ready", TimeSpan.FromSeconds(60));

    /// <summary>SIGKILL: nothing is flushed, nobody is told.</summary>
    public async Task Kill()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = null;
    }

    private void Keep(string? line)
    {
        lock (_log)
            _log.WriteLine(line);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
            await Kill();
        Client.Dispose();
        await _log.DisposeAsync();
        await KeptScan.Discard(Folder, KeptScan.EveryService);
    }
}
