using System.ComponentModel;
using System.Diagnostics;

namespace Sloring.Tests;

/// <summary>Programs that nobody here wrote: node, npm, openssl, curl. One that is absent fails the test that needs it.</summary>
public static class ForeignProgram
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);
    private static readonly SemaphoreSlim Installing = new(1, 1);

    /// <summary>Installs what a folder's package-lock.json names, unless that has been done.</summary>
    public static async Task Install(string folder)
    {
        await Installing.WaitAsync();
        try
        {
            var stamp = new FileInfo(Path.Combine(folder, "node_modules", ".package-lock.json")); // npm writes it last
            if (!stamp.Exists || stamp.LastWriteTimeUtc < File.GetLastWriteTimeUtc(Path.Combine(folder, "package-lock.json")))
                await Run("npm", "", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder);
        }
        finally
        {
            Installing.Release();
        }
    }

    /// <summary>Runs a program to its end; gives what it wrote.</summary>
    /// <exception cref="InvalidOperationException">It is not there, or said that it failed.</exception>
    public static async Task<string> Run(string program, string input, params string[] arguments)
    {
        Process process;
        try
        {
            process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        }
        catch (Win32Exception e)
        {
            throw new InvalidOperationException($"'{program}' is not on this machine, and the tests with foreign peers need it. Install it.", e);
        }
        using (process)
        {
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
}
