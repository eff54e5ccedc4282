using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Sloring.Embedded;
using Sloring.Tests;

namespace Sloring.Bench;

/// <summary>The embedded host as a process: start, idle memory, and masking a file of a million lines.</summary>
public static class HostFigures
{
    private const int Lines = 1_000_000;
    private const double StartSeconds = 3;
    private const double IdleMb = 250;
    private const double MaskMb = 300;

    public static IEnumerable<Figure> Measure()
    {
        var folder = Directory.CreateTempSubdirectory("sloring-bench-").FullName;
        try
        {
            string[] settings = [$"--Data:Folder={folder}", $"--Listen:Http=http://127.0.0.1:{Platform.FreePort()}", $"--Listen:Grpc=http://127.0.0.1:{Platform.FreePort()}"];
            using (var first = Start([.. settings]))
                Stop(first, settings, folder).GetAwaiter().GetResult();

            var clock = Stopwatch.StartNew();
            using var host = Start([.. settings]);
            Ready(settings, folder).GetAwaiter().GetResult();
            var started = clock.Elapsed.TotalSeconds;
            yield return new Figure("Start of the embedded host until ready, against 3 s", started / StartSeconds, 1, FormattableString.Invariant($"{started:F2} s"));

            Quiet().GetAwaiter().GetResult();
            yield return Memory("Resident memory of the embedded host, idle for 20 s, against 250 MB", host, IdleMb);

            var patients = Enumerable.Range(0, 1_000).Select(_ => People.NextCpr()).ToArray();
            using (var client = Client(settings, folder))
                Activate(client, patients.Take(patients.Length / 2)).GetAwaiter().GetResult();
            var file = WriteFile(folder, patients);
            clock.Restart();
            using var mask = Start(["mask", file, "-o", Path.Combine(folder, "masked.jsonl"), .. settings]);
            var peak = Peak(mask).GetAwaiter().GetResult();
            if (mask.ExitCode != 0 || File.ReadLines(Path.Combine(folder, "masked.jsonl")).LongCount() != Lines)
                throw new InvalidOperationException("Masking the file failed.");
            yield return new Figure("Peak memory of `./run mask` on a million lines, half of them masked, against 300 MB", peak / MaskMb, 1,
                FormattableString.Invariant($"{peak:F0} MB; {Lines / clock.Elapsed.TotalSeconds:N0} lines/s"));
            host.Kill();
            host.WaitForExit();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static Figure Memory(string name, Process process, double limit)
    {
        var now = Mb(process.Id, "VmRSS");
        return new Figure(name, now / limit, 1, FormattableString.Invariant($"{now:F0} MB"));
    }

    /// <summary>Peak of the process by the system's own accounting, read until it ends.</summary>
    private static async Task<double> Peak(Process process)
    {
        var peak = 0.0;
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (!process.HasExited)
        {
            peak = Math.Max(peak, Mb(process.Id, "VmHWM"));
            await tick.WaitForNextTickAsync();
        }
        return peak;
    }

    internal static double Mb(int process, string field)
    {
        var path = $"/proc/{process}/status";
        var line = File.Exists(path) ? File.ReadLines(path).FirstOrDefault(text => text.StartsWith(field, StringComparison.Ordinal)) : null;
        return line is null ? 0 : double.Parse(line.AsSpan(field.Length + 1).TrimEnd("kB").Trim(), CultureInfo.InvariantCulture) * 1024 / 1e6;
    }

    private static Process Start(string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Repository.EmbeddedProgram);
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private static async Task Ready(string[] settings, string folder)
    {
        using var client = Client(settings, folder);
        await Eventually.True(() => client.IsReady(CancellationToken.None), "the host is ready", TimeSpan.FromSeconds(60));
    }

    private static async Task Stop(Process process, string[] settings, string folder)
    {
        await Ready(settings, folder);
        process.Kill();
        await process.WaitForExitAsync();
    }

    private static async Task Quiet()
    {
        using var tick = new PeriodicTimer(TimeSpan.FromSeconds(20));
        await tick.WaitForNextTickAsync();
    }

    internal static async Task Activate(PlatformClient client, IEnumerable<string> patients)
    {
        foreach (var patient in patients)
            await client.Must("epj-hovedstaden", HttpMethod.Post, "/v1/maskings", new JsonObject
            {
                ["idempotencyKey"] = Guid.NewGuid().ToString("N"),
                ["patientCpr"] = patient,
                ["trigger"] = "TRIGGER_THREATS",
                ["behaviourOn"] = "2025-01-15",
                ["activator"] = new JsonObject { ["personId"] = "hw-1001", ["role"] = "health-worker" },
            }, CancellationToken.None);
    }

    private static PlatformClient Client(string[] settings, string folder) =>
        new(settings[1][(settings[1].IndexOf('=', StringComparison.Ordinal) + 1)..], Path.Combine(folder, "secrets.json"));

    private static string WriteFile(string folder, string[] patients)
    {
        var file = Path.Combine(folder, "entries.jsonl");
        using var writer = new StreamWriter(file);
        for (var i = 0; i < Lines; i++)
            writer.Write(string.Create(CultureInfo.InvariantCulture,
                $"{{\"patientCpr\":\"{patients[i % patients.Length]}\",\"entries\":[{{\"id\":\"e{i}\",\"source\":\"EPJ\",\"cvr\":\"29190623\",\"sorId\":\"1000111000016001\",\"activity\":\"Opslag i journal\",\"staff\":[{{\"role\":\"user\",\"name\":\"{People.Names[i % People.Names.Length]}\",\"professionCode\":\"5166\"}}]}}]}}\n"));
        return file;
    }
}
