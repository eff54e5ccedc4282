using System.Text.Json;
using System.Text.RegularExpressions;
using Sloring.Cluster;
using Sloring.Hosting;
using Xunit;
using YamlDotNet.RepresentationModel;

namespace Sloring.Tests.Unit.Monitoring;

/// <summary>deploy/monitoring and docs/operations.md against the metrics that the code has; the alerts by Prometheus' own promtool.</summary>
public sealed partial class MonitoringTests
{
    private static readonly string[] Severities = ["critical", "warning"];
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private static string Folder => Path.Combine(Repository.Root, "deploy", "monitoring");

    private static string Page => File.ReadAllText(Path.Combine(Repository.Root, "docs", "operations.md"));

    /// <summary>The metrics as Prometheus names them.</summary>
    private static HashSet<string> Known => [.. Metrics.All.Select(InPrometheus)];

    [Fact]
    public async Task Alerts_FireWhenTheyShould_AndElseNot()
    {
        await DebianPackages.EnsurePromtool(Cancel);
        Assert.Contains("SUCCESS", await ForeignProgram.Run("promtool", "", "test", "rules", Path.Combine(Folder, "alerts.test.yaml")), StringComparison.Ordinal);
    }

    /// <summary>The test of the test.</summary>
    [Fact]
    public async Task AlertsWithAnotherLimit_FailTheirTest()
    {
        await DebianPackages.EnsurePromtool(Cancel);
        var folder = Directory.CreateTempSubdirectory("sloring-").FullName;
        File.Copy(Path.Combine(Folder, "alerts.test.yaml"), Path.Combine(folder, "alerts.test.yaml"));
        var rules = await File.ReadAllTextAsync(Path.Combine(Folder, "alerts.yaml"), Cancel);
        await File.WriteAllTextAsync(Path.Combine(folder, "alerts.yaml"), rules.Replace("sloring_relay_lag_seconds) > 60", "sloring_relay_lag_seconds) > 6000", StringComparison.Ordinal), Cancel);

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => ForeignProgram.Run("promtool", "", "test", "rules", Path.Combine(folder, "alerts.test.yaml")));

        Assert.Contains("SloringRelayLags", failure.Message, StringComparison.Ordinal);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void EveryAlert_SaysWhatIsWrongInBothLanguages_WhereToReadOn_AndIsTriedBothWays()
    {
        var tries = ((YamlSequenceNode)Yaml("alerts.test.yaml")["tests"]).SelectMany(test => (YamlSequenceNode)test["alert_rule_test"])
            .ToLookup(test => (string)test["alertname"]!, test => ((YamlSequenceNode)test["exp_alerts"]).Children.Count > 0);
        var anchors = Headings().Matches(Page).Select(heading => heading.Groups[1].Value.ToLowerInvariant()).ToHashSet();
        Assert.All(Alerts(), alert =>
        {
            var (name, annotations) = ((string)alert["alert"]!, alert["annotations"]);
            Assert.NotEqual((string)annotations["summary"]!, (string)annotations["summary_da"]!);
            Assert.Equal($"docs/operations.md#{name.ToLowerInvariant()}", (string)annotations["runbook"]!);
            Assert.Contains(name.ToLowerInvariant(), anchors);
            Assert.Contains((string)alert["labels"]["severity"]!, Severities);
            Assert.Equal([false, true], tries[name].Distinct().Order());
        });
        Assert.Equal(Alerts().Select(alert => (string)alert["alert"]!).Order(StringComparer.Ordinal), tries.Select(name => name.Key).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Alerts_NameMetricsThatThereAre() => Assert.All(Alerts(), alert => OnlyKnown((string)alert["expr"]!));

    [Fact]
    public void Dashboard_IsOneThatGrafanaReads_AndNamesMetricsThatThereAre()
    {
        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, "dashboard.json")));
        var panels = json.RootElement.GetProperty("panels").EnumerateArray().ToList();
        Assert.Equal(panels.Count, panels.Select(panel => panel.GetProperty("id").GetInt32()).Distinct().Count());
        Assert.All(panels, panel =>
        {
            Assert.NotEmpty(panel.GetProperty("title").GetString()!);
            Assert.All(panel.GetProperty("targets").EnumerateArray(), target => OnlyKnown(target.GetProperty("expr").GetString()!));
            var place = panel.GetProperty("gridPos");
            Assert.InRange(place.GetProperty("x").GetInt32() + place.GetProperty("w").GetInt32(), 1, 24);
        });
        var shown = panels.SelectMany(panel => panel.GetProperty("targets").EnumerateArray()).SelectMany(target => Names(target.GetProperty("expr").GetString()!)).ToHashSet();
        Assert.Equal([], Known.Except(shown));
    }

    [Fact]
    public void EveryMetric_IsExplainedByBothNames() => Assert.All(Metrics.All, metric => Assert.Contains($"| `{metric.Name}` | `{InPrometheus(metric)}` | {metric.Unit} |", Page, StringComparison.Ordinal));

    [Fact]
    public void OperationsPage_NamesNoMetricThatThereIsNot() => OnlyKnown(Page);

    private static void OnlyKnown(string text)
    {
        Assert.Equal([], Names(text).Except(Known));
        if (text.Length < 1_000)
            Assert.NotEmpty(Names(text));
    }

    private static IEnumerable<string> Names(string text) => Metric().Matches(text).Select(name => name.Value).Distinct();

    /// <summary>As OpenTelemetry's specification translates a name: dots to underscores, the unit behind, _total behind counters.</summary>
    private static string InPrometheus(Metric metric) =>
        metric.Name.Replace('.', '_') + metric.Unit switch { "s" => "_seconds", "d" => "_days", ['{', ..] => "", _ => throw new InvalidOperationException(metric.Unit) } + (metric.IsCounter ? "_total" : "");

    private static IEnumerable<YamlNode> Alerts() => ((YamlSequenceNode)Yaml("alerts.yaml")["groups"]).SelectMany(group => (YamlSequenceNode)group["rules"]);

    private static YamlNode Yaml(string file)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(File.ReadAllText(Path.Combine(Folder, file))));
        return yaml.Documents.Single().RootNode;
    }

    [GeneratedRegex(@"\bsloring_[a-z_]+")]
    private static partial Regex Metric();

    [GeneratedRegex("^### (Sloring[A-Za-z]+)$", RegexOptions.Multiline)]
    private static partial Regex Headings();
}
