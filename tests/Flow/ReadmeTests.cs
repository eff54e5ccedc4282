using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Xunit;

namespace Sloring.Tests.Flow;

/// <summary>The curl examples of README, run as they stand against a platform.</summary>
public sealed partial class ReadmeTests
{
    [Fact]
    public async Task EveryCurlExample_IsAnsweredAsReadmeSays()
    {
        await using var platform = await Platform.Start();
        var readme = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "README.md"), TestContext.Current.CancellationToken);
        var commands = BashBlocks().Matches(readme).SelectMany(block => block.Groups[1].Value.Split('\n')).Where(line => line.StartsWith("curl ", StringComparison.Ordinal)).ToList();
        Assert.Equal(5, commands.Count);

        var answers = new List<JsonNode>();
        foreach (var command in commands)
        {
            // Only the addresses differ: this platform has ports and a folder of its own.
            var here = command
                .Replace("http://127.0.0.1:5080", platform.HttpAddress, StringComparison.Ordinal);
            here = TokenCall().Replace(here, match => $"$(dotnet {Repository.EmbeddedProgram} token {match.Groups[1].Value} --Data:Folder={platform.Folder} --Listen:Http={platform.HttpAddress})");
            answers.Add(JsonNode.Parse(await Bash(here))!);
            if (answers.Count == 1)
                await Eventually.True(async () => (await platform.Client.Must("borgervisning", HttpMethod.Post, "/v1/masking-instructions",
                    new JsonObject { ["patientCpr"] = "7101901234" }, CancellationToken.None))["organisations"] is not null, "the masking has reached effectuation");
        }
        Assert.NotNull(answers[0]["maskingId"]);
        Assert.Contains("\"masked\": true", answers[1].ToJsonString(new() { WriteIndented = true }), StringComparison.Ordinal);
        Assert.Equal("29190623", (string?)answers[2]["organisations"]![0]!["cvr"]);
        await Eventually.True(async () => (await platform.Client.Must("leder", HttpMethod.Get, "/v1/cases", null, CancellationToken.None))["cases"]?.AsArray().Count == 1, "the leader has the case");
        Assert.Equal("SLR-910", (string?)answers[4]["code"]);
    }

    private static async Task<string> Bash(string command)
    {
        var start = new ProcessStartInfo("bash") { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Repository.Root };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(command);
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return output;
    }

    [GeneratedRegex("```bash\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex BashBlocks();

    [GeneratedRegex(@"\$\(\./run token (\S+)\)")]
    private static partial Regex TokenCall();
}
