// A server in a process of its own: this assembly's trial-server, or the JavaScript one.
using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Sloring.Tests.Interop;

internal sealed class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly Process process;
    private readonly StringBuilder errors = new();

    private ServerProcess(Process process) => this.process = process;

    public int Port { get; private set; }
    public string Address => $"http://127.0.0.1:{Port}";
    public bool HasExited => process.HasExited;

    public string Errors
    {
        get
        {
            lock (errors)
                return errors.ToString();
        }
    }

    public static Task<ServerProcess> StartOwn(int port = 0) =>
        Start("dotnet", typeof(ServerProcess).Assembly.Location, "trial-server", port.ToString(CultureInfo.InvariantCulture));

    public static async Task<ServerProcess> Start(string program, params string[] arguments)
    {
        var server = new ServerProcess(Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!);
        server.process.ErrorDataReceived += (_, e) =>
        {
            lock (server.errors)
                server.errors.AppendLine(e.Data);
        };
        server.process.BeginErrorReadLine();
        var line = await server.process.StandardOutput.ReadLineAsync().WaitAsync(StartLimit);
        if (line?.Split(' ') is not ["listening", var port])
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} did not start. {line} {server.Errors}");
        server.Port = int.Parse(port, CultureInfo.InvariantCulture);
        return server;
    }

    /// <summary>SIGKILL: no goodbye to the clients.</summary>
    public async Task Kill()
    {
        process.Kill();
        await process.WaitForExitAsync().WaitAsync(StartLimit);
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
            await Kill();
        process.Dispose();
    }
}
