using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Sloring.Tests.Distributed;

/// <summary>A span as it was received.</summary>
/// <param name="Service">service.name of the process.</param>
/// <param name="Instance">service.instance.id.</param>
/// <param name="Name">Its name.</param>
/// <param name="TraceId">Hex.</param>
/// <param name="SpanId">Hex.</param>
/// <param name="ParentId">Hex; empty where there is none.</param>
/// <param name="Tags">Names of its tags.</param>
public sealed record ReceivedSpan(string Service, string Instance, string Name, string TraceId, string SpanId, string ParentId, IReadOnlyList<string> Tags);

/// <summary>An OTLP receiver on OpenTelemetry's own message definitions, in a process of its own (js-otlp/receiver.mjs); all that it takes is kept.</summary>
public sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly Process _process;
    private readonly ConcurrentQueue<(string Line, JsonNode Received)> _received = [];
    private Task _reading = Task.CompletedTask;

    private OtlpReceiver(Process process) => _process = process;

    /// <summary>For OTEL_EXPORTER_OTLP_ENDPOINT, with the protocol grpc.</summary>
    public string GrpcAddress { get; private set; } = "";

    /// <summary>For OTEL_EXPORTER_OTLP_ENDPOINT, with the protocol http/protobuf.</summary>
    public string HttpAddress { get; private set; } = "";

    /// <summary>Starts one on free ports.</summary>
    public static async Task<OtlpReceiver> Start()
    {
        var folder = Path.Combine(Repository.Root, "tests", "Distributed", "js-otlp");
        await ForeignProgram.Install(folder);
        var receiver = new OtlpReceiver(Process.Start(new ProcessStartInfo("node", [Path.Combine(folder, "receiver.mjs")]) { RedirectStandardOutput = true })!);
        var ports = JsonNode.Parse(await receiver._process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The receiver has ended."))!;
        (receiver.GrpcAddress, receiver.HttpAddress) = ($"http://127.0.0.1:{ports["grpc"]}", $"http://127.0.0.1:{ports["http"]}");
        receiver._reading = Task.Run(receiver.Read);
        return receiver;
    }

    /// <summary>Spans of a trace so far.</summary>
    public IReadOnlyList<ReceivedSpan> Trace(string traceId) => [.. Spans().Where(span => span.TraceId == traceId)];

    /// <summary>All spans so far.</summary>
    public IEnumerable<ReceivedSpan> Spans() =>
        from resource in Resources("traces", "resourceSpans")
        from scope in Each(resource["scopeSpans"])
        from span in Each(scope["spans"])
        select new ReceivedSpan(Of(resource, "service.name"), Of(resource, "service.instance.id"), (string)span["name"]!, (string)span["traceId"]!, (string)span["spanId"]!,
            (string?)span["parentSpanId"] ?? "", [.. Each(span["attributes"]).Select(tag => (string)tag["key"]!)]);

    /// <summary>Names of the metrics of which a value has come, by the process that sent it.</summary>
    public IReadOnlySet<(string Service, string Metric)> Metrics() => (
        from resource in Resources("metrics", "resourceMetrics")
        from scope in Each(resource["scopeMetrics"])
        from metric in Each(scope["metrics"])
        select (Of(resource, "service.name"), (string)metric["name"]!)).ToHashSet();

    /// <summary>Texts of the log records so far, by the process that sent them.</summary>
    public IReadOnlyList<(string Service, string Text)> Logs() => [..
        from resource in Resources("logs", "resourceLogs")
        from scope in Each(resource["scopeLogs"])
        from record in Each(scope["logRecords"])
        select (Of(resource, "service.name"), (string?)record["body"]?["stringValue"] ?? "")];

    /// <summary>By which wires requests came: grpc, http.</summary>
    public IReadOnlySet<string> Wires() => _received.Select(one => (string)one.Received["wire"]!).ToHashSet();

    /// <summary>What of all that came is personal; null when nothing is.</summary>
    public string? Finding() => _received.Select(one => PersonalText.Finding(one.Line)).FirstOrDefault(found => found is not null);

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        await _reading;
        _process.Dispose();
    }

    private IEnumerable<JsonNode> Resources(string signal, string list) =>
        _received.Where(one => (string?)one.Received["signal"] == signal).SelectMany(one => Each(one.Received["request"]![list]));

    private static IEnumerable<JsonNode> Each(JsonNode? list) => list is JsonArray array ? array.OfType<JsonNode>() : [];

    private static string Of(JsonNode resource, string attribute) => Each(resource["resource"]?["attributes"]).Where(tag => (string?)tag["key"] == attribute)
        .Select(tag => (string?)tag["value"]?["stringValue"]).FirstOrDefault() ?? "";

    private async Task Read()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
            _received.Enqueue((line, JsonNode.Parse(line)!));
    }
}
