// GET /dapr/subscribe: the sidecar asks once, at its start, what the app wants delivered and where.
using System.Text.Json;
using System.Text.Json.Serialization;
using Dapr;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dapr
{
    public class SubscribeOptions
    {
        public bool EnableRawPayload { get; set; }
    }

    internal sealed record Subscription(
        string Topic, string PubsubName, string? Route, Routes? Routes, Dictionary<string, string>? Metadata, string? DeadLetterTopic);

    internal sealed record Routes(IReadOnlyList<Rule> Rules, string? Default);

    internal sealed record Rule(string Match, string Path);

    /// <summary>One topic of one endpoint. The sidecar takes one subscription per topic, so those of a topic are folded into one.</summary>
    internal sealed record TopicEndpoint(ITopicMetadata Topic, IReadOnlyList<IOriginalTopicMetadata> Metadata, string Path)
    {
        private static readonly JsonSerializerOptions Json =
            new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

        public static Task Answer(HttpContext context, bool allRaw)
        {
            var log = context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("DaprTopicSubscription");
            var subscriptions = context.RequestServices.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
                .SelectMany(Of)
                .GroupBy(e => (e.Topic.PubsubName, e.Topic.Name))
                .OrderBy(g => g.Key.PubsubName, StringComparer.Ordinal).ThenBy(g => g.Key.Name, StringComparer.Ordinal)
                .Select(g => Fold([.. g.OrderBy(e => e.Topic.Priority)], allRaw, log));
            return context.Response.WriteAsJsonAsync(subscriptions.ToArray(), Json);
        }

        private static IEnumerable<TopicEndpoint> Of(RouteEndpoint endpoint)
        {
            var metadata = endpoint.Metadata.GetOrderedMetadata<IOriginalTopicMetadata>();
            return endpoint.Metadata.GetOrderedMetadata<ITopicMetadata>().Select(topic => new TopicEndpoint(
                topic,
                [.. metadata.Where(m => string.IsNullOrEmpty(m.Id) || (topic as IOwnedOriginalTopicMetadata)?.OwnedMetadatas?.Contains(m.Id) == true)],
                PathOf(endpoint.RoutePattern)));
        }

        private static Subscription Fold(TopicEndpoint[] group, bool allRaw, ILogger log)
        {
            var (pubsub, name) = (group[0].Topic.PubsubName, group[0].Topic.Name);
            var rules = group.Where(e => !string.IsNullOrEmpty(e.Topic.Match)).ToArray();
            var defaults = group.Where(e => string.IsNullOrEmpty(e.Topic.Match)).ToArray();
            if (defaults.Length > 1)
                log.LogError("A default subscription to topic {Topic} on pubsub {Pubsub} already exists.", name, pubsub);
            foreach (var same in rules.CountBy(e => e.Topic.Priority).Where(p => p.Value > 1))
            {
                log.LogError(
                    "A subscription to topic {Topic} on pubsub {Pubsub} has {Count} rules of priority {Priority}.", name, pubsub, same.Value, same.Key);
            }

            var separator = group.Select(e => (e.Topic as IOwnedOriginalTopicMetadata)?.MetadataSeparator)
                .FirstOrDefault(s => !string.IsNullOrEmpty(s)) ?? ",";
            var metadata = group.SelectMany(e => e.Metadata).GroupBy(m => m.Name)
                .ToDictionary(m => m.Key, m => string.Join(separator, m.Select(v => v.Value).Distinct()));
            if (allRaw || group.Any(e => (e.Topic as IRawTopicMetadata)?.EnableRawPayload == true))
                metadata["rawPayload"] = "true";

            var route = defaults.FirstOrDefault()?.Path;
            return new Subscription(
                name, pubsub,
                rules.Length == 0 ? route : null,
                rules.Length == 0 ? null : new Routes([.. rules.Select(e => new Rule(e.Topic.Match!, e.Path))], route),
                metadata.Count == 0 ? null : metadata,
                (group[0].Topic as IDeadLetterTopicMetadata)?.DeadLetterTopic);
        }

        /// <summary>The sidecar posts to one fixed path: a route with parameters cannot be subscribed, and fails here.</summary>
        private static string PathOf(RoutePattern pattern) => string.Join('/', pattern.PathSegments
            .Select(segment => string.Concat(segment.Parts.Cast<RoutePatternLiteralPart>().Select(part => part.Content))));
    }
}

namespace Microsoft.AspNetCore.Builder
{
    public static class DaprEndpointRouteBuilderExtensions
    {
        public static IEndpointConventionBuilder MapSubscribeHandler(this IEndpointRouteBuilder endpoints) =>
            endpoints.MapGet("dapr/subscribe", context => TopicEndpoint.Answer(context, allRaw: false));

        public static IEndpointConventionBuilder MapSubscribeHandler(this IEndpointRouteBuilder endpoints, SubscribeOptions? options) =>
            endpoints.MapGet("dapr/subscribe", context => TopicEndpoint.Answer(context, options?.EnableRawPayload == true));
    }
}
