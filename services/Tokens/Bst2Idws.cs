using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Xml.Linq;
using Sloring.Contracts;
using Sloring.Hosting;
using static Sloring.Hosting.SoapNames;
using static Sloring.Tokens.TrustNames;

namespace Sloring.Tokens;

/// <summary>
/// The exchange of <see cref="ExchangeToken"/> over WS-Trust 1.3, in the form of the national service's Bst2Idws: a citizen's bootstrap token (SAML 2.0) → an
/// identity token (SAML 2.0) for one audience. The client shows who it is by signing the message with its certificate.
/// </summary>
internal sealed class Bst2Idws(
    Clients clients, TokenState state, Rates rates, AssertionMemory memory, IdentityProviders providers, ExchangeToken exchange, IdentityAssertions assertions, TimeProvider clock,
    ILogger<Bst2Idws> log)
{
    private static readonly TimeSpan Leeway = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestLife = TimeSpan.FromMinutes(5);

    /// <summary>Of a whole second, as timestamps mostly are. No leeway: a message that was made before may have been taken before.</summary>
    private readonly DateTimeOffset _began = DateTimeOffset.FromUnixTimeSeconds(clock.GetUtcNow().ToUnixTimeSeconds());

    public async Task Handle(HttpContext http)
    {
        var now = clock.GetUtcNow();
        TrustRequest? request = null;
        ClientOptions? known = null;
        XElement body;
        try
        {
            var envelope = SoapEnvelope.Parse(await SoapEndpoints.Read(http), Wsse, Addressing);
            request = Or(Rejections.TrustRequestInvalid, () => TrustRequest.Read(envelope));
            var (client, certificate) = Authenticate(request, now);
            known = client;
            using (certificate)
            {
                rates.Take(http, client.Id);
                body = await Issue(request, client, certificate, http.RequestAborted);
            }
        }
        catch (Exception e) when (!http.RequestAborted.IsCancellationRequested)
        {
            if (e is not (RejectedException or BadHttpRequestException))
                Faults.Log(log, e, nameof(Bst2Idws));
            http.Response.StatusCode = StatusCodes.Status500InternalServerError;
            var rejection = SoapFaults.Of(e);
            body = Fault(known is null ? rates.OfAddress(http, rejection) : rejection);
        }
        var header = new XElement(Soap + "Header",
            new XElement(Wsa + "Action", AnswerAction),
            new XElement(Wsa + "MessageID", "urn:uuid:" + Guid.NewGuid().ToString("D")),
            request is null ? null : new XElement(Wsa + "RelatesTo", request.MessageId),
            new XElement(SoapNames.Security + "Security", new XElement(Utility + "Timestamp", new XElement(Utility + "Created", Instant(now)))));
        http.Response.ContentType = "text/xml; charset=utf-8";
        http.Response.Headers.CacheControl = "no-store";
        var answer = new XElement(Soap + "Envelope", new XAttribute(XNamespace.Xmlns + "soap", SoapNames.Envelope), header, new XElement(Soap + "Body", body));
        await http.Response.WriteAsync(answer.ToString(SaveOptions.DisableFormatting), Encoding.UTF8, http.RequestAborted);
    }

    /// <summary>The client whose certificate has signed the message, now and for the first time.</summary>
    private (ClientOptions Client, X509Certificate2 Certificate) Authenticate(TrustRequest request, DateTimeOffset now)
    {
        ClientOptions? client = null;
        var certificate = Or(Rejections.MessageNotSigned, () => request.SignedBy(shown => (client = clients.Of(shown, now)) is not null));
        if (state.Now().IsRevoked(client!.Id))
            throw new RejectedException(Rejections.ClientRevoked);
        if (request.Created > now + Leeway || now - request.Created > LongestLife || now >= request.Expires || request.Created < _began)
            throw new RejectedException(Rejections.MessageNotNow.For("Timestamp"));
        memory.Use(client.Id, "wst " + request.MessageId, request.Created + LongestLife, now, Rejections.MessageNotNow.For("MessageID"));
        return (client, certificate);
    }

    private async Task<XElement> Issue(TrustRequest request, ClientOptions client, X509Certificate2 certificate, CancellationToken cancel)
    {
        var audience = exchange.Target(client, request.Audience);
        assertions.MustReach(audience);
        var bootstrap = Or(Rejections.SubjectTokenInvalid, () => providers.Read(request.Assertion, certificate));
        if (request.Cpr.Length > 0 && request.Cpr != bootstrap.Citizen.Digits)
            throw new RejectedException(Rejections.ClaimsDiffer.For("Claims"));
        var granted = await exchange.Assess(client, audience, bootstrap, request.OnBehalfOf, cancel);
        var from = clock.GetUtcNow();
        return new XElement(Wst + "RequestSecurityTokenResponseCollection", new XElement(Wst + "RequestSecurityTokenResponse",
            request.Context.Length == 0 ? null : new XAttribute("Context", request.Context),
            new XElement(Wst + "TokenType", Saml2),
            new XElement(Wst + "RequestedSecurityToken", assertions.Write(granted, audience, client, certificate, from)),
            new XElement(Wsp + "AppliesTo", new XElement(Wsa + "EndpointReference", new XElement(Wsa + "Address", audience.Id))),
            new XElement(Wst + "Lifetime", new XElement(Utility + "Created", Instant(from)), new XElement(Utility + "Expires", Instant(from + granted.Life)))));
    }

    /// <summary>
    /// Both fault codes are documented for the national service; which of them stands for what is inferred: what the sender can mend is InvalidRequest. The number and
    /// both texts stand in the detail.
    /// </summary>
    private static XElement Fault(Rejection rejection) => new(Soap + "Fault", new XAttribute(XNamespace.Xmlns + "wst", Trust),
        new XElement("faultcode", rejection.Kind is RejectionKind.Unavailable or RejectionKind.Internal ? "wst:RequestFailed" : "wst:InvalidRequest"),
        new XElement("faultstring", rejection.Da),
        SoapFaults.Rejected(rejection));

    private static T Or<T>(Rejection rejection, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (NotValidException wrong)
        {
            throw new RejectedException(rejection.For(wrong.What));
        }
    }

    internal static string Instant(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
