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
        Assert.ThrowsAny<CryptographicException>(() => sealer.Open("s1.1.AAAA", SealedFor.Cpr));
    }

    [Fact]
    public void TextsOfAnEarlierKey_AreOpened_AndNewOnesLieUnderTheCurrentKey()
    {
        var first = new Sealer(Store(createMissing: true)).Seal("2512489996", SealedFor.Cpr);
        Change(secrets => secrets["sealing-key-current"] = "2");
        var sealer = new Sealer(Store(createMissing: true));
        var second = sealer.Seal("2512489996", SealedFor.Cpr);
        Assert.StartsWith("s1.1.", first, StringComparison.Ordinal);
        Assert.StartsWith("s1.2.", second, StringComparison.Ordinal);
        Assert.Equal(["2512489996", "2512489996"], [sealer.Open(first, SealedFor.Cpr), sealer.Open(second, SealedFor.Cpr)]);
        // The id in front is no more than a hint: under another key nothing opens.
        Assert.ThrowsAny<CryptographicException>(() => sealer.Open("s1.2." + first[5..], SealedFor.Cpr));

        Change(secrets => secrets.Remove("sealing-key-1"));
        Assert.ThrowsAny<CryptographicException>(() => new Sealer(Store(createMissing: false)).Open(first, SealedFor.Cpr));
        Change(secrets => secrets["sealing-key-current"] = "a.b");
        Assert.Contains("sealing-key-current", Assert.Throws<InvalidOperationException>(() => new Sealer(Store(createMissing: true)).Seal("x", SealedFor.Note)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void NameOfTheCurrentKey_WhichEverybodyCanRead_IsNoKey()
    {
        const string Id = "0123456789abcdef0123456789abcdef";
        _ = Store(createMissing: true).Text("there");
        Change(secrets => secrets["sealing-key-current"] = Id);
        var sealer = new Sealer(Store(createMissing: true));
        Assert.StartsWith($"s1.{Id}.", sealer.Seal("x", SealedFor.Note), StringComparison.Ordinal);
        // Long enough for a key of AES-192: whoever has seen a sealed text could seal one of their own.
        var box = new byte[12 + 1 + 16];
        using (var aes = new AesGcm(System.Buffers.Text.Base64Url.DecodeFromChars(Id), 16))
            aes.Encrypt(box.AsSpan(0, 12), "x"u8, box.AsSpan(12, 1), box.AsSpan(13), System.Text.Encoding.UTF8.GetBytes(SealedFor.Note));
        Assert.ThrowsAny<CryptographicException>(() => sealer.Open("s1.current." + System.Buffers.Text.Base64Url.EncodeToString(box), SealedFor.Note));
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

    // O3
    [Theory]
    [InlineData("10.20.30.40", "10.20.30.0/24")]
    [InlineData("::ffff:10.20.30.40", "10.20.30.0/24")]
    [InlineData("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48")]
    public void CallersAddress_IsKeptAsItsNetwork(string address, string network) => Assert.Equal(network, Caller.NetworkOf(System.Net.IPAddress.Parse(address)));

    // O3
    [Fact]
    public void CheckpointOfAnEarlierKey_StillHolds_AndOneOfAKeyThatIsGoneDoesNot()
    {
        var state = new JournalState("registration", 7, "ab", new DateTimeOffset(2026, 1, 10, 12, 0, 0, TimeSpan.Zero));
        var first = new CheckpointSigner(Store(createMissing: true)).Sign(state);
        Change(secrets => secrets["checkpoint-key-current"] = "2");
        var signer = new CheckpointSigner(Store(createMissing: true));
        var second = signer.Sign(state);
        Assert.NotEqual(first.Split('.')[0], second.Split('.')[0]);
        Assert.Equal(state, signer.Open(first));
        Assert.Equal(state, signer.Open(second));

        Change(secrets => secrets.Remove("checkpoint-key-1"));
        Assert.Null(new CheckpointSigner(Store(createMissing: false)).Open(first));
        Change(secrets => secrets["checkpoint-key-2"] = "not a key");
        var error = Assert.Throws<InvalidOperationException>(() => new CheckpointSigner(Store(createMissing: false)).CheckKey());
        Assert.Contains("checkpoint-key-2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SecretsOfAFolder_AreItsFiles_AsKubernetesMountsThem()
    {
        // What a mounted Secret looks like: the files are links into a folder that is exchanged as a whole.
        var folder = Path.Combine(_folder, "mounted");
        Directory.CreateDirectory(Path.Combine(folder, "..2026"));
        File.WriteAllText(Path.Combine(folder, "..2026", "postgres.approval"), "of approval");
        File.CreateSymbolicLink(Path.Combine(folder, "..data"), "..2026");
        File.CreateSymbolicLink(Path.Combine(folder, "postgres.approval"), Path.Combine("..data", "postgres.approval"));
        var store = new SecretStore(Options.Create(new SecretOptions { Folder = folder }));
        Assert.Equal(("of approval", null), (store.Text("postgres/approval"), store.Find("postgres/scheduler")));
        Assert.Contains("'postgres.scheduler'", Assert.Throws<InvalidOperationException>(() => store.Text("postgres/scheduler")).Message, StringComparison.Ordinal);
    }

    private void Change(Action<Dictionary<string, string>> change)
    {
        var secrets = System.Text.Json.JsonSerializer.Deserialize<Dictionary<string, string>>(File.ReadAllText(SecretsFile))!;
        change(secrets);
        File.WriteAllText(SecretsFile, System.Text.Json.JsonSerializer.Serialize(secrets));
    }

    private string SecretsFile => Path.Combine(_folder, "secrets.json");

    private SecretStore Store(bool createMissing) => new(Options.Create(new SecretOptions { File = SecretsFile, CreateMissing = createMissing }));

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
