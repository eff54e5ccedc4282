using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Xunit;

namespace Sloring.Tests.Service.Journal;

/// <summary>
/// Databases without the keys they were made with: every patient would be looked for under another hash, and all names would show; texts would be sealed under a key that opens none of those before.
/// </summary>
public sealed class KeyCheckTests
{
    [Fact]
    public async Task OtherKeysThanTheDatabasesWereMadeWith_AreNotReady()
    {
        await using var platform = await Platform.Start();
        var secrets = Path.Combine(platform.Folder, "secrets.json");
        await platform.Stop();
        var kept = await File.ReadAllTextAsync(secrets, TestContext.Current.CancellationToken);
        File.Delete(secrets);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await (await Platform.Start(platform.Folder)).DisposeAsync());

        await File.WriteAllTextAsync(secrets, kept, TestContext.Current.CancellationToken);
        await using var again = await Platform.Start(platform.Folder);
    }

    [Fact]
    public async Task ASealingKeyOfAnotherValueUnderAnIdInUse_IsNotReady_AndNorIsOneThatIsNone()
    {
        await using var first = await Platform.Start();
        var kept = Secrets(first);
        kept["sealing-key-current"] = "2";
        Write(first, kept);
        await using var platform = await first.Restart();
        kept = Secrets(platform);
        await platform.Client.Must("drift", HttpMethod.Post, "/v1/keys/pseudonym/rotation", new JsonObject(), TestContext.Current.CancellationToken);
        await platform.Stop();
        var another = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        foreach (var (name, value) in ((string, string)[])
        [
            ("sealing-key-1", another), ("sealing-key-2", another), // the earlier one, and the one in use
            ("sealing-key-2", "AAAAAAAAAAAAAAAAAAAAAA"), ("sealing-key-1", "no key!"), ("sealing-key-next", another[..32]),
        ])
        {
            Write(platform, new(kept) { [name] = value });
            var error = await Assert.ThrowsAsync<InvalidOperationException>(async () => await (await Platform.Start(platform.Folder)).DisposeAsync());
            Assert.Contains($"'{name}'", error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain(value, error.Message, StringComparison.Ordinal);
        }

        // A new one may be added; an earlier one that nothing in use lies under may go.
        kept["sealing-key-next"] = another;
        kept.Remove("sealing-key-1");
        Write(platform, kept);
        await using var again = await Platform.Start(platform.Folder);
    }

    private static Dictionary<string, string> Secrets(Platform platform) =>
        JsonSerializer.Deserialize<Dictionary<string, string>>(File.ReadAllText(Path.Combine(platform.Folder, "secrets.json")))!;

    private static void Write(Platform platform, Dictionary<string, string> secrets) =>
        File.WriteAllText(Path.Combine(platform.Folder, "secrets.json"), JsonSerializer.Serialize(secrets));
}
