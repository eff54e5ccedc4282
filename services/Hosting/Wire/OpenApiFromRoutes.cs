using System.Text.RegularExpressions;
using Google.Protobuf.Reflection;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace Sloring.Hosting;

/// <summary>Writes the OpenAPI document from the routes' protobuf messages: what is documented is what is parsed.</summary>
internal static partial class OpenApiFromRoutes
{
    public static Task Write(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancel)
    {
        document.Info = new OpenApiInfo
        {
            Title = "sloring-platform",
            Version = "v1",
            Description = "HTTP+JSON entry points: protobuf's JSON mapping of the gRPC contracts in contracts/proto, where every field is described. "
                + "Errors are problem details (RFC 9457) with a numbered rejection in `code`.",
        };
        document.Components ??= new OpenApiComponents();
        document.Components.Schemas ??= new Dictionary<string, IOpenApiSchema>();
        document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>();
        document.Components.SecuritySchemes["bearer"] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", BearerFormat = "JWT" };
        document.Components.Schemas["Problem"] = Problem();
        document.Paths ??= [];
        var endpoints = context.ApplicationServices.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>();
        foreach (var endpoint in endpoints.OrderBy(e => e.RoutePattern.RawText, StringComparer.Ordinal))
        {
            if (endpoint.Metadata.GetMetadata<JsonRoute>() is not { } route)
                continue;
            var path = endpoint.RoutePattern.RawText!;
            var method = endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods[0];
            if (!document.Paths.TryGetValue(path, out var item))
                document.Paths[path] = item = new OpenApiPathItem { Operations = [] };
            item.Operations![new HttpMethod(method)] = Operation(document, route, path, method);
        }
        return Task.CompletedTask;
    }

    private static OpenApiOperation Operation(OpenApiDocument document, JsonRoute route, string path, string method)
    {
        var request = Descriptor(route.Request);
        var inPath = PathParameter().Matches(path).Select(match => match.Groups[1].Value).ToHashSet();
        var operation = new OpenApiOperation
        {
            OperationId = route.Operation,
            Summary = route.Summary,
            Parameters = [.. request.Fields.InDeclarationOrder()
                .Where(field => inPath.Contains(field.Name) || (method == "GET" && !field.IsRepeated && field.FieldType != FieldType.Message && !JsonRpc.IsPersonal(field)))
                .Select(field => new OpenApiParameter
                {
                    Name = field.Name,
                    In = inPath.Contains(field.Name) ? ParameterLocation.Path : ParameterLocation.Query,
                    Required = inPath.Contains(field.Name),
                    Schema = Single(document, field),
                })],
            Responses = new OpenApiResponses
            {
                ["200"] = new OpenApiResponse { Description = "Done.", Content = Content("application/json", Reference(document, Descriptor(route.Response))) },
                ["default"] = new OpenApiResponse
                {
                    Description = "A numbered rejection; nothing was changed.",
                    Content = Content("application/problem+json", new OpenApiSchemaReference("Problem", document)),
                },
            },
            Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference("bearer", document)] = [] }],
        };
        if (method == "POST")
            operation.RequestBody = new OpenApiRequestBody { Required = true, Content = Content("application/json", Reference(document, request)) };
        return operation;
    }

    private static MessageDescriptor Descriptor(Type type) => (MessageDescriptor)type.GetProperty("Descriptor")!.GetValue(null)!;

    private static Dictionary<string, OpenApiMediaType> Content(string type, IOpenApiSchema schema) => new() { [type] = new OpenApiMediaType { Schema = schema } };

    private static OpenApiSchemaReference Reference(OpenApiDocument document, MessageDescriptor message)
    {
        if (!document.Components!.Schemas!.ContainsKey(message.Name))
        {
            var schema = new OpenApiSchema { Type = JsonSchemaType.Object, AdditionalPropertiesAllowed = false, Properties = new Dictionary<string, IOpenApiSchema>() };
            document.Components.Schemas[message.Name] = schema;
            foreach (var field in message.Fields.InDeclarationOrder())
                schema.Properties[field.JsonName] = OfField(document, field);
        }
        return new OpenApiSchemaReference(message.Name, document);
    }

    private static IOpenApiSchema OfField(OpenApiDocument document, FieldDescriptor field) => field switch
    {
        { IsMap: true } => new OpenApiSchema { Type = JsonSchemaType.Object, AdditionalProperties = Single(document, field.MessageType.Fields[2]) },
        { IsRepeated: true } => new OpenApiSchema { Type = JsonSchemaType.Array, Items = Single(document, field) },
        _ => Single(document, field),
    };

    private static IOpenApiSchema Single(OpenApiDocument document, FieldDescriptor field) => field.FieldType switch
    {
        FieldType.Message when field.MessageType.FullName == "google.protobuf.Timestamp" => new OpenApiSchema { Type = JsonSchemaType.String, Format = "date-time" },
        FieldType.Message => Reference(document, field.MessageType),
        FieldType.Enum => new OpenApiSchema { Type = JsonSchemaType.String, Enum = [.. field.EnumType.Values.Select(value => System.Text.Json.Nodes.JsonValue.Create(value.Name))] },
        FieldType.Bool => new OpenApiSchema { Type = JsonSchemaType.Boolean },
        FieldType.Int32 or FieldType.UInt32 => new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int32" },
        FieldType.Double => new OpenApiSchema { Type = JsonSchemaType.Number, Format = "double" },
        FieldType.Int64 or FieldType.Fixed64 => new OpenApiSchema { Type = JsonSchemaType.String, Format = "int64" },
        FieldType.Bytes => new OpenApiSchema { Type = JsonSchemaType.String, Format = "byte" },
        _ => new OpenApiSchema { Type = JsonSchemaType.String },
    };

    private static OpenApiSchema Problem()
    {
        static OpenApiSchema Text(string description) => new() { Type = JsonSchemaType.String, Description = description };
        return new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Properties = new Dictionary<string, IOpenApiSchema>
            {
                ["type"] = Text("urn:sloring:rejection:SLR-nnn"),
                ["title"] = Text("The text in the language of Accept-Language (da or en)."),
                ["status"] = new OpenApiSchema { Type = JsonSchemaType.Integer, Description = "The HTTP status." },
                ["code"] = Text("The rejection's number, SLR-nnn."),
                ["field"] = Text("The field at fault, where there is one."),
                ["da"] = Text("Danish text."),
                ["en"] = Text("English text."),
            },
        };
    }

    [GeneratedRegex(@"\{(\w+)\}")]
    private static partial Regex PathParameter();
}
