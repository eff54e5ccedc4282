namespace Sloring.Embedded;

/// <summary><c>./run token CLIENT</c> and <c>./run assertion</c>: an access token, or what the demo app gets one with, alone on standard output, for curl.</summary>
internal static class PrintToken
{
    public static Task<int> Run(string[] args, string client, CancellationToken cancel) => Print(args, platform => platform.Token(client, cancel), cancel);

    public static Task<int> Assertion(string[] args, CancellationToken cancel) => Print(args, platform => platform.Assertion(cancel), cancel);

    private static async Task<int> Print(string[] args, Func<PlatformClient, Task<string>> token, CancellationToken cancel)
    {
        using var platform = await Running.Find(args, cancel);
        if (platform is null)
            return 1;
        try
        {
            Console.WriteLine(await token(platform));
            return 0;
        }
        catch (InvalidOperationException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 1;
        }
    }
}
