using Sloring.Embedded;

namespace Sloring.Cluster.Commands;

/// <summary>The running cluster, for the commands that ask it something.</summary>
internal static class Running
{
    /// <summary>Does something with it; its errors are told, with what to do.</summary>
    /// <param name="options">Which cluster.</param>
    /// <param name="command">Gets where each service is asked: its first replica. Gives the exit code.</param>
    public static async Task<int> Use(LocalClusterOptions options, Func<Func<string, PlatformClient>, Task<int>> command)
    {
        var clients = new Dictionary<string, PlatformClient>();
        try
        {
            var cluster = LocalCluster.Describe(options);
            foreach (var replicas in cluster.Processes.GroupBy(process => process.AppId))
                clients[replicas.Key] = new PlatformClient(replicas.First().HttpAddress, cluster.Secrets.File, cluster["tokens"].HttpAddress);
            return await command(service => clients[service]);
        }
        catch (HttpRequestException)
        {
            await Console.Error.WriteLineAsync("No cluster answers. Start it in another terminal with ./run cluster, then do this again.");
        }
        catch (Exception e) when (e is InvalidOperationException or ClusterException)
        {
            await Console.Error.WriteLineAsync(e.Message);
        }
        finally
        {
            foreach (var client in clients.Values)
                client.Dispose();
        }
        return 1;
    }

    /// <summary>A text of the token service's or for it, alone on standard output, for curl.</summary>
    public static Task<int> Print(LocalClusterOptions options, Func<PlatformClient, Task<string>> text) => Use(options, async at =>
    {
        Console.WriteLine(await text(at("tokens")));
        return 0;
    });
}
