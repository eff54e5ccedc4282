using System.Text.Json.Nodes;

namespace Sloring.Embedded;

/// <summary><c>./run rotate-keys</c>: brings every service's rows under the current sealing key while the platform runs; broken off, it is run again.</summary>
internal static class RotateKeys
{
    public static async Task<int> Run(string[] args, CancellationToken cancel)
    {
        using var platform = await Running.Find(args, cancel);
        if (platform is null)
            return 1;
        foreach (var service in Verify.Services)
        {
            var resealed = 0;
            JsonNode answer;
            do
            {
                answer = await platform.Must("drift", HttpMethod.Post, $"/v1/keys/{service}/rotation", new JsonObject(), cancel);
                resealed += (int?)answer["resealed"] ?? 0;
            }
            while ((bool?)answer["more"] == true);
            Console.WriteLine($"{service}: {resealed} texts sealed anew; all rows are under key {answer["keyId"]}.");
        }
        return 0;
    }
}
