// The test assembly is also a server: "trial-server [port]" runs TrialService in a process of its own, which the chaos test can kill.
using Sloring.Tests.Interop;

if (args is ["trial-server", .. var rest])
{
    var unobserved = 0;
    TaskScheduler.UnobservedTaskException += (_, e) =>
    {
        Interlocked.Increment(ref unobserved);
        Console.Error.WriteLine(e.Exception);
    };
    await using var server = await TrialServer.Start(port: rest is [var port] ? int.Parse(port, System.Globalization.CultureInfo.InvariantCulture) : 0,
        unobserved: () => Volatile.Read(ref unobserved));
    Console.WriteLine($"listening {server.Port}");
    await Console.In.ReadToEndAsync(); // a server whose parent is gone goes too
    return 0;
}
return await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
