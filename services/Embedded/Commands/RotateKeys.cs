using System.Text.Json.Nodes;
using Sloring.Hosting;

namespace Sloring.Embedded;

/// <summary><c>./run rotate-keys</c>: brings every service's rows under the current sealing key while the platform runs; broken off, it is run again.</summary>
public static class RotateKeys
{
    internal static async Task<int> Run(string[] args, CancellationToken cancel)
    {
        using var platform = await Running.Find(args, cancel);
        if (platform is null)
            return 1;
        return await Rotate(_ => platform, cancel) ? 0 : 1;
    }

    /// <summary>Goes through all services until none has more.</summary>
    /// <param name="at">Where a service is asked.</param>
    /// <param name="cancel">Gives up; what is done stays done.</param>
    /// <returns>Whether all rows are under the current key.</returns>
    public static async Task<bool> Rotate(Func<string, PlatformClient> at, CancellationToken cancel)
    {
        var all = true;
        foreach (var service in ServiceNames.WithJournal)
        {
            var resealed = 0;
            JsonNode answer;
            do
            {
                answer = await at(service).Must("drift", HttpMethod.Post, $"/v1/keys/{service}/rotation", new JsonObject(), cancel);
                resealed += (int?)answer["resealed"] ?? 0;
            }
            while ((bool?)answer["more"] == true);
            // The last call has come to all of them.
            var unreadable = (int?)answer["unreadable"] ?? 0;
            Console.WriteLine(Told(service, resealed, unreadable, (string?)answer["keyId"]));
            all &= unreadable == 0;
        }
        return all;
    }

    /// <summary>What is said of a service.</summary>
    public static string Told(string service, int resealed, int unreadable, string? keyId) => $"{service}: {resealed} texts sealed anew; " + (unreadable == 0
        ? $"all rows are under key {keyId}."
        : $"{unreadable} cannot be opened and stay as they are, all others are under key {keyId}. If their key was taken out of the secret store, put it back, restart and run this again; "
            + "else they were altered: docs/decisions/0032-sealing-keys.md says how to find them.");
}
