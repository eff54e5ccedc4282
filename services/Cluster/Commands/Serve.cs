using System.Diagnostics;
using Sloring.Embedded;

namespace Sloring.Cluster.Commands;

/// <summary><c>./run cluster</c>: starts everything, says where it is, and stops it all again at Ctrl-C.</summary>
internal static class Serve
{
    public static async Task<int> Run(LocalClusterOptions options, CancellationToken cancel)
    {
        var clock = Stopwatch.StartNew();
        try
        {
            await using var cluster = await Start(options, cancel);
            Announce(cluster, options, clock.Elapsed);
            try
            {
                await Task.Delay(Timeout.Infinite, cancel);
            }
            catch (OperationCanceledException)
            {
                Screen.Line($"Stopping all that was started.");
            }
            return 0;
        }
        catch (ClusterException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 1;
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            return 1;
        }
    }

    internal static Task<LocalCluster> Start(LocalClusterOptions options, CancellationToken cancel)
    {
        if (LocalCluster.Describe(options).SidecarIsStandIn)
            Screen.Line($"[yellow]No daprd on PATH: the sidecars are the project's own stand-in (tests/Distributed/Sidecar), which is for tests and this command only.[/]");
        else
            Screen.Line($"The sidecars are the daprd on PATH.");
        return LocalCluster.Start(options with { Progress = line => Screen.Line($"[grey]{line}[/]"), Died = Tell }, cancel);
    }

    private static void Announce(LocalCluster cluster, LocalClusterOptions options, TimeSpan took)
    {
        Screen.Line($"[bold]sloring-platform[/] is running in {cluster.Processes.Count} processes ({took.TotalSeconds:F1} s). Stop it with Ctrl-C.");
        foreach (var process in cluster.Processes)
            Screen.Line($"  {process.Name,-16} {process.HttpAddress}   gRPC {process.GrpcAddress}   sidecar {process.SidecarAddress}");
        Screen.Line($"  {"Portal",-16} {cluster["portal"].HttpAddress}/ in a browser; choose who to be");
        Screen.Line($"  {"PostgreSQL",-16} 127.0.0.1:{cluster.Postgres.Port}, one schema and one role per service");
        Screen.Line($"  {"RabbitMQ",-16} amqp://127.0.0.1:{cluster.RabbitMq.Port}, users as the demo clients (docs/edge.md)");
        Screen.Line($"  {"Data, logs",-16} {options.Folder}");
        Screen.Line($"  {"Secrets",-16} {cluster.Secrets.File}");
        Screen.Line($"  {"Try",-16} ./run cluster demo    ./run cluster token leder");
    }

    private static void Tell(ClusterProgram program)
    {
        Screen.Line($"[red]{program.Name} ended with code {program.Process?.ExitCode}. The others go on; nothing starts it again. Its last lines:[/]");
        Screen.Line($"{program.Process?.LastLines(8)}");
    }
}
