using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Xunit;

namespace Sloring.Tests.Flow;

/// <summary>The shell commands of docs/soap.md and docs/tokens.md, run as they stand against a platform.</summary>
public sealed partial class DocsTests(SharedPlatform flow) : IClassFixture<SharedPlatform>
{
    [Fact]
    public async Task CommandsOfSoapMd_AreAnsweredByTheNationalInterfaces()
    {
        var answers = await Run("soap.md");
        Assert.Equal(3, answers.Count);
        Assert.Contains("CreateBlurringResponse", answers[0], StringComparison.Ordinal);
        Assert.Contains("BlurredOrganisationsResponse", answers[1], StringComparison.Ordinal);
        Assert.Contains("GetCurrentSaltResponse", answers[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task CommandsOfTokensMd_GetTheAppATokenByItsOwnKey_AndAnIdentityToken()
    {
        var answers = await Run("tokens.md");
        Assert.Equal(3, answers.Count);
        Assert.Equal(3, answers[0].Trim().Split('.').Length);
        Assert.Equal("Bearer", (string?)JsonNode.Parse(answers[1])!["token_type"]);
        Assert.Equal("N_A", (string?)JsonNode.Parse(answers[2])!["token_type"]);
        // The token is good for what the app may do.
        Assert.Null((await flow.Must("borgerapp", "/v1/masking-instructions", new JsonObject { ["patientCpr"] = People.NextCpr() }))["organisations"]);
    }

    /// <summary>Every command of a page's bash blocks, which empty lines divide; only addresses and data folder are this platform's.</summary>
    private async Task<List<string>> Run(string page)
    {
        var text = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", page), TestContext.Current.CancellationToken);
        var here = $"--Data:Folder={flow.Platform.Folder} --Listen:Http={flow.Platform.HttpAddress}";
        var answers = new List<string>();
        foreach (var command in BashBlocks().Matches(text).SelectMany(block => block.Groups[1].Value.Trim().Split("\n\n")))
        {
            var moved = Runs().Replace(command.Replace("http://127.0.0.1:5080", flow.Platform.HttpAddress, StringComparison.Ordinal), $"dotnet {Repository.EmbeddedProgram} $1 {here} ");
            answers.Add(await ForeignProgram.Run("env", "", $"--chdir={Repository.Root}", "bash", "-euo", "pipefail", "-c", moved));
        }
        return answers;
    }

    [GeneratedRegex("```bash\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex BashBlocks();

    [GeneratedRegex(@"\./run ([^)|#\n]+)")]
    private static partial Regex Runs();
}
