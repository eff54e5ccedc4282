using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Unit.Foundation;

public sealed class SecurityTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("secrets-").FullName;

    [Fact]
    public void ASecretMadeOnce_IsTheSameAfterARestart_AndReadableByItsOwnerOnly()
    {
        var made = Store(createMissing: true).Text("client/x");
        Assert.Equal(made, Store(createMissing: false).Text("client/x"));
        Assert.Equal(32, Store(createMissing: true).Key("k").Length);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(SecretsFile));
    }

    [Fact]
    public void AMissingSecret_StopsTheStartWithItsName()
    {
        _ = Store(createMissing: true).Text("there");
        var error = Assert.Throws<InvalidOperationException>(() => Store(createMissing: false).Text("sealing-key-1"));
        Assert.Contains("sealing-key-1", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("c2hvcnQ")]
    [InlineData("not base64url!")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAA")]
    public void AKeyThatIsNone_StopsTheStartWithItsName_AndWithoutItsValue(string value)
    {
        File.WriteAllText(SecretsFile, $$"""{"sealing-key-1":"{{value}}"}""");
        var error = Assert.Throws<InvalidOperationException>(() => Store(createMissing: false).Key("sealing-key-1"));
        Assert.Contains("'sealing-key-1'", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(value, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ASealedText_OpensForItsPurposeOnly_AndNotWhenAltered()
    {
        var sealer = new Sealer(Store(createMissing: true));
        var box = sealer.Seal("2512489996", SealedFor.Cpr);
        Assert.Equal("2512489996", sealer.Open(box, SealedFor.Cpr));
        Assert.DoesNotContain("2512489996", box, StringComparison.Ordinal);
        Assert.NotEqual(box, sealer.Seal("2512489996", SealedFor.Cpr));
        Assert.ThrowsAny<CryptographicException>(() => sealer.Open(box, SealedFor.Reason));
        var altered = box[..^2] + (box[^2] == 'A' ? 'B' : 'A') + box[^1];
        Assert.ThrowsAny<CryptographicException>(() => sealer.Open(altered, SealedFor.Cpr));
        Assert.ThrowsAny<CryptographicException>(() => sealer.Open("s1.9.AAAA", SealedFor.Cpr));
    }

    // Decision 6: two clients cannot compare their lists.
    [Fact]
    public void FeedSecrets_DifferByClient()
    {
        var keys = new PatientKeys(Store(createMissing: true));
        Assert.NotEqual(keys.FeedSecret("a"), keys.FeedSecret("b"));
        Assert.NotEqual(keys.FeedSecret("a"), keys.PlatformFeedSecret);
        Assert.Equal(keys.FeedSecret("a"), keys.FeedSecret("a"));
    }

    private string SecretsFile => Path.Combine(_folder, "secrets.json");

    private SecretStore Store(bool createMissing) => new(Options.Create(new SecretOptions { File = SecretsFile, CreateMissing = createMissing }));

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
