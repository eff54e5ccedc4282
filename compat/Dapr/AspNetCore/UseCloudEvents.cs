// Unwraps CloudEvents in the structured JSON form, so that a handler reads the data as if it had been posted alone.
using System.Text;
using System.Text.Json;
using Dapr;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Dapr
{
    public class CloudEventsMiddlewareOptions
    {
        /// <summary>Leave text payloads as the JSON string they came in.</summary>
        public bool SuppressJsonDecodingOfTextPayloads { get; set; }

        /// <summary>Give the event's attributes to the handler as request headers Cloudevent.{name}.</summary>
        public bool ForwardCloudEventPropertiesAsHeaders { get; set; }

        public string[]? IncludedCloudEventPropertiesAsHeaders { get; set; }

        /// <summary>Only looked at when none are included by name.</summary>
        public string[]? ExcludedCloudEventPropertiesFromHeaders { get; set; }
    }

    internal sealed class CloudEventsMiddleware(RequestDelegate next, CloudEventsMiddlewareOptions options)
    {
        private const string StructuredJson = "application/cloudevents+json";

        /// <summary>The body itself, and what the sidecar sends as headers of its own.</summary>
        private static readonly string[] NeverHeaders = ["datacontenttype", "data", "data_base64", "pubsubname", "traceparent"];

        public Task InvokeAsync(HttpContext context) =>
            MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type) && type.MediaType == StructuredJson
                ? Unwrap(context, type.Encoding ?? Encoding.UTF8)
                : next(context);

        private async Task Unwrap(HttpContext context, Encoding encoding)
        {
            var request = context.Request;
            using var envelope = await JsonDocument.ParseAsync(
                encoding is UTF8Encoding ? request.Body : Encoding.CreateTranscodingStream(request.Body, encoding, Encoding.UTF8, leaveOpen: true));
            var attributes = envelope.RootElement.EnumerateObject().ToArray();
            var (data, binary) = (Find(attributes, "data"), Find(attributes, "data_base64"));
            if (data is not null && binary is not null)
            {
                context.Response.StatusCode = StatusCodes.Status400BadRequest;
                return;
            }

            var (dataType, isJson) = DataTypeOf(attributes);
            var body = data is { } value ? BodyOf(value, isJson) : binary?.GetBytesFromBase64() ?? [];
            ForwardHeaders(request.Headers, attributes);

            var (originalBody, originalType) = (request.Body, request.ContentType);
            try
            {
                request.Body = new MemoryStream(body);
                request.ContentType = data is null && binary is null ? null : dataType;
                await next(context);
            }
            finally
            {
                (request.Body, request.ContentType) = (originalBody, originalType);
            }
        }

        /// <summary>Anything but a JSON string is JSON whatever its type says; text travels inside a JSON string.</summary>
        private byte[] BodyOf(JsonElement data, bool isJson) =>
            isJson || data.ValueKind != JsonValueKind.String || options.SuppressJsonDecodingOfTextPayloads
                ? JsonSerializer.SerializeToUtf8Bytes(data)
                : Encoding.UTF8.GetBytes(data.GetString()!);

        private void ForwardHeaders(IHeaderDictionary headers, IEnumerable<JsonProperty> attributes)
        {
            if (!options.ForwardCloudEventPropertiesAsHeaders)
                return;
            attributes = attributes.Where(a => !Has(NeverHeaders, a));
            if (options.IncludedCloudEventPropertiesAsHeaders is { } included)
                attributes = attributes.Where(a => Has(included, a));
            else if (options.ExcludedCloudEventPropertiesFromHeaders is { } excluded)
                attributes = attributes.Where(a => !Has(excluded, a));
            foreach (var attribute in attributes)
                headers.TryAdd($"Cloudevent.{attribute.Name.ToLowerInvariant()}", attribute.Value.GetRawText().Trim('"'));
        }

        /// <summary>
        /// JSON if none is given. The body is UTF-8 from here on, so a charset no longer holds. As in the official one, a +json type is
        /// not JSON here: its strings are unwrapped like text.
        /// </summary>
        private static (string Type, bool IsJson) DataTypeOf(JsonProperty[] attributes)
        {
            if (Find(attributes, "datacontenttype") is not { ValueKind: JsonValueKind.String } given
                || !MediaTypeHeaderValue.TryParse(given.GetString(), out var parsed))
                return ("application/json", true);
            var isJson = parsed.MediaType == "application/json";
            if (!parsed.Charset.HasValue)
                return (given.GetString()!, isJson);
            parsed.Charset = default;
            return (parsed.ToString(), isJson);
        }

        private static bool Has(string[] names, JsonProperty attribute) => names.Contains(attribute.Name, StringComparer.OrdinalIgnoreCase);

        private static JsonElement? Find(JsonProperty[] attributes, string name)
        {
            foreach (var attribute in attributes)
            {
                if (attribute.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
                    return attribute.Value;
            }
            return null;
        }
    }
}

namespace Microsoft.AspNetCore.Builder
{
    public static class DaprApplicationBuilderExtensions
    {
        public static IApplicationBuilder UseCloudEvents(this IApplicationBuilder builder) =>
            builder.UseCloudEvents(new CloudEventsMiddlewareOptions());

        public static IApplicationBuilder UseCloudEvents(this IApplicationBuilder builder, CloudEventsMiddlewareOptions options) =>
            builder.UseMiddleware<CloudEventsMiddleware>(options);
    }
}
