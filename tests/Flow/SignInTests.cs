using System.Text.Json;
using System.Text.Json.Nodes;
using Xunit;

namespace Sloring.Tests.Flow;

/// <summary>People sign in at the token service by a relying party that nobody here wrote (openid-client: js-openid/rp.mjs), and at a provider of others (oidc-provider: js-openid/broker.mjs). Each runs its cases once.</summary>
public sealed class SignInTests(SignInTests.Run run) : IClassFixture<SignInTests.Run>
{
    [Theory]
    [InlineData("leaderSignsInWorksRefreshesAndSignsOut"), InlineData("pageIsPlainInBothLanguagesAndListsPersonasOnly"), InlineData("whoeverHasSignedInIsAskedAgainWhenTheAppWantsIt")]
    [InlineData("codeIsGoodOnceForItsAppAndAddressAndVerifier"), InlineData("requestsThatAreWrongGoBackToTheAppWithANumber"), InlineData("nobodyIsSentToAnAddressThatIsNotRegistered")]
    [InlineData("personOfTheProviderWorksWithTheRolesOfTheTable"), InlineData("whoTheProviderDoesNotDescribeWellIsLetInNowhere"), InlineData("answersThatNobodyAskedForAreRefused")]
    [InlineData("revokedPersonOfTheProviderIsOut"), InlineData("idTokensThatAreNotSignedAreRefused"), InlineData("citizensNumberGoesSealedToAViewAndToNobodyElse")]
    [InlineData("otherSitesCanNeitherSignAnybodyInNorOut"), InlineData("revokedPersonIsOutEverywhereWithinSeconds"), InlineData("codeExpiresInAMinuteAndTheSessionAfterEightHours")]
    public void Case_GivesWhatTheForeignPeersExpect(string name)
    {
        Assert.True(run.Errors.TryGetValue(name, out var error), $"js-openid has no case '{name}'.");
        Assert.True(error is null, error);
    }

    [Fact]
    public void EveryCaseOfThePeers_IsATestHere() => Assert.Equal(15, run.Errors.Count);

    public sealed class Run : IAsyncLifetime
    {
        public Dictionary<string, string?> Errors { get; } = [];

        public async ValueTask InitializeAsync()
        {
            var package = Path.Combine(Repository.Root, "tests", "Flow", "js-openid");
            await ForeignProgram.Install(package);
            await Play(Path.Combine(package, "rp.mjs"), ["portal", "other-app", "leder", "drift"], "", "--Tokens:Clients:90:Id=other-app", "--Tokens:Clients:90:RedirectUris:0=https://other.example/in");
            var provider = $"http://127.0.0.1:{Platform.FreePort()}";
            await Play(
                Path.Combine(package, "broker.mjs"), ["portal", "drift"], provider, "--Tokens:SignIn=openid", "--Tokens:OpenIdProvider:Authority=" + provider, "--Tokens:OpenIdProvider:ClientId=sloring",
                "--Tokens:OpenIdProvider:RolesClaim=groups", "--Tokens:OpenIdProvider:Roles:0:Value=grp-leaders", "--Tokens:OpenIdProvider:Roles:0:Role=leader",
                "--Tokens:OpenIdProvider:Roles:1:Value=grp-citizens", "--Tokens:OpenIdProvider:Roles:1:Role=citizen",
                "--Tokens:OpenIdProvider:Roles:2:Value=grp-proxies", "--Tokens:OpenIdProvider:Roles:2:Role=citizen-representative");
        }

        private async Task Play(string script, string[] clients, string provider, params string[] settings)
        {
            var folder = Directory.CreateTempSubdirectory("sloring-").FullName;
            try
            {
                var secretsFile = Path.Combine(folder, "secrets.json");
                await File.WriteAllTextAsync(secretsFile, """{"openid-provider":"what-the-provider-has-given-to-this-platform"}""");
                await using var platform = await Platform.Start(folder, ["--Token:RefreshSeconds=1", .. settings]);
                var kept = JsonSerializer.Deserialize<Dictionary<string, string>>(await File.ReadAllTextAsync(secretsFile))!;
                var secrets = new JsonObject { ["openid-provider"] = kept["openid-provider"] };
                foreach (var client in clients)
                    secrets[client] = kept["client/" + client];
                var output = await ForeignProgram.Run("node", "", script, new JsonObject { ["issuer"] = platform.HttpAddress, ["provider"] = provider, ["secrets"] = secrets }.ToJsonString());
                foreach (var line in output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize<JsonElement>(line)))
                    Errors.Add(line.GetProperty("name").GetString()!, line.GetProperty("error").GetString());
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
