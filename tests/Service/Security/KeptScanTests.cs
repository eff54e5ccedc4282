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

    [Theory] // in pieces: what a statement says is traced, and read by the scan of all that the suite wrote
    [InlineData("'{\"Text\":\"{\\u0022cpr\\u0022:\\u002271019' || '01234\\u0022}\"}', null")]
    [InlineData("'act-68027' || '71111', null")] // by its form: no test of this process has given it
    [InlineData("'CiRK' || 'ZW5zIE9sZSBQcsO4dmVzZW4=', null")] // base64
    [InlineData("'mette holm ' || 'testesen', null")]
    [InlineData("null, cast(cast({0}0a0a3731303139{1} as {2}) || cast({0}3031323334{1} as {2}) as {2})")]
    public async Task WhatLiesInATable_IsFound_AndNotRepeated(string row)
    {
        var (before, type) = TestDatabase.IsPostgres ? ("'\\x", "bytea") : ("x'", "blob");
        var said = row.Replace("{0}", before, StringComparison.Ordinal).Replace("{1}", "'", StringComparison.Ordinal).Replace("{2}", type, StringComparison.Ordinal);
        await TestDatabase.Execute(_folder, "scheduler", $"insert into notes values ({said})");

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

    [Fact]
    public async Task ALog_IsReadWhereverItLies_AndMustBeThere()
    {
        var log = Path.Combine(Directory.CreateDirectory(Path.Combine(_folder, "broker", "log")).FullName, "node.log");
        await File.WriteAllTextAsync(log, "started\n", TestContext.Current.CancellationToken);
        KeptScan.CheckLogs(_folder, "node.log");

        await File.AppendAllTextAsync(log, "crashed with <<123,34,55,49,48,49,57,48,49,50,51,52,34,125>>\n", TestContext.Current.CancellationToken);
        Assert.StartsWith("node.log:2 holds a CPR number or a name", Assert.Throws<InvalidOperationException>(() => KeptScan.CheckLogs(_folder, "node.log")).Message, StringComparison.Ordinal);
        await File.WriteAllTextAsync(log, "", TestContext.Current.CancellationToken);
        Assert.Equal("node.log is missing or empty.\npostgres.log is missing or empty.", Assert.Throws<InvalidOperationException>(() => KeptScan.CheckLogs(_folder, "node.log", "postgres.log")).Message);
    }

    public ValueTask DisposeAsync()
    {
        SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }
}
