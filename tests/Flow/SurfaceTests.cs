using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Flow;

/// <summary>The whole surface of the platform, as the running host has it: who may call, and what an answer tells of itself.</summary>
public sealed class SurfaceTests(SharedPlatform flow) : IClassFixture<SharedPlatform>
{
    /// <summary>What may be called without a token: by its nature public, or checked by its own kind of credentials (the token endpoint, SOAP's tickets, forms of the sign-in pages).</summary>
    private static readonly string[] Open =
    [
        "/.well-known/jwks.json", "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration", "/.well-known/revoked-clients.json", "/assets/{version}/{**path}",
        "/connect/authorize", "/connect/logout", "/connect/sign-in", "/connect/sign-out", "/connect/token", "/health/live", "/health/ready", "/health/started",
        "/idsas-lookup/20240124/lookup", "/idsas-registration/20230601/registration", "/idsas-registration/20240124/registration", "/idsas-salt/20230601/salt", "/language/{code}",
        "/openapi/{documentName}.json", "/signin-oidc", "/signout-callback-oidc",
    ];

    /// <summary>The portal's pages and forms: whoever has signed in, and then who the table of pages names (<c>Browser.PageMatrixTests</c>).</summary>
    private const string Session = "signed-in";

    private static bool IsPage(RouteEndpoint endpoint) => endpoint.Metadata.GetOrderedMetadata<IAuthorizeData>().Any(data => data.Policy == Session);

    private IEnumerable<RouteEndpoint> Endpoints => flow.Platform.Services.GetServices<EndpointDataSource>().SelectMany(source => source.Endpoints).OfType<RouteEndpoint>();

    [Fact]
    public void EveryEndpoint_HasAPolicyOfTheTable_OrIsListedAsOpen()
    {
        var open = new List<string>();
        foreach (var endpoint in Endpoints)
        {
            // Without a policy it is denied to all: this one answers that there is no such method.
            if (endpoint.DisplayName == "gRPC - unimplemented")
                continue;
            var policies = endpoint.Metadata.GetOrderedMetadata<IAuthorizeData>().Select(data => data.Policy).ToList();
            if (endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null)
                open.Add(endpoint.RoutePattern.RawText!);
            else if (IsPage(endpoint))
                Assert.Equal([Session], policies);
            else
                Assert.True(policies.Count == 1 && Operations.Allowed.ContainsKey(policies[0] ?? ""), $"{endpoint.DisplayName} has the policies [{string.Join(", ", policies)}]");
        }
        Assert.Equal(Open, open.Distinct().Order(StringComparer.Ordinal));
        // Every rpc of the contracts is among them.
        Assert.Equal(AnyMessage.Rpcs.Select(rpc => $"/{rpc.Service.FullName}/{rpc.Name}"),
            Endpoints.Select(endpoint => endpoint.Metadata.GetMetadata<GrpcMethodMetadata>()?.Method.FullName).OfType<string>().Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task EveryRoute_WithoutAToken_IsRefused_UnderTheSecurityHeaders_AndSaysNoMore()
    {
        using var http = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(flow.Platform.HttpAddress) };
        var routes = Endpoints.Where(endpoint => endpoint.Metadata.GetMetadata<GrpcMethodMetadata>() is null && endpoint.DisplayName != "gRPC - unimplemented").ToList();
        Assert.True(routes.Count > 40, $"{routes.Count} routes");
        foreach (var route in routes)
        {
            var path = "/" + Regex.Replace(route.RoutePattern.RawText!.TrimStart('/'), @"\{[^}]+\}", "x");
            foreach (var method in route.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["POST"])
            {
                using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = method == "POST" ? new StringContent("{\"patientCpr\":", Encoding.UTF8, "application/json") : null };
                using var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
                var (what, text) = ($"{method} {path}", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
                if (IsPage(route))
                    Assert.StartsWith(flow.Platform.HttpAddress + "/connect/authorize?", answer.Headers.Location?.ToString(), StringComparison.Ordinal);
                else if (!Open.Contains(route.RoutePattern.RawText))
                    Assert.Equal((HttpStatusCode.Unauthorized, "SLR-901"), (answer.StatusCode, (string?)JsonNode.Parse(text)!["code"]));
                foreach (var (name, value) in ((string, string)[])[("X-Content-Type-Options", "nosniff"), ("X-Frame-Options", "DENY"), ("Referrer-Policy", "no-referrer")])
                    Assert.True(answer.Headers.TryGetValues(name, out var values) && values.Single() == value, $"{what} says no {name}");
                var policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));
                Assert.True(policy.StartsWith("default-src 'none'", StringComparison.Ordinal) && policy.Contains("frame-ancestors 'none'", StringComparison.Ordinal) && !policy.Contains("unsafe", StringComparison.Ordinal), $"{what}: {policy}");
                Assert.True(answer.Headers.CacheControl is { NoStore: true } or { Public: true } || path.StartsWith("/health", StringComparison.Ordinal), $"{what} may be kept");
                Assert.Empty(answer.Headers.Server);
                Assert.False(text.Contains("Exception", StringComparison.Ordinal) || Regex.IsMatch(text, @"^\s+at \S+\(", RegexOptions.Multiline), $"{what} tells how it is made");
            }
        }
    }
}
