using System.Diagnostics;
using Xunit;

namespace Sloring.Tests.Flow;

/// <summary>The newcomer's first command, as a process of its own, with no setting that the program could do without.</summary>
public sealed class DemoTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    [Fact] // M1, M3, M5, M6, A1, A3, A5, A8
    public async Task Demo_InAnEmptyFolder_PlaysTheMainJobToItsEnd_Twice()
    {
        Assert.SkipWhen(TestDatabase.IsPostgres, "The newcomer's platform is on SQLite.");
        var folder = Directory.CreateTempSubdirectory("sloring-demo-").FullName;
        for (var time = 0; time < 2; time++)
        {
            var start = new ProcessStartInfo("dotnet") { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
            // Other addresses only because another platform may be running on this machine.
            foreach (var argument in (ReadOnlySpan<string>)
                [Repository.EmbeddedProgram, "demo", $"--Listen:Http=http://127.0.0.1:{Platform.FreePort()}", $"--Listen:Grpc=http://127.0.0.1:{Platform.FreePort()}"])
                start.ArgumentList.Add(argument);
            using var demo = Process.Start(start)!;
            var (said, wrong) = (demo.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), demo.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
            await demo.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Limit, TestContext.Current.CancellationToken);
            Assert.True(demo.ExitCode == 0, $"{await said}{await wrong}");
            Assert.EndsWith("All as the rules say.", (await said).Trim(), StringComparison.Ordinal);
            Assert.True(File.Exists(Path.Combine(folder, ".data", "demo", "registration.db")), "the demo's data is in .data/demo, where it was started");
        }
        await KeptScan.Check(Path.Combine(folder, ".data", "demo"), KeptScan.EveryService);
        Directory.Delete(folder, recursive: true);
    }
}
