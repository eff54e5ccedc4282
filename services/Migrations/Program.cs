using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Sloring.Approval;
using Sloring.Effectuation;
using Sloring.Pseudonym;
using Sloring.Registration;
using Sloring.Scheduler;

Console.Error.WriteLine("This program is the start-up project of dotnet-ef; CONTRIBUTING.md says how a migration is written.");
return 1;

/// <summary>Contexts as dotnet-ef needs them: the model of PostgreSQL, no server.</summary>
internal abstract class ForPostgres<TDb> : IDesignTimeDbContextFactory<TDb> where TDb : DbContext
{
    public TDb CreateDbContext(string[] args) =>
        (TDb)Activator.CreateInstance(typeof(TDb), new DbContextOptionsBuilder<TDb>().UseNpgsql("Host=none").Options)!;
}

internal sealed class OfRegistration : ForPostgres<RegistrationDb>;

internal sealed class OfApproval : ForPostgres<ApprovalDb>;

internal sealed class OfScheduler : ForPostgres<SchedulerDb>;

internal sealed class OfPseudonym : ForPostgres<PseudonymDb>;

internal sealed class OfEffectuation : ForPostgres<EffectuationDb>;
