namespace Sloring.Embedded;

/// <summary><c>./run token CLIENT</c>: an access token, alone on standard output, for curl.</summary>
internal static class PrintToken
{
    public static async Task<int> Run(string[] args, string client, CancellationToken cancel)
    {
        using var platform = await Running.Find(args, cancel);
        if (platform is null)
            return 1;
        try
        {
            Console.WriteLine(await platform.Token(client, cancel));
            return 0;
        }
        catch (InvalidOperationException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 1;
        }
    }
}
