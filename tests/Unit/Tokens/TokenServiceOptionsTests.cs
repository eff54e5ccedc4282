using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Sloring.Tokens;
using Xunit;

namespace Sloring.Tests.Unit.Tokens;

/// <summary>Every wrong setting of the token service says which setting and what to set.</summary>
public sealed class TokenServiceOptionsTests
{
    private static readonly Dictionary<string, string?> Right = new()
    {
        ["Tokens:Clients:0:Id"] = "leader-lis",
        ["Tokens:Clients:0:Roles:0"] = "leader",
        ["Tokens:Clients:0:Cvr"] = "29190925",
        ["Tokens:Clients:0:PersonId"] = "p-17",
        ["Tokens:Clients:0:UnitSorId"] = "1000101000016003",
    };

    [Fact]
    public void RightSettings_AreTaken()
    {
        var options = Read(Right);

        Assert.Equal(300, options.LifetimeSeconds);
        var client = Assert.Single(options.Clients);
        Assert.Equal(("leader-lis", "leader", "29190925", "p-17"), (client.Id, Assert.Single(client.Roles), client.Cvr, client.PersonId));
    }

    [Theory]
    [InlineData("Tokens:LifetimeSeconds", "5", "30 to 3600")]
    [InlineData("Tokens:LifetimeSeconds", "86400", "30 to 3600")]
    [InlineData("Tokens:Clients:0:Id", "", "1 to 64 characters")]
    [InlineData("Tokens:Clients:0:Id", "a:b", "1 to 64 characters")]
    [InlineData("Tokens:Clients:0:Id", "../x", "1 to 64 characters")]
    [InlineData("Tokens:Clients:0:Roles:0", "boss", "unknown role \"boss\"")]
    [InlineData("Tokens:Clients:0:Roles:0", null, "Roles is empty")]
    [InlineData("Tokens:Clients:0:Cvr", "29190924", "right check digit")]
    [InlineData("Tokens:Clients:0:Cvr", null, "Cvr")]
    [InlineData("Tokens:Clients:0:UnitSorId", "1000101000016004", "right check digit")]
    [InlineData("Tokens:Clients:0:PersonId", "2512489996", "never a CPR number")]
    [InlineData("Tokens:Clients:0:PersonId", "p-251248-9996", "never a CPR number")]
    [InlineData("Tokens:Clients:0:PersonId", "Lis Holm", "1 to 64 characters")]
    [InlineData("Tokens:Clients:0:Authentication", "password", "private_key_jwt")]
    [InlineData("Tokens:Clients:0:Authentication", "private_key_jwt", "neither JSON nor the path")]
    [InlineData("Tokens:Clients:0:Jwks", "{}", "Leave it out")]
    [InlineData("Tokens:Clients:0:CertificateSubject", "CN=a", "tls_client_auth")]
    [InlineData("Tokens:KeyLeadSeconds", "0", "1 to 86400")]
    [InlineData("Tokens:RotateKeysAfterDays", "-1", "0 to 3650")]
    [InlineData("Tokens:ClientCaFile", "/nowhere.pem", "PEM file")]
    [InlineData("Tokens:MtlsAddress", "http://127.0.0.1", "https://")]
    [InlineData("Tokens:SignIn", "password", "one of: none, demo, openid")]
    [InlineData("Tokens:SessionHours", "0", "1 to 24")]
    [InlineData("Tokens:Clients:0:PostLogoutRedirectUris:0", "https://portal.example/out", "without Tokens:Clients:0:RedirectUris")]
    [InlineData("Tokens:Clients:0:RedirectUris:0", "https://portal.example/in", "Tokens:Clients:0:PersonId are both set")]
    [InlineData("Tokens:Clients:0:Cpr", "7101901234", "Tokens:Clients:0:Cpr must be")]
    [InlineData("Tokens:Clients:0:Roles:1", "citizen", "Tokens:Clients:0:Cpr must be")]
    [InlineData("Tokens:Clients:0:ActsFor:0", "7101901234", "Tokens:Clients:0:ActsFor must hold")]
    [InlineData("Tokens:Clients:0:Roles:1", "citizen-representative", "Tokens:Clients:0:ActsFor must hold")]
    [InlineData("Tokens:WsTrust:Certificate", "/nowhere.pem", "RSA key of at least 2,048 bits")]
    public void WrongSetting_MessageNamesItAndSaysWhatToSet(string setting, string? value, string expected)
    {
        var error = Assert.Throws<OptionsValidationException>(() => Read(new(Right) { [setting] = value }));

        var message = Assert.Single(error.Failures);
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.StartsWith(setting.StartsWith("Tokens:Clients:0", StringComparison.Ordinal) ? "Tokens:Clients:0:" : setting, message, StringComparison.Ordinal);
    }

    public static TheoryData<string, string> WrongKeys => new()
    {
        { """{"keys":[]}""", "1 to 20 keys" },
        { """{"keys":[{"kty":"oct","k":"c2VjcmV0","alg":"HS256"}]}""", "private or secret key" },
        { """{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA","d":"AA","alg":"ES256"}]}""", "private or secret key" },
        { """{"keys":[{"kty":"EC","crv":"P-384","x":"AA","y":"AA","alg":"ES384"}]}""", "ES256" },
        { """{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}""", "ES256" },
        { """{"keys":[{"kty":"EC","crv":"P-256","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE","y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE","alg":"ES256"}]}""", "not a JWK set" },
        { """{"keys":[{"kty":"RSA","n":"wVwBuyp7","e":"AQAB","alg":"RS256"}]}""", "2048" },
        { """{"keys":7}""", "JWK set" },
        { "{", "JWK set" },
    };

    [Theory, MemberData(nameof(WrongKeys))]
    public void WrongKeys_AreNamedByTheRuleTheyBreak_AndNotQuoted(string keys, string expected)
    {
        var error = Assert.Throws<OptionsValidationException>(() => Read(new(Right) { ["Tokens:Clients:0:Authentication"] = "private_key_jwt", ["Tokens:Clients:0:Jwks"] = keys }));

        var message = Assert.Single(error.Failures);
        Assert.StartsWith("Tokens:Clients:0:Jwks", message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.DoesNotContain("AAAA", message, StringComparison.Ordinal);
    }

    [Fact]
    public void ExchangeWithoutWhatItNeeds_IsSaid()
    {
        var exchanging = new Dictionary<string, string?>(Right)
        {
            ["Tokens:IdentityProviders:0:Issuer"] = "https://login.example",
            ["Tokens:IdentityProviders:0:Jwks"] = "http://login.example/keys",
            ["Tokens:Audiences:0:Id"] = "https://audience.example",
            ["Tokens:Clients:0:Audiences:0"] = "https://audience.example",
            ["Tokens:Clients:0:Audiences:1"] = "https://unknown.example",
        };
        var failures = Assert.Throws<OptionsValidationException>(() => Read(exchanging)).Failures.ToList();

        Assert.Equal(8, failures.Count);
        foreach (var expected in (string[])["Services:effectuation", "Services:pseudonym", "Id tokens", "citizen-view", "not the Id", "IdentityProviders:0:Audience", "https:// address", "Audiences:0:Key is empty"])
            Assert.Contains(failures, failure => failure.Contains(expected, StringComparison.Ordinal));
    }

    [Fact]
    public void WsTrustWithWrongFiles_IsSaid()
    {
        var failures = Assert.Throws<OptionsValidationException>(() => Read(new(Right)
        {
            ["Events"] = "dapr",
            ["Tokens:Clients:1:Id"] = "tokens",
            ["Tokens:Clients:1:Roles:0"] = "token-service",
            ["Tokens:WsTrust:Certificate"] = "/nowhere.pem",
            ["Tokens:WsTrust:Key"] = "/nowhere.key",
            ["Tokens:WsTrust:Path"] = "sts",
            ["Tokens:IdentityProviders:0:Issuer"] = "https://login.example",
            ["Tokens:IdentityProviders:0:Audience"] = "https://sloring.example",
            ["Tokens:IdentityProviders:0:Certificates:now"] = "/nowhere.pem",
            ["Tokens:Audiences:0:Id"] = "https://audience.example",
            ["Tokens:Audiences:0:Certificate"] = "/nowhere.pem",
        })).Failures.ToList();

        Assert.Equal(5, failures.Count);
        foreach (var expected in (string[])["WsTrust:Certificate", "WsTrust:Key", "WsTrust:Path", "IdentityProviders:0:Certificates:now", "Audiences:0:Certificate"])
            Assert.Contains(failures, failure => failure.StartsWith("Tokens:" + expected, StringComparison.Ordinal));
    }

    [Fact]
    public void NoClients_IsSaid() =>
        Assert.Contains("Tokens:Clients:0:Id", Assert.Single(Assert.Throws<OptionsValidationException>(() => Read([])).Failures), StringComparison.Ordinal);

    [Theory]
    [InlineData("https://tokens.example", "tokens.json", "only where Token:Issuer is an address of this machine")]
    [InlineData("http://127.0.0.1:5080", "", "Tokens:StateFile is empty")]
    public void DemoSignIn_IsForThisMachine_AndRemembersWhoSignedOut(string issuer, string stateFile, string expected)
    {
        var error = Assert.Throws<OptionsValidationException>(() => Read(new(Right) { ["Token:Issuer"] = issuer, ["Tokens:SignIn"] = "demo", ["Tokens:StateFile"] = stateFile }));
        Assert.Contains(expected, Assert.Single(error.Failures), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Authority", "http://login.example", "https:// address")]
    [InlineData("ClientId", "", "ClientId is empty")]
    [InlineData("RolesClaim", "", "must name claims")]
    [InlineData("Roles:0:Role", "boss", "Roles:0 needs a Value, and a Role of")]
    [InlineData("Roles:0:Role", "service", "Roles:0 needs a Value, and a Role of")]
    [InlineData("Roles:0:Value", "", "Roles:0 needs a Value, and a Role of")]
    [InlineData("Roles:0", null, "nobody could sign in")]
    public void WrongProviderOfSignIn_IsSaid(string setting, string? value, string expected)
    {
        var settings = new Dictionary<string, string?>(Right)
        {
            ["Tokens:SignIn"] = "openid",
            ["Tokens:StateFile"] = "tokens.json",
            ["Tokens:OpenIdProvider:Authority"] = "https://login.example",
            ["Tokens:OpenIdProvider:ClientId"] = "sloring",
            ["Tokens:OpenIdProvider:Roles:0:Value"] = "grp-leaders",
            ["Tokens:OpenIdProvider:Roles:0:Role"] = "leader",
        };
        Assert.Equal("openid", Read(settings).SignIn);
        foreach (var name in settings.Keys.Where(name => name.StartsWith($"Tokens:OpenIdProvider:{setting}", StringComparison.Ordinal)).ToList())
            settings.Remove(name);
        settings[$"Tokens:OpenIdProvider:{setting}"] = value;
        Assert.Contains(expected, Assert.Single(Assert.Throws<OptionsValidationException>(() => Read(settings)).Failures), StringComparison.Ordinal);
    }

    [Fact]
    public void AppThatPeopleSignInTo_NeedsNoRoles_AndAddressesOfItsOwn()
    {
        var app = new Dictionary<string, string?> { ["Tokens:Clients:0:Id"] = "portal", ["Tokens:Clients:0:RedirectUris:0"] = "https://portal.example/in" };
        Assert.Empty(Assert.Single(Read(app).Clients).Roles);
        var error = Assert.Throws<OptionsValidationException>(() => Read(new(app) { ["Tokens:Clients:0:RedirectUris:1"] = "http://portal.example/in" }));
        Assert.StartsWith("Tokens:Clients:0:RedirectUris must be https://", Assert.Single(error.Failures), StringComparison.Ordinal);
    }

    [Fact]
    public void TwoClientsOfOneId_AreRefused()
    {
        var error = Assert.Throws<OptionsValidationException>(() => Read(new(Right) { ["Tokens:Clients:1:Id"] = "leader-lis", ["Tokens:Clients:1:Roles:0"] = "leader" }));
        Assert.Contains("2 clients", Assert.Single(error.Failures), StringComparison.Ordinal);
    }

    [Fact]
    public void SeveralWrongSettings_AreAllSaid() => Assert.Equal(2, Assert.Throws<OptionsValidationException>(
        () => Read(new(Right) { ["Tokens:LifetimeSeconds"] = "0", ["Tokens:Clients:0:Cvr"] = "1" })).Failures.Count());

    private static TokenServiceOptions Read(Dictionary<string, string?> settings)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Configuration.AddInMemoryCollection(settings.Where(setting => setting.Value is not null));
        builder.AddTokens();
        using var services = builder.Services.BuildServiceProvider();
        return services.GetRequiredService<IOptions<TokenServiceOptions>>().Value;
    }
}
