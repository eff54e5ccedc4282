using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using Sloring.Contracts;
using Sloring.Hosting;

namespace Sloring.Tokens;

/// <summary>Tokens for somebody who has signed in: a code is redeemed once (RFC 6749, 4.1.3), a refresh token as long as the session holds (6).</summary>
internal sealed class PersonTokens(People people, TokenSigner signer, Sealer sealer, TokenState state, IOptions<TokenServiceOptions> options, TimeProvider clock)
{
    public const string CodeGrant = "authorization_code";
    public const string RefreshGrant = "refresh_token";

    private const int MostCodesPerClient = 10_000;
    private readonly UsedOnce _used = new(MostCodesPerClient);
    private readonly DateTimeOffset _began = clock.GetUtcNow();

    /// <summary>Redeems a code.</summary>
    /// <exception cref="RejectedException">SLR-625, SLR-626, SLR-930.</exception>
    public async Task<TokenAnswer> Redeem(ClientOptions client, TokenRequest request, string? certificate, CancellationToken cancel)
    {
        App(client);
        var now = clock.GetUtcNow();
        // What this process may have taken before it began is not known to it.
        if (sealer.Open<AuthorizationCode>(request.Code, now) is not { } code || code.Request.ClientId != client.Id || code.Given < _began)
            throw new RejectedException(Rejections.GrantInvalid.For("code"));
        // Used by the first attempt of the client that it is for, whatever else is wrong with it.
        switch (_used.Use(client.Id, code.Id, code.Ends, now))
        {
            case Usage.Again:
                // Somebody else has it too: what came of it is good no longer (RFC 6749, 4.1.2).
                await people.End(code.Session.Id, code.Session.Ends, cancel);
                throw new RejectedException(Rejections.GrantInvalid.For("code"));
            case Usage.NoRoom:
                throw new RejectedException(Rejections.TooManyRequests);
        }
        if (request.RedirectUri != code.Request.RedirectUri)
            throw new RejectedException(Rejections.GrantInvalid.For("redirect_uri"));
        if (!Pkce.Fits(request.CodeVerifier, code.Request.Challenge))
            throw new RejectedException(Rejections.GrantInvalid.For("code_verifier"));
        var answer = Answer(client, code.Session, code.Given, code.Request.Nonce, certificate, "code");
        return answer with { RefreshToken = sealer.Seal(new RefreshToken(client.Id, code.Session, now)) };
    }

    /// <summary>New tokens of the same session. The refresh token stays what it is: its client has shown who it is.</summary>
    /// <exception cref="RejectedException">SLR-625, SLR-626.</exception>
    public TokenAnswer Refresh(ClientOptions client, TokenRequest request, string? certificate)
    {
        App(client);
        return sealer.Open<RefreshToken>(request.RefreshToken, clock.GetUtcNow()) is { } refresh && refresh.ClientId == client.Id
            ? Answer(client, refresh.Session, refresh.Given, nonce: null, certificate, "refresh_token")
            : throw new RejectedException(Rejections.GrantInvalid.For("refresh_token"));
    }

    private static void App(ClientOptions client)
    {
        if (client.RedirectUris.Count == 0)
            throw new RejectedException(Rejections.GrantNotForClient.For("grant_type"));
    }

    private TokenAnswer Answer(ClientOptions client, Session session, DateTimeOffset given, string? nonce, string? certificate, string field)
    {
        if (people.Of(session, given) is not { } person || state.Now().Refuses(client.Id, given))
            throw new RejectedException(Rejections.GrantInvalid.For(field));
        var access = signer.SignAccess(person.Id, AccessClaims.Of(client.Id, person.Roles, person.Cvr, person.Id, person.UnitSorId, person.AuthorisationId, "openid", certificate, session.From));
        var claims = AccessClaims.Of(null, person.Roles, person.Cvr, person.Id, person.UnitSorId, null, "", null);
        claims["name"] = person.Name;
        claims["auth_time"] = session.SignedInAt.ToUnixTimeSeconds();
        claims["sid"] = session.Id;
        claims["at_hash"] = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(access)).AsSpan(0, 16));
        if (nonce is not null)
            claims["nonce"] = nonce;
        // Rule E8: only a citizen-facing view learns whose data it may show; sealed, so that only one of the platform's own can read it.
        if (client.Roles.Contains(Roles.CitizenView) && (person.Cpr is not null || person.ActsFor.Count > 0))
            claims[Patients.Claim] = Patients.Seal(sealer, person.Cpr, person.ActsFor);
        var life = options.Value.LifetimeSeconds;
        return new TokenAnswer(access, "Bearer", life, "openid") { IdToken = signer.Sign("JWT", person.Id, client.Id, TimeSpan.FromSeconds(life), claims) };
    }
}

/// <summary>What an access token says beside issuer, times and id.</summary>
internal static class AccessClaims
{
    public static Dictionary<string, object> Of(string? clientId, IReadOnlyList<string> roles, string? cvr, string? person, string? unit, string? authorisation, string scope, string? certificate, string? network = null)
    {
        var claims = new Dictionary<string, object> { ["roles"] = roles.ToArray() };
        Add("client_id", clientId);
        Add("cvr", cvr);
        Add("person", person);
        Add("unit", unit);
        Add("authorisation", authorisation);
        Add("scope", scope);
        Add("network", network);
        if (certificate is not null)
            claims["cnf"] = System.Text.Json.JsonSerializer.SerializeToElement(new Dictionary<string, string> { ["x5t#S256"] = certificate });
        return claims;

        void Add(string claim, string? value)
        {
            if (!string.IsNullOrEmpty(value))
                claims.Add(claim, value);
        }
    }
}
