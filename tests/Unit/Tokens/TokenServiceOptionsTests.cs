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
    [InlineData("Tokens:Clients:0:PersonId", "Lis Holm", "1 to 64 characters")]
    public void WrongSetting_MessageNamesItAndSaysWhatToSet(string setting, string? value, string expected)
    {
        var error = Assert.Throws<OptionsValidationException>(() => Read(new(Right) { [setting] = value }));

        var message = Assert.Single(error.Failures);
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.StartsWith(setting.StartsWith("Tokens:Clients:0", StringComparison.Ordinal) ? "Tokens:Clients:0:" : setting, message, StringComparison.Ordinal);
    }

    [Fact]
    public void NoClients_IsSaid() =>
        Assert.Contains("Tokens:Clients:0:Id", Assert.Single(Assert.Throws<OptionsValidationException>(() => Read([])).Failures), StringComparison.Ordinal);

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
