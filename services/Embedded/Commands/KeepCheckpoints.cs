using System.Globalization;
using System.Text.Json.Nodes;
using Sloring.Hosting;

namespace Sloring.Embedded;

/// <summary>
/// <c>./run checkpoints FILE</c>: adds the checkpoints that are not in the file yet, a line each. Run by somebody who does not operate the
/// platform, the file shows by <c>./run verify --checkpoints FILE</c> what was cut off or written anew.
/// </summary>
public static class KeepCheckpoints
{
    internal static async Task<int> Run(string[] args, FileInfo file, CancellationToken cancel)
    {
        using var platform = await Running.Find(args, cancel);
        if (platform is null)
            return 1;
        var added = await Add(_ => platform, file, cancel);
        Console.WriteLine($"{added} checkpoints added to {file.FullName}.");
        return 0;
    }

    /// <summary>Adds those of all services; says how many.</summary>
    /// <param name="at">Where a service is asked.</param>
    /// <param name="file">Where they are kept.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<int> Add(Func<string, PlatformClient> at, FileInfo file, CancellationToken cancel)
    {
        var kept = await Read(file, cancel);
        var added = 0;
        foreach (var service in ServiceNames.WithJournal)
        {
            var own = kept.Where(checkpoint => checkpoint.Service == service).ToList();
            var known = own.Select(checkpoint => checkpoint.Signed).ToHashSet();
            // On from the last line, and not from the highest position: after a restore from a backup positions are given out again.
            var (after, meets) = own is [.., var last] ? (last.Position - 1, last.Signed) : (0, null);
            while (true)
            {
                var answer = await at(service).Must("revisor", HttpMethod.Get, $"/v1/journals/{service}/checkpoints?after_position={after}", null, cancel);
                var page = answer["checkpoints"]?.AsArray() ?? [];
                if (meets is not null && (page.Count == 0 || (string?)page[0]!["signed"] != meets))
                {
                    // That journal has another there now. All that it has is kept, beside what it had.
                    (after, meets) = (0, null);
                    continue;
                }
                meets = null;
                // What cannot even be read would spoil the file; that it stands in the journal, verify says.
                var signed = page.Select(checkpoint => (string?)checkpoint!["signed"] ?? "").Where(one => Says(one) is not null && known.Add(one)).ToList();
                await File.AppendAllLinesAsync(file.FullName, signed, cancel);
                added += signed.Count;
                var reached = page.Count == 0 ? after : long.Parse((string?)page[^1]!["position"] ?? "0", CultureInfo.InvariantCulture);
                if (reached <= after)
                    break;
                after = reached;
            }
        }
        return added;
    }

    /// <summary>The lines of a file and what each says of itself; whether that is true, the platform's key decides.</summary>
    /// <exception cref="InvalidOperationException">A line is no checkpoint: the message says which.</exception>
    internal static async Task<List<(string Service, long Position, string Signed)>> Read(FileInfo file, CancellationToken cancel)
    {
        var kept = new List<(string, long, string)>();
        if (!file.Exists)
            return kept;
        var number = 0;
        await foreach (var line in File.ReadLinesAsync(file.FullName, cancel))
        {
            number++;
            kept.Add(Says(line.Trim()) is var (service, position) ? (service, position, line.Trim()) : throw new InvalidOperationException($"Line {number} of {file.FullName} is no checkpoint."));
        }
        return kept;
    }

    /// <summary>What a checkpoint says of itself; null for what is none.</summary>
    private static (string Service, long Position)? Says(string signed)
    {
        try
        {
            return JsonNode.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(signed.Split('.')[1])) is { } says ? ((string)says["service"]!, (long)says["position"]!) : null;
        }
        catch (Exception e) when (e is FormatException or System.Text.Json.JsonException or InvalidOperationException or IndexOutOfRangeException or ArgumentNullException)
        {
            return null;
        }
    }
}
