using System.Text.Json;
using System.Text.Json.Nodes;
using Xunit;

namespace Sloring.Tests.Flow;

/// <summary>People sign in at the token service by a relying party that nobody here wrote (openid-client). js-openid/rp.mjs runs its cases once.</summary>
public sealed class SignInTests(SignInTests.Run run) : IClassFixture<SignInTests.Run>
{
    [Theory]
    [InlineData("leaderSignsInWorksRefreshesAndSignsOut"), InlineData("pageIsPlainInBothLanguagesAndListsPersonasOnly"), InlineData("whoeverHasSignedInIsAskedAgainWhenTheAppWantsIt")]
    [InlineData("codeIsGoodOnceForItsAppAndAddressAndVerifier"), InlineData("requestsThatAreWrongGoBackToTheAppWithANumber"), InlineData("nobodyIsSentToAnAddressThatIsNotRegistered")]
    [InlineData("otherSitesCanNeitherSignAnybodyInNorOut"), InlineData("revokedPersonIsOutEverywhereWithinSeconds"), InlineData("codeExpiresInAMinuteAndTheSessionAfterEightHours")]
    public void Case_GivesWhatTheForeignRelyingPartyExpects(string name)
    {
        Assert.True(run.Errors.TryGetValue(name, out var error), $"rp.mjs has no case '{name}'.");
        Assert.True(error is null, error);
    }

    [Fact]
    public void EveryCaseOfTheRelyingParty_IsATestHere() => Assert.Equal(9, run.Errors.Count);

    public sealed class Run : IAsyncLifetime
    {
        public Dictionary<string, string?> Errors { get; private set; } = [];

        public async ValueTask InitializeAsync()
        {
            var package = Path.Combine(Repository.Root, "tests", "Flow", "js-openid");
            await ForeignProgram.Install(package);
            await using var platform = await Platform.Start(
                null, "--Token:RefreshSeconds=1", "--Tokens:Clients:90:Id=other-app", "--Tokens:Clients:90:RedirectUris:0=https://other.example/in");
            var kept = JsonSerializer.Deserialize<Dictionary<string, string>>(await File.ReadAllTextAsync(Path.Combine(platform.Folder, "secrets.json")))!;
            var secrets = new JsonObject();
            foreach (var client in (string[])["portal", "other-app", "leder", "drift"])
                secrets[client] = kept["client/" + client];
            var output = await ForeignProgram.Run("node", "", Path.Combine(package, "rp.mjs"), new JsonObject { ["issuer"] = platform.HttpAddress, ["secrets"] = secrets }.ToJsonString());
            Errors = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize<JsonElement>(line))
                .ToDictionary(line => line.GetProperty("name").GetString()!, line => line.GetProperty("error").GetString());
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
