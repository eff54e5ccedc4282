using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Distributed;

/// <summary>What the cluster's processes send over OTLP, as a receiver on OpenTelemetry's own definitions reads it.</summary>
[Collection(RunningCluster.Name)]
public sealed class ClusterTelemetryTests(RunningCluster cluster)
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task OneTrace_LeadsFromAnActivationOverAmqp_ToEveryPictureAndEveryoneWhoIsTold()
    {
        var (trace, span) = (ActivityTraceId.CreateRandom().ToHexString(), ActivitySpanId.CreateRandom().ToHexString());
        await using var source = await cluster.Connect("kilde-hovedstaden");
        var told = await source.Listen("kilde-hovedstaden", "sloring.masking-decisions", "29190623.kilde-hovedstaden");

        await cluster.ActivateOverAmqp(People.NextCpr(), $"00-{trace}-{span}-01");

        (string Service, string Name)[] expected =
        [
            ("registration", "edge activate-masking"), ("registration", "registration relays registration.activated.v1"),
            ("approval", "approval registration.activated.v1"), ("approval", "approval relays approval.case-opened.v1"), ("scheduler", "scheduler deadline.set.v1"),
            ("effectuation", "picture of maskings"),
        ];
        IReadOnlyList<ReceivedSpan> spans = [];
        try
        {
            await Eventually.True(() => Task.FromResult(
                (spans = cluster.Otlp.Trace(trace)) is var got && expected.All(one => got.Any(span => (span.Service, span.Name) == one))
                && got.Where(span => span.Name == "picture of maskings").Select(span => span.Instance).Distinct().Count() == 2), "every step is in the trace, and both pictures");
        }
        catch (TimeoutException e)
        {
            Assert.Fail($"{e.Message}. There are:\n{string.Join('\n', spans.Select(span => $"{span.Instance} {span.Service}: {span.Name}").Order(StringComparer.Ordinal))}");
        }
        Assert.Equal(span, spans.Single(one => one.Name == "edge activate-masking").ParentId);
        await Eventually.True(() => Task.FromResult(source.Received(told).Any(message => ((string?)message["headers"]?["traceparent"])?.StartsWith("00-" + trace, StringComparison.Ordinal) == true)),
            "the data source is told within the trace");
    }

    [Fact]
    public async Task EveryMetricOfThePlatform_Arrives_AndNothingPersonalDoes()
    {
        var patient = People.NextCpr();
        await cluster.ActivateOverAmqp(patient);
        await Eventually.True(async () => (await cluster.View("effectuation-1", patient))["pseudonym"] is not null, "effectuation masks");
        await SendNumbersWhereTheyDoNotBelong(patient);

        var names = Metrics.All.Select(metric => metric.Name).ToHashSet();
        await Eventually.True(() => Task.FromResult(names.IsSubsetOf(cluster.Otlp.Metrics().Select(one => one.Metric))),
            "every metric has come but: " + string.Join(", ", names.Except(cluster.Otlp.Metrics().Select(one => one.Metric))));
        string[] services = ["tokens", "registration", "approval", "scheduler", "pseudonym", "effectuation", "portal"];
        Assert.Equal([], services.Except(cluster.Otlp.Metrics().Where(one => one.Metric == "dotnet.process.memory.working_set").Select(one => one.Service)));
        Assert.Equal(["grpc", "http"], cluster.Otlp.Wires().Order(StringComparer.Ordinal));
        await Eventually.True(() => Task.FromResult(cluster.Otlp.Logs().Any(log => log.Service == "registration" && log.Text.Contains("was refused with SLR-", StringComparison.Ordinal))), "the log tells of the refusal");
        await Eventually.True(() => Task.FromResult(cluster.Otlp.Spans().Any(span => span.Name == "GET /v1/cases/{case_id}")), "the call that named a number is in a trace");
        Assert.DoesNotContain(cluster.Otlp.Spans(), span => span.Name.Contains("health", StringComparison.Ordinal) || span.Tags.Contains("url.path") || span.Tags.Contains("url.full"));
        Assert.Null(cluster.Otlp.Finding());
    }

    /// <summary>In a path, a query, headers that travel with a trace, and a message that is refused.</summary>
    private async Task SendNumbersWhereTheyDoNotBelong(string patient)
    {
        // Its own trace would hold what it sends, and is not the platform's: the privacy scan reads what this process traces.
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, ActivityHeadersPropagator = null });
        using var leader = cluster.Client("approval");
        foreach (var path in (string[])[$"/v1/cases/{patient}", $"/v1/cases?page_token={patient}", $"/nowhere/{patient}"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, cluster.Of("approval") + path);
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await leader.Token("leder", Cancel));
            request.Headers.Add("traceparent", $"00-{ActivityTraceId.CreateRandom().ToHexString()}-{ActivitySpanId.CreateRandom().ToHexString()}-01");
            request.Headers.Add("tracestate", $"patient={patient}");
            request.Headers.Add("baggage", $"patient={patient}");
            request.Headers.UserAgent.ParseAdd($"cpr/{patient}");
            using var answer = await http.SendAsync(request, Cancel);
        }
        using var refused = new FormUrlEncodedContent([new("grant_type", "client_credentials"), new("client_id", patient), new("client_secret", patient)]);
        using var _ = await http.PostAsync(new Uri(cluster.Of("tokens") + "/connect/token"), refused, Cancel);
        await using var adapter = await cluster.Connect("epj-hovedstaden");
        var said = await adapter.Request("sloring.activations", "activate-masking", new JsonObject { ["patientCpr"] = patient, ["reason"] = People.Names[0], ["trigger"] = patient }.ToJsonString(),
            new { userId = "epj-hovedstaden", messageId = patient, correlationId = patient, headers = new { tracestate = $"patient={patient}" } });
        Assert.False((bool)JsonNode.Parse((string)said["body"]!)!["accepted"]!);
    }
}
