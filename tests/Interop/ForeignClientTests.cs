// JavaScript's gRPC as client of our server: js/client.mjs runs all its cases once, each is a test here.
using System.Text.Json;
using Xunit;

namespace Sloring.Tests.Interop;

public sealed class ForeignClientTests(ForeignClientTests.Run run) : IClassFixture<ForeignClientTests.Run>
{
    public static readonly TheoryData<string> Cases = new(
        "unary", "serverStream", "clientStream", "duplexStream", "headersBeforeMessages", "largeMessages", "gzipRequest", "gzipClientStream",
        "gzipBomb", "failure", "failureAfterMessages", "refusedClientStream", "handlerThrows", "deadline", "deadlineOfStubbornHandler",
        "deadlineIsSent", "cancelledCall", "cancelledStream", "metadataBothWays", "unknownMethodAndService", "tooLargeRequest",
        "authorization", "manyAtOnce");

    [Theory, MemberData(nameof(Cases))]
    public void Case_GivesWhatTheForeignClientExpects(string name)
    {
        Assert.True(run.Errors.TryGetValue(name, out var error), $"js/client.mjs has no case '{name}'.");
        Assert.True(error is null, error);
    }

    [Fact]
    public void EveryCaseOfTheForeignClient_IsATestHere() =>
        Assert.Equal(Cases.Select(row => row.Data).Order(), run.Errors.Keys.Order());

    public sealed class Run : IAsyncLifetime
    {
        public Dictionary<string, string?> Errors { get; private set; } = [];

        public async ValueTask InitializeAsync()
        {
            await using var server = await TrialServer.Start();
            var lines = await Node.RunClient($"127.0.0.1:{server.Port}");
            Errors = lines.Select(line => JsonSerializer.Deserialize<JsonElement>(line))
                .ToDictionary(line => line.GetProperty("name").GetString()!, line => line.GetProperty("error").GetString());
        }

        public ValueTask DisposeAsync() => default;
    }
}
