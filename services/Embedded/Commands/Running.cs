namespace Sloring.Embedded;

/// <summary>Finds the platform that runs with this folder's data.</summary>
internal static class Running
{
    public static PlatformClient Client(string[] args)
    {
        var settings = EmbeddedHost.Settings(args);
        return new PlatformClient(Serve.Listen(args).Http, settings["Secrets:File"]!, parties: new DemoParties(settings["Data:Folder"]!));
    }

    /// <summary>The running platform, or null after saying how to start one.</summary>
    public static async Task<PlatformClient?> Find(string[] args, CancellationToken cancel)
    {
        var client = Client(args);
        if (await client.IsReady(cancel))
            return client;
        client.Dispose();
        await Console.Error.WriteLineAsync($"No platform answers at {Serve.Listen(args).Http}. Start it in another terminal with ./run, then do this again.");
        return null;
    }
}
