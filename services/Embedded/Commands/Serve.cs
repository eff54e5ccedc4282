using System.Diagnostics;
using Microsoft.Extensions.Options;
using Sloring.Hosting;

namespace Sloring.Embedded;

/// <summary><c>./run</c>: starts the platform and says where it is.</summary>
internal static class Serve
{
    public static async Task<int> Run(string[] args, CancellationToken cancel)
    {
        WebApplication app;
        try
        {
            app = EmbeddedHost.Build(args);
            await app.StartAsync(cancel);
        }
        catch (Exception e) when (e is OptionsValidationException or InvalidOperationException)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 1;
        }
        catch (IOException)
        {
            var listen = Listen(args);
            await Console.Error.WriteLineAsync(
                $"The ports of {listen.Http} and {listen.Grpc} are not free: is the platform running already? "
                + "Stop it, or give other addresses: ./run --Listen:Http=http://127.0.0.1:6080 --Listen:Grpc=http://127.0.0.1:6081");
            return 1;
        }
        await using (app)
        {
            Announce(app);
            await app.WaitForShutdownAsync(cancel);
        }
        return 0;
    }

    internal static ListenOptions Listen(string[] args) =>
        EmbeddedHost.Settings(args).GetSection("Listen").Get<ListenOptions>() ?? new ListenOptions();

    private static void Announce(WebApplication app)
    {
        var listen = app.Configuration.GetSection("Listen").Get<ListenOptions>() ?? new ListenOptions();
        var started = (DateTime.Now - Process.GetCurrentProcess().StartTime).TotalSeconds;
        Screen.Line($"[bold]sloring-platform[/] is running ({started:F1} s). Stop it with Ctrl-C.");
        Screen.Line($"  Pages      {listen.Http}/   (the portal)");
        Screen.Line($"  HTTP+JSON  {listen.Http}   (OpenAPI: {listen.Http}/openapi/v1.json)");
        Screen.Line($"  gRPC       {listen.Grpc}   (contracts/proto)");
        Screen.Line($"  Data       {app.Configuration["Data:Folder"]}");
        Screen.Line($"  Try        ./run demo    ./run token leder    ./run mask samples/entries.jsonl");
    }
}
