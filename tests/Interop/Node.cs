// The JavaScript peers need node and what package-lock.json names. Both are required: an absent foreign peer fails the tests.
using System.ComponentModel;
using System.Diagnostics;

namespace Sloring.Tests.Interop;

internal static class Node
{
    private static readonly Lazy<Task> Installed = new(Install);

    private static string Folder { get; } = FindFolder();

    public static async Task<ServerProcess> StartServer()
    {
        await Installed.Value;
        return await ServerProcess.Start("node", Path.Combine(Folder, "server.mjs"));
    }

    public static async Task<string[]> RunClient(string authority)
    {
        await Installed.Value;
        return (await Run("node", TimeSpan.FromMinutes(3), Path.Combine(Folder, "client.mjs"), authority))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static async Task Install()
    {
        var stamp = new FileInfo(Path.Combine(Folder, "node_modules", ".package-lock.json")); // npm writes it last
        if (!stamp.Exists || stamp.LastWriteTimeUtc < File.GetLastWriteTimeUtc(Path.Combine(Folder, "package-lock.json")))
            await Run("npm", TimeSpan.FromMinutes(3), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", Folder);
    }

    private static async Task<string> Run(string program, TimeSpan limit, params string[] arguments)
    {
        Process process;
        try
        {
            process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        }
        catch (Win32Exception e)
        {
            throw new InvalidOperationException(
                $"'{program}' is not on this machine. The interop tests run against JavaScript's gRPC: install Node.js 20 or later, with npm.", e);
        }
        using (process)
        {
            var output = process.StandardOutput.ReadToEndAsync();
            var errors = process.StandardError.ReadToEndAsync();
            try
            {
                await process.WaitForExitAsync().WaitAsync(limit);
            }
            catch (TimeoutException)
            {
                process.Kill(entireProcessTree: true);
                throw;
            }
            return process.ExitCode == 0 ? await output
                : throw new InvalidOperationException($"'{program} {string.Join(' ', arguments)}' failed: {await errors}");
        }
    }

    /// <summary>Found from where the tests run: a path of the compiler's may be another, or mapped away.</summary>
    private static string FindFolder()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "js", "server.mjs")))
                return Path.Combine(at.FullName, "js");
        }
        throw new InvalidOperationException("The tests run from a checkout of the repository.");
    }
}
