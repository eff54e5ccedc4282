using System.Diagnostics;

namespace Sloring.Tests;

/// <summary>Programs that nobody here wrote: a peer in another language, a tool of the system's. An absent one fails the test.</summary>
public static class Foreign
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    /// <summary>Installs what the package-lock.json of a folder names, where it is not there.</summary>
    public static async Task Install(string folder)
    {
        var stamp = new FileInfo(Path.Combine(folder, "node_modules", ".package-lock.json")); // npm writes it last
        if (!stamp.Exists || stamp.LastWriteTimeUtc < File.GetLastWriteTimeUtc(Path.Combine(folder, "package-lock.json")))
            await Run("npm", "", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder);
    }

    /// <summary>What a program writes to its standard output.</summary>
    /// <exception cref="InvalidOperationException">It failed: the message holds what it wrote to its standard error.</exception>
    public static async Task<string> Run(string program, string input, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        try
        {
            await process.WaitForExitAsync().WaitAsync(Limit);
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
        return process.ExitCode == 0 ? await output : throw new InvalidOperationException($"'{program}' failed: {await errors}");
    }
}
