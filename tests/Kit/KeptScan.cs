using System.Text;
using Sloring.Cluster;

namespace Sloring.Tests;

/// <summary>Reads all that a host has left in its folder and its databases, as a copy of them would be read: no CPR number, no name.</summary>
public static class KeptScan
{
    /// <summary>Every service that keeps a database.</summary>
    public static readonly string[] EveryService = ["registration", "approval", "scheduler", "pseudonym", "effectuation"];

    /// <summary>Of a host whose data is in a folder of its own, or in the test database of that folder.</summary>
    /// <param name="folder">Its folder; the host has stopped, or only reads meanwhile.</param>
    /// <param name="services">Whose tables must be there: an empty folder has shown nothing.</param>
    /// <exception cref="InvalidOperationException">Something personal lies there readable: the message says in which file or table, and not what.</exception>
    public static async Task Check(string folder, params string[] services)
    {
        var tables = Of(await TestDatabase.Tables(folder));
        Judge([.. Files(folder).Select(file => (file.Where, PersonalText.Finding(file.Text, packed: file.Where.Contains(".db", StringComparison.Ordinal)))), .. tables], services);
    }

    /// <summary>Of the services on a cluster's PostgreSQL, which runs, and the logs of all its processes and servers.</summary>
    /// <exception cref="InvalidOperationException">As above.</exception>
    public static async Task Check(LocalCluster cluster)
    {
        Judge([.. Of(await TestDatabase.Tables(cluster.Postgres, "sloring", EveryService))], EveryService);
        CheckLogs(Path.GetDirectoryName(cluster.Secrets.File)!, "postgres.log", "node.log");
    }

    /// <summary>Of every log in a folder and the folders in it.</summary>
    /// <param name="folder">Where programs write.</param>
    /// <param name="written">Logs that must be there with something in them.</param>
    /// <exception cref="InvalidOperationException">As above.</exception>
    public static void CheckLogs(string folder, params string[] written)
    {
        var logs = Directory.GetFiles(folder, "*.log", SearchOption.AllDirectories);
        var findings = logs.SelectMany(log => File.ReadLines(log).Select((line, at) => (Where: $"{Path.GetFileName(log)}:{at + 1}", What: PersonalText.Finding(line))).Where(line => line.What is not null).Take(20))
            .Select(found => $"{found.Where} holds {found.What}.")
            .Concat(written.Where(name => !logs.Any(log => Path.GetFileName(log) == name && new FileInfo(log).Length > 0)).Select(name => $"{name} is missing or empty.")).ToList();
        if (findings.Count > 0)
            throw new InvalidOperationException(string.Join('\n', findings));
    }

    /// <summary>Checks a folder that nobody needs any more, and deletes it in any case.</summary>
    public static async Task Discard(string folder, params string[] services)
    {
        try
        {
            await Check(folder, services);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static List<(string Where, string Text)> Files(string folder)
    {
        while (true)
        {
            try
            {
                return Directory.GetFiles(folder).ToList().ConvertAll(file => (Path.GetFileName(file), Encoding.UTF8.GetString(File.ReadAllBytes(file))));
            }
            catch (FileNotFoundException)
            {
                // The last connection to a SQLite file has moved its log into it: all of it is read again.
            }
        }
    }

    /// <summary>A number may be known by its form, or stand glued to other digits and be one that was given.</summary>
    private static IEnumerable<(string Where, string? What)> Of(IReadOnlyDictionary<string, string> tables) =>
        tables.Select(table => (table.Key, PersonalText.Finding(table.Value) ?? PersonalText.Finding(table.Value, packed: true)));

    private static void Judge(IReadOnlyList<(string Where, string? What)> read, string[] services)
    {
        var findings = read.Where(found => found.What is not null).Select(found => $"{found.Where} holds {found.What}.")
            .Concat(services.Where(service => !read.Any(found => found.Where.StartsWith(service + ".", StringComparison.Ordinal) && !found.Where.Contains(".db", StringComparison.Ordinal)))
                .Select(service => $"No table of {service} was there to be read.")).ToList();
        if (findings.Count > 0)
            throw new InvalidOperationException(string.Join('\n', findings));
    }
}
