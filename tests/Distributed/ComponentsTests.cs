using System.Text.RegularExpressions;
using Sloring.Contracts.Events;
using Xunit;
using YamlDotNet.RepresentationModel;

namespace Sloring.Tests.Distributed;

/// <summary>The files of components/ are what Dapr's own schemas say they may be, and name what the code names.</summary>
public sealed partial class ComponentsTests
{
    public static TheoryData<string> Files => new(Directory.EnumerateFiles(Folder, "*.yaml").Select(path => Path.GetFileName(path)!).Where(name => name != "kustomization.yaml").Order(StringComparer.Ordinal));

    private static string Folder => Path.Combine(Repository.Root, "components");

    [Theory, MemberData(nameof(Files))]
    public void File_FitsDaprsSchema(string file) => Assert.Empty(Schema(File.ReadAllText(Path.Combine(Folder, file))));

    /// <summary>The test of the test: what is broken is found.</summary>
    [Theory]
    [InlineData("pubsub.yaml", "version: v1", "")] // required
    [InlineData("pubsub.yaml", "scopes:\n", "scope:\n")] // unknown
    [InlineData("pubsub.yaml", "  - registration\n", "  - { app: registration }\n")] // another type
    [InlineData("resiliency.yaml", "maxRetries: 8", "maxRetries: eight")]
    [InlineData("resiliency.yaml", "gRPCStatusCodes:", "grpcStatusCodes:")]
    [InlineData("config.yaml", "defaultAction: deny", "defaultAction: [deny]")]
    [InlineData("config.yaml", "      - appId: registration\n        trustDomain", "      - trustDomain")]
    public void BrokenFile_DoesNotFit(string file, string from, string to)
    {
        var text = File.ReadAllText(Path.Combine(Folder, file));
        Assert.Contains(from, text, StringComparison.Ordinal);
        Assert.NotEmpty(Schema(text.Replace(from, to, StringComparison.Ordinal)));
    }

    [Fact]
    public void Topics_AreTheEventsOfTheContracts_AndEachSubscribersDeadLetters()
    {
        var events = EventNames.All.Keys.Where(name => !EventNames.IsAuditOnly(name));
        string[] subscribers = ["registration", "approval", "scheduler", "effectuation"];
        var expected = events.Concat(subscribers.Select(name => "dead-letters." + name)).Order(StringComparer.Ordinal).ToList();
        Assert.Equal(expected, Value("allowedTopics").Split(',').Order(StringComparer.Ordinal));
        Assert.Equal(expected, Value("protectedTopics").Split(',').Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("registration"), InlineData("approval"), InlineData("scheduler"), InlineData("pseudonym"), InlineData("effectuation")]
    public void Publisher_MayPublishWhatTheDocumentationSays(string service)
    {
        var rows = File.ReadAllLines(Path.Combine(Repository.Root, "docs", "events.md")).Where(line => line.StartsWith("| `", StringComparison.Ordinal)).Select(line => line.Split('|')).ToList();
        var documented = rows.Where(cells => cells[2].Contains(service, StringComparison.OrdinalIgnoreCase) && !cells[1].Contains("audit.", StringComparison.Ordinal))
            .SelectMany(cells => WireName().Matches(cells[1]).Select(match => match.Groups[1].Value));
        var letters = Scope("subscriptionScopes", service).Where(topic => topic.StartsWith("dead-letters.", StringComparison.Ordinal));
        Assert.Equal(documented.Concat(letters).Order(StringComparer.Ordinal), Scope("publishingScopes", service));
    }

    /// <summary>The topics of an app in a scope of the pub/sub component.</summary>
    internal static IEnumerable<string> Scope(string scope, string app) => Value(scope).Split(';').Select(entry => entry.Split('='))
        .Where(entry => entry[0] == app).SelectMany(entry => entry[1].Split(',', StringSplitOptions.RemoveEmptyEntries)).Order(StringComparer.Ordinal);

    private static string Value(string name) => ((YamlSequenceNode)Deployment.Yaml(File.ReadAllText(Path.Combine(Folder, "pubsub.yaml")))["spec"]["metadata"])
        .Where(item => (string?)item["name"] == name).Select(item => (string?)item["value"]).Single()!;

    private static List<string> Schema(string text) => Schemas.Faults((YamlMappingNode)Deployment.Yaml(text));

    [GeneratedRegex("`([a-z0-9.-]+)`")]
    private static partial Regex WireName();
}
