using System.Text.Json;
using System.Text.Json.Nodes;
using Sloring.Hosting;

namespace Sloring.Tokens;

/// <summary>What a client or a checking service must know, found from the issuer's address alone (RFC 8414, OpenID Connect Discovery, RFC 7517, RFC 8705).</summary>
internal static class Discovery
{
    private const string Keys = "/.well-known/jwks.json";
    private const string Revocations = "/.well-known/revoked-clients.json";

    public static void Map(WebApplication app, string issuer, TokenServiceOptions options, TokenSigner signer, TokenState state)
    {
        var document = Document(issuer, options);
        Serve(app, "/.well-known/openid-configuration", 300, () => document);
        Serve(app, "/.well-known/oauth-authorization-server", 300, () => document);
        Serve(app, Keys, signer.KeepKeysSeconds, signer.Jwks);
        Serve(app, Revocations, 0, () => JsonSerializer.Serialize(RevocationList.Of(state.Now().Revoked)));
    }

    /// <summary>Deliberately absent: an authorization endpoint. Nobody signs in here.</summary>
    private static string Document(string issuer, TokenServiceOptions options)
    {
        var exchanges = options.IdentityProviders.Count > 0;
        var byCertificate = options.Clients.Any(client => client.Authentication is ClientMethods.Certificate or ClientMethods.OwnCertificate);
        var document = new JsonObject
        {
            ["issuer"] = issuer,
            ["token_endpoint"] = issuer.TrimEnd('/') + TokensModule.TokenPath,
            ["jwks_uri"] = issuer.TrimEnd('/') + Keys,
            ["revocation_list_uri"] = issuer.TrimEnd('/') + Revocations,
            ["grant_types_supported"] = exchanges ? new JsonArray("client_credentials", ExchangeToken.Grant) : new JsonArray("client_credentials"),
            ["token_endpoint_auth_methods_supported"] = byCertificate
                ? new JsonArray("client_secret_basic", "client_secret_post", ClientMethods.Assertion, ClientMethods.Certificate, ClientMethods.OwnCertificate)
                : new JsonArray("client_secret_basic", "client_secret_post", ClientMethods.Assertion),
            ["token_endpoint_auth_signing_alg_values_supported"] = new JsonArray("ES256", "PS256", "RS256"),
            ["tls_client_certificate_bound_access_tokens"] = byCertificate,
            ["scopes_supported"] = new JsonArray([.. Roles.All.Order(StringComparer.Ordinal)]),
            ["response_types_supported"] = new JsonArray(),
            ["subject_types_supported"] = new JsonArray("public"),
            ["id_token_signing_alg_values_supported"] = new JsonArray("ES256"),
            ["claims_supported"] = new JsonArray(
                "iss", "aud", "sub", "client_id", "exp", "iat", "nbf", "jti", "cvr", "roles", "person", "unit", "scope", "cnf"),
        };
        if (options.MtlsAddress.Length > 0)
            document["mtls_endpoint_aliases"] = new JsonObject { ["token_endpoint"] = options.MtlsAddress.TrimEnd('/') + TokensModule.TokenPath };
        return document.ToJsonString();
    }

    // Not counted: they cost next to nothing, and a service that could not fetch the keys would let nobody in, whoever it was that asked too often.
    private static void Serve(WebApplication app, string path, int keepSeconds, Func<string> json) =>
        app.MapGet(path, http =>
        {
            http.Response.Headers.CacheControl = keepSeconds > 0 ? $"public, max-age={keepSeconds}" : "no-store";
            http.Response.ContentType = "application/json";
            return http.Response.WriteAsync(json(), http.RequestAborted);
        }).AllowAnonymous().DisableRateLimiting();
}
