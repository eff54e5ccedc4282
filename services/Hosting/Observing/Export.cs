using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Sloring.Hosting;

/// <summary>
/// Traces, metrics and logs over OTLP, where one of OpenTelemetry's own variables names an endpoint; else nothing of it runs (decision 36). What leaves is what is
/// known to be nobody's: tags by a list, logs of the platform's own code, exceptions by their type.
/// </summary>
internal static class Export
{
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>Meters besides the platform's own: HTTP server and client, runtime, PostgreSQL's driver. Their tags name routes, methods, hosts.</summary>
    private static readonly string[] Meters =
        [Telemetry.Name, "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "Microsoft.AspNetCore.RateLimiting", "System.Net.Http", "System.Runtime", "Npgsql"];

    public static void AddTelemetry(this WebApplicationBuilder builder)
    {
        var (traces, metrics, logs) = (IsOn("TRACES"), IsOn("METRICS"), IsOn("LOGS"));
        builder.Services.AddSingleton<IFigures, ClockFigures>();
        builder.Services.AddSingleton<IFigures, CertificateFigures>();
        if (metrics)
            builder.Services.AddHostedService<TellFigures>();
        if (!traces && !metrics && !logs)
            return;
        var telemetry = builder.Services.AddOpenTelemetry().ConfigureResource(resource => Describe(resource, builder.Configuration));
        if (traces)
        {
            telemetry.WithTracing(tracing => tracing
                .SetSampler(new ParentBasedSampler(new Beginnings(builder.Configuration)))
                .AddSource(Telemetry.Name, Telemetry.Name + ".Client")
                .AddAspNetCoreInstrumentation(http => http.Filter = IsOfInterest)
                .AddHttpClientInstrumentation()
                .AddProcessor<OnlyKnownTags>()
                .AddOtlpExporter(Straight));
        }
        if (metrics)
            telemetry.WithMetrics(meters => meters.AddMeter(Meters).AddOtlpExporter(Straight));
        if (logs)
        {
            telemetry.WithLogging(logging => logging.AddProcessor<OnlyTypesOfExceptions>().AddOtlpExporter(Straight), options => options.IncludeFormattedMessage = true);
            // What libraries log may quote what they were given; on the console it stays on this machine.
            builder.Logging.AddFilter<OpenTelemetryLoggerProvider>((category, level) => level >= LogLevel.Information && category?.StartsWith(Telemetry.Name + ".", StringComparison.Ordinal) == true);
        }

        bool IsOn(string signal) => new[] { Endpoint, $"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT" }.Any(variable => builder.Configuration[variable] is { Length: > 0 });
    }

    /// <summary>Which process this is. The standard variables rank above: OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES.</summary>
    private static void Describe(ResourceBuilder resource, ConfigurationManager configuration)
    {
        var program = Assembly.GetEntryAssembly()?.GetName();
        var name = configuration["APP_ID"] is { Length: > 0 } app ? app : program?.Name?.Split('.')[^1].ToLowerInvariant();
        resource.AddService(name ?? "unknown", "sloring", program?.Version?.ToString(3), serviceInstanceId: $"{Environment.MachineName}-{Environment.ProcessId}").AddEnvironmentVariableDetector();
    }

    private static void Straight(OtlpExporterOptions exporter) =>
        exporter.HttpClientFactory = () => new HttpClient(Outgoing.To(exporter.Endpoint.Scheme)) { Timeout = TimeSpan.FromMilliseconds(exporter.TimeoutMilliseconds) };

    /// <summary>Probes ask all the time and say nothing.</summary>
    private static bool IsOfInterest(HttpContext http) => !http.Request.Path.StartsWithSegments("/health", StringComparison.Ordinal);

    /// <summary>
    /// Whether a trace begins here. Not with a call that nobody asked for: services read each other's journals and keys every few seconds. Of the others all, or the part
    /// that OTEL_TRACES_SAMPLER_ARG says (0 to 1).
    /// </summary>
    private sealed class Beginnings(IConfiguration configuration) : Sampler
    {
        private readonly TraceIdRatioBasedSampler _part =
            new(double.TryParse(configuration["OTEL_TRACES_SAMPLER_ARG"], CultureInfo.InvariantCulture, out var part) && part is >= 0 and <= 1 ? part : 1);

        public override SamplingResult ShouldSample(in SamplingParameters samplingParameters) =>
            samplingParameters.Kind == ActivityKind.Client ? new SamplingResult(SamplingDecision.Drop) : _part.ShouldSample(samplingParameters);
    }

    /// <summary>
    /// Takes out of a span all that is not known to be nobody's: a path may hold what a caller mistyped, an event an exception's message, the trace state what an outside
    /// system likes. Routes stand in the tags, so that no address is needed.
    /// </summary>
    private sealed class OnlyKnownTags : BaseProcessor<Activity>
    {
        private static readonly HashSet<string> Known =
        [
            "error.type", "http.request.method", "http.response.status_code", "http.route", "network.protocol.name", "network.protocol.version", "server.address", "server.port",
            "url.scheme", "messaging.system", "messaging.destination.name", "sloring.position",
        ];

        public override void OnEnd(Activity data)
        {
            foreach (var (tag, _) in data.TagObjects.Where(tag => !Known.Contains(tag.Key)).ToList())
                data.SetTag(tag, null);
            data.TraceStateString = null;
            data.SetStatus(data.Status);
            // An event cannot be taken out; the span as a whole can.
            if (data.Events.Any())
                data.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
        }
    }

    /// <summary>A message may quote a caller's value; a stack trace may begin with it.</summary>
    private sealed class OnlyTypesOfExceptions : BaseProcessor<LogRecord>
    {
        public override void OnEnd(LogRecord data)
        {
            if (data.Exception is not { } thrown)
                return;
            data.Exception = null;
            data.Attributes = [.. data.Attributes ?? [], new("exception.type", thrown.GetType().FullName)];
        }
    }
}
