using System.Buffers.Text;
using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using Sloring.Contracts;
using Sloring.Hosting;

namespace Sloring.Tokens;

/// <summary>POST /connect/token: OAuth 2.0 client credentials (RFC 6749, 4.4), codes and refresh tokens of people who have signed in, and token exchange (RFC 8693). Neither tokens nor secrets nor who failed are ever logged.</summary>
internal sealed class IssueToken(
    Clients clients, Assertions assertions, TokenState state, Rates rates, TokenSigner signer, ExchangeToken exchange, PersonTokens people, IOptions<TokenServiceOptions> options, TimeProvider clock)
{
    private static readonly Counter<long> Issued = Telemetry.Counter(Metrics.TokensIssued);
    private static readonly Counter<long> Refused = Telemetry.Counter(Metrics.TokensRefused);

    private bool PeopleSignIn => options.Value.SignIn != SignInWays.None;

    public async Task Handle(HttpContext http)
    {
        ClientOptions? known = null;
        try
        {
            if (!HttpMethods.IsPost(http.Request.Method))
                throw new RejectedException(Rejections.TokenRequestInvalid);
            var request = await TokenRequest.Read(http);
            var (client, certificate) = await Authenticate(http, request);
            known = client;
            rates.Take(http, client.Id);
            // Restored in this second: what were given now would be refused everywhere.
            if (state.Now().Refuses(client.Id, clock.GetUtcNow()))
                throw new RejectedException(Rejections.ClientRevoked);
            var answer = request.GrantType switch
            {
                "client_credentials" => ClientCredentials(client, request.Scope, certificate),
                PersonTokens.CodeGrant when PeopleSignIn => await people.Redeem(client, request, certificate, http.RequestAborted),
                PersonTokens.RefreshGrant when PeopleSignIn => people.Refresh(client, request, certificate),
                ExchangeToken.Grant => await exchange.Handle(client, request, http.RequestAborted),
                "" => throw new RejectedException(Rejections.TokenRequestInvalid.For("grant_type")),
                _ => throw new RejectedException(Rejections.GrantUnsupported.For("grant_type")),
            };
            Issued.Add(1, new KeyValuePair<string, object?>("client", client.Id));
            await OAuthAnswers.Write(http, answer);
        }
        catch (RejectedException rejected)
        {
            var rejection = known is null ? rates.OfAddress(http, rejected.Rejection) : rejected.Rejection;
            Refused.Add(1, new KeyValuePair<string, object?>("code", rejection.Code));
            await OAuthAnswers.Write(http, rejection);
        }
    }

    /// <summary>By the one way that the client is registered with; with a certificate, its thumbprint too, which binds the token (RFC 8705, 3).</summary>
    private async Task<(ClientOptions Client, string? Certificate)> Authenticate(HttpContext http, TokenRequest request)
    {
        if (request.Assertion.Length > 0)
            return (await assertions.Authenticate(request.Assertion, request.ClientId), null);
        ClientOptions? client;
        if (request.ClientSecret.Length == 0 && http.Connection.ClientCertificate is { } certificate)
        {
            return clients.TryAuthenticate(request.ClientId, certificate, clock.GetUtcNow(), out client)
                ? (client, Base64Url.EncodeToString(SHA256.HashData(certificate.RawData)))
                : throw new RejectedException(Rejections.ClientInvalid);
        }
        return clients.TryAuthenticate(request.ClientId, request.ClientSecret, out client) ? (client, null) : throw new RejectedException(Rejections.ClientInvalid);
    }

    private TokenAnswer ClientCredentials(ClientOptions client, string scope, string? certificate)
    {
        if (client.Roles.Count == 0)
            throw new RejectedException(Rejections.GrantNotForClient.For("grant_type"));
        if (client.PersonId is { } person && state.Now().Refuses(RevocationList.Person(person), clock.GetUtcNow()))
            throw new RejectedException(Rejections.ClientRevoked);
        var claims = AccessClaims.Of(client.Id, RolesIn(scope, client.Roles), client.Cvr, client.PersonId, client.UnitSorId, client.AuthorisationId, scope, certificate);
        return new TokenAnswer(signer.SignAccess(client.PersonId ?? client.Id, claims), "Bearer", options.Value.LifetimeSeconds, scope.Length > 0 ? scope : null);
    }

    /// <summary>A scope is the name of a role: a client may ask for fewer roles than it has, never for more.</summary>
    private static string[] RolesIn(string scope, IList<string> allowed)
    {
        if (scope.Length == 0)
            return [.. allowed];
        var asked = scope.Split(' ');
        return asked.All(allowed.Contains) ? [.. asked.Distinct()] : throw new RejectedException(Rejections.ScopeInvalid.For("scope"));
    }
}
