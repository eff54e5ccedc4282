using System.Diagnostics.Metrics;
using Microsoft.Extensions.Options;
using Sloring.Contracts;
using Sloring.Hosting;

namespace Sloring.Tokens;

/// <summary>POST /connect/token: OAuth 2.0 client credentials (RFC 6749, 4.4). Neither tokens nor secrets nor who failed are ever logged.</summary>
public sealed class IssueToken(Clients clients, TokenSigner signer, IOptions<TokenServiceOptions> options)
{
    private static readonly Counter<long> Issued = Telemetry.Meter.CreateCounter<long>("sloring.tokens.issued");
    private static readonly Counter<long> Refused = Telemetry.Meter.CreateCounter<long>("sloring.tokens.refused");

    public async Task Handle(HttpContext http)
    {
        try
        {
            if (!HttpMethods.IsPost(http.Request.Method))
                throw new RejectedException(Rejections.TokenRequestInvalid);
            var request = await TokenRequest.Read(http);
            if (!clients.TryAuthenticate(request.ClientId, request.ClientSecret, out var client))
                throw new RejectedException(Rejections.ClientInvalid);
            var answer = request.GrantType switch
            {
                "client_credentials" => ClientCredentials(client, request.Scope),
                "" => throw new RejectedException(Rejections.TokenRequestInvalid.For("grant_type")),
                _ => throw new RejectedException(Rejections.GrantUnsupported.For("grant_type")),
            };
            Issued.Add(1, new KeyValuePair<string, object?>("client", client.Id));
            await OAuthAnswers.Write(http, answer);
        }
        catch (RejectedException rejected)
        {
            Refused.Add(1, new KeyValuePair<string, object?>("code", rejected.Rejection.Code));
            await OAuthAnswers.Write(http, rejected.Rejection);
        }
    }

    private TokenAnswer ClientCredentials(ClientOptions client, string scope)
    {
        var roles = RolesIn(scope, client.Roles);
        var claims = new Dictionary<string, object> { ["client_id"] = client.Id, ["roles"] = roles };
        Add("cvr", client.Cvr);
        Add("person", client.PersonId);
        Add("unit", client.UnitSorId);
        Add("scope", scope);
        return new TokenAnswer(signer.Sign(client.PersonId ?? client.Id, claims), "Bearer", options.Value.LifetimeSeconds, scope.Length > 0 ? scope : null);

        void Add(string claim, string? value)
        {
            if (!string.IsNullOrEmpty(value))
                claims.Add(claim, value);
        }
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
