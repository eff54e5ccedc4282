using System.Collections.Frozen;
using System.Text;
using System.Xml;
using System.Xml.Linq;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Sloring.Contracts;

namespace Sloring.Hosting;

/// <summary>A call that may be handled: read, its ticket checked, its client whitelisted.</summary>
/// <param name="Body">The operation's element.</param>
/// <param name="Message">The envelope.</param>
/// <param name="Caller">Who calls, as the ticket says.</param>
/// <param name="Client">The client's settings.</param>
/// <param name="Payload">Namespace of body and answer.</param>
/// <param name="Http">The request.</param>
public sealed record SoapCall(XmlElement Body, SoapMessage Message, Caller Caller, SoapClient Client, XNamespace Payload, HttpContext Http)
{
    /// <summary>The text of a child, or of a child's child; null where it is not there exactly once.</summary>
    public string? Text(params ReadOnlySpan<string> path)
    {
        var at = Body;
        foreach (var name in path)
        {
            if (at.Elements(Payload.NamespaceName, name).ToList() is not [var child])
                return null;
            at = child;
        }
        return at.WholeText();
    }
}

/// <summary>An operation of the national service's wire.</summary>
/// <param name="Name">Its name, which clients are whitelisted for.</param>
/// <param name="Role">The role that its caller has towards the use case, <see cref="Roles"/>.</param>
/// <param name="SystemOnly">It takes a system's ticket.</param>
/// <param name="Handle">Does it; gives the element of the answer's body.</param>
public sealed record SoapOperation(string Name, string Role, bool SystemOnly, Func<SoapCall, CancellationToken, Task<XElement>> Handle);

/// <summary>SOAP 1.1 entry points: the handlers of gRPC and JSON behind the national service's wire (docs/soap.md).</summary>
public static class SoapEndpoints
{
    /// <summary>The settings and what checks tickets.</summary>
    internal static void AddSoap(this IServiceCollection services)
    {
        services.AddOptions<SoapOptions>().BindConfiguration("Soap").ValidateOnStart();
        services.AddSingleton<IValidateOptions<SoapOptions>, SoapOptionsCheck>();
        services.AddSingleton<SoapClients>();
        services.AddSingleton(provider => provider.GetRequiredService<IOptions<SoapOptions>>().Value.Policy);
    }

    /// <summary>Maps operations and the WSDL of one version of one interface.</summary>
    /// <param name="app">The host.</param>
    /// <param name="path">As the national service has it.</param>
    /// <param name="wsdl">Name of the document in contracts/wsdl, without its ending.</param>
    /// <param name="payload">Its namespace, by the settings.</param>
    /// <param name="operations">What may be called there; the element of the body is named by the operation, with "Request" behind.</param>
    public static void MapSoap(this WebApplication app, string path, string wsdl, Func<SoapOptions, string> payload, params SoapOperation[] operations)
    {
        var options = app.Services.GetRequiredService<IOptions<SoapOptions>>().Value;
        XNamespace ns = payload(options);
        var byElement = operations.ToFrozenDictionary(operation => operation.Name + "Request");
        app.MapGet(path, http => Wsdl.Write(http, wsdl, options)).AllowAnonymous();
        // Anonymous to the token checks only: the ticket in the envelope is the token here, and says who is counted.
        app.MapPost(path, http => Answer(http, byElement, ns)).AllowAnonymous().DisableRateLimiting();
    }

    private static async Task Answer(HttpContext http, FrozenDictionary<string, SoapOperation> operations, XNamespace payload)
    {
        var (now, rates) = (http.Get<TimeProvider>().GetUtcNow(), http.Get<Rates>());
        SoapMessage? message = null;
        Caller? known = null;
        string? clientKey = null;
        XDocument answer;
        try
        {
            message = SoapMessage.Parse(await Read(http));
            var ticket = TicketRules.Check(message.Security, http.Get<TicketPolicy>(), now).Value;
            clientKey = SoapClients.KeyOf(ticket);
            if (message.MessageId is null)
                throw new RejectedException(Rejections.SoapMessageIdMissing.For("MessageID"));
            // By the element alone: a header SOAPAction is not signed, and says nothing that the body does not.
            if (message.Body.NamespaceURI != payload.NamespaceName || !operations.TryGetValue(message.Body.LocalName, out var operation))
                throw new RejectedException(Rejections.SoapOperationUnknown);
            var (caller, client) = http.Get<SoapClients>().Of(ticket, operation, Caller.NetworkOf(http.Connection.RemoteIpAddress));
            known = caller;
            rates.Take(http, caller.ClientId);
            answer = SoapFaults.Answer(message, now, await operation.Handle(new SoapCall(message.Body, message, caller, client, payload, http), http.RequestAborted));
        }
        catch (Exception e) when (!http.RequestAborted.IsCancellationRequested)
        {
            if (e is not (RejectedException or BadHttpRequestException))
                Faults.Log(http.Get<ILoggerFactory>().CreateLogger(typeof(SoapEndpoints)), e, http.GetEndpoint()?.DisplayName ?? "soap");
            var rejection = known is null ? rates.OfAddress(http, SoapFaults.Of(e)) : SoapFaults.Of(e);
            Telemetry.Count(rejection, "soap");
            // SOAP 1.1, 6.2: every fault, whoever's it is, has status 500.
            http.Response.StatusCode = StatusCodes.Status500InternalServerError;
            answer = SoapFaults.Fault(rejection, clientKey, message, now);
        }
        http.Response.ContentType = "text/xml; charset=utf-8";
        await http.Response.WriteAsync(answer.Declaration + answer.ToString(SaveOptions.DisableFormatting), Encoding.UTF8, http.RequestAborted);
    }

    /// <summary>The body of a request, bounded.</summary>
    /// <exception cref="RejectedException">SLR-907.</exception>
    public static async Task<byte[]> Read(HttpContext http)
    {
        if (http.Request.ContentLength > SoapXml.LargestBody)
            throw new RejectedException(Rejections.TooLarge);
        using var body = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (await http.Request.Body.ReadAsync(buffer, http.RequestAborted) is var read and > 0)
        {
            if (body.Length + read > SoapXml.LargestBody)
                throw new RejectedException(Rejections.TooLarge);
            body.Write(buffer, 0, read);
        }
        return body.ToArray();
    }
}
