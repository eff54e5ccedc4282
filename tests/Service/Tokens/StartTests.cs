using Microsoft.Extensions.Options;
using Xunit;

namespace Sloring.Tests.Service.Tokens;

/// <summary>What a wrong setting or secret says at start, where an operator sees it.</summary>
public sealed class StartTests
{
    [Fact]
    public async Task SecretsMissing_StartSaysWhichOne()
    {
        await using var host = new TokenHost();
        host.Set("Secrets:CreateMissing", "false");
        await File.WriteAllTextAsync(host.SecretsFile, "{}", TestContext.Current.CancellationToken);

        var error = await Assert.ThrowsAsync<InvalidOperationException>(async () => await host.InitializeAsync());
        Assert.Contains("client/epj-midt", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SecretTooShort_StartSaysHowToMakeOneAndDoesNotQuoteIt()
    {
        await using var host = new TokenHost();
        await File.WriteAllTextAsync(host.SecretsFile, """{"client/epj-midt":"hunter2"}""", TestContext.Current.CancellationToken);

        var error = await Assert.ThrowsAsync<InvalidOperationException>(async () => await host.InitializeAsync());
        Assert.Contains("client/epj-midt", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SigningKeyOfAnotherKind_StartSaysHowToMakeOne()
    {
        await using var host = new TokenHost();
        await File.WriteAllTextAsync(host.SecretsFile, """{"token-signing-key":"not a key"}""", TestContext.Current.CancellationToken);

        var error = await Assert.ThrowsAsync<InvalidOperationException>(async () => await host.InitializeAsync());
        Assert.Contains("token-signing-key", error.Message, StringComparison.Ordinal);
        Assert.Contains("P-256", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WrongSettings_StartStops()
    {
        await using var host = new TokenHost();
        host.Set("Tokens:Clients:0:Cvr", "12345678");

        var error = await Assert.ThrowsAsync<OptionsValidationException>(async () => await host.InitializeAsync());
        Assert.Contains("Tokens:Clients:0:Cvr", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StartedAgain_SecretsAndKeyStay()
    {
        await using var host = new TokenHost();
        await host.InitializeAsync();
        var before = host.Secrets();

        await using var again = new TokenHost();
        again.SecretsFile = host.SecretsFile;
        await again.InitializeAsync();

        Assert.Equal(before, host.Secrets());
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(host.SecretsFile));
    }
}
