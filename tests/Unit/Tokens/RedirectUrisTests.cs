using Sloring.Tokens;
using Xunit;

namespace Sloring.Tests.Unit.Tokens;

/// <summary>Where people may be sent to: a registered address word for word, a loopback one with any port.</summary>
public sealed class RedirectUrisTests
{
    [Theory]
    [InlineData("https://portal.example/in", "https://portal.example/in", true)]
    [InlineData("https://portal.example/in", "https://portal.example/in/", false)]
    [InlineData("https://portal.example/in", "https://portal.example/IN", false)]
    [InlineData("https://portal.example/in", "https://portal.example:443/in", false)]
    [InlineData("https://portal.example/in", "https://portal.example.evil.example/in", false)]
    [InlineData("https://portal.example/in", "http://portal.example/in", false)]
    [InlineData("https://portal.example:8443/in", "https://portal.example:8444/in", false)]
    [InlineData("http://127.0.0.1:5082/in", "http://127.0.0.1:49152/in", true)]
    [InlineData("http://127.0.0.1:5082/in", "http://127.0.0.1/in", true)]
    [InlineData("http://127.0.0.1/in", "http://127.0.0.1:1/in", true)]
    [InlineData("http://[::1]:5082/in", "http://[::1]:49152/in", true)]
    [InlineData("http://127.0.0.1:5082/in", "http://[::1]:5082/in", false)]
    [InlineData("http://127.0.0.1:5082/in", "http://localhost:5082/in", false)]
    [InlineData("http://127.0.0.1:5082/in", "https://127.0.0.1:5082/in", false)]
    [InlineData("http://127.0.0.1:5082/in", "http://127.0.0.1:65536/in", false)]
    [InlineData("http://127.0.0.1:5082/in", "http://127.0.0.1:/in", false)]
    [InlineData("http://127.0.0.1:5082/in", "http://127.0.0.1:5082in", false)]
    [InlineData("http://127.0.0.1:5082/in", "http://127.0.0.1:80@evil.example/in", false)]
    [InlineData("http://127.0.0.1:5082/in", "http://127.0.0.1.evil.example/in", false)]
    [InlineData("http://127.0.0.1:5082/in", "http://127.0.0.1:5082/in?next=x", false)]
    [InlineData("https://portal.example/in", "http://127.0.0.1:5082/in", false)]
    public void Matches_WordForWord_AndAnyPortOfThisMachine(string registered, string given, bool matches) => Assert.Equal(matches, RedirectUris.Matches(registered, given));

    [Theory]
    [InlineData("https://portal.example/in", true)]
    [InlineData("https://portal.example:8443/in?tenant=1", true)]
    [InlineData("http://127.0.0.1:5082/in", true)]
    [InlineData("http://[::1]/in", true)]
    [InlineData("http://portal.example/in", false)]
    [InlineData("http://localhost:5082/in", false)]
    [InlineData("https://portal.example/in#here", false)]
    [InlineData("https://*.example/in", false)]
    [InlineData("https://user@portal.example/in", false)]
    [InlineData("/in", false)]
    [InlineData("portal:in", false)]
    [InlineData("javascript:alert(1)", false)]
    [InlineData("", false)]
    public void Registered_MayBe_TlsOrThisMachine(string uri, bool may) => Assert.Equal(may, RedirectUris.MayBeRegistered(uri));

    [Theory] // The example of RFC 7636, appendix B.
    [InlineData("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", true)]
    [InlineData("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl", false)]
    [InlineData("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjX", false)]
    [InlineData("", false)]
    public void Verifier_FitsItsChallengeOnly(string verifier, bool fits) => Assert.Equal(fits, Pkce.Fits(verifier, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"));
}
