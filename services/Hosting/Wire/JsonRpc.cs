using System.Text;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sloring.Contracts;

namespace Sloring.Hosting;

/// <summary>HTTP+JSON entry points: the same messages and handlers as gRPC, in protobuf's JSON mapping.</summary>
public static class JsonRpc
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private static readonly JsonParser Parser = new(JsonParser.Settings.Default.WithIgnoreUnknownFields(false));
    private static readonly JsonFormatter Formatter = new(JsonFormatter.Settings.Default);

    /// <summary>
    /// Maps a route to a handler. The body (POST) is the request message; route values, and query values on GET, fill fields by
    /// their names (<c>masking_id</c> or <c>maskingId</c>). Unknown fields are rejected with SLR-904.
    /// </summary>
    public static void MapJson<TRequest, TResponse>(
        this IEndpointRouteBuilder routes, string method, string pattern, string operation, string summary,
        Func<HttpContext, TRequest, Caller, CancellationToken, Task<TResponse>> handle)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>
    {
        routes.MapMethods(pattern, [method], async http =>
            {
                var request = await Read<TRequest>(http);
                var response = await handle(http, request, http.Caller(), http.RequestAborted);
                http.Response.ContentType = "application/json; charset=utf-8";
                await http.Response.WriteAsync(Formatter.Format(response), StrictUtf8, http.RequestAborted);
            })
            .RequireAuthorization(new AuthorizeAttribute(operation))
            .WithMetadata(new JsonRoute(typeof(TRequest), typeof(TResponse), summary, operation));
    }

    internal static async Task<TRequest> Read<TRequest>(HttpContext http) where TRequest : class, IMessage<TRequest>, new()
    {
        var request = new TRequest();
        if (HttpMethods.IsPost(http.Request.Method))
        {
            var text = await ReadBody(http);
            try
            {
                if (!string.IsNullOrWhiteSpace(text))
                    request = Parser.Parse<TRequest>(text);
            }
            catch (Exception e) when (e is InvalidProtocolBufferException or InvalidJsonException)
            {
                throw new RejectedException(Rejections.Malformed);
            }
        }
        foreach (var (name, value) in http.Request.RouteValues)
            Fill(request, name, value?.ToString());
        if (!HttpMethods.IsGet(http.Request.Method) && http.Request.Query.Count > 0)
            throw new RejectedException(Rejections.Malformed);
        foreach (var (name, value) in http.Request.Query)
            Fill(request, name, value.Count == 1 ? value[0] : null);
        return request;
    }

    private static async Task<string> ReadBody(HttpContext http)
    {
        if (http.Request.ContentLength > Listening.LargestBody)
            throw new RejectedException(Rejections.TooLarge);
        while (true)
        {
            var read = await http.Request.BodyReader.ReadAsync(http.RequestAborted);
            if (read.Buffer.Length > Listening.LargestBody)
                throw new RejectedException(Rejections.TooLarge);
            if (!read.IsCompleted)
            {
                http.Request.BodyReader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                continue;
            }
            try
            {
                return StrictUtf8.GetString(read.Buffer);
            }
            catch (DecoderFallbackException)
            {
                throw new RejectedException(Rejections.Malformed);
            }
            finally
            {
                http.Request.BodyReader.AdvanceTo(read.Buffer.End);
            }
        }
    }

    /// <summary>True for a field that may stand in a body only.</summary>
    internal static bool IsPersonal(FieldDescriptor field) => field.Name.EndsWith("_cpr", StringComparison.Ordinal);

    /// <summary>No id here has ten digits, or six and four: CVR numbers have 8, SOR ids 15 and more, a page's token begins with a letter. Positions are numbers, and no text.</summary>
    private static bool IsCpr(string? text) => CprNumber.TryParse(text is { Length: 11 } && text[6] == '-' ? text.Remove(6, 1) : text, out _);

    private static void Fill(IMessage request, string name, string? text)
    {
        var field = request.Descriptor.Fields.InDeclarationOrder().FirstOrDefault(f => f.Name == name || f.JsonName == name)
            ?? throw new RejectedException(Rejections.Malformed.For(name));
        // An address is kept in logs and histories that are not ours: a CPR number may not stand in one, whatever it is given out for.
        if (IsPersonal(field) || (field.FieldType == FieldType.String && IsCpr(text)))
            throw new RejectedException(Rejections.Malformed.For(field.Name));
        object? value = field.FieldType switch
        {
            _ when field.IsRepeated || text is null => null,
            FieldType.String => text,
            FieldType.Bool => bool.TryParse(text, out var flag) ? flag : null,
            FieldType.Int32 => int.TryParse(text, out var number) ? number : null,
            FieldType.Int64 => long.TryParse(text, out var number) ? number : null,
            FieldType.Enum => field.EnumType.FindValueByName(text)?.Number,
            _ => null,
        };
        field.Accessor.SetValue(request, value ?? throw new RejectedException(Rejections.Malformed.For(field.Name)));
    }
}

/// <summary>What the OpenAPI document says of a route.</summary>
/// <param name="Request">Request message.</param>
/// <param name="Response">Response message.</param>
/// <param name="Summary">One line.</param>
/// <param name="Operation">The operation, which is also the policy.</param>
internal sealed record JsonRoute(Type Request, Type Response, string Summary, string Operation);
