using Xunit;

namespace Sloring.Tests.Service.Journal;

/// <summary>Databases without the keys they were made with: every patient would be looked for under another hash, and all names would show.</summary>
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
}
