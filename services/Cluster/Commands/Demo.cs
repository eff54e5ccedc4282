namespace Sloring.Cluster.Commands;

internal static class Demo
{
    public static Task<int> Run(LocalClusterOptions options, CancellationToken cancel) => Task.FromResult(1);
}
