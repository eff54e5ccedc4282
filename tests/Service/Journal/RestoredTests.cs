using Microsoft.Data.Sqlite;
using Sloring.Hosting;
using Sloring.Scheduler;
using Xunit;

namespace Sloring.Tests.Service.Journal;

/// <summary>What an operator has a service do once its database was put back from a backup.</summary>
public sealed class RestoredTests : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sloring-").FullName;

    [Fact]
    public void MigrateAndRestored_NotesItInTheJournal_AndEnds_MigrateAloneNotesNothing()
    {
        Run("--migrate");
        Run("--migrate", "--restored");
        Run("--migrate");
        using var database = new SqliteConnection($"Data Source={Path.Combine(_folder, "scheduler.db")};Pooling=false");
        database.Open();
        using var command = database.CreateCommand();
        command.CommandText = "SELECT group_concat(\"Type\") FROM journal";
        Assert.Equal("audit.journal-restored.v1", command.ExecuteScalar());
    }

    private void Run(params string[] arguments) => ServiceHost.Run(
    [
        $"--Data:Folder={_folder}", $"--Secrets:File={Path.Combine(_folder, "secrets.json")}", "--Secrets:CreateMissing=true", "--Token:Issuer=http://127.0.0.1:1",
        $"--Organisations:File={Path.Combine(Repository.Root, "samples", "organisations.csv")}", "--Services:registration=http://127.0.0.1:1", "--Services:approval=http://127.0.0.1:1",
        .. arguments,
    ], builder => builder.AddScheduler(), app => app.MapScheduler());

    public async ValueTask DisposeAsync() => await KeptScan.Discard(_folder, "scheduler");
}
