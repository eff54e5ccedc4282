using System.Diagnostics;
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
        private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);
        private static readonly string Interop = Path.Combine(Repository.Root, "tests", "Interop");

        public Dictionary<string, string?> Errors { get; private set; } = [];

        public async ValueTask InitializeAsync()
        {
            var package = Path.Combine(Interop, "js");
            var stamp = new FileInfo(Path.Combine(package, "node_modules", ".package-lock.json")); // npm writes it last
            if (!stamp.Exists || stamp.LastWriteTimeUtc < File.GetLastWriteTimeUtc(Path.Combine(package, "package-lock.json")))
                await Program("npm", "", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", package);
            await using var platform = await Platform.Start();
            var tokens = new Dictionary<string, string>();
            foreach (var client in (string[])["epj-hovedstaden", "kilde-hovedstaden", "borgervisning", "leder"])
                tokens[client] = await platform.Client.Token(client, CancellationToken.None);
            var output = await Program(
                "node", JsonSerializer.Serialize(tokens),
                Path.Combine(Interop, "js-platform", "platform.mjs"), new Uri(platform.GrpcAddress).Authority, Path.Combine(Repository.Root, "contracts", "proto"), People.NextCpr());
            Errors = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize<JsonElement>(line))
                .ToDictionary(line => line.GetProperty("name").GetString()!, line => line.GetProperty("error").GetString());
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private static async Task<string> Program(string program, string input, params string[] arguments)
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync();
            var errors = process.StandardError.ReadToEndAsync();
            try
            {
                await process.WaitForExitAsync().WaitAsync(Limit);
            }
            catch (TimeoutException)
            {
                process.Kill(entireProcessTree: true);
                throw;
            }
            return process.ExitCode == 0 ? await output : throw new InvalidOperationException($"'{program}' failed: {await errors}");
        }
    }
}
