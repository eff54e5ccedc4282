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
        Serve(app, Revocations, 0, () => JsonSerializer.Serialize(RevocationList.Of(state.Now().Refused)));
    }

    private static string Document(string issuer, TokenServiceOptions options)
    {
        var address = issuer.TrimEnd('/');
        var signsIn = options.SignIn != SignInWays.None;
        IEnumerable<string> grants = ["client_credentials", .. signsIn ? (string[])[PersonTokens.CodeGrant, PersonTokens.RefreshGrant] : [], .. options.IdentityProviders.Count > 0 ? (string[])[ExchangeToken.Grant] : []];
        var byCertificate = options.Clients.Any(client => client.Authentication is ClientMethods.Certificate or ClientMethods.OwnCertificate);
        var document = new JsonObject
        {
            ["issuer"] = issuer,
            ["token_endpoint"] = address + TokensModule.TokenPath,
            ["jwks_uri"] = address + Keys,
            ["revocation_list_uri"] = address + Revocations,
            ["grant_types_supported"] = Texts(grants),
            ["token_endpoint_auth_methods_supported"] = byCertificate
                ? new JsonArray("client_secret_basic", "client_secret_post", ClientMethods.Assertion, ClientMethods.Certificate, ClientMethods.OwnCertificate)
                : new JsonArray("client_secret_basic", "client_secret_post", ClientMethods.Assertion),
            ["token_endpoint_auth_signing_alg_values_supported"] = new JsonArray("ES256", "PS256", "RS256"),
            ["tls_client_certificate_bound_access_tokens"] = byCertificate,
            ["scopes_supported"] = Texts([.. signsIn ? (string[])["openid"] : [], .. Roles.All.Order(StringComparer.Ordinal)]),
            ["response_types_supported"] = Texts(signsIn ? ["code"] : []),
            ["subject_types_supported"] = new JsonArray("public"),
            ["id_token_signing_alg_values_supported"] = new JsonArray("ES256"),
            ["claims_supported"] = new JsonArray(
                "iss", "aud", "sub", "client_id", "exp", "iat", "nbf", "jti", "cvr", "roles", "person", "unit", "authorisation", "network", "scope", "cnf"),
        };
        if (signsIn)
        {
            document["authorization_endpoint"] = address + TokensModule.AuthorizePath;
            document["end_session_endpoint"] = address + TokensModule.LogoutPath;
            document["response_modes_supported"] = new JsonArray("query");
            document["code_challenge_methods_supported"] = new JsonArray("S256");
            document["authorization_response_iss_parameter_supported"] = true;
            document["prompt_values_supported"] = new JsonArray("none", "login");
            document["ui_locales_supported"] = new JsonArray(Pages.Danish, Pages.English);
            document["request_parameter_supported"] = false;
            document["request_uri_parameter_supported"] = false;
            foreach (var claim in (ReadOnlySpan<string>)["name", "nonce", "auth_time", "sid", "at_hash"])
                document["claims_supported"]!.AsArray().Add(claim);
        }
        if (options.MtlsAddress.Length > 0)
            document["mtls_endpoint_aliases"] = new JsonObject { ["token_endpoint"] = options.MtlsAddress.TrimEnd('/') + TokensModule.TokenPath };
        return document.ToJsonString();
    }

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(text => JsonValue.Create(text))]);

    // Not counted: they cost next to nothing, and a service that could not fetch the keys would let nobody in, whoever it was that asked too often.
    private static void Serve(WebApplication app, string path, int keepSeconds, Func<string> json) =>
        app.MapGet(path, http =>
        {
            http.Response.Headers.CacheControl = keepSeconds > 0 ? $"public, max-age={keepSeconds}" : "no-store";
            http.Response.ContentType = "application/json";
            return http.Response.WriteAsync(json(), http.RequestAborted);
        }).AllowAnonymous().DisableRateLimiting();
}
