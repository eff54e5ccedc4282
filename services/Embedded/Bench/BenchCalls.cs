using System.Net.Http.Headers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Options;
using Sloring.Contracts;
using Sloring.Hosting;
using Sloring.Tokens;

namespace Sloring.Embedded;

/// <summary>An operation of the OpenAPI document.</summary>
/// <param name="Method">GET or POST.</param>
/// <param name="Path">With gaps in braces.</param>
/// <param name="Summary">One line.</param>
/// <param name="Operation">Its name in the table of rights.</param>
/// <param name="Body">Schema of the body; null where there is none.</param>
public sealed record BenchOperation(string Method, string Path, string Summary, string Operation, JsonNode? Body)
{
    /// <summary>What tells it from others.</summary>
    public string Id => $"{Method} {Path}";
}

/// <summary>What came back.</summary>
/// <param name="Call">What was sent, without the token.</param>
/// <param name="Status">HTTP status.</param>
/// <param name="Body">Indented where it is JSON.</param>
public sealed record BenchAnswer(string Call, int Status, string Body);

/// <summary>Builds and sends the platform's own requests as any demo client or persona: from outside, over HTTP, by what the OpenAPI document says.</summary>
public sealed partial class BenchCalls(IHttpClientFactory http, ServiceTokens tokens, IOptions<TokenServiceOptions> clients)
{
    /// <summary>The client whose base address is this host.</summary>
    internal const string Client = "bench";

    /// <summary>Deeper than any message of ours.</summary>
    private const int Deepest = 6;

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Who may be chosen: those who have roles and show a secret.</summary>
    public IEnumerable<ClientOptions> Senders => clients.Value.Clients.Where(client => client.Roles.Count > 0 && client.Authentication == ClientMethods.Secret);

    /// <summary>Every operation, in the order of the document.</summary>
    public async Task<IReadOnlyList<BenchOperation>> Operations(CancellationToken cancel) =>
    [
        .. (await Document(cancel))["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject().Select(method => new BenchOperation(
            method.Key.ToUpperInvariant(), path.Key, (string?)method.Value!["summary"] ?? "", (string?)method.Value["operationId"] ?? "", method.Value["requestBody"]?["content"]?["application/json"]?["schema"]))),
    ];

    /// <summary>A body with every field of the message, to be filled in.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="patientCpr">A synthetic patient.</param>
    /// <param name="cancel">Ends the wait.</param>
    public async Task<string> Template(BenchOperation operation, string patientCpr, CancellationToken cancel)
    {
        if (operation.Body is null)
            return "";
        var document = await Document(cancel);
        return Value("", operation.Body, 0)!.ToJsonString(Indented);

        JsonNode? Value(string name, JsonNode schema, int depth)
        {
            if ((string?)schema["$ref"] is { } reference)
                schema = document["components"]!["schemas"]![reference.Split('/')[^1]]!;
            return ((string?)schema["type"], (string?)schema["format"]) switch
            {
                _ when schema["enum"] is JsonArray values => (string?)values[Math.Min(1, values.Count - 1)],
                ("object", _) => new JsonObject(depth < Deepest && schema["properties"] is JsonObject fields ? fields.Select(field => KeyValuePair.Create(field.Key, Value(field.Key, field.Value!, depth + 1))) : []),
                ("array", _) => depth < Deepest ? new JsonArray(Value(name, schema["items"]!, depth + 1)) : [],
                ("boolean", _) => false,
                ("integer" or "number", _) => 0,
                ("string", "int64") => "0",
                ("string", "date-time") => null,
                _ => name switch { "patientCpr" => patientCpr, "idempotencyKey" => Guid.NewGuid().ToString(), _ => "" },
            };
        }
    }

    /// <summary>Sends a request.</summary>
    /// <exception cref="RejectedException">SLR-904: no such sender or operation, or the address has gaps left, does not fit or holds a CPR number.</exception>
    public async Task<BenchAnswer> Send(string sender, string operationId, string address, string body, CancellationToken cancel)
    {
        if (Senders.All(client => client.Id != sender))
            throw new RejectedException(Rejections.Malformed.For("sender"));
        var operation = (await Operations(cancel)).FirstOrDefault(one => one.Id == operationId) ?? throw new RejectedException(Rejections.Malformed.For("operation"));
        if (!Fits(operation, address) || Numbers().Matches(Uri.UnescapeDataString(address)).Any(number => CprNumber.TryParse(number.Value.Replace("-", "", StringComparison.Ordinal), out _)))
            throw new RejectedException(Rejections.Malformed.For("address"));
        using var request = new HttpRequestMessage(new HttpMethod(operation.Method), new Uri(address, UriKind.Relative));
        if (operation.Body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        try
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await tokens.Of(sender, cancel));
        }
        catch (HttpRequestException)
        {
            // Revoked, or the token service is away.
            throw new RejectedException(Rejections.ClientInvalid.For("sender"));
        }
        using var client = http.CreateClient(Client);
        using var response = await client.SendAsync(request, cancel);
        var answer = await response.Content.ReadAsStringAsync(cancel);
        return new BenchAnswer($"{operation.Method} {address}\n{(operation.Body is null ? "" : body)}".TrimEnd(), (int)response.StatusCode, Pretty(answer));
    }

    /// <summary>Whether an address is the operation's, with every gap filled.</summary>
    private static bool Fits(BenchOperation operation, string address) =>
        Regex.IsMatch(address, "^" + Gap().Replace(Regex.Escape(operation.Path), @"[A-Za-z0-9._:%-]+") + @"(\?[A-Za-z0-9._:%=&-]*)?$", RegexOptions.None, TimeSpan.FromSeconds(1));

    private async Task<JsonNode> Document(CancellationToken cancel)
    {
        using var client = http.CreateClient(Client);
        return JsonNode.Parse(await client.GetStringAsync(new Uri("/openapi/v1.json", UriKind.Relative), cancel))!;
    }

    private static string Pretty(string text)
    {
        try
        {
            return JsonNode.Parse(text)?.ToJsonString(Indented) ?? text;
        }
        catch (JsonException)
        {
            return text;
        }
    }

    [GeneratedRegex(@"(?<![0-9])[0-9]{6}-?[0-9]{4}(?![0-9])")]
    private static partial Regex Numbers();

    [GeneratedRegex(@"\\\{\w+\}")]
    private static partial Regex Gap();
}
