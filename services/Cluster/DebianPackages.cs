using System.Diagnostics;

namespace Sloring.Cluster;

/// <summary>PostgreSQL 15 and RabbitMQ as Debian packages them, installed when they are missing. No server of Debian's own is left running.</summary>
public static class DebianPackages
{
    private const string Policy = "/usr/sbin/policy-rc.d";
    private const string NoMainCluster = "/etc/postgresql-common/createcluster.conf";
    private static readonly SemaphoreSlim One = new(1, 1);

    /// <summary>Folder of postgres, initdb.</summary>
    public static string PostgresPrograms => "/usr/lib/postgresql/15/bin";

    /// <summary>Folder of the rabbitmq-server script, or null. Not /usr/sbin: the wrapper there changes the user.</summary>
    public static string? RabbitMqScripts =>
        Directory.Exists("/usr/lib/rabbitmq/lib")
            ? Directory.EnumerateDirectories("/usr/lib/rabbitmq/lib", "rabbitmq_server-*").Select(folder => Path.Combine(folder, "sbin"))
                .FirstOrDefault(folder => File.Exists(Path.Combine(folder, "rabbitmq-server")))
            : null;

    /// <summary>The library that gives a process another clock by LD_PRELOAD, or null; of the package libfaketime, for tests.</summary>
    public static string? Faketime =>
        Directory.EnumerateDirectories("/usr/lib", "*-linux-gnu*").Select(folder => Path.Combine(folder, "faketime", "libfaketimeMT.so.1")).FirstOrDefault(File.Exists);

    /// <summary>Installs the servers that are missing.</summary>
    /// <exception cref="ClusterException">It can't: the message names the command to run.</exception>
    public static Task Ensure(Action<string>? progress, CancellationToken cancellationToken) => Ensure(
        () => [
            .. File.Exists(Path.Combine(PostgresPrograms, "postgres")) ? Array.Empty<string>() : ["postgresql-15"],
            .. RabbitMqScripts is null ? ["rabbitmq-server"] : Array.Empty<string>(),
        ],
        progress, cancellationToken);

    /// <summary>Installs <see cref="Faketime"/> where it is missing.</summary>
    /// <exception cref="ClusterException">It can't: the message names the command to run.</exception>
    public static Task EnsureFaketime(Action<string>? progress, CancellationToken cancellationToken) =>
        Ensure(() => Faketime is null ? ["libfaketime"] : [], progress, cancellationToken);

    /// <summary>Installs xmlsec1, the tests' other opinion on XML signatures, where it is missing.</summary>
    /// <exception cref="ClusterException">It can't: the message names the command to run.</exception>
    public static Task EnsureXmlsec(CancellationToken cancellationToken) =>
        Ensure(() => File.Exists("/usr/bin/xmlsec1") ? [] : ["xmlsec1"], null, cancellationToken);

    /// <summary>Installs Chromium, the tests' browser, where it is missing.</summary>
    /// <exception cref="ClusterException">It can't: the message names the command to run.</exception>
    public static Task EnsureChromium(CancellationToken cancellationToken) =>
        Ensure(() => File.Exists("/usr/bin/chromium") ? [] : ["chromium"], null, cancellationToken);

    /// <summary>Installs promtool, which the tests try the alerts with, where it is missing; it comes with the server, which is left stopped.</summary>
    /// <exception cref="ClusterException">It can't: the message names the command to run.</exception>
    public static Task EnsurePromtool(CancellationToken cancellationToken) =>
        Ensure(() => File.Exists("/usr/bin/promtool") ? [] : ["prometheus"], null, cancellationToken);

    private static async Task Ensure(Func<string[]> find, Action<string>? progress, CancellationToken cancellationToken)
    {
        await One.WaitAsync(cancellationToken);
        try
        {
            var missing = find();
            if (missing.Length == 0)
                return;
            var command = $"apt-get update && apt-get install --no-install-recommends {string.Join(' ', missing)}";
            if (!File.Exists("/usr/bin/apt-get"))
                throw new ClusterException($"{string.Join(", ", missing)} must be there, as Debian 12 packages it (PostgreSQL 15, RabbitMQ 3.10). Run this on Debian 12.");
            if (!Environment.IsPrivilegedProcess)
                throw new ClusterException($"Missing: {string.Join(", ", missing)}. Install with: sudo sh -c '{command}', and run this again.");
            progress?.Invoke($"Installing {string.Join(", ", missing)} (once; a minute or two)");
            await Install(missing, command, cancellationToken);
        }
        finally
        {
            One.Release();
        }
    }

    private static async Task Install(string[] packages, string command, CancellationToken cancellationToken)
    {
        // Debian starts what it installs. The marker says no for as long as this very process installs, so one that a crash left behind says nothing.
        var marked = !File.Exists(Policy);
        if (marked)
        {
            await File.WriteAllTextAsync(Policy, $"#!/bin/sh\n[ -d /proc/{Environment.ProcessId} ] && exit 101\nexit 0\n", cancellationToken);
            File.SetUnixFileMode(Policy, (UnixFileMode)0b111_101_101);
        }
        try
        {
            if (packages.Contains("postgresql-15") && !File.Exists(NoMainCluster))
            {
                Directory.CreateDirectory(Path.GetDirectoryName(NoMainCluster)!);
                await File.WriteAllTextAsync(NoMainCluster, "create_main_cluster = false\n", cancellationToken);
            }
            await Run(["update"], command, cancellationToken);
            await Run(["install", "-y", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confold", .. packages], command, cancellationToken);
        }
        finally
        {
            if (marked)
                File.Delete(Policy);
        }
    }

    private static async Task Run(string[] arguments, string command, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("/usr/bin/apt-get", arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["DEBIAN_FRONTEND"] = "noninteractive";
        using var apt = Process.Start(start)!;
        var output = apt.StandardOutput.ReadToEndAsync(cancellationToken);
        var errors = apt.StandardError.ReadToEndAsync(cancellationToken);
        await apt.WaitForExitAsync(cancellationToken);
        if (apt.ExitCode != 0)
            throw new ClusterException($"Installing did not succeed. Run this to see why, then try again: {command}\n{await output}{await errors}".TrimEnd());
    }
}
