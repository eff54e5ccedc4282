using Microsoft.Data.Sqlite;
using Sloring.Scheduler;
using Xunit;

namespace Sloring.Tests.Service.Security;

/// <summary>The scan that every host's databases are read by when it is disposed of finds what lies there, and is not content with nothing.</summary>
public sealed class KeptScanTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sloring-scan-").FullName;

    public async ValueTask InitializeAsync()
    {
        using var store = await TestDatabase.Ready<SchedulerDb>(_folder, "scheduler", TimeProvider.System);
        await TestDatabase.Execute(_folder, "scheduler", "create table notes (said text, raw " + (TestDatabase.IsPostgres ? "bytea" : "blob") + ")");
    }

    [Theory]
    [InlineData("'{\"Text\":\"{\\u0022cpr\\u0022:\\u00227101901234\\u0022}\"}', null")]
    [InlineData("'act-6802771111', null")] // by its form: no test of this process has given it
    [InlineData("'CiRK' || 'ZW5zIE9sZSBQcsO4dmVzZW4=', null")] // base64
    [InlineData("'mette holm testesen', null")]
    [InlineData("null, {0}0a0a37313031393031323334{1}")]
    public async Task WhatLiesInATable_IsFound_AndNotRepeated(string row)
    {
        var (before, after) = TestDatabase.IsPostgres ? ("'\\x", "'") : ("x'", "'");
        await TestDatabase.Execute(_folder, "scheduler", $"insert into notes values ({row.Replace("{0}", before, StringComparison.Ordinal).Replace("{1}", after, StringComparison.Ordinal)})");

        var found = await Assert.ThrowsAsync<InvalidOperationException>(() => KeptScan.Check(_folder, "scheduler"));

        Assert.Contains("scheduler.notes holds a ", found.Message, StringComparison.Ordinal);
        Assert.Null(PersonalText.Finding(found.Message));
    }

    [Fact]
    public async Task WhatIsNotThere_HasShownNothing()
    {
        await KeptScan.Check(_folder, "scheduler");
        Assert.Equal("No table of approval was there to be read.", (await Assert.ThrowsAsync<InvalidOperationException>(() => KeptScan.Check(_folder, "scheduler", "approval"))).Message);
    }

    public ValueTask DisposeAsync()
    {
        SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }
}
