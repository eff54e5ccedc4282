using System.Net;
using System.Net.Sockets;
using System.Text;
using Sloring.Cluster;
using Xunit;

namespace Sloring.Tests.Distributed;

/// <summary>A service's process that is told to end while many connections are in use: each request on them is answered.</summary>
public sealed class DrainTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task SigTerm_EndsEveryConnectionWithAnAnswer_AndCutsOffNone()
    {
        var folder = Directory.CreateTempSubdirectory("sloring-drain-").FullName;
        var (http, grpc) = (Platform.FreePort(), Platform.FreePort());
        var process = await ChildProcess.Start(new ChildCommand("tokens", "dotnet",
        [
            Path.Combine(AppContext.BaseDirectory, "Sloring.Tokens.dll"), $"--Listen:Http=http://127.0.0.1:{http}", $"--Listen:Grpc=http://127.0.0.1:{grpc}", "--Listen:DrainSeconds=2",
            $"--Token:Issuer=http://127.0.0.1:{http}", "--Events=embedded", $"--Data:Folder={folder}", $"--Secrets:File={Path.Combine(folder, "secrets.json")}", "--Secrets:CreateMissing=true",
            $"--Settings:File={Path.Combine(Repository.Root, "samples", "demo-clients.json")}", $"--Organisations:File={Path.Combine(Repository.Root, "samples", "organisations.csv")}",
            $"--Tokens:StateFile={Path.Combine(folder, "tokens.json")}",
        ], Path.Combine(Repository.Captured, Path.GetFileName(folder) + ".log")));
        try
        {
            await Eventually.True(async () => !process.HasExited ? await Answers(http, "/health/ready") == 200 : throw new InvalidOperationException(process.LastLines()), "tokens is ready");
            var answered = new int[40];
            var callers = answered.Select((_, caller) => Task.Run(() => CallUntilToldToGo(http, () => Interlocked.Increment(ref answered[caller])))).ToList();
            await Eventually.True(() => Task.FromResult(Enumerable.Range(0, answered.Length).All(caller => Volatile.Read(ref answered[caller]) >= 10)), "every caller is answered, again and again");

            process.Terminate();
            await Eventually.True(async () => await Answers(http, "/health/ready") == 503, "it says that it is not ready, and listens yet");
            await Task.WhenAll(callers);
            await process.WaitForExit(Cancel).WaitAsync(TimeSpan.FromSeconds(20), Cancel);
            Assert.Equal(0, process.ExitCode);
        }
        finally
        {
            await process.Kill();
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Request after request over one connection, until an answer says that it was the last.</summary>
    /// <exception cref="IOException">One had no answer.</exception>
    private static async Task CallUntilToldToGo(int port, Action answered)
    {
        using var connection = new TcpClient();
        await connection.ConnectAsync(IPAddress.Loopback, port, Cancel);
        while (await Ask(connection.GetStream(), "/health/live") is var (status, last) && !last)
        {
            Assert.Equal(200, status);
            answered();
        }
    }

    private static async Task<int> Answers(int port, string path)
    {
        try
        {
            using var connection = new TcpClient();
            await connection.ConnectAsync(IPAddress.Loopback, port, Cancel);
            return (await Ask(connection.GetStream(), path)).Status;
        }
        catch (SocketException)
        {
            return 0;
        }
    }

    private static async Task<(int Status, bool Last)> Ask(NetworkStream stream, string path)
    {
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: tokens\r\n\r\n"), Cancel);
        var (buffer, answer) = (new byte[4096], "");
        while (!IsWhole(answer))
        {
            var read = await stream.ReadAsync(buffer, Cancel);
            answer += read > 0 ? Encoding.ASCII.GetString(buffer, 0, read) : throw new IOException($"The connection was closed with a request under way: '{answer}'");
        }
        return (int.Parse(answer.AsSpan(9, 3), System.Globalization.CultureInfo.InvariantCulture), answer.Contains("Connection: close", StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>Health answers come in chunks, of which the last is empty.</summary>
    private static bool IsWhole(string answer) => answer.EndsWith("\r\n0\r\n\r\n", StringComparison.Ordinal);
}
