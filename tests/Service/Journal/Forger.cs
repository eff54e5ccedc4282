using Microsoft.Extensions.DependencyInjection;
using Sloring.Hosting;
using Xunit;

namespace Sloring.Tests.Service.Journal;

/// <summary>What somebody with the database's password, but not the platform's keys, can do to Registration's journal.</summary>
internal static class Forger
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Gives every entry after a position the hash that makes the chain right again.</summary>
    public static async Task ChainAnew(Platform platform, long after, byte[] previous)
    {
        foreach (var entry in await Journal(platform).Query(all => all.Where(e => e.Position > after).OrderBy(e => e.Position), Cancel))
        {
            previous = entry.HashAfter(previous);
            var hash = (TestDatabase.IsPostgres ? "'\\x" : "x'") + Convert.ToHexString(previous) + "'";
            await Do(platform, $"update journal set \"Hash\" = {hash} where \"Position\" = {entry.Position}");
        }
    }

    public static Task<int> Do(Platform platform, string sql) => TestDatabase.Execute(platform.Folder, "registration", sql);

    public static IServiceJournal Journal(Platform platform) => platform.Services.GetServices<IServiceJournal>().Single(journal => journal.Service == "registration");
}
