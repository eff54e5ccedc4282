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
        await Rotate(_ => platform, cancel);
        return 0;
    }

    /// <summary>Goes through all services until none has more.</summary>
    /// <param name="at">Where a service is asked.</param>
    /// <param name="cancel">Gives up; what is done stays done.</param>
    public static async Task Rotate(Func<string, PlatformClient> at, CancellationToken cancel)
    {
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
            Console.WriteLine($"{service}: {resealed} texts sealed anew; all rows are under key {answer["keyId"]}.");
        }
    }
}
