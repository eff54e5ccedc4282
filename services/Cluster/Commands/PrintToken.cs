using Sloring.Embedded;

namespace Sloring.Cluster.Commands;

/// <summary><c>./run cluster token CLIENT</c>: an access token, alone on standard output, for curl.</summary>
internal static class PrintToken
{
    public static async Task<int> Run(LocalClusterOptions options, string client, CancellationToken cancel)
    {
        try
        {
            var cluster = LocalCluster.Describe(options);
            using var platform = new PlatformClient(cluster["tokens"].HttpAddress, cluster.Secrets.File);
            Console.WriteLine(await platform.Token(client, cancel));
            return 0;
        }
        catch (HttpRequestException)
        {
            await Console.Error.WriteLineAsync("No cluster answers. Start it in another terminal with ./run cluster, then do this again.");
        }
        catch (Exception e) when (e is InvalidOperationException or ClusterException)
        {
            await Console.Error.WriteLineAsync(e.Message);
        }
        return 1;
    }
}
