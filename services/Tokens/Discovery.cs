using System.Text.Json.Nodes;
using Sloring.Hosting;

namespace Sloring.Tokens;

/// <summary>What a client or a checking service must know, found from the issuer's address alone (RFC 8414, OpenID Connect Discovery, RFC 7517).</summary>
internal static class Discovery
{
    private const string Keys = "/.well-known/jwks.json";

    public static void Map(WebApplication app, string issuer, string jwks)
    {
        var document = Document(issuer);
        Serve(app, "/.well-known/openid-configuration", document);
        Serve(app, "/.well-known/oauth-authorization-server", document);
        Serve(app, Keys, jwks);
    }

    /// <summary>Deliberately absent: an authorization endpoint. Nobody signs in here.</summary>
    private static string Document(string issuer) => new JsonObject
    {
        ["issuer"] = issuer,
        ["token_endpoint"] = issuer.TrimEnd('/') + TokensModule.TokenPath,
        ["jwks_uri"] = issuer.TrimEnd('/') + Keys,
        ["grant_types_supported"] = new JsonArray("client_credentials"),
        ["token_endpoint_auth_methods_supported"] = new JsonArray("client_secret_basic", "client_secret_post"),
        ["scopes_supported"] = new JsonArray([.. Roles.All.Order(StringComparer.Ordinal)]),
        ["response_types_supported"] = new JsonArray(),
        ["subject_types_supported"] = new JsonArray("public"),
        ["id_token_signing_alg_values_supported"] = new JsonArray("ES256"),
        ["claims_supported"] = new JsonArray(
            "iss", "aud", "sub", "client_id", "exp", "iat", "nbf", "jti", "cvr", "roles", "person", "unit", "scope"),
    }.ToJsonString();

    private static void Serve(WebApplication app, string path, string json) =>
        app.MapGet(path, http =>
        {
            http.Response.Headers.CacheControl = "public, max-age=300";
            http.Response.ContentType = "application/json";
            return http.Response.WriteAsync(json, http.RequestAborted);
        }).AllowAnonymous();
}
