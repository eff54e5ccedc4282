using System.Text.Json;
using Xunit;

namespace Sloring.Tests.Flow;

/// <summary>JavaScript's gRPC, with nothing but the published contracts, does the main job: js-platform/platform.mjs runs its cases once, each is a test here.</summary>
public sealed class ForeignClientTests(ForeignClientTests.Run run) : IClassFixture<ForeignClientTests.Run>
{
    [Theory] // M3, M9, E1, E8
    [InlineData("activatesMasksAndWatches"), InlineData("masksAStream"), InlineData("isRefusedWithDetails")]
    public void Case_GivesWhatTheForeignClientExpects(string name)
    {
        Assert.True(run.Errors.TryGetValue(name, out var error), $"platform.mjs has no case '{name}'.");
        Assert.True(error is null, error);
    }

    [Fact]
    public void EveryCaseOfTheForeignClient_IsATestHere() => Assert.Equal(3, run.Errors.Count);

    public sealed class Run : IAsyncLifetime
    {
        private static readonly string Interop = Path.Combine(Repository.Root, "tests", "Interop");

        public Dictionary<string, string?> Errors { get; private set; } = [];

        public async ValueTask InitializeAsync()
        {
            await Foreign.Install(Path.Combine(Interop, "js"));
            await using var platform = await Platform.Start();
            var tokens = new Dictionary<string, string>();
            foreach (var client in (string[])["epj-hovedstaden", "kilde-hovedstaden", "borgervisning", "leder"])
                tokens[client] = await platform.Client.Token(client, CancellationToken.None);
            var output = await Foreign.Run(
                "node", JsonSerializer.Serialize(tokens),
                Path.Combine(Interop, "js-platform", "platform.mjs"), new Uri(platform.GrpcAddress).Authority, Path.Combine(Repository.Root, "contracts", "proto"), People.NextCpr());
            Errors = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize<JsonElement>(line))
                .ToDictionary(line => line.GetProperty("name").GetString()!, line => line.GetProperty("error").GetString());
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
